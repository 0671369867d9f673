"""The files of a snapshot: each written from the record, described, made durable, and checked before it is kept."""

import hashlib
import os
import resource
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet
from sqlalchemy import Connection, Table

from db import result_schema, sales, schema
from db.bulk import arrow_schema, copy_out

_MONTHS_AT_ONCE = 60  # each is an open file
_TOGETHER = 25_000
"""Rows of a dimension or a result that are read together: whoever wants a few need not hold many."""


@dataclass(frozen=True)
class Part:
    """One file of a table or of several, and the fingerprint of what it was made from."""

    file: str
    fingerprint: str
    rows: int
    sha256: str
    size: int = 0
    """In bytes; manifests of the first days do not say, and their parts are written anew."""


def described(directory: Path, file: str, fingerprint: str) -> Part:
    """The part that a file written just now is."""
    path = directory / file
    return Part(file, fingerprint, _rows(path), _sha256(path), path.stat().st_size)


def is_sound(directory: Path, part: Part, *, wholly: bool) -> bool:
    """Whether the part is there with its size and opens with its rows; `wholly`, with its checksum too."""
    path = directory / part.file
    try:
        if path.stat().st_size != part.size or _rows(path) != part.rows:
            return False
        return not wholly or _sha256(path) == part.sha256
    except (OSError, pa.ArrowException, duckdb.Error):
        return False


def _rows(path: Path) -> int:
    return sales.rows(path) if path.suffix == ".duckdb" else parquet.read_metadata(path).num_rows


def allow_open(files: int) -> None:
    """Let this process open so many more files at once, as far as the system lets it: DuckDB opens all of a query."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = soft + files if hard == resource.RLIM_INFINITY else min(soft + files, hard)
    if soft != resource.RLIM_INFINITY and files > soft // 4 and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def make_durable(path: Path) -> None:
    """Return once the disk holds a file's content, or a directory's names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_months(connection: Connection, months: Sequence[str], building: Path) -> None:
    """The lines of the given months (ascending, YYYY-MM), each month to its own file, in few passes over the record."""
    for start in range(0, len(months), _MONTHS_AT_ONCE):
        _write_months_at_once(connection, months[start : start + _MONTHS_AT_ONCE], building)


def _write_months_at_once(connection: Connection, months: Sequence[str], building: Path) -> None:
    layout = arrow_schema(schema.transaction_line)
    columns = ", ".join(f'line."{name}"' for name in layout.names)
    listed = ", ".join(f"'{month}'" for month in months)
    query = (
        f"SELECT {columns} FROM transaction_line AS line JOIN load USING (load_id) WHERE load.status = 'done' "
        f"AND ordered_at >= '{months[0]}-01' AND ordered_at < date '{months[-1]}-01' + interval '1 month' "
        f"AND to_char(ordered_at, 'YYYY-MM') IN ({listed})"
    )
    with ExitStack() as files:
        writers = {
            month: files.enter_context(_writer(building / "transaction_line" / f"{month}.parquet", layout))
            for month in months
        }
        for batch in copy_out(connection, query, layout):
            month_of = pc.strftime(batch.column("ordered_at"), format="%Y-%m")
            for month in pc.unique(month_of).to_pylist():
                writers[month].write_batch(batch.filter(pc.equal(month_of, month)))


def write_table(connection: Connection, table: Table, path: Path) -> None:
    """A dimension as it is; of results what the run left whose number the file has."""
    layout = arrow_schema(table)
    columns = ", ".join(f'"{name}"' for name in layout.names)
    match table.name:
        case "load":
            query = f"SELECT {columns} FROM load WHERE status = 'done' ORDER BY load_id"
        case "model_run":
            query = f"SELECT {columns} FROM model_run WHERE status <> 'building' ORDER BY run_id"
        case name if table in result_schema.RESULT_TABLES:
            where = f"run_id = {path.stem}" if path.stem.isdecimal() else "false"
            keys = ", ".join(c.name for c in table.primary_key)
            query = f"SELECT {columns} FROM {name} WHERE {where} ORDER BY {keys}"
        case name:
            query = f"SELECT {columns} FROM {name} ORDER BY 1, 2"
    with _writer(path, layout) as writer:
        for batch in copy_out(connection, query, layout):
            writer.write_batch(batch, row_group_size=_TOGETHER)


def _writer(path: Path, layout: pa.Schema) -> parquet.ParquetWriter:
    return parquet.ParquetWriter(path, layout, compression="zstd", compression_level=1)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
