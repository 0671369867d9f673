"""The baselines against counts by hand and against other routes to the same numbers."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from db.columns import Columns as C
from models.recommenders.als import Als
from models.recommenders.ease import Ease
from models.recommenders.item_knn import ItemKNN
from models.recommenders.own_history import OwnHistory
from models.recommenders.popular import Popular
from models.recommenders.popular_segment import PopularSegment
from models.recommenders.training import Training, training
from models.recommenders.user_knn import UserKNN

AT = datetime.fromisoformat("2024-07-01")


def known(rows: list[tuple[str, str, int]], segments: dict[str, str | None] | None = None) -> Training:
    """Who bought what, how many days before; `segments` also names customers without a purchase."""
    purchases = pd.DataFrame(rows, columns=[C.CUSTOMER_ID, C.PRODUCT_ID, "days"])
    purchases[C.ORDERED_AT] = [AT - timedelta(days=days) for days in purchases["days"]]
    purchases[C.ORDER_ID] = purchases[C.CUSTOMER_ID] + " " + purchases["days"].astype(str)
    products = pd.DataFrame({C.PRODUCT_ID: sorted(purchases[C.PRODUCT_ID].unique())})
    segments = segments or dict.fromkeys(purchases[C.CUSTOMER_ID], "Loyal")
    customers = pd.DataFrame({C.CUSTOMER_ID: list(segments), C.SEGMENT: list(segments.values())})
    return training(purchases, products.assign(**{C.NAME: products[C.PRODUCT_ID]}), customers, AT, min_buyers=1)


def scored(lists: pd.DataFrame) -> dict[str, float]:
    return dict(zip(lists[C.PRODUCT_ID], lists[C.SCORE], strict=True))


@pytest.fixture(scope="module")
def many() -> Training:
    random = np.random.default_rng(3)
    rows = [(f"c{who:02}", f"p{random.integers(12):02}", int(random.integers(1, 200))) for who in np.arange(600) % 60]
    return known(rows)


def test_popular_counts_customers_of_the_window() -> None:
    rows = [("a", "milk", 1), ("a", "milk", 5), ("b", "milk", 14), ("c", "milk", 15), ("c", "tea", 15), ("b", "jam", 2)]
    shop = known(rows)
    assert scored(Popular(1, days=14).fit(shop).recommend(["a"], 3, "any")) == {"milk": 2, "jam": 1, "tea": 0}
    assert scored(Popular(1, days=15).fit(shop).recommend(["a"], 3, "any")) == {"milk": 3, "jam": 1, "tea": 1}


def test_popular_in_a_segment_leans_on_the_shop_by_as_many_customers_as_its_smoothing() -> None:
    rows = [("a", "milk", 1), ("b", "milk", 1), ("c", "tea", 1), ("a", "tea", 90)]
    shop = known(rows, {"a": "Loyal", "b": "Loyal", "c": "New", "d": None})
    model = PopularSegment(1, days=28, smoothing=2).fit(shop)
    of_shop = {"milk": 2 / 4, "tea": 1 / 4}
    assert scored(model.recommend(["a"], 2, "any")) == pytest.approx({"milk": (2 + 1) / 4, "tea": (0 + 0.5) / 4})
    assert scored(model.recommend(["c"], 2, "any")) == pytest.approx({"tea": (1 + 0.5) / 3, "milk": (0 + 1) / 3})
    assert scored(model.recommend(["d"], 2, "any")) == pytest.approx(of_shop), "without a segment as the shop"
    lists = model.recommend(["a", "d"], 1, "any")
    assert model.reasons(lists) == [
        "2 customers of Loyal bought it in the last 28 days",
        "2 customers bought it in the last 28 days",
    ]


def test_own_history_puts_what_the_shop_buys_first_among_products_of_one_order() -> None:
    rows = [("a", product, 40) for product in ("bread", "milk", "tea")] + [("b", "milk", 3), ("c", "milk", 3)]
    lists = OwnHistory(1).fit(known([*rows, ("c", "tea", 3), ("a", "soap", 39)])).recommend(["a"], 4, "buy_again")
    assert lists[C.PRODUCT_ID].tolist() == ["soap", "milk", "tea", "bread"], "a day counts more than the shop"


def test_own_history_without_fading_counts_orders() -> None:
    shop = known([("a", "milk", 300), ("a", "milk", 200), ("a", "tea", 1), ("b", "soap", 1)])
    lists = OwnHistory(1, fading_days=None).fit(shop).recommend(["a"], 4, "any")
    assert scored(lists) == pytest.approx({"milk": 2, "tea": 1}, abs=1e-3), "no opinion on what they never bought"


def test_products_are_near_by_the_cosine_of_their_buyers() -> None:
    rows = [("a", "milk", 1), ("b", "milk", 1), ("b", "tea", 1), ("c", "tea", 1), ("d", "tea", 1), ("d", "jam", 1)]
    shop = known(rows)
    model = ItemKNN(1, neighbours=3, shrinkage=0, fading_days=None).fit(shop)
    assert scored(model.recommend(["a"], 3, "discover")) == pytest.approx({"tea": 1 / 6**0.5, "jam": 0}, abs=1e-5)
    assert scored(model.recommend(["b"], 1, "discover")) == pytest.approx({"jam": 1 / 3**0.5}, abs=1e-5)
    shrunk = ItemKNN(1, neighbours=3, shrinkage=2, fading_days=None).fit(shop)
    assert scored(shrunk.recommend(["b"], 1, "discover")) == pytest.approx({"jam": 1 / (3**0.5 + 2)}, abs=1e-5)
    one = ItemKNN(1, neighbours=1, shrinkage=0, fading_days=None).fit(shop)
    assert scored(one.recommend(["a"], 2, "discover")) == pytest.approx({"tea": 0, "jam": 0}, abs=1e-5), "jam is nearer"


def test_customers_are_near_by_the_cosine_of_their_purchases() -> None:
    rows = [("a", "milk", 1), ("b", "milk", 1), ("b", "tea", 1), ("c", "milk", 1), ("c", "tea", 1), ("c", "jam", 1)]
    model = UserKNN(1, neighbours=2, fading_days=None).fit(known([*rows, ("d", "soap", 1)]))
    lists = model.recommend(["a"], 2, "discover")
    assert scored(lists) == pytest.approx({"tea": 1 / 2**0.5 + 1 / 3**0.5, "jam": 1 / 3**0.5}, abs=1e-5)
    assert model.reasons(lists) == [
        "Bought by 2 of the 2 customers most like them",
        "Bought by 1 of the 2 customers most like them",
    ]


def test_ease_is_the_ridge_regression_of_each_product_on_all_others(many: Training) -> None:
    bought = many.bought.toarray().astype(float)
    model = Ease(1, regularisation=7, fading_days=None).fit(many)
    expected = np.zeros_like(bought)
    for column in range(bought.shape[1]):
        others = np.delete(bought, column, axis=1)
        ridge = Ridge(alpha=7, fit_intercept=False).fit(others, bought[:, column])
        expected[:, column] = others @ ridge.coef_
    np.testing.assert_allclose(model._scores(np.arange(len(bought))), expected, atol=1e-5)


def test_an_old_purchase_weighs_less_than_a_late_one() -> None:
    rows = [("b", "milk", 9), ("b", "tea", 9), ("c", "milk", 9), ("d", "milk", 9), ("e", "milk", 9), ("e", "tea", 9)]
    shop = known([*rows, ("a", "tea", 90)])
    even, faded = (ItemKNN(1, neighbours=9, shrinkage=0, fading_days=days).fit(shop) for days in (None, 90))
    parts = [dict(found.parts) for model in (even, faded) if (found := model.explain("a", "milk"))]
    assert parts[0]["Bought tea"] == pytest.approx(2 / 12**0.5)
    late, early = np.exp(-9 / 90), np.exp(-1)
    likeness = 2 * late**2 / np.sqrt(4 * late**2 * (2 * late**2 + early**2))
    assert parts[1]["Bought tea"] == pytest.approx(early * likeness)


@pytest.mark.filterwarnings("error")
def test_als_is_silent(many: Training, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("implicit.utils._checked_blas_config", False)  # it warns of threads once a process
    Als(9).fit(many)
    assert capfd.readouterr().err == ""


def test_als_repeats_bit_for_bit(many: Training) -> None:
    first, second = (Als(9).fit(many) for _ in range(2))
    np.testing.assert_array_equal(first._customer_factors, second._customer_factors)
    np.testing.assert_array_equal(first._product_factors, second._product_factors)
    assert (Als(10).fit(many)._product_factors != first._product_factors).any()


def test_als_solves_the_normal_equations_of_hu_koren_and_volinsky(many: Training) -> None:
    """Products come last in each round: given the customers' factors theirs are exact (equation 5)."""
    model = Als(1, factors=4, alpha=3, regularisation=0.5, iterations=100, fading_days=None).fit(many)
    bought, customers = many.bought.toarray().astype(float), model._customer_factors.astype(float)
    for column in range(bought.shape[1]):
        confidence = np.diag(1 + 3 * bought[:, column])
        normal = customers.T @ confidence @ customers + 0.5 * np.eye(4)
        solved = np.linalg.solve(normal, customers.T @ confidence @ bought[:, column])
        np.testing.assert_allclose(model._product_factors[column], solved, atol=1e-3)


@pytest.mark.parametrize("model", [Ease, ItemKNN])
def test_a_score_is_explained_by_the_own_purchases(many: Training, model: type[Ease | ItemKNN]) -> None:
    fitted = model(1).fit(many)
    lists = fitted.recommend(["c03"], 1, "discover")
    explained = fitted.explain("c03", lists[C.PRODUCT_ID].iloc[0])
    assert explained is not None
    assert explained.score == pytest.approx(lists[C.SCORE].iloc[0], abs=1e-6)
    own = set(many.products[C.PRODUCT_ID].to_numpy()[many.bought[3].indices])
    assert {what.removeprefix("Bought ") for what, _ in explained.parts} - {"Popular now"} <= own
    assert explained.parts[0][1] == max(amount for _, amount in explained.parts)
    assert fitted.reasons(lists) == [f"Customers who bought {explained.parts[0][0][7:]} bought it too"]
