"""The read side: Postgres -> an immutable directory of Parquet files -> DuckDB.

A snapshot is built beside the old one and put in place by a rename. Its tables are made of parts: a month of
transaction lines, a dimension, the published results of a run. Each part has a fingerprint of what it was made from;
a part whose fingerprint stands in the snapshot before is linked, not written again. Whoever reads a version holds a
shared lock on it, and only versions that nobody reads are removed.
"""

import fcntl
import hashlib
import json
import os
import shutil
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet
from sqlalchemy import Connection, Engine, Table, text

from db import schema
from db.bulk import arrow_schema, copy_out
from db.runs import RECOMMENDATIONS, SEGMENTS
from errors import SnapshotError

_MANIFEST = "manifest.json"
_DIMENSIONS = (schema.customer, schema.product, schema.load)
_RESULTS = {SEGMENTS: schema.SEGMENT_TABLES, RECOMMENDATIONS: schema.RECOMMENDATION_TABLES}


@dataclass(frozen=True)
class Part:
    """One Parquet file of a table."""

    file: str
    fingerprint: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a snapshot holds and what it was made from."""

    version: int
    data_version: str
    loads: Sequence[int]
    runs: Mapping[str, int]
    tables: Mapping[str, Sequence[Part]]


class Snapshot:
    """One pinned version. Queries see its tables as DuckDB views; a thread may query while others do."""

    def __init__(self, path: Path, pin: int) -> None:
        weakref.finalize(self, os.close, pin)
        self.path = path
        self.manifest = _read_manifest(path)
        self._connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        self._connection.execute("SET TimeZone = 'UTC'")
        try:
            for table, parts in self.manifest.tables.items():
                files = ", ".join(_quoted(path / part.file) for part in parts)
                self._connection.execute(f'CREATE VIEW "{table}" AS SELECT * FROM read_parquet([{files}])')
        except duckdb.Error as error:
            raise _damaged(path) from error
        self._connection.execute(f"SET allowed_directories = [{_quoted(path.resolve())}, {_quoted(path)}]")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    @property
    def version(self) -> int:
        """Its number; a later one is newer."""
        return self.manifest.version

    def frame(self, sql: str, parameters: Sequence[Any] = (), **frames: pd.DataFrame) -> pd.DataFrame:
        """The rows of a query as a frame; decimals arrive as floats. Frames given by name are tables to this query."""
        cursor = self._connection.cursor()
        for name, frame in frames.items():
            cursor.register(name, frame)
        return cursor.execute(sql, list(parameters)).df()

    def scalar(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The one value a query gives."""
        row = self._connection.cursor().execute(sql, list(parameters)).fetchone()
        return row[0] if row else None

    def batches(self, sql: str, parameters: Sequence[Any] = (), rows: int = 20_000) -> Iterator[pa.RecordBatch]:
        """The rows of a query in batches, for lists too long to hold."""
        yield from self._connection.cursor().sql(sql, params=list(parameters)).to_arrow_reader(rows)


def open_newest(data_dir: Path) -> Snapshot:
    """The newest snapshot, pinned until it is garbage. Raises SnapshotError before the first load."""
    for _ in range(20):
        newest = _newest(data_dir)
        if newest is None:
            raise SnapshotError(
                "Nothing has been loaded yet; run `python -m etl load sample` or `python -m etl load FILE`."
            )
        try:
            pin = os.open(newest / _MANIFEST, os.O_RDONLY)
        except FileNotFoundError:
            continue  # removed between the listing and the opening; there is a newer one
        fcntl.flock(pin, fcntl.LOCK_SH)
        if (newest / _MANIFEST).exists():
            return Snapshot(newest, pin)
        os.close(pin)
    raise _damaged(_newest(data_dir) or _root(data_dir))


def newest_version(data_dir: Path) -> int | None:
    """The number of the newest snapshot, or None before the first."""
    newest = _newest(data_dir)
    return None if newest is None else int(newest.name)


