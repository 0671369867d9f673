"""Numbers read as people write them."""

from datetime import date

import pandas as pd
import pytest

from dashboard import format as fmt


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "$0.00"),
        (9.5, "$9.50"),
        (950, "$950"),
        (9_999, "$9,999"),
        (12_345, "$12.3k"),
        (99_960, "$100k"),
        (999_949, "$1.00M"),
        (3_725_376, "$3.73M"),
        (-3_725_376, "−$3.73M"),
        (float("nan"), "–"),
        (None, "–"),
        (2.5e9, "$2.50B"),
    ],
)
def test_short_money_keeps_three_digits_that_matter(value: float | None, expected: str) -> None:
    assert fmt.short_money(value, "$") == expected


def test_money_shows_cents_where_they_matter() -> None:
    assert [fmt.money(v, "£") for v in (0.5, 516.552, 4310, -12.3)] == ["£0.50", "£516.55", "£4,310", "−£12.30"]


def test_a_share_that_is_not_zero_never_reads_zero() -> None:
    assert fmt.percent(0.00001) == "<0.1%"
    assert fmt.percent(0) == "0.0%"
    assert fmt.percent(0.4796) == "48.0%"
    assert fmt.percent(-0.031) == "−3.1%"


def test_a_year_is_said_once_where_it_is_the_same() -> None:
    assert fmt.days(date(2011, 9, 10), date(2011, 12, 9)) == "10 Sep – 9 Dec 2011"
    assert fmt.days(date(2010, 12, 1), date(2011, 12, 9)) == "1 Dec 2010 – 9 Dec 2011"
    assert fmt.days(date(2011, 12, 9), date(2011, 12, 9)) == "9 Dec 2011"


def test_one_is_singular() -> None:
    assert (fmt.plural(1, "day"), fmt.plural(0, "day"), fmt.plural(1200, "day")) == ("1 day", "0 days", "1,200 days")
    assert fmt.plural(2, "category", "categories") == "2 categories"


def test_what_is_missing_reads_as_a_dash() -> None:
    for nothing in (None, float("nan"), float("inf"), pd.NA, pd.NaT):
        assert fmt.missing(nothing)
        assert fmt.number(nothing) == "–"
