"""LightFM as it is used here: features with names, the best epoch kept, who is new served by traits, exact splits."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from db.columns import Columns as C
from models.recommenders import lightfm_fit
from models.recommenders.base import best
from models.recommenders.content import content, customer_traits, product_traits
from models.recommenders.factorised import POPULAR, PURCHASES, TREND, Factorised
from models.recommenders.hybrid import Hybrid
from models.recommenders.ids_only import IdsOnly
from models.recommenders.lightfm_fit import held_out, newness, trend
from models.recommenders.training import AGE, CUSTOMER, PRODUCT, Training

AT = datetime.fromisoformat("2024-07-01")
CUSTOMERS, PRODUCTS = 200, 60
COLD_NORTH, COLD_SOUTH, COLD_OF_NORTH, COLD_OF_SOUTH = CUSTOMERS, CUSTOMERS + 1, PRODUCTS, PRODUCTS + 1


@pytest.fixture(scope="module")
def shop() -> Training:
    """North buys Snow, south Sand, nine times of ten; the last customer and product of each are new."""
    random = np.random.default_rng(3)
    bought = pd.DataFrame(
        [
            (who, 2 * random.integers(PRODUCTS // 2) + (who % 2 if random.random() < 0.9 else 0), day)
            for who in range(CUSTOMERS)
            for day in random.uniform(0.5, 300, 15)
        ],
        columns=[CUSTOMER, PRODUCT, AGE],
    )
    people, goods = np.arange(CUSTOMERS + 2), np.arange(PRODUCTS + 2)
    customers = pd.DataFrame(
        {
            C.CUSTOMER_ID: [f"c{who:03}" for who in people],
            C.COUNTRY: np.where(people % 2, "South", "North"),
            C.ATTRIBUTES: [f'{{"household_size": "{who % 3}"}}' if who < CUSTOMERS else "{}" for who in people],
            C.SEGMENT: np.where(people < CUSTOMERS, "Loyal", None),
        }
    )
    products = pd.DataFrame(
        {
            C.PRODUCT_ID: [f"p{product:02}" for product in goods],
            C.NAME: "thing",
            C.CATEGORY: np.where(goods % 2, "Sand", "Snow"),
            C.DEPARTMENT: None,
            C.BRAND: None,
            C.PRICE: [None if product == 7 else 1.0 + product // 6 for product in goods],
        }
    )
    return Training(AT, customers, products, bought.assign(order=range(len(bought))))


@pytest.fixture(scope="module", params=[Hybrid, IdsOnly], ids=lambda model: model.name)
def model(request: pytest.FixtureRequest, shop: Training) -> Factorised:
    fitted: Factorised = request.param(42).fit(shop)
    return fitted


@pytest.fixture(scope="module")
def hybrid(shop: Training) -> Hybrid:
    return Hybrid(42).fit(shop)


def traits_of(traits: pd.DataFrame, row: int) -> set[str]:
    return set(traits.loc[traits["row"] == row, "trait"])


def test_traits_are_told_as_people_say_them(shop: Training) -> None:
    assert traits_of(customer_traits(shop.customers), 5) == {"Country: South", "Household size: 2", "Segment: Loyal"}
    assert "Category: Snow" in traits_of(product_traits(shop.products), 0)


def test_price_bands_hold_equal_prices_together_and_unknown_ones_nowhere(shop: Training) -> None:
    traits = product_traits(shop.products)
    priced = traits[traits["trait"].str.startswith("Price: ")].set_index("row")["trait"]
    assert 7 not in priced.index
    together = priced.groupby(shop.products[C.PRICE]).nunique()
    assert (together == 1).all()
    assert 2 < priced.nunique() <= 8


def test_a_shop_without_categories_is_known_by_the_words_of_its_names() -> None:
    names = ["RED heart-shaped mug 12", "Red mug", None]
    products = pd.DataFrame({C.PRODUCT_ID: list("abc"), C.NAME: names, C.PRICE: None})
    products = products.assign(**dict.fromkeys((C.CATEGORY, C.DEPARTMENT, C.BRAND)))
    traits = product_traits(products)
    assert traits_of(traits, 0) == {"Word: RED", "Word: HEART", "Word: SHAPED", "Word: MUG"}
    assert traits_of(traits, 2) == set()
    assert traits_of(product_traits(products.assign(**{C.CATEGORY: "Mugs"})), 0) == {"Category: Mugs"}


def test_traits_share_their_weight_and_rare_ones_are_left_out() -> None:
    traits = pd.DataFrame({"row": [0, 1, 2, 0, 1, 2, 3, 3], "trait": ["a", "a", "a", "b", "b", "rare", "rare", "b"]})
    features = content(traits, np.array([True, True, True, False]), 0.6)
    assert features.labels == ("a", "b")
    identity, content_part = features.matrix[:, :4].toarray(), features.matrix[:, 4:].toarray()
    assert identity.tolist() == np.diag([1, 1, 1, 0]).tolist()
    assert content_part == pytest.approx(np.array([[0.3, 0.3], [0.3, 0.3], [0.6, 0], [0, 0.6]]))


def test_what_is_held_out_is_the_last_days_and_new_to_the_customer(shop: Training) -> None:
    past, new = held_out(shop)
    assert past.at == AT - timedelta(days=28)
    assert len(past.purchases) == (shop.purchases[AGE] > 28).sum()
    assert past.purchases[AGE].min() > 0
    late = shop.purchases[shop.purchases[AGE] <= 28]
    earlier = set(zip(past.purchases[CUSTOMER], past.purchases[PRODUCT], strict=True))
    expected = set(zip(late[CUSTOMER], late[PRODUCT], strict=True)) - earlier
    assert set(zip(new[C.CUSTOMER_ID], new[C.PRODUCT_ID], strict=True)) == expected


def test_the_best_epoch_is_kept(model: Factorised, shop: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    values = [value for _, value in model.course]
    best_look = 1 + int(np.argmax(values))
    assert best_look < len(values), "it went on until it rose no more"
    assert [seconds for seconds, _ in model.course] == sorted(seconds for seconds, _ in model.course)
    everyone = np.arange(CUSTOMERS)
    monkeypatch.setattr(lightfm_fit, "CHECKS", best_look)
    assert (type(model)(42).fit(shop)._scores(everyone) == model._scores(everyone)).all()
    monkeypatch.setattr(lightfm_fit, "CHECKS", best_look - 1)
    assert (type(model)(42).fit(shop)._scores(everyone) != model._scores(everyone)).any()
    assert type(model)(42, quick=True).fit(shop).course == ()


def test_a_history_too_short_to_validate_is_fitted_all_the_same(shop: Training) -> None:
    one_day = shop.purchases.assign(**{AGE: 1.0})
    fitted = Hybrid(42).fit(Training(AT, shop.customers, shop.products, one_day))
    assert fitted.course == ()
    assert len(fitted.recommend(["c000"], 5, "discover")) == 5


def test_a_new_customer_is_served_by_their_traits(hybrid: Hybrid) -> None:
    scores = hybrid._scores(np.array([COLD_NORTH, COLD_SOUTH])) - hybrid._trend
    snow, sand = scores[:, 0:PRODUCTS:2].mean(axis=1), scores[:, 1:PRODUCTS:2].mean(axis=1)
    assert snow[0] - sand[0] > snow[1] - sand[1]
    told = hybrid.explain(f"c{COLD_NORTH}", "p00")
    assert told is not None
    labels = {label for label, _ in told.parts}
    assert PURCHASES not in labels
    assert "Country: North" in labels


def test_a_product_nobody_bought_is_offered_by_its_traits(hybrid: Hybrid) -> None:
    scores = hybrid._scores(np.arange(CUSTOMERS))
    prefers_snow = scores[:, COLD_OF_NORTH] - scores[:, COLD_OF_SOUTH]
    assert prefers_snow[0::2].mean() > prefers_snow[1::2].mean()


@given(days=st.integers(7, 400), fading=st.sampled_from([20.0, 60.0, 200.0]))
def test_what_sells_as_fast_since_it_began_counts_as_much_as_what_was_always_sold(days: int, fading: float) -> None:
    """Fading purchases at a steady rate come to rate x fading x (1 - exp(-days / fading)): newness takes that away."""
    ages = [(age + 0.5) / 10 for age in range(4_000)]
    rows = [(0, 0, age) for age in ages] + [(0, 1, age) for age in ages if age < days]
    bought = pd.DataFrame(rows, columns=[CUSTOMER, PRODUCT, AGE]).assign(order=0)
    ids = [pd.DataFrame({C.CUSTOMER_ID: ["c"]}), pd.DataFrame({C.PRODUCT_ID: ["always", "new", "never"]})]
    known = Training(AT, ids[0], ids[1], bought)
    counted = np.exp(-bought[AGE] / fading).groupby(bought[PRODUCT]).sum().to_numpy()
    always, new, never = newness(known, fading, 1.0)
    assert np.log(counted[1]) + new == pytest.approx(np.log(counted[0]) + always, abs=0.02)
    assert never == 0
    assert newness(known, fading, 2.0) == pytest.approx(2 * newness(known, fading, 1.0))


def test_the_trend_counts_buyers_of_28_days_and_what_is_new_at_its_pace() -> None:
    rows = [(0, 0, 100.0), (0, 0, 20.0), (1, 0, 27.0), (2, 0, 29.0)]  # two of three buyers lately
    rows += [(0, 1, 7.0), (1, 1, 2.0), (2, 1, 1.0)]  # three in a week
    rows += [(0, 2, 0.5)]  # one today: as in a week
    bought = pd.DataFrame(rows, columns=[CUSTOMER, PRODUCT, AGE])
    customers, products = pd.DataFrame({C.CUSTOMER_ID: list("abc")}), pd.DataFrame({C.PRODUCT_ID: list("pqrs")})
    found = trend(Training(AT, customers, products, bought), 0.5)
    assert found == pytest.approx(0.5 * np.log([1 + 2, 1 + 3 * 4, 1 + 4, 1]))


def test_without_traits_a_new_customer_sees_what_sells(shop: Training) -> None:
    ids_only = IdsOnly(42, epochs=3).fit(shop)
    assert ids_only._scores(np.array([COLD_NORTH])) == pytest.approx(ids_only._biases[None])


def test_the_parts_of_a_thousand_scores_add_up(model: Factorised, shop: Training) -> None:
    random = np.random.default_rng(1)
    rows, columns = random.integers(CUSTOMERS + 2, size=1_000), random.integers(PRODUCTS + 2, size=1_000)
    scores = model._scores(np.arange(CUSTOMERS + 2))
    seen = set()
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        found = model.explain(shop.customers[C.CUSTOMER_ID][row], shop.products[C.PRODUCT_ID][column])
        assert found is not None
        amounts = [amount for _, amount in found.parts]
        assert sum(amounts) == pytest.approx(scores[row, column], abs=1e-5)
        assert amounts == sorted(amounts, reverse=True)
        seen |= {label for label, _ in found.parts}
    assert {PURCHASES, POPULAR} <= seen
    told = {TREND, "Country: North", "Segment: Loyal", "Household size: 1", "Category: Sand"}
    assert told <= seen if isinstance(model, Hybrid) else not told & seen


@given(
    arrays(np.float32, (3, 330), elements=st.sampled_from([-np.inf, 0.0, 1.0, 2.5, 2.75]), fill=st.just(-np.inf)),
    st.integers(1, 8),
)
def test_the_best_of_many_are_as_if_all_had_been_sorted(scores: np.ndarray, k: int) -> None:
    expected = [sorted(range(330), key=lambda place: (-row[place], place))[:k] for row in scores]
    assert best(scores, k).tolist() == expected


@given(st.integers(0, 2**32 - 1), st.integers(1, 10), st.integers(300, 3_000))
def test_the_best_of_many_different_scores_are_as_if_all_had_been_sorted(seed: int, k: int, columns: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(4, columns)).round(3).astype(np.float32)
    assert best(scores, k).tolist() == np.argsort(-scores, axis=1, kind="stable")[:, :k].tolist()


def test_a_shop_of_which_nothing_is_known_has_ids_alone() -> None:
    nothing = pd.DataFrame({"row": [], "trait": []}, dtype=object)
    alone = content(nothing, np.array([True, False, True]), 0.5)
    assert alone.matrix.toarray().tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]
    assert alone.labels == ()
