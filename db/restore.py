"""A backup into a database without data: in one transaction, at the backup's revision, upgraded afterwards."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from db import checksums, revisions
from db.backup import Backup, Manifest, opened
from db.bulk import copy_file
from db.engine import clear_errors
from errors import DatabaseError

_BESIDE = "spectrum_restore"


def restore(engine: Engine, path: Path, advance: Callable[[], None] = lambda: None) -> Manifest:
    """Fill a database without data, migrated or not, from a backup; `advance` hears of each table, read and restored.

    An older backup is restored at its own revision, in a schema beside, and upgraded before its rows move over. Raises
    InputError where the backup is not whole, DatabaseError where it is newer than this version, where the database has
    data or fails; nothing is changed then.
    """
    with (
        opened(path, advance) as backup,
        clear_errors("the backup was restored", "nothing was changed"),
        engine.begin() as connection,
    ):
        _require_no_data(connection)
        revisions.upgrade(connection)
        checksums.write_as_anywhere(connection)
        if backup.manifest.revision == revisions.known()[-1]:
            _fill(connection, backup, advance)
        else:
            with _schema_beside(connection):
                revisions.upgrade(connection, backup.manifest.revision)
                _fill(connection, backup, advance)
                revisions.upgrade(connection)
                following = {table: checksums.next_numbers(connection, table) for table in checksums.tables()}
            _move_over(connection, following)
        connection.execute(text(f"ANALYZE {', '.join(_quoted(table) for table in checksums.tables())}"))
    return backup.manifest


def _require_no_data(connection: Connection) -> None:
    names = connection.execute(text(_TABLES), {"version": revisions.VERSION_TABLE}).scalars().all()
    if names:
        connection.execute(text(f"LOCK TABLE {', '.join(map(_quoted, names))} IN SHARE ROW EXCLUSIVE MODE"))
    for name in names:
        if connection.execute(text(f"SELECT EXISTS (SELECT FROM {_quoted(name)})")).scalar_one():
            raise DatabaseError(
                f"The database has data already (table {name}) and nothing was changed; a backup is restored into an "
                "empty one, so point DATABASE_URL or SPECTRUM_DATA_DIR at such."
            )


def _fill(connection: Connection, backup: Backup, advance: Callable[[], None]) -> None:
    """COPY all tables in, and prove that the database now holds what the backup says."""
    for table, said in backup.manifest.tables.items():
        with backup.open(table) as source:
            copy_file(connection, table, source)
        _go_on(connection, table, said.next)
        if checksums.content(connection, table) != said:
            raise DatabaseError(
                f"Table {table} does not hold after the restore what the backup says, and nothing was changed; is the "
                "database one in UTF-8?"
            )
        advance()


def _go_on(connection: Connection, table: str, numbers: Mapping[str, int]) -> None:
    """The next rows get these numbers; unlike setval, this is undone with the transaction."""
    for column, number in numbers.items():
        sequence = connection.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": _quoted(table), "column": column}
        ).scalar_one()
        connection.execute(text(f"ALTER SEQUENCE {sequence} RESTART WITH {int(number)}"))


@contextmanager
def _schema_beside(connection: Connection) -> Iterator[None]:
    """Names mean tables of an empty schema of the transaction's own meanwhile."""
    usual = connection.execute(text("SELECT current_setting('search_path')")).scalar_one()
    connection.execute(text(f"CREATE SCHEMA {_BESIDE}"))
    connection.execute(text(_LOOK_IN), {"path": _BESIDE})
    yield
    connection.execute(text(_LOOK_IN), {"path": usual})


def _move_over(connection: Connection, following: Mapping[str, Mapping[str, int]]) -> None:
    for table, numbers in following.items():
        names = ", ".join(map(_quoted, checksums.columns(connection, table)))
        connection.execute(
            text(
                f"INSERT INTO {_quoted(table)} ({names}) OVERRIDING SYSTEM VALUE "
                f"SELECT {names} FROM {_BESIDE}.{_quoted(table)}"
            )
        )
        _go_on(connection, table, numbers)
    connection.execute(text(f"DROP SCHEMA {_BESIDE} CASCADE"))


def _quoted(name: str) -> str:
    return f'"{name}"'


_TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(current_schema()) AND relkind IN ('r', 'p')
AND relname <> :version ORDER BY relname
"""
_LOOK_IN = "SELECT set_config('search_path', :path, true)"
