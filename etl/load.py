"""One file into the record: idempotent by content, all or nothing, in memory that does not grow with the file."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine

from db import known, loads
from db.accounts import Load
from db.columns import Columns as C
from errors import InputError
from etl.clean import clean, is_service
from etl.dates import with_day_order
from etl.duplicates import SeenRows
from etl.mapping import Layout, detect
from etl.numbers import with_decimal_marks
from etl.readers.base import Source

_PRODUCT = {C.PRODUCT_NAME: C.NAME, C.CATEGORY: C.CATEGORY, C.DEPARTMENT: C.DEPARTMENT, C.BRAND: C.BRAND}
_AHEAD = timedelta(days=2)  # a shop's clock may be a zone ahead of UTC, and a little wrong


@dataclass(frozen=True)
class Outcome:
    """What came of a load. `fresh` is false where the same content was there already: nothing was changed."""

    load: Load
    fresh: bool


def load(
    engine: Engine, source: Source, *, keep_duplicates: bool = False, advance: Callable[[int], None] = lambda rows: None
) -> Outcome:
    """Load a source in one transaction.

    Exact duplicates within the file are rejected unless they are to be kept, and lines dated more than two days after
    now in any case. `advance` hears of each batch's rows.
    Raises InputError where the file cannot be read or none of its rows can be accepted, DatabaseError where the
    database fails; either way nothing is changed.
    """
    with _typed(source.name):
        layout = with_decimal_marks(with_day_order(detect(source), source), source)
    latest = datetime.now(UTC).replace(tzinfo=None) + _AHEAD
    with loads.transaction(engine, source.name) as connection:
        if (existing := loads.find(connection, source.sha256)) is not None:
            return Outcome(existing, fresh=False)
        load_id = loads.begin(connection, source.name, source.sha256, {"keep_duplicates": keep_duplicates})
        with TemporaryFile() as one, TemporaryFile() as two, TemporaryFile() as three:
            rejected, customers, products = _Spool(one), _Spool(two), _Spool(three)
            seen = None if keep_duplicates else SeenRows()
            intake = _Intake(source, layout, latest, seen, rejected, customers, products)
            loads.add_lines(connection, load_id, intake.accepted(advance))
            loads.add_rejected(connection, load_id, rejected.batches())
            known.stage_customers(connection, customers.batches())
            known.stage_products(connection, products.batches())
        if source.customers is not None:
            known.stage_customers(connection, source.customers.to_batches())
        if source.products is not None:
            known.stage_products(connection, _with_service(source.products).to_batches())
        known.merge_customers(connection, load_id)
        known.merge_products(connection, load_id)
        done = loads.finish(connection, load_id, intake.rows, intake.amount)
        _refuse_nothing(done, intake.examples)
    return Outcome(done, fresh=True)


@dataclass
class _Intake:
    """The rows of one source on their way: accepted ones pass through, the rest waits in spools for its COPY."""

    source: Source
    layout: Layout
    latest: datetime
    seen: SeenRows | None
    rejected: "_Spool"
    customers: "_Spool"
    products: "_Spool"
    rows: int = 0
    amount: Decimal = field(default_factory=Decimal)
    examples: dict[str, str] = field(default_factory=dict)
    """Reason -> the first cell that is no number or no date."""

    def accepted(self, advance: Callable[[int], None]) -> Iterator[pa.RecordBatch]:
        for batch in self.source.batches():
            with _typed(self.source.name):
                repeated = None if self.seen is None else self.seen.repeats(batch)
                cleaned = clean(batch, self.layout, self.rows + 1, repeated, self.latest)
            self.rows += batch.num_rows
            self.amount += cleaned.amount_read.as_py()
            self.rejected.add(cleaned.rejected)
            self.examples = {**cleaned.examples, **self.examples}
            self.customers.add(_customers(cleaned.accepted))
            self.products.add(_products(cleaned.accepted))
            yield cleaned.accepted
            advance(batch.num_rows)


@contextmanager
def _typed(name: str) -> Iterator[None]:
    """A type that Arrow knows and cannot convert is a fault of the file."""
    try:
        yield
    except pa.ArrowException as error:
        said = " ".join(str(error).split())[:200]
        raise InputError(
            f"{name} holds values that cannot be converted ({said}); export its columns as text, numbers and dates."
        ) from error


def _customers(lines: pa.RecordBatch) -> pa.RecordBatch:
    """customer_id and country of these lines with the last order's time; guests are nobody."""
    known = pa.table(lines.select([C.CUSTOMER_ID, C.COUNTRY, C.ORDERED_AT])).filter(pc.is_valid(lines[C.CUSTOMER_ID]))
    last = known.group_by([C.CUSTOMER_ID, C.COUNTRY]).aggregate([(C.ORDERED_AT, "max")])
    return _batch(last.rename_columns([C.CUSTOMER_ID, C.COUNTRY, C.LAST_ORDERED_AT]))


def _products(lines: pa.RecordBatch) -> pa.RecordBatch:
    """product_id, name, category, department and brand as these lines have them, and how many have them so."""
    words = [C.PRODUCT_ID, *_PRODUCT]
    counted = pa.table(lines.select(words)).group_by(words).aggregate([([], "count_all")])
    return _batch(_with_service(counted.rename_columns([C.PRODUCT_ID, *_PRODUCT.values(), "lines"])))


def _with_service(products: pa.Table) -> pa.Table:
    return products.append_column(C.IS_SERVICE, is_service(products[C.PRODUCT_ID], products[C.NAME]))


def _batch(table: pa.Table) -> pa.RecordBatch:
    return pa.record_batch([column.combine_chunks() for column in table.columns], schema=table.schema)


def _refuse_nothing(load: Load, examples: Mapping[str, str]) -> None:
    if load.rows_read == 0:
        raise InputError(f"{load.name} has column names and no rows; export it again.")
    if load.rows_accepted == 0:
        such = {reason: f", such as {cell[:40]!r}" for reason, cell in examples.items()}
        reasons = "; ".join(f"{reason}: {rows}{such.get(reason, '')}" for reason, (rows, _) in load.rejected.items())
        raise InputError(f"None of the {load.rows_read} rows of {load.name} can be accepted ({reasons}).")


class _Spool:
    """Batches of one schema set aside in a file, to be read back once."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._writer: pa.RecordBatchStreamWriter | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._writer = self._writer or pa.ipc.new_stream(self._file, batch.schema)
            self._writer.write_batch(batch)

    def batches(self) -> Iterator[pa.RecordBatch]:
        if self._writer is not None:
            self._writer.close()
            self._file.seek(0)
            yield from pa.ipc.open_stream(self._file)
