"""Ranking metrics against fractions worked out by hand, values of lists, and what an interval is."""

from math import log2, sqrt

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from db.columns import Columns as C
from models.metrics import METRICS, Catalogue, by_customer, by_list, catalogue, coverage, intervals


def lists(**products: str) -> pd.DataFrame:
    """a="xyz" recommends x, y, z to customer a, in this order."""
    rows = [(customer, product, rank) for customer, all_ in products.items() for rank, product in enumerate(all_, 1)]
    return pd.DataFrame(rows, columns=[C.CUSTOMER_ID, C.PRODUCT_ID, C.RANK])


def gain(*ranks: int) -> float:
    return sum(1 / log2(rank + 1) for rank in ranks)


BY_HAND = {
    "first and third of three": ("pqrst", "prz", 5, 2 / 5, 2 / 3, 5 / 9, gain(1, 3) / gain(1, 2, 3), 1, 1),
    "only the last": ("pqrst", "t", 5, 1 / 5, 1, 1 / 5, gain(5), 1, 1 / 5),
    "nothing": ("pqrst", "xyz", 5, 0, 0, 0, 0, 0, 0),
    "an empty list": ("", "pq", 5, 0, 0, 0, 0, 0, 0),
    "a perfect list": ("pqrst", "pqrst", 5, 1, 1, 1, 1, 1, 1),
    "fewer relevant than k, all on top": ("pqrst", "pq", 5, 2 / 5, 1, 1, 1, 1, 1),
    "fewer relevant than k, all at the end": ("rstpq", "pq", 5, 2 / 5, 1, 13 / 40, gain(4, 5) / gain(1, 2), 1, 1 / 4),
    "more relevant than k, all found": ("pqrst", "pqrstuvw", 5, 1, 5 / 8, 5 / 8, 1, 1, 1),
    "more relevant than k, two found": (
        "pqrst",
        "qsuvwxyz",
        5,
        2 / 5,
        2 / 8,
        1 / 8,
        gain(2, 4) / gain(1, 2, 3, 4, 5),
        1,
        1 / 2,
    ),
    "a list shorter than k": ("pq", "qz", 5, 1 / 5, 1 / 2, 1 / 4, gain(2) / gain(1, 2), 1, 1 / 2),
    "a hit beyond k does not count": ("pqrstu", "u", 5, 0, 0, 0, 0, 0, 0),
    "a hit beyond five counts among ten": ("pqrstu", "u", 10, 1 / 10, 1, 1 / 6, gain(6), 1, 1 / 6),
    "the first of one": ("p", "pqr", 1, 1, 1 / 3, 1 / 3, 1, 1, 1),
    "the second, third and fifth": ("pqrst", "qrt", 5, 3 / 5, 1, 53 / 90, gain(2, 3, 5) / gain(1, 2, 3), 1, 1 / 2),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_values_worked_out_by_hand(case: str) -> None:
    listed, bought, k, *expected = BY_HAND[case]
    found = by_customer(lists(a=listed), lists(a=bought), (k,)).loc["a"]
    assert [found[metric, k] for metric in METRICS] == pytest.approx(expected, abs=1e-12)


def test_two_ks_at_once_are_each_as_if_alone() -> None:
    listed, bought = lists(a="pqrstuvwxy", b="yxwv"), lists(a="ruz", b="pv")
    both = by_customer(listed, bought, (5, 10))
    for k in (5, 10):
        pd.testing.assert_frame_equal(both[[(metric, k) for metric in METRICS]], by_customer(listed, bought, (k,)))


def test_order_within_the_list_matters_to_map_ndcg_and_mrr_alone() -> None:
    early = by_customer(lists(a="pqrst"), lists(a="pq"), (5,)).loc["a"]
    late = by_customer(lists(a="rstpq"), lists(a="pq"), (5,)).loc["a"]
    for metric in ("precision", "recall", "hit_rate"):
        assert early[metric, 5] == late[metric, 5]
    for metric in ("map", "ndcg", "mrr"):
        assert early[metric, 5] > late[metric, 5]


def test_a_customer_without_a_list_counts_as_zero_and_one_without_purchases_not_at_all() -> None:
    found = by_customer(lists(a="p", c="p"), lists(a="p", b="p"), (5,))
    assert found.index.tolist() == ["a", "b"]
    assert found["hit_rate", 5].tolist() == [1, 0]


@pytest.fixture
def four_customers() -> Catalogue:
    """p bought by all four, q by two, r by the other two, s by one of those, t by nobody; a fifth bought nothing."""
    bought = np.array([[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [1, 0, 1, 1, 0], [1, 0, 1, 0, 0], [0, 0, 0, 0, 0]], dtype=bool)
    return catalogue(pd.Series(list("pqrst")), sparse.csr_matrix(bought))


def test_novelty_is_the_information_in_being_a_buyer(four_customers: Catalogue) -> None:
    found = by_list(lists(a="p", b="qr", c="qs", d="t"), four_customers, 10)["novelty", 10]
    assert found.to_dict() == pytest.approx({"a": 0, "b": 1, "c": (1 + 2) / 2, "d": 2})


def test_diversity_is_the_distance_between_buyers(four_customers: Catalogue) -> None:
    found = by_list(lists(a="qr", b="pq", c="pqr", d="rs", e="p"), four_customers, 10)["diversity", 10]
    assert found["a"] == 1, "no buyer in common"
    assert found["b"] == pytest.approx(1 - 2 / sqrt(4 * 2))
    assert found["c"] == pytest.approx(1 - (2 / sqrt(8) + 2 / sqrt(8) + 0) / 3)
    assert found["d"] == pytest.approx(1 - 1 / sqrt(2))
    assert np.isnan(found["e"]), "one product has no neighbour"


def test_popularity_is_the_share_of_customers_who_bought(four_customers: Catalogue) -> None:
    found = by_list(lists(a="p", b="pq", c="qrs"), four_customers, 10)["popularity", 10]
    assert found.to_dict() == pytest.approx({"a": 1, "b": 3 / 4, "c": 5 / 12})


def test_values_of_lists_stop_at_k(four_customers: Catalogue) -> None:
    long, short = by_list(lists(a="qrsp"), four_customers, 2), by_list(lists(a="qr"), four_customers, 2)
    pd.testing.assert_frame_equal(long, short)
    assert by_list(lists(), four_customers, 2).empty


def test_coverage_is_the_share_of_candidates_on_any_list() -> None:
    assert coverage(lists(a="pqr", b="qrs"), 8, 10) == 4 / 8
    assert coverage(lists(a="pqr", b="qrs"), 8, 1) == 2 / 8
    assert coverage(lists(), 8, 10) == 0
    assert coverage(lists(), 0, 10) == 0


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
    assert [narrow[C.CUSTOMERS], wide[C.CUSTOMERS]] == [5_000, 50]


def test_an_interval_covers_the_truth_in_about_95_of_100_samples() -> None:
    random = np.random.default_rng(3)
    samples = pd.DataFrame(random.exponential(1, (200, 300)))
    found = intervals(samples, 5)
    covered = (found[C.CI_LOW].lt(1) & found[C.CI_HIGH].gt(1)).mean()
    assert 0.90 < covered < 0.98


def test_a_customer_in_three_windows_is_one_draw() -> None:
    once = pd.DataFrame({"ndcg": np.random.default_rng(4).random(200)}, index=[f"c{who}" for who in range(200)])
    thrice = pd.concat([once, once, once])
    pd.testing.assert_frame_equal(intervals(once, 1), intervals(thrice, 1))
    strangers = thrice.reset_index(drop=True)
    width = {name: intervals(frame, 1).iloc[0] for name, frame in (("own", thrice), ("strangers", strangers))}
    narrower = (width["own"][C.CI_HIGH] - width["own"][C.CI_LOW]) / (
        width["strangers"][C.CI_HIGH] - width["strangers"][C.CI_LOW]
    )
    assert narrower == pytest.approx(sqrt(3), rel=0.15)


def test_what_is_unknown_of_a_customer_is_left_out() -> None:
    values = pd.DataFrame({"all": [1.0, 2.0, 3.0, 4.0], "some": [1.0, np.nan, 3.0, np.nan], "none": np.nan})
    found = intervals(values, 1)
    assert found[C.CUSTOMERS].tolist() == [4, 2, 0]
    assert found.loc["some", C.VALUE] == 2
    assert found.loc[["some"], [C.CI_LOW, C.CI_HIGH]].to_numpy().tolist() == [[1, 3]]
    assert found.loc["none", [C.VALUE, C.CI_LOW, C.CI_HIGH]].isna().all()
    pd.testing.assert_frame_equal(found.loc[["all"]], intervals(values[["all"]], 1))


def test_the_same_seed_gives_the_same_interval_in_any_order() -> None:
    values = pd.DataFrame({"ndcg": np.random.default_rng(2).random(100)})
    pd.testing.assert_frame_equal(intervals(values, 7), intervals(values, 7))
    pd.testing.assert_frame_equal(intervals(values, 7), intervals(values.iloc[::-1], 7))
    assert not intervals(values, 7).equals(intervals(values, 8))
