"""Arrow batches -> COPY -> table, and query -> COPY -> Arrow batches; never row by row, never a whole table."""

import io
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

import pandas as pd
import psycopg2
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from sqlalchemy import Boolean, Connection, DateTime, Float, Integer, Numeric, SmallInteger, Table
from sqlalchemy.types import BigInteger, TypeEngine

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

_PIECE = 1 << 20  # bytes handed to the driver at once: fewer calls than by its own 8 KiB


def arrow_type(column_type: TypeEngine[Any]) -> pa.DataType:
    """The Arrow type that carries a column of the schema without loss; jsonb, arrays and text travel as text."""
    match column_type:
        case Boolean():
            return pa.bool_()
        case SmallInteger():
            return pa.int16()
        case BigInteger():
            return pa.int64()
        case Integer():
            return pa.int32()
        case Float():
            return pa.float64()
        case Numeric(precision=int(precision), scale=int(scale)):
            return pa.decimal128(precision, scale)
        case DateTime(timezone=zoned):
            return pa.timestamp("us", tz="UTC" if zoned else None)
        case _:
            return pa.string()


def arrow_schema(table: Table) -> pa.Schema:
    """The Arrow schema of a table, in the table's column order."""
    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in table.columns])


def arrow_table(table: Table, frame: pd.DataFrame) -> pa.Table:
    """A frame as the Arrow table that COPY takes; floats become decimals rounded to the column's scale."""
    names = [name for name in table.columns.keys() if name in frame.columns]  # noqa: SIM118 (keys are names here)
    arrays = []
    for name in names:
        wanted = arrow_type(table.columns[name].type)
        values = frame[name]
        if pa.types.is_decimal(wanted) and pd.api.types.is_float_dtype(values.dtype):
            values = values.round(wanted.scale)
        arrays.append(pa.array(values, from_pandas=True).cast(wanted))
    return pa.table(arrays, names=names)


class _ChunkReader(io.RawIOBase):
    """What psycopg2's COPY reads from: the next chunk is made only when it is asked for."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.failure: BaseException | None = None
        self._buffer = b""
        self._at = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while self._at >= len(self._buffer):
            try:
                chunk = next(self._chunks, None)
            except BaseException as error:
                self.failure = error
                raise
            if chunk is None:
                return b""
            self._buffer, self._at = chunk, 0
        end = len(self._buffer) if size < 0 else self._at + size
        part = self._buffer[self._at : end]
        self._at += len(part)
        return part


def copy_in(connection: Connection, table: Table, batches: Iterable[pa.RecordBatch]) -> int:
    """COPY batches of one schema into a table within the caller's transaction; gives the rows written.

    The batches' column names choose the table's columns; they must be columns of it (KeyError otherwise). What the
    batches raise comes out as it is.
    """
    stream = iter(batches)
    first = next(stream, None)
    if first is None:
        return 0
    return copy_csv(connection, table, first.schema.names, map(as_csv, chain([first], stream)))


def copy_csv(connection: Connection, table: Table, names: Sequence[str], chunks: Iterable[bytes]) -> int:
    """The same with batches that `as_csv` wrote already; a chunk may be empty."""
    columns = ", ".join(f'"{table.columns[name].name}"' for name in names)
    reader = _ChunkReader(iter(chunks))
    with _cursor(connection) as cursor:
        try:
            cursor.copy_expert(f'COPY "{table.name}" ({columns}) FROM STDIN (FORMAT csv)', reader, _PIECE)
        except psycopg2.Error as error:
            _give_up_if_lost(connection)
            if reader.failure is not None:  # psycopg2 tells of it as a cancelled query
                raise reader.failure from None
            if KeyboardInterrupt.__name__ in str(error):  # it came as psycopg2 called the reader
                raise KeyboardInterrupt from None
            raise
        return int(cursor.rowcount)


def copy_file(connection: Connection, table: str, source: IO[bytes]) -> int:
    """COPY a file, CSV with a header in the order of the table's columns, into it; gives the rows written."""
    with _cursor(connection) as cursor:
        cursor.copy_expert(f'COPY "{table}" FROM STDIN (FORMAT csv, HEADER)', source, _PIECE)
        return int(cursor.rowcount)


