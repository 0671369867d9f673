"""The top products of segments."""

import numpy as np
import pandas as pd
import pytest

from db.columns import Columns as C
from models.products import segment_product


def test_lift_is_the_share_of_what_the_segment_buys_over_the_shops() -> None:
    profile = pd.DataFrame({C.GROUPING: C.SEGMENT, C.SEGMENT: ["Loyal", "Lost"], C.CUSTOMERS: [10, 30]})
    sales = pd.DataFrame(
        [("Loyal", "A", 60.0, 5.0, 8), ("Lost", "A", 20.0, 9.0, 2), ("Lost", "B", 5.0, 90.0, 6)],
        columns=[C.SEGMENT, C.PRODUCT_ID, C.QUANTITY, C.REVENUE, C.CUSTOMERS],
    ).assign(**{C.GROUPING: C.SEGMENT})
    products = segment_product(sales, profile)
    top = products.groupby([C.SEGMENT, C.KIND])[C.PRODUCT_ID].agg(list).to_dict()
    assert top["Lost", C.REVENUE] == ["B", "A"]
    assert top["Lost", C.QUANTITY] == ["A", "B"]
    assert top["Lost", C.LIFT] == ["B"], "two buyers support no lift"
    loyal = products[(products[C.SEGMENT] == "Loyal") & (products[C.KIND] == C.LIFT)]
    assert loyal[C.LIFT].tolist() == [pytest.approx((8 / 8) / (10 / 16))]


def test_what_is_not_counted_in_pieces_has_no_place_by_quantity() -> None:
    """Fuel counted by the thousandth: ten thousand for 25.00."""
    profile = pd.DataFrame({C.GROUPING: C.SEGMENT, C.SEGMENT: ["Loyal"], C.CUSTOMERS: [10]})
    sales = pd.DataFrame(
        [("fuel", 10_000.0, 25.0, 8), ("gum", 40.0, 8.0, 5)],
        columns=[C.PRODUCT_ID, C.QUANTITY, C.REVENUE, C.CUSTOMERS],
    ).assign(**{C.GROUPING: C.SEGMENT, C.SEGMENT: "Loyal"})
    top = segment_product(sales, profile).groupby(C.KIND)[C.PRODUCT_ID].agg(list)
    assert top[C.QUANTITY] == ["gum"]
    assert top[C.REVENUE] == ["fuel", "gum"]


def test_groupings_do_not_mix() -> None:
    """The same customers parted twice have the same lists as each parting alone."""
    rows = [("Loyal", "A", 9, 7), ("Loyal", "B", 1, 9), ("Lost", "A", 2, 30), ("Lost", "C", 8, 6)]
    columns = [C.SEGMENT, C.PRODUCT_ID, C.REVENUE, C.CUSTOMERS]
    one = pd.DataFrame(rows, columns=columns).assign(**{C.QUANTITY: 1.0})
    other = one.assign(segment=["Lost", "Loyal", "Lost", "Loyal"], customers=[8, 9, 7, 6])
    profile = pd.DataFrame({C.SEGMENT: ["Loyal", "Lost"], C.CUSTOMERS: [40, 60]})
    sales = {"segment": one, "rfm_group": other}
    alone = [
        segment_product(frame.assign(**{C.GROUPING: name}), profile.assign(**{C.GROUPING: name}))
        for name, frame in sales.items()
    ]
    both = segment_product(
        pd.concat([frame.assign(**{C.GROUPING: name}) for name, frame in sales.items()]),
        pd.concat([profile.assign(**{C.GROUPING: name}) for name in sales]),
    )
    keys = [C.GROUPING, C.SEGMENT, C.KIND, C.RANK]
    expected = pd.concat(alone).sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(both.sort_values(keys, ignore_index=True), expected)


def test_top_products_are_at_most_five_a_kind_in_order() -> None:
    profile = pd.DataFrame({C.GROUPING: C.SEGMENT, C.SEGMENT: ["Loyal"], C.CUSTOMERS: [10]})
    sales = pd.DataFrame(
        {
            C.GROUPING: C.SEGMENT,
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


def test_no_sales_no_products() -> None:
    profile = pd.DataFrame({C.GROUPING: C.SEGMENT, C.SEGMENT: ["Loyal"], C.CUSTOMERS: [10]})
    columns = [C.GROUPING, C.SEGMENT, C.PRODUCT_ID, C.QUANTITY, C.REVENUE, C.CUSTOMERS]
    nothing = pd.DataFrame(columns=columns).astype(dict.fromkeys(columns[3:], float))
    assert segment_product(nothing, profile).empty
