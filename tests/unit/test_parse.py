"""Facts about written cells: one moment in every way shops write it, and one number."""

from datetime import datetime

import pyarrow as pa
import pytest

from etl import parse

MORNING = datetime.fromisoformat("2010-12-01 08:26")
EVENING = datetime.fromisoformat("2010-12-31 20:26:05")


@pytest.mark.parametrize("day_first", [None, True, False])
@pytest.mark.parametrize(
    "written",
    [
        "1 Dec 2010 08:26",
        "01-Dec-10 8:26",
        "1-DEC-2010 08:26:00",
        "Dec 1, 2010 8:26 AM",
        "Dec. 1, 2010, 8:26 am",
        "December 1st 2010 08:26",
        "1 december 2010 08:26",
        "2010-12-01 8:26 AM",
        "2010-12-01T08:26:00Z",
    ],
)
def test_a_moment_with_a_named_month_or_the_year_first_needs_no_order(written: str, day_first: bool | None) -> None:
    assert parse.moment(pa.array([written]), day_first).to_pylist() == [MORNING]


@pytest.mark.parametrize(
    ("written", "day_first"),
    [
        ("31.12.2010 20:26:05", True),
        ("31-12-2010 8:26:05 PM", True),
        ("31/12/10 20:26:05", True),
        ("31/12/2010, 20:26:05", True),
        ("12/31/2010 8:26:05 p.m.", False),
        ("12-31-10 08:26:05pm", False),
        ("31 Dec 2010 08:26:05 PM", None),
    ],
)
def test_a_moment_in_numbers_is_read_in_the_order_given(written: str, day_first: bool | None) -> None:
    assert parse.moment(pa.array([written]), day_first).to_pylist() == [EVENING]


def test_noon_is_12_pm_and_midnight_12_am() -> None:
    hours = [
        moment.hour for moment in parse.moment(pa.array(["1 Dec 2010 12:05 AM", "1 Dec 2010 12:05 PM"])).to_pylist()
    ]
    assert hours == [0, 12]


def test_two_digit_years_turn_after_69() -> None:
    found = parse.moment(pa.array(["1-Dec-00", "1-Dec-69", "1-Dec-70", "1-Dec-99"])).to_pylist()
    assert [moment.year for moment in found] == [2000, 2069, 1970, 1999]


@pytest.mark.parametrize(
    "written",
    ["31.12.2010", "1 Foo 2010", "1 Decade 2010", "31 Feb 2011", "1 Dec 2010 13:05 PM", "1 Dec 110", "Dec 2010", ""],
)
def test_what_is_no_moment_is_null(written: str) -> None:
    assert parse.moment(pa.array([written, None])).to_pylist() == [None, None]
