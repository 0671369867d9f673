"""Names: no two alike, none untrue, whatever the clusters are."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.columns import Columns as C
from models.naming import Centre, names
from models.profiles import segment_product, segment_profile

COLOURS = {"champions", "loyal", "new", "attention", "at_risk", "lost", "other"}


def clustered(rows: list[tuple[int, int, int, float]], gap: float = 30) -> pd.DataFrame:
    """(cluster, recency, frequency, monetary) a customer, who usually orders every `gap` days."""
    frame = pd.DataFrame(rows, columns=[C.CLUSTER, C.RECENCY, C.FREQUENCY, C.MONETARY])
    frame[C.SILENCE] = frame[C.RECENCY] / gap
    return frame.assign(**{C.CUSTOMER_ID: [str(number) for number in range(len(frame))]})


shops = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 400), st.integers(1, 30), st.integers(-200, 5_000).map(float)),
    min_size=1,
    max_size=80,
).map(clustered)


@given(shops)
def test_every_shop_gets_different_complete_names(shop: pd.DataFrame) -> None:
    profile = segment_profile(shop, "£")
    assert profile[C.SEGMENT].is_unique
    assert sorted(profile[C.CLUSTER]) == sorted(shop[C.CLUSTER].unique())
    assert profile[C.POSITION].tolist() == list(range(1, len(profile) + 1))
    assert profile[C.MONETARY_MEDIAN].is_monotonic_decreasing
    assert set(profile[C.COLOUR]) <= COLOURS
    assert not profile.isna().any().any()
    assert profile[C.CUSTOMERS].sum() == len(shop)
    assert profile[C.CUSTOMER_SHARE].sum() == pytest.approx(1)
    assert profile[C.REVENUE].sum() == pytest.approx(shop[C.MONETARY].sum())
    for column in (C.EMOJI, C.PERSONA, C.PLAYBOOK, C.REASON):
        assert (profile[column].str.len() > 0).all()
        assert not profile[column].str.contains("nan").any()


@given(shops)
def test_no_name_contradicts_the_segment(shop: pd.DataFrame) -> None:
    profile = segment_profile(shop, "£").set_index(C.SEGMENT)
    if len(profile) == 1:
        assert profile.index.tolist() == ["All customers"]
        return
    by_value = profile.sort_values(C.POSITION)
    if by_value[C.RECENCY_MEDIAN].iloc[0] == profile[C.RECENCY_MEDIAN].min():
        assert by_value.index[0] == "Champions", "best spend and best recency"
    shop_median = shop[C.RECENCY].median()
    for name, segment in profile.iterrows():
        if str(name).startswith(("Lost", "At risk")):
            assert segment[C.RECENCY_MEDIAN] >= shop_median, f"{name} is no longer away than others"
            assert segment[C.RECENCY_MEDIAN] > 30, f"{name} is within its usual gap"
        if str(name).startswith("Promising"):
            assert segment[C.RECENCY_MEDIAN] <= shop_median, f"{name} is not recent"


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 9))
def test_every_place_in_the_shop_has_a_name(recency: float, frequency: float, monetary: float, silence: float) -> None:
    low = Centre(0, 5, 0.5, 0.5, 10.0, 2.0, 50.0, silence, recency, frequency, monetary)
    assert len(names([low, low], "£")) == 2


def test_as_many_clusters_as_one_likes_have_different_names() -> None:
    alike = Centre(0, 5, 0.5, 0.5, 10.0, 2.0, 50.0, 0.5, 0.7, 0.2, 0.2)
    given_names = [name.name for name in names([alike] * 60, "£")]
    assert len(set(given_names)) == 60
    assert {"Promising", "Promising, second tier", "Promising, tier 11"} <= set(given_names)


def test_textbook_segments_get_their_textbook_names() -> None:
    groups = {"Champions": (3, 20, 5000), "Promising": (6, 1, 60), "At risk": (200, 12, 2000), "Lost": (300, 1, 40)}
    rows = [
        (cluster, recency + spread, frequency, float(monetary + spread))
        for cluster, (recency, frequency, monetary) in enumerate(groups.values())
        for spread in range(10)
    ]
    profile = segment_profile(clustered(rows), "£").set_index(C.CLUSTER)
    assert profile[C.SEGMENT].to_dict() == dict(enumerate(groups))
    champions = profile.loc[0]
    assert champions[C.PERSONA] == (
        "The shop's best customers: 10 customers (25% of all, 70% of revenue), typically 20 orders, £5,004 spent, "
        "the last purchase 8 days ago."
    )


def test_a_grocers_slower_customers_are_not_lost() -> None:
    often, slower, rare = (0, 2, 90, 2700.0), (1, 10, 29, 800.0), (2, 55, 8, 150.0)
    profile = segment_profile(clustered([often] * 10 + [slower] * 9 + [rare] * 4, gap=12), "$")
    assert profile[C.SEGMENT].tolist() == ["Champions", "Regulars", "Lost"], "ten days are within a gap of twelve"


def test_a_colour_is_given_once() -> None:
    rows = [(cluster, 5, 10 + cluster, 100.0 * (cluster + 1)) for cluster in range(4)]
    colours = segment_profile(clustered(rows), "$")[C.COLOUR].tolist()
    named = [colour for colour in colours if colour != "other"]
    assert len(named) == len(set(named)) > 0


def test_negative_totals_give_no_share_of_revenue() -> None:
    profile = segment_profile(clustered([(0, 5, 1, -20.0), (1, 50, 1, -80.0)]), "£")
    assert profile[C.REVENUE_SHARE].tolist() == [0.0, 0.0]


def test_lift_is_the_share_of_what_the_segment_buys_over_the_shops() -> None:
    profile = pd.DataFrame({C.SEGMENT: ["Loyal", "Lost"], C.CUSTOMERS: [10, 30]})
    sales = pd.DataFrame(
        [("Loyal", "A", 60.0, 5.0, 8), ("Lost", "A", 20.0, 9.0, 2), ("Lost", "B", 5.0, 90.0, 6)],
        columns=[C.SEGMENT, C.PRODUCT_ID, C.QUANTITY, C.REVENUE, C.CUSTOMERS],
    )
    products = segment_product(sales, profile)
    top = products.groupby([C.SEGMENT, C.KIND])[C.PRODUCT_ID].agg(list).to_dict()
    assert top["Lost", C.REVENUE] == ["B", "A"]
    assert top["Lost", C.QUANTITY] == ["A", "B"]
    assert top["Lost", C.LIFT] == ["B"], "two buyers support no lift"
    loyal = products[(products[C.SEGMENT] == "Loyal") & (products[C.KIND] == C.LIFT)]
    assert loyal[C.LIFT].tolist() == [pytest.approx((8 / 8) / (10 / 16))]


def test_top_products_are_at_most_five_a_kind_in_order() -> None:
    profile = pd.DataFrame({C.SEGMENT: ["Loyal"], C.CUSTOMERS: [10]})
    sales = pd.DataFrame(
        {
            C.SEGMENT: "Loyal",
            C.PRODUCT_ID: list("HGFEDCBA"),
            C.QUANTITY: 1.0,
            C.REVENUE: np.arange(8.0),
            C.CUSTOMERS: 6,
        }
    )
    products = segment_product(sales, profile)
    assert products.loc[products[C.KIND] == C.REVENUE, C.PRODUCT_ID].tolist() == list("ABCDE")
    assert products.loc[products[C.KIND] == C.QUANTITY, C.PRODUCT_ID].tolist() == list("ABCDE"), "ties by id"
