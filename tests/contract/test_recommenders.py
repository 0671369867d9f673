"""What every recommender promises, over all that are registered: a new one is tested by its line in the registry."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from db.columns import Columns as C
from models.recommenders import RECOMMENDERS
from models.recommenders.base import Recommender, best
from models.recommenders.hybrid import Hybrid
from models.recommenders.own_history import OwnHistory
from models.recommenders.training import KINDS, Kind, Training, training
from tests.two_tastes import AS_OF, COLD, CUSTOMERS, NEW, PRODUCTS, SERVICE, known

K = 10


@pytest.fixture(scope="module")
def shop() -> Training:
    return known()


@pytest.fixture(scope="module", params=RECOMMENDERS, ids=lambda recommender: recommender.name)
def model(request: pytest.FixtureRequest, shop: Training) -> Recommender:
    fitted: Recommender = request.param(42).fit(shop)
    return fitted


def everyone(model: Recommender) -> list[str]:
    return model.training.customers[C.CUSTOMER_ID].tolist()


def bought(model: Recommender) -> set[tuple[str, str]]:
    pairs = model.training.pairs
    customers = model.training.customers[C.CUSTOMER_ID].iloc[pairs["customer"]]
    products = model.training.products[C.PRODUCT_ID].iloc[pairs["product"]]
    return set(zip(customers, products, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_lists_have_one_shape(model: Recommender, kind: Kind) -> None:
    lists = model.recommend(everyone(model), K, kind)
    assert lists.columns.tolist() == [C.CUSTOMER_ID, C.PRODUCT_ID, C.SCORE, C.RANK]
    assert not lists.isna().any().any()
    assert np.isfinite(lists[C.SCORE]).all()
    assert not lists.duplicated([C.CUSTOMER_ID, C.PRODUCT_ID]).any()
    for _, one in lists.groupby(C.CUSTOMER_ID):
        assert one[C.RANK].tolist() == list(range(1, len(one) + 1))
        assert one[C.SCORE].is_monotonic_decreasing


def test_discover_never_lists_what_was_bought(model: Recommender) -> None:
    lists = model.recommend(everyone(model), PRODUCTS, "discover")
    assert not bought(model) & set(zip(lists[C.CUSTOMER_ID], lists[C.PRODUCT_ID], strict=True))


def test_lists_are_full_where_candidates_exist(model: Recommender) -> None:
    own = pd.Series([customer for customer, _ in bought(model)]).value_counts().reindex(everyone(model), fill_value=0)
    every = len(model.training.products)
    expected = {
        "discover": every - own,
        "buy_again": own,
        "any": own if model.name == OwnHistory.name else every + 0 * own,
    }
    for kind in model.kinds:
        sizes = model.recommend(everyone(model), K, kind)[C.CUSTOMER_ID].value_counts()
        pd.testing.assert_series_equal(
            sizes.reindex(everyone(model), fill_value=0), expected[kind].clip(upper=K), check_names=False
        )


def test_who_never_bought_gets_a_list_and_nothing_again(model: Recommender) -> None:
    lists = model.recommend([COLD], K, "discover")
    assert len(lists) == (K if "discover" in model.kinds else 0)
    assert all(model.reasons(lists))
    assert model.recommend([COLD], K, "buy_again").empty


def test_a_product_first_sold_yesterday_is_listed_and_has_its_like(model: Recommender) -> None:
    buyers = {customer for customer, product in bought(model) if product == NEW}
    lists = model.recommend(everyone(model), K, "discover", [NEW])
    if "discover" in model.kinds:
        assert set(lists[C.CUSTOMER_ID]) == set(everyone(model)) - buyers
    assert set(model.recommend(everyone(model), K, "buy_again", [NEW])[C.CUSTOMER_ID]) == buyers
    assert len(model.similar([NEW], 5)) > 0


def test_buy_again_lists_only_what_was_bought(model: Recommender) -> None:
    lists = model.recommend(everyone(model), PRODUCTS, "buy_again")
    assert set(zip(lists[C.CUSTOMER_ID], lists[C.PRODUCT_ID], strict=True)) <= bought(model)


def test_only_what_may_be_listed_is_listed(model: Recommender) -> None:
    allowed = model.training.products[C.PRODUCT_ID].tolist()[::3]
    whole = model.recommend(everyone(model), PRODUCTS, "any")
    lists = model.recommend(everyone(model), PRODUCTS, "any", [*allowed, "unknown"])
    expected = whole[whole[C.PRODUCT_ID].isin(allowed)]
    together = [C.CUSTOMER_ID, C.PRODUCT_ID]
    if type(model)._best is Recommender._best:
        assert lists[together].to_numpy().tolist() == expected[together].to_numpy().tolist()
    assert set(lists[C.PRODUCT_ID]) <= set(allowed)
    with pytest.raises(KeyError, match="no candidates"):
        model.similar(["unknown"], K)


def test_similar_products_are_others_and_alike(model: Recommender) -> None:
    products = model.training.products[C.PRODUCT_ID].tolist()
    pairs = model.similar(products, 5)
    assert pairs.columns.tolist() == [C.PRODUCT_ID, C.OTHER_PRODUCT_ID, C.SIMILARITY, C.RANK]
    assert (pairs[C.PRODUCT_ID] != pairs[C.OTHER_PRODUCT_ID]).all()
    assert pairs[C.SIMILARITY].between(0, 1 + 1e-6).all()
    same_taste = pairs[C.PRODUCT_ID].str[1:].astype(int) % 2 == pairs[C.OTHER_PRODUCT_ID].str[1:].astype(int) % 2
    assert same_taste.mean() > 0.7


def test_an_explanation_adds_up_to_the_score(model: Recommender) -> None:
    lists = model.recommend(everyone(model), 3, model.kinds[0])
    columns = (lists[name].iloc[::7] for name in (C.CUSTOMER_ID, C.PRODUCT_ID, C.SCORE))
    for customer, product, score in zip(*columns, strict=True):
        found = model.explain(customer, product)
        if found is not None:
            assert found.score == pytest.approx(score, abs=1e-5)
            assert sum(amount for _, amount in found.parts) == pytest.approx(score, abs=1e-5)
    with pytest.raises(KeyError, match="no candidate"):
        model.explain("c01", "unknown")
    with pytest.raises(KeyError, match="not in the training"):
        model.explain("nobody", "p01")


def test_a_service_product_is_never_listed(model: Recommender) -> None:
    assert SERVICE not in set(model.recommend(everyone(model), PRODUCTS + 5, "any")[C.PRODUCT_ID])


def test_the_same_seed_gives_the_same_lists(model: Recommender, shop: Training) -> None:
    again = type(model)(42).fit(shop)
    for kind in KINDS:
        pd.testing.assert_frame_equal(
            again.recommend(everyone(model), K, kind),
            model.recommend(everyone(model), K, kind),
        )


def test_a_list_does_not_depend_on_who_else_is_asked_for(model: Recommender) -> None:
    alone = model.recommend(["c03"], K, "any")
    together = model.recommend(everyone(model)[::-1], K, "any")
    together = together[together[C.CUSTOMER_ID] == "c03"].reset_index(drop=True)
    assert together[C.PRODUCT_ID].tolist() == alone[C.PRODUCT_ID].tolist()
    assert together[C.SCORE].tolist() == pytest.approx(alone[C.SCORE].tolist(), rel=1e-5)


def test_a_shorter_list_is_the_head_of_a_longer_one(model: Recommender) -> None:
    long = model.recommend(everyone(model), K, "any")
    short = model.recommend(everyone(model), 3, "any")
    pd.testing.assert_frame_equal(long[long[C.RANK] <= 3].reset_index(drop=True), short)


def test_every_row_has_its_reason(model: Recommender) -> None:
    for kind in KINDS:
        lists = model.recommend(everyone(model), K, kind)
        reasons = model.reasons(lists)
        assert len(reasons) == len(lists)
        assert all(reasons)
        names = model.training.products.assign(name=lambda p: p[C.NAME].fillna(p[C.PRODUCT_ID]))
        name_of = names.set_index(C.PRODUCT_ID)["name"]
        mine = {(customer, name_of[product]) for customer, product in bought(model)}
        for customer, reason in zip(lists[C.CUSTOMER_ID], reasons, strict=True):
            assert "nan" not in reason
            assert "None" not in reason
            if reason.startswith("Close to "):
                named = reason.removeprefix("Close to ").removesuffix(", which they bought")
                assert (customer, named) in mine, "the evidence is a product they bought"


def test_progress_is_told_as_often_as_announced(model: Recommender, shop: Training) -> None:
    ticks: list[None] = []
    type(model)(1).fit(shop, lambda: ticks.append(None))
    assert len(ticks) == model.steps


def test_the_likeliest_customers_of_a_product_are_the_best_of_those_who_never_bought_it(model: Recommender) -> None:
    shop, most = model.training, 7
    rows = np.arange(CUSTOMERS - 1)[::-2]  # some, in another order
    allowed = shop.products[C.PRODUCT_ID].tolist()[::3]
    places, columns, scores = model.likely(rows, most, [*allowed, "unknown"])
    found = pd.DataFrame(
        {
            C.CUSTOMER_ID: shop.customers[C.CUSTOMER_ID].to_numpy()[rows[places]],
            C.PRODUCT_ID: shop.products[C.PRODUCT_ID].to_numpy()[columns],
            C.SCORE: scores,
        }
    )
    asked = shop.customers[C.CUSTOMER_ID].iloc[rows].tolist()
    everything = model.recommend(asked, PRODUCTS, "discover", allowed)
    assert not found.duplicated([C.CUSTOMER_ID, C.PRODUCT_ID]).any()
    kept = found.merge(everything, on=[C.CUSTOMER_ID, C.PRODUCT_ID], suffixes=("", "_listed"))
    assert len(kept) == len(found), "only what may be listed, and was never bought"
    assert kept[C.SCORE].to_numpy() == pytest.approx(kept[f"{C.SCORE}_listed"].to_numpy(), rel=1e-5)
    for product, whole in everything.groupby(C.PRODUCT_ID):
        chosen = found.loc[found[C.PRODUCT_ID] == product, C.SCORE].sort_values(ascending=False)
        head = whole[C.SCORE].sort_values(ascending=False).head(most)
        assert chosen.head(most).tolist() == pytest.approx(head.tolist(), rel=1e-5), product


def test_nobody_is_likely_where_nobody_is_asked_for(model: Recommender) -> None:
    assert [len(part) for part in model.likely(np.zeros(0, np.intp), 5)] == [0, 0, 0]


def test_wrong_use_is_refused(model: Recommender) -> None:
    with pytest.raises(RuntimeError, match="before it was fitted"):
        type(model)(42).recommend(["c01"], K, "discover")
    with pytest.raises(KeyError, match="not in the training"):
        model.recommend(["nobody"], K, "discover")


def test_nobody_asked_for_is_an_empty_list(model: Recommender) -> None:
    nothing = model.recommend([], K, "discover")
    assert nothing.empty
    assert model.reasons(nothing) == []


def test_the_hybrid_learns_the_two_tastes(shop: Training) -> None:
    lists = Hybrid(42).fit(shop).recommend([f"c{who:02}" for who in range(CUSTOMERS - 1)], 3, "discover")
    of_own_taste = lists[C.CUSTOMER_ID].str[1:].astype(int) % 2 == lists[C.PRODUCT_ID].str[1:].astype(int) % 2
    assert of_own_taste.mean() > 0.75, "a third of what is new to them is of their taste"


def factors_on_a_circle(names: list[str], degrees: list[float]) -> Hybrid:
    """A customer `a` who bought every product but the first, whose factors point where the degrees say."""
    ids = [f"p{number}" for number in range(len(names))]
    rows = [("a", product, 9) for product in ids[1:]] + [(f"c{who}", product, 9) for who in range(5) for product in ids]
    purchases = pd.DataFrame(rows, columns=[C.CUSTOMER_ID, C.PRODUCT_ID, "days"])
    purchases[C.ORDERED_AT] = AS_OF - timedelta(days=9)
    purchases[C.ORDER_ID] = purchases[C.CUSTOMER_ID]
    products = pd.DataFrame({C.PRODUCT_ID: ids, C.NAME: names, C.CATEGORY: None, C.DEPARTMENT: None, C.BRAND: None})
    products[C.PRICE] = 1.0
    customers = pd.DataFrame({C.CUSTOMER_ID: ["a", *(f"c{who}" for who in range(5))], C.SEGMENT: "Loyal"})
    customers = customers.assign(**{C.COUNTRY: None, C.ATTRIBUTES: "{}"})
    model = Hybrid(42).fit(training(purchases, products, customers, AS_OF))
    model._product_factors = np.column_stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    return model


@pytest.mark.parametrize(
    ("names", "degrees", "reason"),
    [
        (["milk", "milk", "butter", "bread"], [0, 5, 40, 50], "Close to butter, which they bought"),
        (["milk", "milk", "milk", "bread"], [0, 30, 5, 120], "Close to milk (p2), which they bought"),
        (["milk", "milk", "milk", "bread"], [0, 120, 150, 180], "Bought by 5 customers"),
    ],
    ids=["another name before the same", "the same name only", "none alike"],
)
def test_a_product_is_not_said_to_be_close_to_its_own_name(names: list[str], degrees: list[float], reason: str) -> None:
    model = factors_on_a_circle(names, degrees)
    assert model.reasons(pd.DataFrame({C.CUSTOMER_ID: ["a"], C.PRODUCT_ID: ["p0"]})) == [reason]


def test_own_history_says_what_happened() -> None:
    rows = [("a", "p", 12), ("a", "p", 40), ("a", "q", 1)]
    rows += [(f"c{who}", product, 9) for who in range(5) for product in "pq"]
    purchases = pd.DataFrame(rows, columns=[C.CUSTOMER_ID, C.PRODUCT_ID, "days"])
    purchases[C.ORDERED_AT] = [AS_OF - timedelta(days=day) for day in purchases["days"]]
    purchases[C.ORDER_ID] = purchases["days"]
    customers = pd.DataFrame({C.CUSTOMER_ID: sorted(purchases[C.CUSTOMER_ID].unique())})
    model = OwnHistory(42).fit(training(purchases, pd.DataFrame({C.PRODUCT_ID: ["p", "q"]}), customers, AS_OF))
    lists = model.recommend(["a"], K, "any")
    assert lists[C.PRODUCT_ID].tolist() == ["p", "q"]
    assert lists[C.SCORE].tolist() == pytest.approx([2 * np.exp(-12 / 180), np.exp(-1 / 180)], abs=2e-3)
    assert model.reasons(lists) == ["Bought 2 times, last 12 days ago", "Bought once, 1 day ago"]


@given(arrays(np.float64, (3, 12), elements=st.sampled_from([-np.inf, 0.0, 1.0, 2.5])), st.integers(1, 15))
def test_the_best_are_as_if_all_had_been_sorted(scores: np.ndarray, k: int) -> None:
    expected = [sorted(range(12), key=lambda place: (-row[place], place))[:k] for row in scores]
    assert best(scores, k).tolist() == expected