def refresh(engine: Engine, data_dir: Path) -> Path:
    """Bring the snapshot up to the record and remove versions nobody reads; gives the newest version's directory."""
    root = _root(data_dir)
    root.mkdir(parents=True, exist_ok=True)
    with _exclusively(root), engine.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        wanted = _wanted_parts(connection)
        old = _newest(data_dir)
        before = _read_manifest(old) if old else None
        if old and before and _fingerprints(before.tables) == wanted.fingerprints:
            return old
        building = root / "building"
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir()
        tables = _write_parts(connection, wanted, building, old, before)
        manifest = Manifest(
            version=before.version + 1 if before else 1,
            data_version=wanted.data_version,
            loads=wanted.loads,
            runs=wanted.runs,
            tables=tables,
        )
        (building / _MANIFEST).write_text(json.dumps(asdict(manifest), indent=1))
        place = root / f"{manifest.version:08d}"
        building.rename(place)
        _prune(root, place)
        return place


@dataclass(frozen=True)
class _Wanted:
    loads: Sequence[int]
    runs: Mapping[str, int]
    data_version: str
    months: Mapping[str, str]
    fingerprints: Mapping[str, Mapping[str, str]]


def _wanted_parts(connection: Connection) -> _Wanted:
    """Table -> file -> fingerprint, as the record stands now."""
    loads = connection.execute(text("SELECT load_id, sha256, months FROM load WHERE status = 'done' ORDER BY 1")).all()
    runs = connection.execute(text("SELECT run_id, kind, status FROM model_run WHERE status <> 'building'")).all()
    by_month: dict[str, list[int]] = {}
    for load_id, _, months in loads:
        for month in months:
            by_month.setdefault(month, []).append(load_id)
    months = {month: f"loads {by_month[month]}" for month in sorted(by_month)}
    fingerprints: dict[str, dict[str, str]] = {
        "transaction_line": {f"transaction_line/{month}.parquet": mark for month, mark in months.items()}
        or {"transaction_line/empty.parquet": "empty"}
    }
    for table in _DIMENSIONS:
        fingerprints[table.name] = {f"{table.name}.parquet": f"loads {[row.load_id for row in loads]}"}
    published = {row.kind: row.run_id for row in runs if row.status == "published"}
    for kind, tables in _RESULTS.items():
        for table in tables:
            fingerprints[table.name] = {f"{table.name}.parquet": f"run {published.get(kind)}"}
    fingerprints["model_run"] = {"model_run.parquet": f"runs {sorted((row.run_id, row.status) for row in runs)}"}
    return _Wanted(
        loads=[row.load_id for row in loads],
        runs=published,
        data_version=hashlib.sha256(" ".join(sorted(row.sha256 for row in loads)).encode()).hexdigest()[:12],
        months=months,
        fingerprints=fingerprints,
    )


def _fingerprints(tables: Mapping[str, Sequence[Part]]) -> dict[str, dict[str, str]]:
    return {name: {part.file: part.fingerprint for part in parts} for name, parts in tables.items()}


def _write_parts(
    connection: Connection, wanted: _Wanted, building: Path, old: Path | None, before: Manifest | None
) -> dict[str, list[Part]]:
    known = {(p.file, p.fingerprint): p for parts in before.tables.values() for p in parts} if before else {}
    fresh: set[str] = set()
    for files in wanted.fingerprints.values():
        for file, fingerprint in files.items():
            (building / file).parent.mkdir(exist_ok=True)
            if old and (file, fingerprint) in known:
                try:
                    os.link(old / file, building / file)
                except FileNotFoundError as error:
                    raise _damaged(old) from error
            else:
                fresh.add(file)
    months = [month for month in wanted.months if f"transaction_line/{month}.parquet" in fresh]
    _write_months(connection, months, building)
    for name, files in wanted.fingerprints.items():
        if name != "transaction_line" and fresh.intersection(files):
            _write_table(connection, schema.metadata.tables[name], building / f"{name}.parquet")
    if "transaction_line/empty.parquet" in fresh:
        nothing = arrow_schema(schema.transaction_line).empty_table()
        parquet.write_table(nothing, building / "transaction_line/empty.parquet")
    return {
        name: [known[file, mark] if file not in fresh else _part(building, file, mark) for file, mark in files.items()]
        for name, files in wanted.fingerprints.items()
    }


