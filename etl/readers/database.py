"""Another database: what a query gives, copied once, so that every look at it sees the same rows."""

from collections.abc import Iterator, Sequence
from typing import Any

from db import source
from errors import ConfigurationError, InputError
from etl.cells import written
from etl.readers.base import Form, RowFile, Source, column_names, content_sha256

_NAMED_BY = 60
_NOT_TEXT = (bytes, bytearray, memoryview, list, tuple, dict)


def read(address: str, query: str, form: Form) -> Source:
    """Ask a database that SQLAlchemy knows. Every column is text, numbers and dates as `written` has them.

    The rows go straight to a file. Raises InputError where a cell is of bytes or nested, and what `db.source` raises.
    """
    if form != Form():
        raise ConfigurationError("A query has neither encoding, delimiter, header line nor sheet; leave them out.")
    name = f"{source.shown(address)}: {' '.join(query.split())[:_NAMED_BY]}"
    with source.selected(address, query) as (keys, rows):
        columns = column_names(keys, name)
        file = RowFile(_written(rows, columns, name), columns)
    return Source(name=name, sha256=content_sha256(file.path), columns=columns, rows=file.rows, batches=file.batches)


def _written(rows: Iterator[Sequence[Any]], columns: Sequence[str], name: str) -> Iterator[Sequence[str]]:
    for row in rows:
        for column, cell in zip(columns, row, strict=True):
            if isinstance(cell, _NOT_TEXT):
                raise InputError(
                    f"The column {column} of {name} holds bytes or lists; leave it out, or cast it to text."
                )
        yield [written(cell) for cell in row]
