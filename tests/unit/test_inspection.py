"""Facts about an inspection: it ends well whatever the file holds, and what it says is what a load does."""

import json
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from etl.inspection import inspected
from etl.mapping_file import from_dict
from etl.readers import open_source
from etl.readers.base import Source

NAMES = [
    "Order ID",
    "Customer ID",
    "E-mail",
    "SKU",
    "Item",
    "Order Date",
    "Date",
    "Qty",
    "Price",
    "Total",
    "Discount",
    "x",
]
CELLS = [
    "",
    " ",
    "1",
    "2.5",
    "1.234",
    "1,50",
    "-3",
    "0",
    "x",
    "a@b.example",
    "31.12.2010",
    "1/2/2011",
    "2011-02-03",
    "€ 5",
]


@st.composite
def sources(draw: st.DrawFn) -> Source:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    rows = draw(st.integers(0, 6))
    cells = {name: draw(st.lists(st.sampled_from(CELLS), min_size=rows, max_size=rows)) for name in names}
    batch = pa.record_batch({name: pa.array(column, pa.string()) for name, column in cells.items()})
    return Source("a file", "", names, rows, lambda: iter([batch]))


@given(sources(), st.sampled_from(["orders", "customers", "products", "events", "campaigns"]))
def test_it_ends_well_whatever_the_file_holds(source: Source, kind: str) -> None:
    found = inspected(source, kind)  # type: ignore[arg-type]
    told = json.loads(json.dumps(found.as_json()))
    assert [column["name"] for column in told["columns"]] == list(source.columns)
    assert from_dict(told["mapping"], "the document") == (found.layout, found.form)
    if not found.missing and kind == "orders":
        assert sum(part.rows for part in found.rejected) + len(found.preview) <= max(found.rows_looked_at, 5)
        assert all(asked.lines for asked in found.questions)


def test_a_type_that_is_no_date_is_no_date(tmp_path: Path) -> None:
    path = tmp_path / "sales.parquet"
    table = pa.table({"Order ID": ["1"], "SKU": ["A"], "Price": [1.5], "Order Date": pa.array([5], pa.duration("s"))})
    parquet.write_table(table, path)
    found = inspected(open_source(str(path)))
    assert found.missing == ["ordered_at"]
    assert "Order Date holds no date" in " ".join(found.remarks)


def test_many_columns_take_no_longer_than_a_moment(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    names = ["Order ID", "SKU", "Price", "Order Date", *(f"c{place}" for place in range(900))]
    path.write_text("\n".join([",".join(names), ",".join(["1", "A", "2", "2024-01-02", *["z"] * 900])]))
    found = inspected(open_source(str(path)))
    assert (found.missing, len(found.columns)) == ([], 904)
