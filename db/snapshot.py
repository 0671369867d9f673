"""The read side: Postgres -> an immutable directory of Parquet files -> DuckDB.

A snapshot is built beside the old one and put in place by a rename. Its tables are made of parts: a month of
transaction lines, a dimension, the published results of a run. Each part has a fingerprint of what it was made from; a
part that stands in the snapshot before, sound and with the same fingerprint, is linked and not written again. Whoever
reads a version holds a shared lock on it, and only versions that nobody reads are removed: by the next refresh, or by
the last who read it.
"""

import fcntl
import os
import shutil
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, Engine

from db import result_schema, sales
from db.engine import clear_errors
from db.parts import Part, allow_open, make_durable
from db.scope import WHOLE, Scope, views
from db.turns import Turns
from db.version import MANIFEST, build, damaged, read_manifest, sound_parts
from db.wanted import OF_RUN, names, wanted_parts
from errors import SnapshotError, WholeShopError

_LAST = ".last"


_turns = Turns(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
"""A query takes all processors anyway: what is asked first is answered first, not all of a page at its end."""


class Snapshot:
    """One pinned version. Queries see its tables as DuckDB views; a thread may query while others do.

    The tables of segments are those of the published run, or with `run_id` of an earlier one. What every run offered,
    how it was judged, and how every run parted the customers, is in `every_recommendation`, `every_evaluation` and
    `every_customer_segment`.
    """

    def __init__(self, path: Path, pin: int, run_id: int | None = None, scope: Scope | None = None) -> None:
        weakref.finalize(self, _let_go, path, pin)
        self._pin = pin
        self.path = path
        self.run_id = run_id
        self.scope = scope or Scope()
        self.manifest = read_manifest(path)
        allow_open(sum(len(parts) for parts in self.manifest.tables.values()))
        self._connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        self._connection.execute("SET TimeZone = 'UTC'")
        where = "main" if self.scope.is_all else WHOLE
        try:
            self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {where}")
            self._connection.execute(f"SET schema = {sales.quoted(where)}")
            for table, parts in self._tables().items():
                files = ", ".join(sales.quoted(path / part.file) for part in parts)
                self._connection.execute(f'CREATE VIEW "{table}" AS SELECT * FROM read_parquet([{files}])')
            self._see_sales()
            self._connection.execute("SET schema = 'main'")
            if not self.scope.is_all:
                self._see_through_scope()
        except (duckdb.Error, KeyError) as error:
            raise damaged(path) from error
        self._connection.execute(f"SET allowed_directories = [{sales.quoted(path.resolve())}, {sales.quoted(path)}]")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def _see_sales(self) -> None:
        """The tables of `db.sales`; `known` is of the run that is seen."""
        sales.attach(self._connection, self.path / self.manifest.tables[sales.SALES][0].file)
        if self.run_id is None:
            sales.attach(self._connection, self.path / self.manifest.tables[sales.KNOWN][0].file)
        else:
            self._connection.execute(f"CREATE VIEW {sales.KNOWN} AS {sales.KNOWN_TABLE}")
        self._connection.execute(sales.LOOKED_FOR)

    def _see_through_scope(self) -> None:
        there = "SELECT view_name FROM duckdb_views() WHERE schema_name = ?"
        tables = [name for (name,) in self._connection.execute(there, (WHOLE,)).fetchall()]
        for name, sql in views(self.scope, tables).items():
            self._connection.execute(f'CREATE VIEW "{name}" AS {sql}')

    def _tables(self) -> dict[str, Sequence[Part]]:
        """The tables of Parquet files."""
        others = (sales.SALES, sales.KNOWN)
        tables = {name: parts for name, parts in self.manifest.tables.items() if OF_RUN not in name}
        tables = {name: parts for name, parts in tables.items() if name not in others}
        for name in names(result_schema.SEGMENT_TABLES):
            tables[name] = self.manifest.tables.get(f"{name}{OF_RUN}{self.run_id}", tables[name])
        for name in names((result_schema.recommendation, result_schema.evaluation, result_schema.customer_segment)):
            of_all = [parts for table, parts in self.manifest.tables.items() if table.partition(OF_RUN)[0] == name]
            tables[f"every_{name}"] = [part for parts in of_all for part in parts]
        return tables

    @property
    def version(self) -> int:
        """Its number; a later one is newer."""
        return self.manifest.version

    def of_run(self, run_id: int) -> "Snapshot | None":
        """The same version with the segments of another run; None where it holds no such run."""
        if f"{result_schema.customer_segment.name}{OF_RUN}{run_id}" not in self.manifest.tables:
            return None
        return Snapshot(self.path, os.dup(self._pin), run_id, self.scope)

    def seen_through(self, scope: Scope) -> "Snapshot":
        """The same version as somebody may see it."""
        return Snapshot(self.path, os.dup(self._pin), self.run_id, scope)

    def frame(self, sql: str, parameters: Sequence[Any] = (), **frames: pd.DataFrame | pa.Table) -> pd.DataFrame:
        """The rows of a query as a frame; decimals arrive as floats. Frames given by name are tables to this query."""
        with _turns, self._within_scope():
            cursor = self._connection.cursor()
            for name, frame in frames.items():
                cursor.register(name, frame)
            return cursor.execute(sql, list(parameters)).df()

    def table(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """The rows of a query as Arrow has them, to be given to further queries."""
        with _turns, self._within_scope():
            return self._connection.cursor().sql(sql, params=list(parameters)).to_arrow_table()

    def scalar(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The one value a query gives."""
        with _turns, self._within_scope():
            row = self._connection.cursor().execute(sql, list(parameters)).fetchone()
        return row[0] if row else None

    def batches(self, sql: str, parameters: Sequence[Any] = (), rows: int = 20_000) -> Iterator[pa.RecordBatch]:
        """The rows of a query in batches, for lists too long to hold."""
        with self._within_scope():
            reader = self._connection.cursor().sql(sql, params=list(parameters)).to_arrow_reader(rows)
        yield from reader

    @contextmanager
    def _within_scope(self) -> Iterator[None]:
        """What has no view is of the whole shop. Raises WholeShopError."""
        try:
            yield
        except duckdb.CatalogException as error:
            if not self.scope.countries:
                raise
            seen = ", ".join(self.scope.countries)
            raise WholeShopError(f"This is counted over the whole shop, and your account sees {seen} alone.") from error


def open_newest(data_dir: Path) -> Snapshot:
    """The newest snapshot, pinned until it is garbage. Raises SnapshotError before the first load."""
    for _ in range(20):
        newest = _newest(data_dir)
        if newest is None:
            raise SnapshotError(
                "Nothing has been loaded yet; run `python -m etl load sample` or `python -m etl load FILE`."
            )
        try:
            pin = os.open(newest / MANIFEST, os.O_RDONLY)
        except FileNotFoundError:
            continue  # removed between the listing and the opening; there is a newer one
        fcntl.flock(pin, fcntl.LOCK_SH)
        if (newest / MANIFEST).exists():
            return Snapshot(newest, pin)
        os.close(pin)
    raise damaged(_newest(data_dir) or _root(data_dir))


def newest_version(data_dir: Path) -> int | None:
    """The number of the newest snapshot, or None before the first."""
    newest = _newest(data_dir)
    return None if newest is None else int(newest.name)


def still_read(data_dir: Path) -> list[int]:
    """The numbers of the versions before the newest that are there because somebody reads them."""
    found = sorted(int(path.name) for path in _root(data_dir).glob("[0-9]*") if path.is_dir())
    return found[:-1]


def refresh(engine: Engine, data_dir: Path, *, wholly: bool = False) -> Path:
    """Bring the snapshot up to the record and remove versions nobody reads; gives the newest version's directory.

    What was made from the same content before is kept where it is sound (`wholly`: by its checksum, which reads all of
    it), else written anew. Raises SnapshotError where the directory cannot be written, ChangedResultsError where a
    run's results are not those that were published, DatabaseError where the database fails; the snapshot before stays.
    """
    root = _root(data_dir)
    advice = "what is loaded and published is in the record, and `python -m db snapshot` makes a snapshot of it"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with clear_errors("the snapshot was written", advice), _exclusively(root), engine.connect() as connection:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
            return _refreshed(connection, root, _newest(data_dir), wholly)
    except (OSError, duckdb.Error) as error:
        said = next(iter(str(getattr(error, "strerror", None) or error).splitlines()), type(error).__name__)
        raise SnapshotError(f"The snapshot in {root} cannot be written ({said}); {advice}.") from error


def _refreshed(connection: Connection, root: Path, old: Path | None, wholly: bool) -> Path:
    wanted = wanted_parts(connection)
    last = _last_number(root, old)
    try:
        before = read_manifest(old) if old else None
    except SnapshotError:
        old = before = None  # nothing of it can be trusted, and all of it can be made anew
    sound = sound_parts(old, before, wholly) if old and before else {}
    if old and {part.file: part.fingerprint for part in sound.values()} == wanted.by_file():
        _prune(root, old)
        return old
    building = root / "building"
    try:
        build(connection, wanted, last + 1, building, old, sound)
        place = root / f"{last + 1:08d}"
        (root / _LAST).write_text(str(last + 1))
        building.rename(place)
    finally:
        shutil.rmtree(building, ignore_errors=True)  # half of one would only fill a disk that is full already
    make_durable(root)
    _prune(root, place)
    return place


def _last_number(root: Path, newest: Path | None) -> int:
    """The highest number ever given: one that somebody removed by hand is not given to other content."""
    try:
        noted = int((root / _LAST).read_text())
    except (OSError, ValueError):
        noted = 0
    return max(noted, int(newest.name) if newest else 0)


def _root(data_dir: Path) -> Path:
    return data_dir / "snapshots"


def _newest(data_dir: Path) -> Path | None:
    return max((path for path in _root(data_dir).glob("[0-9]*") if path.is_dir()), default=None)


@contextmanager
def _exclusively(root: Path) -> Iterator[None]:
    with (root / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _let_go(path: Path, pin: int) -> None:
    """Who reads an old version last removes it: nobody may be erased from it, and the next refresh may be far."""
    os.close(pin)
    newest = _newest(path.parents[1])
    if newest is not None and newest != path:
        with suppress(OSError):
            _prune(path.parent, newest)


def _prune(root: Path, newest: Path) -> None:
    """Remove the versions before the newest that nobody reads."""
    for path in root.glob("[0-9]*"):
        if path.name >= newest.name:
            continue
        try:
            with (path / MANIFEST).open() as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path)
        except BlockingIOError:
            continue  # somebody reads it, and will remove it (see _let_go), or a later refresh
        except FileNotFoundError:
            shutil.rmtree(path, ignore_errors=True)
