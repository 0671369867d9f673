"""The rows of one file on their way into the record: read, held back where they may repeat, cleaned, written for COPY.

One thread reads, one cleans, and who takes the parts sends them on, all in the file's order. What cannot go at once
waits in files: rejected rows, rows that may be duplicates.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from db.columns import Columns as C
from errors import InputError
from etl.canonical import Cells
from etl.clean import Cleaned, Marks, clean, is_service
from etl.duplicates import SeenRows
from etl.mapping import Layout
from etl.parallel import in_order
from etl.readers.base import Source
from etl.spool import Gathered, Spool
from etl.told import Told

_PRODUCT = {C.PRODUCT_NAME: C.NAME, C.CATEGORY: C.CATEGORY, C.DEPARTMENT: C.DEPARTMENT, C.BRAND: C.BRAND}
_LINES = "lines"


@dataclass(frozen=True)
class Part:
    """What became of some rows of the file: how many there were, what they showed, the accepted ones for COPY."""

    rows: int
    marks: Marks
    lines: bytes


@dataclass(frozen=True)
class _Piece:
    """Some rows of the file with their cells by canonical names and their numbers."""

    batch: pa.RecordBatch
    cells: dict[str, pa.Array]
    row_number: pa.Array
    repeated: pa.Array | None = None
    set_aside: pa.Array | None = None


@dataclass(frozen=True)
class _Done:
    cleaned: Cleaned
    months: set[str]
    lines: bytes


class Intake:
    """One pass over a source. `parts` is taken once, to its end; then all the rest is told.

    rows and amount: what was read. months: of the accepted rows. examples: reason -> the first cell that is no number
    or no date. rejected: the rejected rows. `spool` gives a new temporary file, `write` makes accepted rows ready for
    COPY.
    """

    def __init__(
        self,
        source: Source,
        layout: Layout,
        latest: datetime,
        *,
        spool: Callable[[], IO[bytes]],
        keep_duplicates: bool,
        write: Callable[[pa.RecordBatch], bytes],
    ) -> None:
        self._source, self._layout, self._latest, self._write = source, layout, latest, write
        self._cells = Cells(layout)
        self._told = Told(source.name, layout, source.columns)
        self._seen = None if keep_duplicates else SeenRows(spool(), spool())
        self._held_back = Spool(spool())
        self._customers = Gathered(spool(), [C.CUSTOMER_ID, C.COUNTRY], C.LAST_ORDERED_AT, "max")
        self._products = Gathered(spool(), [C.PRODUCT_ID, *_PRODUCT], _LINES, "sum")
        self.rejected = Spool(spool())
        self.rows = 0
        self.amount = Decimal()
        self.examples: dict[str, str] = {}
        self.months: set[str] = set()

    def parts(self) -> Iterator[Part]:
        """What becomes of each batch of the file, those rows last that may repeat others."""
        for pieces in (self._new(), self._doubtful()):
            for done in in_order(self._clean, pieces):
                cleaned = done.cleaned
                self.amount += cleaned.amount_read.as_py()
                self.examples = {**cleaned.examples, **self.examples}
                self.rejected.add(cleaned.rejected)
                self.months |= done.months
                rows = cleaned.accepted.num_rows + cleaned.rejected.num_rows
                yield Part(rows, cleaned.marks, done.lines)

    def remarks(self) -> list[str]:
        """Sentences about what the rows tell together."""
        return self._told.remarks("accepted")

    def customers(self) -> Iterator[pa.RecordBatch]:
        """customer_id and country with the last order's time, as the accepted lines have them."""
        yield from self._customers.batches()

    def products(self) -> Iterator[pa.RecordBatch]:
        """Each way in which accepted lines name a product, and how many do."""
        for batch in self._products.batches():
            table = pa.table(batch).rename_columns([C.PRODUCT_ID, *_PRODUCT.values(), _LINES])
            yield from with_service(table).to_batches()

    def _new(self) -> Iterator[_Piece]:
        """All rows; those that may equal an earlier one are marked, and held back with their cells and numbers."""
        for batch in self._source.batches():
            with typed(self._source.name):
                numbers = pa.array(np.arange(self.rows + 1, self.rows + 1 + batch.num_rows))
                piece = _Piece(batch, self._cells.of(batch), numbers)
                self._told.see(piece.cells.get(C.CURRENCY), self.rows + 1)
                self.rows += batch.num_rows
                doubtful = None if self._seen is None else self._seen.doubts(self._compared(piece))
                if doubtful is not None and doubtful.any():
                    set_aside = pa.array(doubtful)
                    self._held_back.add(_packed(_chosen(piece, set_aside)))
                    piece = replace(piece, set_aside=set_aside)
            yield piece

    def _compared(self, piece: _Piece) -> pa.RecordBatch:
        """What makes two rows the same: all cells, and the order where its id stands on its first row alone."""
        carried = C.ORDER_ID in self._layout.carried
        return piece.batch.append_column(C.ORDER_ID, piece.cells[C.ORDER_ID]) if carried else piece.batch

    def _doubtful(self) -> Iterator[_Piece]:
        if self._seen is None:
            return
        repeats = self._seen.repeats()
        for batch in self._held_back.batches():
            piece = _unpacked(batch)
            repeated = pa.array(repeats[piece.row_number.to_numpy() - 1])
            yield _Piece(piece.batch, piece.cells, piece.row_number, repeated)

    def _clean(self, piece: _Piece) -> _Done:
        with typed(self._source.name):
            cleaned = clean(
                piece.batch,
                piece.cells,
                self._layout,
                piece.row_number,
                piece.repeated,
                self._latest,
                piece.set_aside,
            )
            self._customers.add(_customers(cleaned.accepted))
            self._products.add(_products(cleaned.accepted))
            self._told.add(piece.batch, piece.row_number, cleaned.accepted[C.ROW_NUMBER])
            return _Done(cleaned, _months(cleaned.accepted), self._write(cleaned.accepted))


