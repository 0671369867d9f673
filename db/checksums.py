"""What the tables hold as text that is the same on every server, and its SHA-256.

The text of a table is CSV with a header: the columns in their order, the rows sorted by all of them, text by its bytes.
Two databases of one schema hold the same where the sums are the same, in whatever order the rows came.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text

from db import result_schema, user_schema  # noqa: F401 (their tables join the metadata)
from db.bulk import copy_to
from db.engine import clear_errors
from db.schema import metadata

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

_PIECE = 1 << 20
_ORDERED_AS_THEY_ARE = ("B", "D", "N")
"""Kinds of columns that every server sorts alike: booleans, moments and numbers."""
_AS_ANYWHERE = {
    "bytea_output": "hex",
    "client_encoding": "UTF8",
    "datestyle": "ISO, YMD",
    "extra_float_digits": "1",
    "intervalstyle": "iso_8601",
    "timezone": "UTC",
    "work_mem": "64MB",  # to sort with
}
"""How values are written, whatever the server's own settings are."""


@dataclass(frozen=True)
class Content:
    """What a table holds; `next` is column -> the number that its next row would get."""

    rows: int
    sha256: str
    next: Mapping[str, int] = field(default_factory=dict)


def tables() -> list[str]:
    """The tables of the record, those that others refer to first."""
    return [table.name for table in metadata.sorted_tables]


@contextmanager
def one_moment(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees all tables as they are at one moment: loads go on meanwhile, migrations wait."""
    with engine.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            names = ", ".join(f'"{name}"' for name in tables())
            connection.execute(text(f"LOCK TABLE {names} IN ACCESS SHARE MODE"))  # before it sees anything
            write_as_anywhere(connection)
            yield connection


def of_all(engine: Engine, advance: Callable[[], None] = lambda: None) -> dict[str, Content]:
    """What every table holds at one moment; `advance` hears of each. Raises DatabaseError."""
    found = {}
    with clear_errors("checksums were computed", "nothing was changed"), one_moment(engine) as connection:
        for table in tables():
            found[table] = content(connection, table)
            advance()
    return found


def write_as_anywhere(connection: Connection) -> None:
    """Read and write values alike on every server, until the transaction ends."""
    for name, value in _AS_ANYWHERE.items():
        connection.execute(text("SELECT set_config(:name, :value, true)"), {"name": name, "value": value})


def content(connection: Connection, table: str, sink: "SupportsWrite[bytes] | None" = None) -> Content:
    """What a table holds, written to the sink on the way; the transaction must `write_as_anywhere`."""
    shown = [
        f'"{name}"' if kind in _ORDERED_AS_THEY_ARE else f'"{name}"::text COLLATE "C" AS "{name}"'
        for name, kind in _columns(connection, table).items()
    ]
    order = ", ".join(str(number) for number in range(1, len(shown) + 1))
    hashed = _Hashed(sink)
    rows = copy_to(connection, f'SELECT {", ".join(shown)} FROM "{table}" ORDER BY {order}', hashed)
    return Content(rows, hashed.hexdigest(), next_numbers(connection, table))


def columns(connection: Connection, table: str) -> list[str]:
    """The columns of a table in their order, save those that Postgres computes."""
    return list(_columns(connection, table))


def next_numbers(connection: Connection, table: str) -> dict[str, int]:
    """Column -> the number that the next row gets, of the columns that number the rows."""
    found = {}
    for column, sequence, increment in connection.execute(text(_SEQUENCES), {"name": f'"{table}"'}).all():
        last, used = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()
        found[str(column)] = int(last) + (int(increment) if used else 0)
    return found


def _columns(connection: Connection, table: str) -> dict[str, str]:
    """Name -> the kind of its type."""
    return {row.attname: row.typcategory for row in connection.execute(text(_COLUMNS), {"name": f'"{table}"'})}


class _Hashed:
    """A sink that adds up what passes through it to the next one, if there is one."""

    def __init__(self, sink: "SupportsWrite[bytes] | None") -> None:
        self._sink = sink
        self._hash = hashlib.sha256()
        self._waiting = bytearray()

    def write(self, row: bytes) -> None:
        self._waiting += row
        if len(self._waiting) >= _PIECE:
            self._pass_on()

    def hexdigest(self) -> str:
        self._pass_on()
        return self._hash.hexdigest()

    def _pass_on(self) -> None:
        self._hash.update(self._waiting)
        if self._sink is not None:
            self._sink.write(bytes(self._waiting))
        self._waiting.clear()


_COLUMNS = """
SELECT attname, typcategory FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
WHERE attrelid = to_regclass(:name) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""
_SEQUENCES = """
SELECT attname, objid::regclass::text, seqincrement FROM pg_depend
JOIN pg_sequence ON seqrelid = objid JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
WHERE classid = 'pg_class'::regclass AND refclassid = classid AND deptype IN ('a', 'i')
AND refobjid = to_regclass(:name) ORDER BY attnum
"""
