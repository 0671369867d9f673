"""The rejected rows of a load as the file had them, streamed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy import Engine

from db import accounts
from db.accounts import Load
from db.bulk import copy_out
from db.columns import Columns as C
from db.engine import clear_errors
from db.tally import ALREADY_LOADED

_SCHEMA = pa.schema([(C.ROW_NUMBER, pa.int64()), (C.REASON, pa.string()), (C.RAW, pa.string())])


@dataclass(frozen=True)
class Reject:
    """One rejected row: its number and its cells, by the file's columns, with the reason."""

    row_number: int
    reason: str
    cells: Mapping[str, str | None]


def rejects(engine: Engine, load_id: int) -> Iterator[Reject]:
    """The rejected rows of a load, first to last; rows that other loads have already are not among them.

    Empty where there is no such load. Raises DatabaseError.
    """
    query = (
        f"SELECT row_number, reason, raw FROM rejected_row WHERE load_id = {load_id:d} "
        f"AND reason <> '{ALREADY_LOADED}' ORDER BY row_number"
    )
    happening = f"the rejected rows of load {load_id} were read"
    with clear_errors(happening, "nothing was changed"), engine.connect() as connection:
        for batch in copy_out(connection, query, _SCHEMA):
            for row in batch.to_pylist():
                yield Reject(row[C.ROW_NUMBER], row[C.REASON], json.loads(row[C.RAW]))


def columns(engine: Engine, load_id: int) -> list[str]:
    """The columns that the rejected rows of a load have, in no order that means anything; raises the same."""
    found: dict[str, None] = {}
    for reject in rejects(engine, load_id):
        found |= dict.fromkeys(reject.cells)
    return list(found)


def load_of(engine: Engine, load_id: int) -> Load:
    """The load itself. Raises ConfigurationError where there is none, DatabaseError."""
    with clear_errors(f"load {load_id} was read", "nothing was changed"), engine.connect() as connection:
        return accounts.read(connection, load_id)
