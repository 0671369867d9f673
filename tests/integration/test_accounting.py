"""Facts about every load: what was read is what was accepted and rejected, row by row, month by month, to the cent."""

import csv
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from sqlalchemy import Engine, text

from db import accounts, loads, schema
from db.accounts import Load
from etl.load import load
from etl.readers import open_source
from tests.workbook import write_workbook

Row = tuple[str, ...]
COLUMNS = ("order_id", "customer_id", "product_id", "product_name", "ordered_at", "quantity", "unit_price", "discount")
PLACE = {name: place for place, name in enumerate(COLUMNS)}
ANCHOR: Row = ("0", "ann", "A", "Lamp", "2024-03-31 23:59:59", "1", "9.99", "2.50")
"""A row that shows what each column is."""


def write_csv(path: Path, rows: Sequence[Row]) -> Path:
    with path.with_suffix(".csv").open("w", encoding="utf-8", newline="") as sink:
        csv.writer(sink, lineterminator="\n").writerows([COLUMNS, *rows])
    return path.with_suffix(".csv")


def write_parquet(path: Path, rows: Sequence[Row]) -> Path:
    columns = {name: pa.array([row[place] or None for row in rows], pa.string()) for name, place in PLACE.items()}
    parquet.write_table(pa.table(columns), path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def write_excel(path: Path, rows: Sequence[Row]) -> Path:
    return write_workbook(
        path.with_suffix(".xlsx"), {name: [row[place] or None for row in rows] for name, place in PLACE.items()}
    )


WRITERS: Mapping[str, Callable[[Path, Sequence[Row]], Path]] = {
    "csv": write_csv,
    "parquet": write_parquet,
    "excel": write_excel,
}

# what is wrong with one cell: (column, cell, the reason for which the row is rejected)
FAULTS = (
    ("order_id", "", "missing_order_id"),
    ("order_id", " \t", "missing_order_id"),
    ("order_id", "x" * 201, "id_too_long"),
    ("customer_id", "caf\ufffd", "encoding_damage"),
    ("product_name", "long " * 2001, "text_too_long"),
    ("ordered_at", "", "missing_date"),
    ("ordered_at", "yesterday", "unparseable_date"),
    ("ordered_at", "2024-02-30", "unparseable_date"),
    ("ordered_at", "0001-01-01", "unparseable_date"),
    ("ordered_at", "2190-01-01", "date_in_future"),
    ("quantity", "", "missing_quantity"),
    ("quantity", "many", "invalid_quantity"),
    ("quantity", "1.2.3", "invalid_quantity"),
    ("quantity", "1e300", "quantity_out_of_range"),
    ("quantity", "0", "zero_quantity"),
    ("quantity", "-0.000", "zero_quantity"),
    ("unit_price", "", "missing_unit_price"),
    ("unit_price", "nan", "invalid_unit_price"),
    ("unit_price", "inf", "invalid_unit_price"),
    ("unit_price", "=1+1", "invalid_unit_price"),
    ("unit_price", "1e15", "unit_price_out_of_range"),
    ("unit_price", "-0.01", "negative_price"),
    ("discount", "some", "invalid_discount"),
    ("discount", "1e200", "discount_out_of_range"),
)


def decimals(least: int, most: int, places: int) -> st.SearchStrategy[str]:
    return st.integers(least * 10**places, most * 10**places).map(lambda n: f"{Decimal(n).scaleb(-places):f}")


GOOD: st.SearchStrategy[Row] = st.tuples(
    st.sampled_from(["1", "2", "C3", "00004", "5.0", "ü", "\U0001f98a"]),
    st.sampled_from(["", " ", "ann", "bob", "17850", "O'Hara", "NULL"]),
    st.sampled_from(["A", "B", "POST", "85123A", "\\N", "-"]),
    st.sampled_from(["", "Lamp", "POSTAGE", 'say "hi", twice', "two\nlines", "\\.", "=1+1", " lamp ", "naïve €"]),
    st.sampled_from(["2023-12-31 23:59:59", "2024-01-01", "2024-02-29 12:00:00", "2024-02-29T12:00:00", "1900-01-01"]),
    decimals(-50, 50, 3).filter(lambda cell: Decimal(cell) != 0),
    decimals(0, 2000, 4),
    st.one_of(st.just(""), decimals(-5, 5, 4)),
)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """A row that is right, or has one thing wrong."""
    row = list(draw(GOOD))
    if draw(st.integers(0, 3)) == 0:
        column, cell, _ = draw(st.sampled_from(FAULTS))
        row[PLACE[column]] = cell
    return tuple(row)


BLANK: Row = ("",) * len(COLUMNS)
TABLES = st.lists(st.one_of(rows(), rows(), st.just(BLANK)), min_size=1, max_size=25).flatmap(
    lambda made: st.lists(st.sampled_from(made), max_size=8).map(lambda again: [*made, *again])
)
"""With some rows that come again."""


@dataclass(frozen=True)
class Truth:
    """What should become of a row, as a person with a pencil would find it."""

    number: int
    row: Row
    reason: str | None
    amount: Decimal | None


def number(cell: str, limit: Decimal, places: int) -> Decimal | None:
    try:
        found = Decimal(cell)
    except ArithmeticError:
        return None
    within = found.is_finite() and abs(found) < limit
    return found.quantize(Decimal(1).scaleb(-places)) if within else None


def truths(table: Sequence[Row]) -> Iterator[Truth]:
    seen = set()
    for place, row in enumerate(table, start=1):
        quantity = number(row[PLACE["quantity"]], Decimal("1e15"), 3)
        price = number(row[PLACE["unit_price"]], Decimal("1e12"), 6)
        discount = number(row[PLACE["discount"]], Decimal("1e14"), 4) or Decimal()
        amount = None
        if quantity is not None and price is not None:
            amount = (quantity * price - discount).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        wrong = [reason for column, cell, reason in FAULTS if row[PLACE[column]] == cell]
        yield Truth(place, row, wrong[0] if wrong else "duplicate" if row in seen else None, amount)
        seen.add(row)


def fetched(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def digest(engine: Engine, *, without: Sequence[int] = ()) -> dict[str, object]:
    """Table -> checksum of its rows in any order; of `load` without some rows."""
    left = f"WHERE load_id <> ALL (ARRAY[{', '.join(map(str, without))}]::integer[])"
    tables = {table.name: "" for table in (*schema.RECORD_TABLES, schema.rejected_row)} | {"load": left}
    one = "SELECT md5(string_agg(t::text, ';' ORDER BY t::text)) FROM {} AS t {}"
    query = " UNION ALL ".join(f"(SELECT '{table}', ({one.format(table, which)}))" for table, which in tables.items())
    return {str(table): mark for table, mark in fetched(engine, query)}


def balances(done: Load) -> bool:
    by_reason = [sum(parts) for parts in zip((0, Decimal()), *done.rejected.values(), strict=True)]
    return (done.rows_read, done.amount_read) == (
        done.rows_accepted + done.rows_rejected,
        done.amount_accepted + done.amount_rejected,
    ) and by_reason == [done.rows_rejected, done.amount_rejected]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


ONE_SHOP = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@ONE_SHOP
@given(table=TABLES, way=st.sampled_from(sorted(WRITERS)))
def test_every_row_and_every_cent_of_any_table_is_accounted_for(
    engine: Engine, folder: Path, table: list[Row], way: str
) -> None:
    forget(engine)
    before = digest(engine)
    table = [*table, ANCHOR]
    if way == "excel":  # in a sheet an empty row is no row
        table = [row for row in table if row != BLANK]
    path = WRITERS[way](folder / "table", table)
    expected = list(truths(table))
    done = load(engine, open_source(str(path))).load
    right = [truth for truth in expected if truth.reason is None]
    assert balances(done)
    assert (done.rows_read, done.rows_accepted) == (len(table), len(right))
    assert done.amount_read == sum((truth.amount or Decimal() for truth in expected), Decimal())
    assert done.amount_accepted == sum((truth.amount or Decimal() for truth in right), Decimal())
    assert fetched(engine, "SELECT row_number, amount FROM transaction_line ORDER BY 1") == [
        (truth.number, truth.amount) for truth in right
    ]
    rejected = fetched(engine, "SELECT row_number, reason, amount, raw FROM rejected_row ORDER BY row_number")
    assert [row[:3] for row in rejected] == [(t.number, t.reason, t.amount) for t in expected if t.reason]
    raw = [{name: cell or "" for name, cell in dict(row[3]).items()} for row in rejected]  # type: ignore[call-overload]
    assert raw == [dict(zip(COLUMNS, truth.row, strict=True)) for truth in expected if truth.reason]
    months: Counter[str] = Counter()
    amounts: dict[str, Decimal] = {}
    for truth in right:
        month = truth.row[PLACE["ordered_at"]][:7]
        months[month] += 1
        amounts[month] = amounts.get(month, Decimal()) + (truth.amount or Decimal())
    told = [month for month in accounts.report(engine, done.load_id).months if month.rows]
    assert [(month.month, month.rows, month.amount) for month in told] == [
        (month, months[month], amounts[month]) for month in sorted(months)
    ]
    again = load(engine, open_source(str(path)))
    assert (again.fresh, again.load) == (False, done)
    loads.undo(engine, done.load_id)
    assert digest(engine, without=[done.load_id]) == before


@settings(ONE_SHOP, max_examples=25)
@given(
    table=TABLES,
    more=TABLES,
    ways=st.tuples(*[st.sampled_from(sorted(WRITERS))] * 3),
    keep=st.booleans(),
    seed=st.integers(0, 99),
)
def test_of_rows_that_come_again_in_any_order_and_format_only_the_new_ones_count(
    engine: Engine, folder: Path, table: list[Row], more: list[Row], ways: tuple[str, str, str], keep: bool, seed: int
) -> None:
    def loaded(name: str, rows: Sequence[Row]) -> Load:
        path = WRITERS[dict(zip(("first", "second", "third"), ways, strict=True))[name]](folder / name, rows)
        done = load(engine, open_source(str(path)), keep_duplicates=keep).load
        assert balances(done)
        return done

    def lines() -> object:
        kept = ", ".join(f"line.{column.name}" for column in schema.transaction_line.columns[2:])
        return fetched(engine, f"SELECT {kept} FROM transaction_line AS line ORDER BY {kept}")

    forget(engine)
    nothing = digest(engine)
    shuffle = random.Random(seed).shuffle
    table = [*table, ANCHOR]
    new = [(*row[:2], f"new {row[2]}", *row[3:]) for row in more]
    shuffled, longer = table.copy(), [*table, *new, ANCHOR]  # which was there once
    shuffle(shuffled)
    shuffle(longer)
    first = loaded("first", table)
    of_the_table = lines()
    second = loaded("second", shuffled)
    assert second.rows_accepted == 0 or second == first
    assert lines() == of_the_table
    third = loaded("third", longer)
    of_all = lines()
    right = [truth for truth in truths(new) if truth.reason is None or (keep and truth.reason == "duplicate")]
    second_anchor = Decimal("9.99") - Decimal("2.50") if keep else Decimal()
    assert third.rows_accepted == len(right) + keep
    assert third.amount_accepted == sum((truth.amount or Decimal() for truth in right), second_anchor)
    standing = list({first.load_id, second.load_id, third.load_id})
    gone: list[int] = []
    shuffle(standing)
    while standing:  # whatever is taken out, the others hold all that they tell
        gone.append(standing.pop())
        loads.undo(engine, gone[-1])
        assert lines() == (of_all if third.load_id in standing else of_the_table if standing else [])
    assert digest(engine, without=gone) == nothing


def forget(engine: Engine) -> None:
    """Each example begins with an empty shop."""
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE load, rejected_row, {', '.join(t.name for t in schema.RECORD_TABLES)}"))


# the whole of a real shop


def retail_csv(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_csv(folder / "retail.csv", index=False)
    return folder / "retail.csv"


def retail_excel(frame: pd.DataFrame, folder: Path) -> Path:
    plain = {name: frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame.columns}
    plain["InvoiceDate"] = frame["InvoiceDate"].dt.to_pydatetime().tolist()
    return write_workbook(folder / "retail.xlsx", plain)


def retail_parquet(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_parquet(folder / "retail.parquet")
    return folder / "retail.parquet"


RETAIL_CONTENT = (
    "SELECT * FROM customer ORDER BY customer_id",
    "SELECT * FROM product ORDER BY product_id",
    "SELECT row_number, reason, amount FROM rejected_row ORDER BY row_number",
    "SELECT row_number, order_id, customer_id, product_id, ordered_at, quantity, unit_price, discount, amount, "
    "is_return, country FROM transaction_line ORDER BY row_number",
)


def test_online_retail_is_the_same_to_the_cent_in_every_format(
    engine: Engine, retail_path: Path, tmp_path: Path
) -> None:
    frame = pd.read_parquet(retail_path)
    contents: dict[bool, set[tuple[object, ...]]] = {True: set(), False: set()}
    for write in (retail_csv, retail_excel, retail_parquet):
        source = open_source(str(write(frame, tmp_path)))
        for keep in contents:
            forget(engine)
            done = load(engine, source, keep_duplicates=keep).load
            assert balances(done)
            assert (done.rows_read, done.amount_read) == (541_909, Decimal("9747747.934"))
            assert done.rejected["negative_price"] == (2, Decimal("-22124.12"))
            assert done.rejected.get("duplicate", (0,))[0] == (0 if keep else 5_268)
            assert set(done.rejected) <= {"negative_price", "duplicate"}
            contents[keep].add(
                tuple(
                    fetched(engine, f"SELECT count(*), md5(string_agg(t::text, ';')) FROM ({query}) AS t")[0]
                    for query in RETAIL_CONTENT
                )
            )
    assert {keep: len(found) for keep, found in contents.items()} == {True: 1, False: 1}
