"""Facts about canonical cells: chosen, filled in within an order and never beyond it, wherever batches are cut."""

from collections.abc import Sequence
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.columns import Columns as C
from etl import parse
from etl.canonical import Cells
from etl.mapping import Layout

SHOPIFY = Layout(
    {C.ORDER_ID: "Name", C.CUSTOMER_ID: "Email", C.PRODUCT_ID: "Lineitem sku", C.PRODUCT_NAME: "Lineitem name"},
    constants={C.QUANTITY: "1"},
    carried=(C.CUSTOMER_ID,),
)
ROWS = [
    ("#1", "a@b.example", "S1", "Mug"),
    ("#1", "", "S2", "Cup"),
    ("#1", " ", "", "Gift card"),
    ("#2", "", "S1", "Mug"),  # a guest's, whose rows stay without a customer
    ("#2", "", "S2", "Cup"),
    ("#1", "", "S1", "Mug"),  # not below its order's first row
    ("#3", "c@d.example", " ", " "),
    ("#3", None, "S1", "Mug"),
    ("", "", "S1", "Mug"),
    ("", "", "S1", "Mug"),
]
CUSTOMERS = ["a@b.example"] * 3 + [None, None, None, "c@d.example", "c@d.example", None, None]


def batch(rows: Sequence[tuple[str, str | None, str, str]]) -> pa.RecordBatch:
    columns = [pa.array([row[place] for row in rows], pa.string()) for place in range(4)]
    return pa.record_batch(columns, names=["Name", "Email", "Lineitem sku", "Lineitem name"])


@given(st.lists(st.integers(0, len(ROWS)), max_size=4))
def test_cells_are_carried_within_an_order_wherever_batches_are_cut(cuts: list[int]) -> None:
    cells, places = Cells(SHOPIFY), [0, *sorted(cuts), len(ROWS)]
    parts = [cells.of(batch(ROWS[start:end])) for start, end in pairwise(places)]
    assert [cell for part in parts for cell in part[C.CUSTOMER_ID].to_pylist()] == CUSTOMERS
    assert [cell for part in parts for cell in part[C.QUANTITY].to_pylist()] == ["1"] * len(ROWS)
    products = [cell for part in parts for cell in part[C.PRODUCT_ID].to_pylist()]
    assert products[:3] == ["S1", "S2", "Gift card"]


def test_an_order_id_on_the_first_row_alone_is_carried_too() -> None:
    layout = Layout({C.ORDER_ID: "Name", C.CUSTOMER_ID: "Email"}, carried=(C.CUSTOMER_ID, C.ORDER_ID))
    rows = [("1", "a", "", ""), ("", "", "", ""), ("2", "", "", ""), ("", "", "", ""), ("3", "c", "", "")]
    cells = Cells(layout)
    parts = [cells.of(batch(rows[:2])), cells.of(batch(rows[2:3])), cells.of(batch(rows[3:]))]
    assert [cell for part in parts for cell in part[C.ORDER_ID].to_pylist()] == ["1", "1", "2", "2", "3"]
    assert [cell for part in parts for cell in part[C.CUSTOMER_ID].to_pylist()] == ["a", "a", None, None, "c"]


def test_a_product_without_an_id_goes_by_its_name() -> None:
    rows = pa.record_batch({"id": pa.array([17, None], pa.int64()), "name": ["Lamp", "Chair "]})
    both = Cells(Layout({C.PRODUCT_ID: "id", C.PRODUCT_NAME: "name"})).of(rows)
    assert both[C.PRODUCT_ID].to_pylist() == ["17", "Chair"]
    assert Cells(Layout({C.PRODUCT_NAME: "name"})).of(rows)[C.PRODUCT_ID].to_pylist() == ["Lamp", "Chair "]


def test_an_address_is_one_in_capitals_and_small_letters() -> None:
    rows = pa.record_batch({"E-Mail": ["Anna@B.example", "anna@b.example"], "Customer": ["A1", "a1"]})
    assert Cells(Layout({C.CUSTOMER_ID: "E-Mail"})).of(rows)[C.CUSTOMER_ID].to_pylist() == ["anna@b.example"] * 2
    assert Cells(Layout({C.CUSTOMER_ID: "Customer"})).of(rows)[C.CUSTOMER_ID].to_pylist() == ["A1", "a1"]


def test_nothing_is_copied_where_nothing_is_to_be_done() -> None:
    rows = pa.record_batch({"Name": ["#1", "#1"], "Client": ["A", "A"], "SKU": ["S1", "S2"], "Item": ["Mug", ""]})
    columns = {C.ORDER_ID: "Name", C.CUSTOMER_ID: "Client", C.PRODUCT_ID: "SKU", C.PRODUCT_NAME: "Item"}
    cells = Cells(Layout(columns, carried=(C.CUSTOMER_ID,))).of(rows)
    for canonical, column in columns.items():
        assert cells[canonical].buffers()[2].address == rows.column(column).buffers()[2].address


@pytest.mark.parametrize("kind", [pa.int64(), pa.timestamp("us"), pa.string()])
def test_columns_of_any_type_are_carried(kind: pa.DataType) -> None:
    values = pa.array([1, None, 1]).cast(kind)
    rows = pa.record_batch({"order": ["1", "1", "2"], "customer": values})
    cells = Cells(Layout({C.ORDER_ID: "order", C.CUSTOMER_ID: "customer"}, carried=(C.CUSTOMER_ID,))).of(rows)
    assert cells[C.CUSTOMER_ID].to_pylist() == [values[0].as_py()] * 3


@pytest.mark.parametrize(
    ("date", "time", "moment"),
    [
        ("2024-01-02", "8:26", "2024-01-02 08:26:00"),
        ("2024-01-02", "20:26:05", "2024-01-02 20:26:05"),
        ("2/1/24", "8:26 PM", "2024-01-02 20:26:00"),
        ("2.1.2024", "12:05:00 am", "2024-01-02 00:05:00"),
        ("Jan 2, 2024", "08:26", "2024-01-02 08:26:00"),
        ("2024-01-02", "25:00", "2024-01-02 00:00:00"),
        ("2024-01-02", None, "2024-01-02 00:00:00"),
        ("20240102", "8:26", "2024-01-02 00:00:00"),
        ("2024-01-02 08:26", "20:00", "2024-01-02 08:26:00"),
        ("", "8:26", None),
    ],
)
def test_a_date_without_a_clock_has_the_time_beside_it(date: str, time: str | None, moment: str | None) -> None:
    layout = Layout({C.ORDERED_AT: "Date", C.TIME_OF_DAY: "Time"})
    rows = pa.record_batch({"Date": pa.array([date], pa.string()), "Time": pa.array([time], pa.string())})
    cells = Cells(layout).of(rows)
    assert list(cells) == [C.ORDERED_AT]
    read = parse.moment(cells[C.ORDERED_AT], True)[0].as_py()
    assert (None if read is None else str(read)) == moment
