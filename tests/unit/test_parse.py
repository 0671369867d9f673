"""Facts about written cells: one moment in every way shops write it, and one number."""

from datetime import datetime

import pyarrow as pa
import pytest

from db.columns import Columns as C
from errors import InputError
from etl import parse
from etl.mapping import Layout
from etl.numbers import with_decimal_marks
from etl.readers.base import Source

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


def test_eight_figures_are_a_day_where_they_can_be_one() -> None:
    written = pa.array(["20101201", "20101301", "20100230", "12012010", "201012010826"])
    assert parse.moment(written).to_pylist() == [MORNING.replace(hour=0, minute=0), *[None] * 4]


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


@pytest.mark.parametrize(
    ("written", "decimal"),
    [
        ("1234.5", None),
        ("1234.5", "."),
        ("1,234.50", "."),
        ("1 234.50", "."),
        ("1'234.50", "."),
        ("$1,234.50", "."),
        ("US$ 1,234.5", "."),
        ("CHF 1’234.50", "."),
        ("1234,5", ","),
        ("1.234,50", ","),
        ("1\u202f234,50 €", ","),
        ("1 234,50 kr", ","),
        ("EUR 1.234,5", ","),
    ],
)
def test_a_number_is_read_as_people_write_it(written: str, decimal: str | None) -> None:
    below = [f"-{written}", f"−{written}", f"({written})", f"( {written} )"] if decimal else [f"-{written}"]
    assert parse.number(pa.array([written, None, *below]), decimal).to_pylist() == [
        1234.5,
        None,
        *[-1234.5] * len(below),
    ]


def test_the_minus_may_follow_the_number() -> None:
    assert parse.number(pa.array(["1.234,50-", "12−", "-12-", "(-12)", "(12", "-"]), ",").to_pylist() == [
        -1234.5,
        -12.0,
        *[None] * 4,
    ]


def test_brackets_and_a_minus_after_the_number_are_seen_by_the_whole_column() -> None:
    assert marks(unit_price=["12.50", "(3.25)"]) == {C.UNIT_PRICE: "."}
    assert marks(unit_price=["12,50", "3,25-"]) == {C.UNIT_PRICE: ","}
    with pytest.raises(InputError, match="no number of the file tells"):
        marks(unit_price=["(1.234)", "5"])


def test_the_minus_may_follow_the_currency() -> None:
    assert parse.number(pa.array(["$-5.25", "€ -0.5", "-$5", "--5", "-$-5"]), ".").to_pylist() == [
        -5.25,
        -0.5,
        -5,
        None,
        None,
    ]


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize(
    "written", ["1,23,4", "1.23.4", "12 34", "1,234 567", "0,123,456", "five", "$", "1e", "1%", "1.234,5.6"]
)
def test_what_is_no_number_is_null(written: str, decimal: str) -> None:
    assert parse.number(pa.array([written]), decimal).to_pylist() == [None]


def marks(**columns: list[str]) -> dict[str, str]:
    """What is told of a file whose rows come one a batch."""
    batches = [
        pa.record_batch({name: [cell] for name, cell in zip(columns, row, strict=True)})
        for row in zip(*columns.values(), strict=True)
    ]
    source = Source("a file", "", list(columns), 0, lambda: iter(batches))
    return dict(with_decimal_marks(Layout({name: name for name in columns}), source).decimals)


def test_the_whole_column_decides_what_a_comma_is() -> None:
    assert marks(unit_price=["1,234", "5", "2,5"]) == {C.UNIT_PRICE: ","}
    assert marks(unit_price=["1,234", "5", "2.5"]) == {C.UNIT_PRICE: "."}
    assert marks(unit_price=["1.234", "5", "2,50 €"]) == {C.UNIT_PRICE: ","}
    assert marks(unit_price=["1.234", "5", "0.125"]) == {}
    assert marks(unit_price=["1,234", "5", "1,234,567"]) == {C.UNIT_PRICE: "."}
    assert marks(unit_price=["1 234", "many", ""]) == {C.UNIT_PRICE: "."}
    assert marks(quantity=["5", "6"], unit_price=["2.55", "3"]) == {}


def test_a_column_that_tells_nothing_follows_the_others_of_the_file() -> None:
    assert marks(quantity=["1,234", "1,000"], unit_price=["2,5", "3"]) == {C.QUANTITY: ",", C.UNIT_PRICE: ","}
    assert marks(quantity=["1,234", "1,000"], unit_price=["2.5", "3"]) == {C.QUANTITY: "."}
    assert marks(quantity=["1.234", "1.000"], unit_price=["2,5", "3"]) == {C.QUANTITY: ",", C.UNIT_PRICE: ","}
    assert marks(quantity=["1.234", "1.000"], unit_price=["2.5", "3"]) == {}


def test_numbers_that_can_be_read_both_ways_are_refused() -> None:
    with pytest.raises(
        InputError, match="quantity of a file has 1,234, and no number of the file tells whether its comma"
    ):
        marks(quantity=["1,234", "5"], unit_price=["2", "3"])
    with pytest.raises(InputError, match=r"quantity of a file has 1\.234, .* its point"):
        marks(quantity=["1.234", "5"], unit_price=["2.5", "3"], discount=["0,5", "0"])
    with pytest.raises(InputError, match=r"contradicts itself: 2\.55 has a decimal point, 2,55 a decimal comma"):
        marks(unit_price=["2.55", "2,55"])
    with pytest.raises(InputError, match=r"more than one currency \(\$, €\)"):
        marks(unit_price=["$2.55", "2.55 €"])


def test_numbers_that_have_a_type_are_not_asked() -> None:
    batch = pa.record_batch({"unit_price": [1.234]})
    source = Source("a file", "", ["unit_price"], 0, lambda: iter([batch]))
    assert with_decimal_marks(Layout({C.UNIT_PRICE: "unit_price"}), source).decimals == {}


def test_zones_of_every_form_in_one_column_never_break_it() -> None:
    written = [
        "2024-01-01 08:26:00 +1",
        "2024-01-02 08:26",
        "2024-01-03 08:26:00  +2:00",
        "2024-01-04 08:26 Europe/Berlin",
    ]
    read = parse.moment(pa.array(written)).to_pylist()
    assert [None if m is None else m.isoformat() for m in read] == [
        "2024-01-01T08:26:00",
        "2024-01-02T08:26:00",
        "2024-01-03T08:26:00",
        None,
    ]
