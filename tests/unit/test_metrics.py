"""Ranking metrics against values worked out by hand, and what an interval is."""

from math import log2

import numpy as np
import pandas as pd
import pytest

from db.columns import Columns as C
from models.metrics import METRICS, by_customer, intervals


def lists(**products: str) -> pd.DataFrame:
    """a="xyz" recommends x, y, z to customer a, in this order."""
    rows = [(customer, product, rank) for customer, all_ in products.items() for rank, product in enumerate(all_, 1)]
    return pd.DataFrame(rows, columns=[C.CUSTOMER_ID, C.PRODUCT_ID, C.RANK])


def test_two_of_three_relevant_at_ranks_one_and_three() -> None:
    found = by_customer(lists(a="pqrstuvwxy"), lists(a="prz"), (5,)).loc["a"]
    ideal = 1 / log2(2) + 1 / log2(3) + 1 / log2(4)
    assert found["precision", 5] == 2 / 5
    assert found["recall", 5] == 2 / 3
    assert found["map", 5] == pytest.approx((1 / 1 + 2 / 3) / 3)
    assert found["ndcg", 5] == pytest.approx((1 / log2(2) + 1 / log2(4)) / ideal)
    assert found["hit_rate", 5] == 1


def test_only_the_first_k_count() -> None:
    found = by_customer(lists(a="pqrstuvwxy"), lists(a="u"), (5, 10)).loc["a"]
    assert [found[metric, 5] for metric in METRICS] == [0, 0, 0, 0, 0]
    assert found["precision", 10] == 1 / 10
    assert found["recall", 10] == 1
    assert found["map", 10] == pytest.approx(1 / 6)
    assert found["ndcg", 10] == pytest.approx(1 / log2(7))


def test_a_perfect_list_is_one_even_where_more_is_relevant_than_k() -> None:
    found = by_customer(lists(a="pqrst"), lists(a="pqrstuvw"), (5,)).loc["a"]
    assert found["precision", 5] == found["map", 5] == found["ndcg", 5] == 1
    assert found["recall", 5] == 5 / 8


def test_order_within_the_list_matters_to_map_and_ndcg_alone() -> None:
    early = by_customer(lists(a="pqrst"), lists(a="pq"), (5,)).loc["a"]
    late = by_customer(lists(a="rstpq"), lists(a="pq"), (5,)).loc["a"]
    for metric in ("precision", "recall", "hit_rate"):
        assert early[metric, 5] == late[metric, 5]
    for metric in ("map", "ndcg"):
        assert early[metric, 5] > late[metric, 5]


def test_a_customer_without_a_list_counts_as_zero_and_one_without_purchases_not_at_all() -> None:
    found = by_customer(lists(a="p", c="p"), lists(a="p", b="p"), (5,))
    assert found.index.tolist() == ["a", "b"]
    assert found["hit_rate", 5].tolist() == [1, 0]


def test_an_interval_holds_the_mean_and_narrows_with_more_customers() -> None:
    random = np.random.default_rng(1)
    few, many = (pd.DataFrame({"ndcg": random.random(size)}) for size in (50, 5_000))
    narrow, wide = intervals(many, 1).iloc[0], intervals(few, 1).iloc[0]
    for found, values in ((narrow, many), (wide, few)):
        assert found[C.CI_LOW] < found[C.VALUE] < found[C.CI_HIGH]
        assert found[C.VALUE] == pytest.approx(values["ndcg"].mean())
    standard_error = many["ndcg"].std() / 5_000**0.5
    assert narrow[C.CI_HIGH] - narrow[C.CI_LOW] == pytest.approx(2 * 1.96 * standard_error, rel=0.1)
    assert wide[C.CI_HIGH] - wide[C.CI_LOW] > 5 * (narrow[C.CI_HIGH] - narrow[C.CI_LOW])


def test_the_same_seed_gives_the_same_interval() -> None:
    values = pd.DataFrame({"ndcg": np.random.default_rng(2).random(100)})
    pd.testing.assert_frame_equal(intervals(values, 7), intervals(values, 7))
    assert not intervals(values, 7).equals(intervals(values, 8))
