"""Intervals of live hit rates against published figures, and when past lists are said to decay."""

from math import sqrt

import pandas as pd
import pytest

from dashboard.live import decay, difference, paired, share


@pytest.mark.parametrize(
    ("hits", "customers", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_share_is_wilsons(hits: int, customers: int, low: float, high: float) -> None:
    """The examples of Newcombe, Two-sided confidence intervals for the single proportion (1998), table I, method 3."""
    found = share(hits, customers)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.value == hits / customers


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 20), 0.6791, 1.0)],
)
def test_the_interval_of_a_difference_is_newcombes(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """The examples of Newcombe, Interval estimation for the difference between independent proportions (1998), table
    II, method 10."""
    found = difference(share(*first), share(*second))
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_the_interval_of_a_paired_difference_adds_half_a_customer_to_each_cell() -> None:
    """Of 100 customers 21 only in the one share and 9 only in the other: cells 21.5 and 9.5 of 102, by hand."""
    found = paired(21, 9, 100)
    middle = (21.5 - 9.5) / 102
    half = 1.959964 * sqrt((21.5 + 9.5) - (21.5 - 9.5) ** 2 / 102) / 102
    assert found.value == pytest.approx(0.12)
    assert (found.low, found.high) == pytest.approx((middle - half, middle + half), abs=1e-6)


def test_of_nobody_nothing_is_known() -> None:
    assert (share(0, 0).low, share(0, 0).high) == (0, 1)
    assert (paired(0, 0, 0).low, paired(0, 0, 0).high) == (-1, 1)


def weeks(hits: list[int], customers: int = 400, only: int = 60, only_popular: int = 20) -> pd.DataFrame:
    """Full weeks of so many hits, the last week not over."""
    rows = [
        {
            "week": at + 1,
            "is_full": at < len(hits) - 1,
            "customers": customers,
            "hits": number,
            "only": only,
            "only_popular": only_popular,
            "paired": customers,
        }
        for at, number in enumerate(hits)
    ]
    columns = ["week", "is_full", "customers", "hits", "only", "only_popular", "paired"]
    return pd.DataFrame(rows, columns=columns)


def test_lists_that_hit_as_before_are_well() -> None:
    found = decay(weeks([120, 118, 122, 121, 119, 120, 121, 120, 0]))
    assert found.state == "well"
    assert "30.0% of 1,600 customer-weeks" in found.sentence


def test_lists_that_hit_less_than_before_decay() -> None:
    found = decay(weeks([120, 118, 122, 121, 90, 80, 85, 84, 0]))
    assert found.state == "decayed"
    assert "clearly fewer than the 30.1%" in found.sentence


def test_a_week_that_is_not_over_is_no_decay() -> None:
    assert decay(weeks([120, 120, 120, 120, 0])).state == "well"


def test_lists_no_better_than_popularity_have_decayed() -> None:
    found = decay(weeks([120] * 9, only=40, only_popular=38))
    assert found.state == "decayed"
    assert "not surely more than with popularity" in found.sentence
    assert "fewer than with popularity" in decay(weeks([120] * 9, only=20, only_popular=60)).sentence


def test_without_a_frozen_popularity_the_weeks_before_decide() -> None:
    frame = weeks([120] * 9).assign(only=0, only_popular=0, paired=0)
    assert decay(frame).state == "well"
    assert "popularity" not in decay(frame).sentence


@pytest.mark.parametrize("frame", [weeks([]), weeks([5]), weeks([5, 6, 4, 5], customers=20)])
def test_of_few_customers_it_is_too_early_to_tell(frame: pd.DataFrame) -> None:
    found = decay(frame)
    assert found.state == "early"
    assert "100 are needed" in found.sentence
