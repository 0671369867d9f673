"""Bins of a logarithmic axis: they leave no number out, and an address can hold each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.bins import Bins
from db.drill import RANGES, Range

WHOLE = st.integers(-50, 200_000)
CENTS = st.integers(-5_000, 100_000_000).map(lambda cents: cents / 100)


def holds(of: Range, number: float) -> bool:
    below = of.high is None or (number <= of.high if RANGES[of.column] == "whole" else number < of.high)
    return below and (of.low is None or of.low <= number)


def places(of: Bins) -> range:
    return range(-1, len(of.edges) - 1)


@given(st.data(), st.sampled_from(["frequency", "monetary"]), st.integers(1, 40))
def test_every_number_is_in_the_one_bin_that_the_edges_below_it_count(
    data: st.DataObject, column: str, enough: int
) -> None:
    numbers = sorted(data.draw(st.lists(WHOLE if column == "frequency" else CENTS, min_size=1, max_size=9)))
    bins = Bins.spanning(column, numbers[0], numbers[-1], enough)
    assert list(bins.edges) == sorted(set(bins.edges))
    for number in numbers:
        place = sum(number >= edge for edge in bins.edges) - 1
        assert [at for at in places(bins) if holds(bins.range(at), number)] == [place]
        written = bins.range(place)
        assert Range.parse(column, written.text()) == written
        assert bins.middle(place) == 1 if place < 0 else holds(written, bins.middle(place))


def test_orders_and_spend_of_a_small_shop_by_hand() -> None:
    assert Bins.spanning("frequency", 1, 20, 6).edges == (1, 2, 4, 6, 10, 16, 25)
    assert Bins.spanning("frequency", 1, 20, 7).edges == (1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25)
    one_by_one = Bins.spanning("frequency", 2, 5, 10)
    assert [one_by_one.range(place).text() for place in range(len(one_by_one.edges) - 1)] == [
        "2..2",
        "3..3",
        "4..4",
        "5..5",
    ]
    spend = Bins.spanning("monetary", -3.5, 99, 5)
    assert [spend.range(place).text() for place in places(spend)][:3] == ["..1", "1..1.6", "1.6..2.5"]
    assert spend.middle(-1) == 1
    assert spend.middle(0) == pytest.approx(1.6**0.5)


def test_who_ordered_today_stands_with_who_ordered_a_day_ago() -> None:
    """Both stand at 1 on the axis, where one of two marks would hide the other."""
    days = Bins.spanning("recency_days", 0, 30, 10)
    assert (days.range(-1).text(), days.middle(-1), days.edges[0]) == ("..1", 1, 2)


@given(CENTS, CENTS, CENTS, CENTS, CENTS)
def test_what_is_in_two_ranges_is_in_their_common_part(a: float, b: float, c: float, d: float, number: float) -> None:
    one, other = (Range("monetary", *sorted(ends)) for ends in ((a, b), (c, d)))
    if holds(one, number) and holds(other, number) and a != b and c != d:
        assert holds(one & other, number)
    both = one & Range("monetary", None, 5.0)
    assert (both.low, both.high) == (min(a, b), min(5.0, max(a, b)))
    assert one & None == one
