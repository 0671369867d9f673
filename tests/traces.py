"""Where a text stands: in any column of any table of the record, and in any file, packed ones by their values."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
from sqlalchemy import Engine, text

TABLES = """
    SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""


def traces(engine: Engine, data_dir: Path, texts: Sequence[str]) -> set[str]:
    """`table: text` and `file: text` of each that is found."""
    return {*_in_record(engine, texts), *_in_files(data_dir, texts)}


def _in_record(engine: Engine, texts: Sequence[str]) -> Iterable[str]:
    with engine.connect() as connection:
        for table in [*connection.execute(text(TABLES)).scalars(), "pg_stats"]:
            for needle in texts:
                query = text(f"SELECT count(*) FROM {table} AS row WHERE strpos(CAST(row AS text), :needle) > 0")
                if connection.execute(query, {"needle": needle}).scalar_one():
                    yield f"{table.removeprefix('public.')}: {needle}"


def _in_files(data_dir: Path, texts: Sequence[str]) -> Iterable[str]:
    for path in data_dir.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes() + _values(path).encode()
        for needle in texts:
            if needle.encode() in content:
                yield f"{path.relative_to(data_dir)}: {needle}"


def _values(path: Path) -> str:
    """All that a file of Parquet or DuckDB holds, as text; nothing of others."""
    if path.suffix not in (".parquet", ".duckdb"):
        return ""
    with duckdb.connect() as connection:
        if path.suffix == ".parquet":
            tables = [f"read_parquet('{path}')"]
        else:
            connection.execute(f"ATTACH '{path}' AS held (READ_ONLY)")
            names = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'held'")
            tables = [f"held.{name}" for (name,) in names.fetchall()]
        rows = [connection.execute(f"SELECT CAST(row AS VARCHAR) FROM {table} AS row").fetchall() for table in tables]
    return "\n".join(value for of_table in rows for (value,) in of_table)