@contextmanager
def typed(name: str) -> Iterator[None]:
    """A type that Arrow knows and cannot convert is a fault of the file."""
    try:
        yield
    except pa.ArrowException as error:
        said = " ".join(str(error).split())[:200]
        raise InputError(
            f"{name} holds values that cannot be converted ({said}); export its columns as text, numbers and dates."
        ) from error


def _chosen(piece: _Piece, mask: pa.Array) -> _Piece:
    cells = {name: column.filter(mask) for name, column in piece.cells.items()}
    return _Piece(piece.batch.filter(mask), cells, piece.row_number.filter(mask))


def _packed(piece: _Piece) -> pa.RecordBatch:
    """The row numbers, the cells and the columns as one batch, to be set aside."""
    columns = [piece.row_number, *piece.cells.values(), *piece.batch.columns]
    names = [
        C.ROW_NUMBER,
        *(f"cell {name}" for name in piece.cells),
        *(f"column {n}" for n in piece.batch.schema.names),
    ]
    return pa.record_batch(columns, names=names)


def _unpacked(batch: pa.RecordBatch) -> _Piece:
    found = dict(zip(batch.schema.names, batch.columns, strict=True))
    cells = {name.removeprefix("cell "): column for name, column in found.items() if name.startswith("cell ")}
    columns = {name.removeprefix("column "): column for name, column in found.items() if name.startswith("column ")}
    return _Piece(pa.record_batch(columns), cells, found[C.ROW_NUMBER])


def _customers(lines: pa.RecordBatch) -> pa.Table:
    """customer_id and country of these lines with the last order's time; guests are nobody."""
    known = pa.table(lines.select([C.CUSTOMER_ID, C.COUNTRY, C.ORDERED_AT])).filter(pc.is_valid(lines[C.CUSTOMER_ID]))
    last = known.group_by([C.CUSTOMER_ID, C.COUNTRY], use_threads=False).aggregate([(C.ORDERED_AT, "max")])
    return last.rename_columns([C.CUSTOMER_ID, C.COUNTRY, C.LAST_ORDERED_AT])


def _products(lines: pa.RecordBatch) -> pa.Table:
    """product_id, name, category, department and brand as these lines have them, and how many have them so."""
    words = [C.PRODUCT_ID, *_PRODUCT]
    said = [name for name in words if lines[name].null_count < lines.num_rows or name == C.PRODUCT_ID]
    counted = pa.table(lines.select(said)).group_by(said, use_threads=False).aggregate([([], "count_all")])
    unsaid = {name: pa.nulls(counted.num_rows, pa.string()) for name in words if name not in said}
    columns = {**dict(zip([*said, _LINES], counted.columns, strict=True)), **unsaid}
    return pa.table({name: columns[name] for name in [*words, _LINES]})


def _months(lines: pa.RecordBatch) -> set[str]:
    """The months of these lines, as YYYY-MM."""
    days = pc.unique(lines[C.ORDERED_AT].cast(pa.date32(), safe=False))
    return set(pc.strftime(days, format="%Y-%m").to_pylist())


def with_service(products: pa.Table) -> pa.Table:
    """Products with `is_service`, told by their ids and names."""
    return products.append_column(C.IS_SERVICE, is_service(products[C.PRODUCT_ID], products[C.NAME]))
