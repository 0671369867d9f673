"""Facts about cleaning: no row and no cent is lost whatever comes, and each rule gives the reason it should."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.columns import Columns as C
from etl.clean import Cleaned, is_service
from etl.mapping import Layout, detect
from etl.readers.base import Source
from tests.cleaning import cleaned as clean
from tests.cleaning import repeats

at = datetime.fromisoformat

GOOD: Mapping[str, Any] = {
    "InvoiceNo": "536365",
    "StockCode": "85123A",
    "Description": "WHITE HANGING HEART",
    "Quantity": "6",
    "InvoiceDate": "2010-12-01 08:26:00",
    "UnitPrice": "2.55",
    "CustomerID": "17850",
    "Country": "United Kingdom",
}


def layout_of(columns: Sequence[str]) -> Layout:
    return detect(Source("a test", "", columns, 0, lambda: iter(())))


LAYOUT = layout_of(list(GOOD))
WITH_AMOUNT = Layout(
    {
        C.ORDER_ID: "basket",
        C.CUSTOMER_ID: "household",
        C.PRODUCT_ID: "product",
        C.ORDERED_AT: "time",
        C.QUANTITY: "quantity",
        C.AMOUNT: "paid",
        C.DISCOUNT: "off",
    }
)


def cleaned(*rows: Mapping[str, Any], layout: Layout = LAYOUT) -> Cleaned:
    columns = {name: pa.array([row[name] for row in rows]) for name in rows[0]}
    return clean(pa.RecordBatch.from_pydict(columns), layout, first_row=1)


def accepted(**changes: Any) -> dict[str, Any]:
    rows: list[dict[str, Any]] = cleaned({**GOOD, **changes}).accepted.to_pylist()
    assert len(rows) == 1
    return rows[0]


def rejected(**changes: Any) -> dict[str, Any]:
    rows: list[dict[str, Any]] = cleaned({**GOOD, **changes}).rejected.to_pylist()
    assert len(rows) == 1
    return rows[0]


def test_ten_percent_off_three_pieces_at_ten_leaves_27() -> None:
    for rate in ("10", "10%", "10 %"):
        sold = {**GOOD, "Quantity": "3", "Discount %": rate}
        given = Layout({**LAYOUT.columns, C.DISCOUNT: "Discount %"}, discount_is="percent")
        priced = cleaned({**sold, "UnitPrice": "10"}, layout=given).accepted.to_pylist()
        columns = {name: column for name, column in given.columns.items() if name != C.UNIT_PRICE}
        net = Layout({**columns, C.AMOUNT: "Paid"}, discount_is="percent")
        paid = cleaned({**sold, "Paid": "27"}, layout=net).accepted.to_pylist()
        for (line,) in (priced, paid):
            assert (line[C.UNIT_PRICE], line[C.DISCOUNT], line[C.AMOUNT]) == (10, 3, 27)


# whatever comes


ODD_TEXT = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", " ", "\x00", "NaN", "inf", "1e400", "-0", "0", "C1", "17850.0", "1,5", "\\.", 'a"\nb', "١٢"]),
)
NUMBER_TEXT = st.decimals(-(10**16), 10**16, places=7).map(str) | st.integers(-50, 50).map(str) | ODD_TEXT
DATE_TEXT = st.datetimes().map(str) | ODD_TEXT
TEXT_COLUMNS = {
    **dict.fromkeys(("InvoiceNo", "StockCode", "Description", "CustomerID", "Country"), ODD_TEXT | st.just("1" * 300)),
    **dict.fromkeys(("Quantity", "UnitPrice", "Discount"), NUMBER_TEXT),
    "InvoiceDate": DATE_TEXT,
}
TYPED_COLUMNS = {
    **dict.fromkeys(("InvoiceNo", "CustomerID"), st.floats() | st.integers(0, 10**6).map(float)),
    **dict.fromkeys(("StockCode", "Description", "Country"), ODD_TEXT),
    **dict.fromkeys(("Quantity", "UnitPrice", "Discount"), st.floats() | st.integers(-9, 9).map(float)),
    "InvoiceDate": st.integers(-(2**62), 2**62),
}


TEXT_USUAL = {name: GOOD[name] for name in ("InvoiceNo", "StockCode", "InvoiceDate", "Quantity", "UnitPrice")}
TYPED_USUAL = {
    "InvoiceNo": 536365.0,
    "StockCode": "85123A",
    "InvoiceDate": at(GOOD["InvoiceDate"]),
    "Quantity": 6.0,
    "UnitPrice": 2.55,
}


@st.composite
def batches(draw: st.DrawFn) -> pa.RecordBatch:
    """Rows of text, or of numbers and timestamps: the first of them sound but for customer and discount."""
    columns, usual, moments = draw(
        st.sampled_from([(TEXT_COLUMNS, TEXT_USUAL, pa.string()), (TYPED_COLUMNS, TYPED_USUAL, pa.timestamp("us"))])
    )
    rows = draw(st.integers(0, 12))
    good_until = draw(st.integers(0, rows))
    values = {}
    for name, strategy in columns.items():
        cells = draw(st.lists(st.none() | strategy, min_size=rows, max_size=rows))
        plain = GOOD if moments == pa.string() else {**GOOD, "InvoiceNo": 536365.0, "Quantity": 6.0, "UnitPrice": 2.55}
        usual = plain.get(name) if name not in ("Discount", "InvoiceDate", "CustomerID") else None
        kind = moments if name == "InvoiceDate" else None
        values[name] = pa.array(
            [usual if usual is not None else cell for cell in cells[:good_until]] + cells[good_until:]
        )
        if kind is not None and pa.types.is_integer(values[name].type):
            values[name] = values[name].cast(kind)
    return pa.RecordBatch.from_pydict(values)


@given(batches())
def test_every_row_and_every_cent_read_is_accepted_or_rejected(batch: pa.RecordBatch) -> None:
    result = clean(batch, layout_of(batch.schema.names), first_row=7)
    numbers = result.accepted[C.ROW_NUMBER].to_pylist() + result.rejected[C.ROW_NUMBER].to_pylist()
    assert sorted(numbers) == list(range(7, 7 + batch.num_rows))
    amounts = result.accepted[C.AMOUNT].to_pylist() + result.rejected[C.AMOUNT].to_pylist()
    assert result.amount_read.as_py() == sum((amount for amount in amounts if amount is not None), Decimal(0))


@given(batches())
def test_an_accepted_row_is_a_sound_line(batch: pa.RecordBatch) -> None:
    for line in clean(batch, layout_of(batch.schema.names), first_row=1).accepted.to_pylist():
        assert line[C.ORDER_ID].strip()
        assert line[C.PRODUCT_ID].strip()
        assert line[C.QUANTITY] != 0
        assert line[C.UNIT_PRICE] >= 0
        assert 1900 <= line[C.ORDERED_AT].year < 2200
        exact = line[C.QUANTITY] * line[C.UNIT_PRICE] - line[C.DISCOUNT]
        assert line[C.AMOUNT] == exact.quantize(Decimal("0.0001"), ROUND_HALF_UP)
        assert not any("\x00" in value for value in line.values() if isinstance(value, str))
        assert not line[C.CUSTOMER_ID] or not line[C.CUSTOMER_ID].endswith(".0")


@given(batches())
def test_a_rejected_row_keeps_what_the_file_said(batch: pa.RecordBatch) -> None:
    result = clean(batch, layout_of(batch.schema.names), first_row=1)
    for row in result.rejected.to_pylist():
        raw = json.loads(row[C.RAW])
        assert list(raw) == batch.schema.names
        said = batch["Description"][row[C.ROW_NUMBER] - 1].as_py()
        assert raw["Description"] == (None if said is None else said.replace("\x00", "\u2400"))
        assert row[C.REASON]


@given(batches(), st.integers(0, 12))
def test_where_batches_are_cut_changes_nothing(batch: pa.RecordBatch, cut: int) -> None:
    layout = layout_of(batch.schema.names)
    whole = clean(batch, layout, 1)
    head, tail = (
        clean(batch.slice(0, cut), layout, 1),
        clean(batch.slice(cut), layout, 1 + min(cut, batch.num_rows)),
    )
    assert whole.accepted.to_pylist() == head.accepted.to_pylist() + tail.accepted.to_pylist()
    assert whole.rejected.to_pylist() == head.rejected.to_pylist() + tail.rejected.to_pylist()


# the rules, one by one


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"InvoiceNo": " "}, "missing_order_id"),
        ({"StockCode": "", "Description": ""}, "missing_product_id"),
        ({"StockCode": "x" * 201}, "id_too_long"),
        ({"Description": "a\x00b"}, "nul_character"),
        ({"InvoiceDate": ""}, "missing_date"),
        ({"InvoiceDate": "yesterday"}, "unparseable_date"),
        ({"InvoiceDate": "2011-02-30"}, "unparseable_date"),
        ({"InvoiceDate": "0201-02-03"}, "unparseable_date"),
        ({"InvoiceDate": "12/1/2010 8:26"}, "unparseable_date"),
        ({"Quantity": ""}, "missing_quantity"),
        ({"Quantity": "six"}, "invalid_quantity"),
        ({"Quantity": "inf"}, "invalid_quantity"),
        ({"Quantity": float("inf")}, "quantity_out_of_range"),
        ({"Quantity": float("nan")}, "missing_quantity"),
        ({"Quantity": "1e15"}, "quantity_out_of_range"),
        ({"Quantity": "0"}, "zero_quantity"),
        ({"Quantity": "0.0004"}, "zero_quantity"),
        ({"UnitPrice": ""}, "missing_unit_price"),
        ({"UnitPrice": "2,55"}, "invalid_unit_price"),
        ({"UnitPrice": "1e12"}, "unit_price_out_of_range"),
        ({"UnitPrice": "1e11", "Quantity": "1e4"}, "amount_out_of_range"),
        ({"UnitPrice": "-11062.06"}, "negative_price"),
    ],
)
def test_each_rule_gives_its_reason(changes: dict[str, Any], reason: str) -> None:
    assert rejected(**changes)[C.REASON] == reason


PAID = {"basket": "1", "household": "7", "product": "A", "time": "2024-01-31", "quantity": "2", "paid": "5", "off": ""}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"paid": " "}, "missing_amount"),
        ({"paid": "five"}, "invalid_amount"),
        ({"paid": "1e14"}, "amount_out_of_range"),
        ({"off": "none"}, "invalid_discount"),
        ({"off": "1e14"}, "discount_out_of_range"),
        ({"paid": "-5"}, "negative_price"),
        ({"paid": "9e13", "quantity": "0.001"}, "unit_price_out_of_range"),
        ({"state": "Canceled"}, "cancelled_order"),
        ({"state": "wc-failed"}, "cancelled_order"),
        ({"state": "On Hold"}, "unpaid_order"),
        ({"state": "wc-refunded"}, "refunded_order"),
    ],
)
def test_each_fault_of_an_order_that_tells_amounts_has_its_reason(changes: dict[str, str], reason: str) -> None:
    layout = replace(WITH_AMOUNT, columns={**WITH_AMOUNT.columns, C.STATUS: "state"})
    (row,) = cleaned({**PAID, "state": "paid", **changes}, layout=layout).rejected.to_pylist()
    assert row[C.REASON] == reason


@pytest.mark.parametrize("state", ["Completed", "wc-processing", "partially_refunded", "Shipped", "", " "])
def test_any_other_status_is_a_sale(state: str) -> None:
    layout = replace(WITH_AMOUNT, columns={**WITH_AMOUNT.columns, C.STATUS: "state"})
    assert cleaned({**PAID, "state": state}, layout=layout).accepted.num_rows == 1


def test_what_is_no_number_or_no_date_is_shown_by_its_first_cell() -> None:
    result = cleaned({**GOOD, "Quantity": "0"}, *({**GOOD, "UnitPrice": cell} for cell in ("2,55", "n/a")))
    assert result.examples == {"invalid_unit_price": "2,55"}
    assert cleaned({**GOOD, "InvoiceDate": "soon"}).examples == {"unparseable_date": "soon"}


def test_a_rejected_row_counts_its_amount_where_it_can_be_told() -> None:
    assert rejected(UnitPrice="-11062.06", Quantity="1")[C.AMOUNT] == Decimal("-11062.06")
    assert rejected(StockCode="", Description="")[C.AMOUNT] == Decimal("15.30")
    assert rejected(Quantity="six")[C.AMOUNT] is None


@pytest.mark.parametrize(
    ("given_id", "written"),
    [(17850, "17850"), (17850.0, "17850"), ("17850.0", "17850"), (" 00123 ", "00123"), (1.5e9, "1500000000")],
)
def test_ids_are_text_as_a_person_writes_them(given_id: object, written: str) -> None:
    assert accepted(CustomerID=given_id)[C.CUSTOMER_ID] == written


@pytest.mark.parametrize("nobody", [None, "", "  ", float("nan")])
def test_a_line_without_customer_is_a_guests(nobody: object) -> None:
    assert accepted(CustomerID=nobody)[C.CUSTOMER_ID] is None


def test_a_return_is_kept_and_flagged() -> None:
    assert accepted(Quantity="-1")[C.IS_RETURN]
    assert accepted(InvoiceNo="C536379")[C.IS_RETURN]
    assert not accepted(InvoiceNo="CLICK9")[C.IS_RETURN]
    assert accepted(InvoiceNo="c536379")[C.IS_RETURN]
    assert not accepted()[C.IS_RETURN]


def test_an_order_id_with_a_c_cancels_in_online_retail_alone() -> None:
    for name, cancels in [("Invoice", True), ("invoice_no", True), ("order_id", False), ("Order ID", False)]:
        row = {name: "C1001", **{column: value for column, value in GOOD.items() if column != "InvoiceNo"}}
        (sale,) = cleaned(row, layout=layout_of(list(row))).accepted.to_pylist()
        assert sale[C.IS_RETURN] is cancels
        (back,) = cleaned({**row, "Quantity": "-1"}, layout=layout_of(list(row))).accepted.to_pylist()
        assert back[C.IS_RETURN]


def test_a_line_dated_after_the_latest_moment_is_rejected_with_its_amount() -> None:
    dates = ["2011-12-09 12:50", "2011-12-11", "2011-12-11 00:00:01", "2111-12-09"]
    batch = pa.RecordBatch.from_pylist([{**GOOD, "InvoiceDate": written} for written in dates])
    result = clean(batch, LAYOUT, 1, latest=at("2011-12-11"))
    assert result.accepted[C.ROW_NUMBER].to_pylist() == [1, 2]
    assert [(row[C.ROW_NUMBER], row[C.REASON], row[C.AMOUNT]) for row in result.rejected.to_pylist()] == [
        (3, "date_in_future", Decimal("15.30")),
        (4, "date_in_future", Decimal("15.30")),
    ]
    assert clean(batch, LAYOUT, 1).accepted.num_rows == 4


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2010-12-01", at("2010-12-01")),
        ("2010-12-01T08:26", at("2010-12-01 08:26")),
        ("2010-12-01 08:26:00.25", at("2010-12-01 08:26:00.250000")),
        ("2010-12-01T08:26:00+02:00", at("2010-12-01 08:26")),
        ("2010-12-01 00:10-0500", at("2010-12-01 00:10")),
        ("2010-12-01 00:10:00 +1", at("2010-12-01 00:10")),
        ("2010-12-01 00:10:00 UTC", at("2010-12-01 00:10")),
        ("2010-12-01T23:59:59.5Z", at("2010-12-01 23:59:59.500000")),
        (at("2010-12-01 00:30").replace(tzinfo=ZoneInfo("Europe/Berlin")), at("2010-12-01 00:30")),
        (at("2010-12-01 08:26"), at("2010-12-01 08:26")),
        (at("2010-12-01").date(), at("2010-12-01")),
    ],
)
def test_dates_are_read(written: object, moment: datetime) -> None:
    assert accepted(InvoiceDate=written)[C.ORDERED_AT] == moment


def test_dates_with_slashes_are_read_in_the_order_the_file_proves() -> None:
    row = {**GOOD, "InvoiceDate": "12/1/2010 8:26"}
    month_first = cleaned(row, layout=Layout(LAYOUT.columns, day_first=False)).accepted
    day_first = cleaned(row, layout=Layout(LAYOUT.columns, day_first=True)).accepted
    assert month_first[C.ORDERED_AT].to_pylist() == [at("2010-12-01 08:26")]
    assert day_first[C.ORDERED_AT].to_pylist() == [at("2010-01-12 08:26")]


def test_a_given_amount_rules_and_the_price_before_discount_follows() -> None:
    sale = {"basket": 31198570044, "household": 900, "product": 1095275, "time": at("2017-01-01 11:53:26")}
    result = cleaned(
        {**sale, "quantity": 3, "paid": 2.0, "off": 0.5},
        {**sale, "quantity": 0, "paid": 1.25, "off": 0.0},
        layout=WITH_AMOUNT,
    )
    (line,), (free,) = result.accepted.to_pylist(), result.rejected.to_pylist()
    assert (line[C.ORDER_ID], line[C.CUSTOMER_ID], line[C.PRODUCT_ID]) == ("31198570044", "900", "1095275")
    assert (line[C.AMOUNT], line[C.DISCOUNT]) == (Decimal("2.0000"), Decimal("0.5000"))
    assert line[C.UNIT_PRICE] == Decimal("0.833333")  # 2.5 / 3
    assert (free[C.REASON], free[C.AMOUNT]) == ("zero_quantity", Decimal("1.2500"))
    assert result.amount_read.as_py() == Decimal("3.25")


def test_half_a_ten_thousandth_is_rounded_away_from_zero_as_postgres_does() -> None:
    assert accepted(Quantity="1", UnitPrice="0.00005")[C.AMOUNT] == Decimal("0.0001")
    assert accepted(Quantity="-1", UnitPrice="0.00005")[C.AMOUNT] == Decimal("-0.0001")


# duplicates


CELLS = st.sampled_from([None, "", "a", "b"])


@given(st.lists(st.tuples(CELLS, CELLS, st.sampled_from([None, 0, 1, 2])), max_size=40), st.integers(1, 9))
def test_a_duplicate_is_any_row_equal_to_an_earlier_one(rows: list[tuple[Any, ...]], size: int) -> None:
    first, second, third = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    table = pa.table({"x": pa.array(first, pa.string()), "y": pa.array(second, pa.string()), "z": third})
    assert repeats(table.to_batches(size)) == [row in rows[:place] for place, row in enumerate(rows)]


def test_duplicates_are_found_across_many_batches_as_pandas_finds_them() -> None:
    frame = pd.DataFrame(
        {"order": [n * 7919 % 3001 for n in range(20_000)], "price": [n % 3 / 4 for n in range(20_000)]}
    )
    assert repeats(pa.table(frame).to_batches(617)) == frame.duplicated().to_list()


# services


@pytest.mark.parametrize(
    ("product_id", "name", "service"),
    [
        ("POST", None, True),
        ("DOT", "DOTCOM POSTAGE", True),
        ("C2", "CARRIAGE", True),
        ("M", "Manual", True),
        ("D", "Discount", True),
        ("S", "SAMPLES", True),
        ("B", "Adjust bad debt", True),
        ("CRUK", "CRUK Commission", True),
        ("AMAZONFEE", "AMAZON FEE", True),
        ("BANK CHARGES", None, True),
        ("gift_0001_20", None, True),
        ("23444", "Next Day Carriage", True),
        ("9396697", "Outside Vendors Gift Cards", True),
        ("5574954", "Coupons/Store & Mfg", True),
        ("M", "T-shirt, medium", False),
        ("PADS", "PADS TO MATCH ALL CUSHIONS", False),
        ("21461", "BLUE EASTER EGG HUNT START POST", False),
        ("22466", "FRENCH CARRIAGE LANTERN", False),
        ("37370", "RETRO COFFEE MUGS ASSORTED", False),
        ("6534178", "Gasoline-Reg Unleaded", False),
        ("21274", None, False),
    ],
)
def test_services_are_told_from_goods(product_id: str, name: str | None, service: bool) -> None:
    assert is_service(pa.array([product_id]), pa.array([name], pa.string())).to_pylist() == [service]