def _part(building: Path, file: str, fingerprint: str) -> Part:
    with (building / file).open("rb") as stream:
        checksum = hashlib.file_digest(stream, "sha256").hexdigest()
    return Part(file, fingerprint, parquet.read_metadata(building / file).num_rows, checksum)


def _write_months(connection: Connection, months: Sequence[str], building: Path) -> None:
    """The lines of the given months, each month to its own file, in one pass over the record."""
    if not months:
        return
    table = schema.transaction_line
    layout = arrow_schema(table)
    columns = ", ".join(f'line."{name}"' for name in layout.names)
    listed = ", ".join(f"'{month}'" for month in months)
    query = (
        f"SELECT {columns} FROM transaction_line AS line JOIN load USING (load_id) WHERE load.status = 'done' "
        f"AND ordered_at >= '{min(months)}-01' AND ordered_at < date '{max(months)}-01' + interval '1 month' "
        f"AND to_char(ordered_at, 'YYYY-MM') IN ({listed})"
    )
    writers = {
        month: parquet.ParquetWriter(
            building / "transaction_line" / f"{month}.parquet", layout, compression="zstd", compression_level=1
        )
        for month in months
    }
    for batch in copy_out(connection, query, layout):
        month_of = pc.strftime(batch.column("ordered_at"), format="%Y-%m")
        for month in pc.unique(month_of).to_pylist():
            writers[month].write_batch(batch.filter(pc.equal(month_of, month)))
    for writer in writers.values():
        writer.close()


def _write_table(connection: Connection, table: Table, path: Path) -> None:
    """A dimension as it is, or what the published run left in a result table."""
    layout = arrow_schema(table)
    columns = ", ".join(f'"{name}"' for name in layout.names)
    match table.name:
        case "load":
            query = f"SELECT {columns} FROM load WHERE status = 'done' ORDER BY load_id"
        case "model_run":
            query = f"SELECT {columns} FROM model_run WHERE status <> 'building' ORDER BY run_id"
        case "customer" | "product":
            query = f"SELECT {columns} FROM {table.name} ORDER BY 1"
        case name:
            query = f"SELECT {columns} FROM current_{name} ORDER BY {', '.join(c.name for c in table.primary_key)}"
    with parquet.ParquetWriter(path, layout, compression="zstd", compression_level=1) as writer:
        for batch in copy_out(connection, query, layout):
            writer.write_batch(batch)


def _read_manifest(path: Path) -> Manifest:
    try:
        content = json.loads((path / _MANIFEST).read_text())
        content["tables"] = {name: [Part(**part) for part in parts] for name, parts in content["tables"].items()}
        return Manifest(**content)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> SnapshotError:
    return SnapshotError(f"The snapshot in {path} is damaged; remove that directory and run `python -m db snapshot`.")


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _root(data_dir: Path) -> Path:
    return data_dir / "snapshots"


def _newest(data_dir: Path) -> Path | None:
    return max((path for path in _root(data_dir).glob("[0-9]*") if path.is_dir()), default=None)


@contextmanager
def _exclusively(root: Path) -> Iterator[None]:
    with (root / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _prune(root: Path, newest: Path) -> None:
    for path in root.glob("[0-9]*"):
        if path == newest:
            continue
        try:
            with (path / _MANIFEST).open() as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path)
        except BlockingIOError:
            continue  # somebody reads it; a later refresh will remove it
        except FileNotFoundError:
            shutil.rmtree(path, ignore_errors=True)