def as_csv(batch: pa.RecordBatch) -> bytes:
    """The rows as COPY reads them. Needs no connection, so that it can be done beside one that is busy."""
    written = pa.record_batch([_written(column) for column in batch.columns], names=batch.schema.names)
    try:
        return _rendered(written, "needed" if any(_has_blank(column) for column in written.columns) else "none")
    except pa.ArrowInvalid:  # a comma, a quotation mark or a line's end in some text
        return _rendered(written, "needed")


def _rendered(batch: pa.RecordBatch, quoting: str) -> bytes:
    """Quoted, every text is; unquoted is faster to write and to read, but blank text would be null."""
    sink = io.BytesIO()
    csv.write_csv(batch, sink, csv.WriteOptions(include_header=False, quoting_style=quoting))
    return sink.getvalue()


def _has_blank(column: pa.Array) -> bool:
    return bool(pa.types.is_string(column.type) and pc.min(pc.binary_length(column)).as_py() == 0)


def _written(column: pa.Array) -> pa.Array:
    """Values that are slow to write and mostly few are written once each: amounts, moments, flags, a load's number."""
    kind = column.type
    slow = (pa.types.is_decimal, pa.types.is_timestamp, pa.types.is_boolean, pa.types.is_int32)
    if not any(is_one(kind) for is_one in slow):
        return column
    encoded = column.dictionary_encode()
    return encoded.dictionary.cast(pa.string()).take(encoded.indices)


def copy_out(connection: Connection, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows of a query (text without parameters, from code in `db` alone) as batches of the given schema.

    Raises psycopg2.Error where the query fails or the connection is lost, after the batches that had come.
    """
    read_end, write_end = os.pipe()
    failure: list[BaseException] = []

    def produce() -> None:
        try:
            with os.fdopen(write_end, "wb") as sink, _cursor(connection) as cursor:
                cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv)", sink)
        except BrokenPipeError:
            pass  # the reader stopped early, which is its right
        except BaseException as error:  # it is the reader who must hear of it
            failure.append(error)

    producer = threading.Thread(target=produce, name="copy-out", daemon=True)
    with os.fdopen(read_end, "rb") as source:
        producer.start()
        try:
            yield from _csv_batches(source, schema)
        except pa.ArrowInvalid:  # most likely a line that was cut off
            _end(source, producer)
            _raise(connection, failure)
            raise
        finally:
            _end(source, producer)
    _raise(connection, failure)


def copy_to(connection: Connection, query: str, sink: "SupportsWrite[bytes]") -> int:
    """Write the rows of such a query, one by one, as CSV with a header, as Postgres writes it; gives their number."""
    with _cursor(connection) as cursor:
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)", sink)
        return int(cursor.rowcount)


def _end(source: io.BufferedReader, producer: threading.Thread) -> None:
    source.close()
    producer.join()


def _raise(connection: Connection, failure: Sequence[BaseException]) -> None:
    for error in failure:
        _give_up_if_lost(connection)
        raise error from None


def _csv_batches(source: io.BufferedReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    if not source.peek(1):
        return
    yield from csv.open_csv(
        source,
        read_options=csv.ReadOptions(column_names=schema.names, block_size=8 << 20, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _cursor(connection: Connection) -> Any:
    return connection.connection.cursor()


def _give_up_if_lost(connection: Connection) -> None:
    """Else the rollback of a connection that is gone would fail, and hide why it went."""
    if connection.connection.closed:
        connection.invalidate()


_shown_before = sys.excepthook


def _shown(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Of a connection lost or a Ctrl-C in a COPY psycopg2 raises one error, and prints the others by this hook."""
    followed = isinstance(error, SystemError) and isinstance(error.__cause__, psycopg2.Error)
    within = trace is not None and trace.tb_frame.f_globals.get("__name__") != "__main__"
    if not (followed or (kind is KeyboardInterrupt and within)):
        _shown_before(kind, error, trace)


sys.excepthook = _shown
