"""What a record and a snapshot hold, as one checksum a table: of content, whatever the order of the rows."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Engine, Table, text

from db import runs, schema, snapshot
from db.bulk import arrow_schema, copy_out
from db.result_schema import RESULT_TABLES, model_run

Content = dict[str, str]
"""Table -> checksum."""

NUMBERED = frozenset({"load_id", "run_id", "replaces", "started_at", "finished_at", "metrics"})
"""What differs between two ways to the same state: numbers that were given in vain, moments, how long models took."""
DIMENSIONS = (
    schema.customer,
    schema.product,
    schema.campaign,
    schema.campaign_member,
    schema.campaign_product,
    schema.interaction_event,
)
_WAIT_SECONDS = 30


def digest(table: pa.Table, without: frozenset[str] = frozenset()) -> str:
    """The checksum of a table's rows, some columns left out."""
    names = [name for name in table.column_names if name not in without]
    columns = {name: pc.fill_null(table.column(name).cast(pa.string()), "\0").to_pandas() for name in names}
    rows = np.sort(pd.util.hash_pandas_object(pd.DataFrame(columns), index=False).to_numpy())
    return hashlib.sha256(f"{table.num_rows}".encode() + rows.tobytes()).hexdigest()[:16]


def record(engine: Engine, *, exact: bool = False) -> Content:
    """All that stands: loads, lines and what is told of them, closed runs and results; `exact`: with all numbers.

    Who was killed a moment ago may still have a session; it is waited for.
    """
    without = frozenset() if exact else NUMBERED
    wanted = {table.name: f"SELECT {_columns(table)} FROM {table.name}" for table in schema.RECORD_TABLES}
    wanted["rejected_row"] = f"SELECT {_columns(schema.rejected_row)} FROM rejected_row"
    wanted["load"] = f"SELECT {_columns(schema.load)} FROM load"
    closed = "status <> 'building'" if exact else "status = 'published'"
    wanted["model_run"] = f"SELECT {_columns(model_run)} FROM model_run WHERE {closed}"
    for table in RESULT_TABLES:
        of = f"IN (SELECT run_id FROM model_run WHERE {closed})"
        wanted[table.name] = f"SELECT {_columns(table)} FROM {table.name} WHERE run_id {of}"
    tables = schema.metadata.tables
    with _quiet(engine) as connection:
        return {name: digest(_read(connection, tables[name], sql), without) for name, sql in wanted.items()}


def half_there(engine: Engine) -> list[str]:
    """What no state may hold: loads under way, rows of no load or no run, results of runs that are not closed."""
    lost = {
        "a load under way": "SELECT count(*) FROM load WHERE status NOT IN ('done', 'undone', 'replaced')",
        "results of a run under way": " UNION ALL ".join(
            f"SELECT count(*) FROM {table.name} JOIN model_run USING (run_id) WHERE status = 'building'"
            for table in RESULT_TABLES
        ),
    }
    for table in (schema.transaction_line, schema.rejected_row, schema.load_customer, schema.load_product):
        lost[f"{table.name} of no load"] = (
            f"SELECT count(*) FROM {table.name} WHERE load_id NOT IN (SELECT load_id FROM load WHERE status = 'done')"
        )
    with _quiet(engine) as connection:
        return [what for what, sql in lost.items() if any(connection.execute(text(sql)).scalars())]


def differences(engine: Engine, data_dir: Path) -> list[str]:
    """The tables in which the newest snapshot is not what the record holds."""
    shop = snapshot.open_newest(data_dir)
    wanted = {table.name: (table, f"SELECT {_columns(table)} FROM {table.name}") for table in DIMENSIONS}
    lines = f"SELECT {_columns(schema.transaction_line)} FROM transaction_line"
    wanted["transaction_line"] = schema.transaction_line, lines
    wanted["load"] = schema.load, f"SELECT {_columns(schema.load)} FROM load WHERE status = 'done'"
    wanted["model_run"] = model_run, f"SELECT {_columns(model_run)} FROM model_run WHERE status <> 'building'"
    for table in RESULT_TABLES:
        wanted[table.name] = table, f"SELECT {_columns(table)} FROM current_{table.name}"
    with _quiet(engine) as connection:
        return [
            name for name, (table, sql) in wanted.items() if digest(_read(connection, table, sql)) != of(shop, table)
        ]


def of(shop: snapshot.Snapshot, table: Table, without: frozenset[str] = frozenset()) -> str:
    """The checksum of a table of a snapshot."""
    return digest(shop.table(f"SELECT {_columns(table)} FROM {table.name}").cast(arrow_schema(table)), without)


def shown(data_dir: Path) -> Content:
    """All that the newest snapshot shows."""
    shop = snapshot.open_newest(data_dir)
    tables = (*DIMENSIONS, schema.transaction_line, *RESULT_TABLES)
    return {table.name: of(shop, table, NUMBERED) for table in tables}


def building(engine: Engine) -> int:
    """How many runs say that they are under way."""
    with _quiet(engine) as connection:
        query = text("SELECT count(*) FROM model_run WHERE status = 'building'")
        return int(connection.execute(query).scalar_one())


def published(engine: Engine) -> dict[str, int]:
    """Kind -> the run that is published."""
    found = {kind: runs.published(engine, kind) for kind in (runs.SEGMENTS, runs.RECOMMENDATIONS)}
    return {kind: run.run_id for kind, run in found.items() if run}


def must_be_settled(engine: Engine, data_dir: Path) -> None:
    """Fail where anything is half there, or the snapshot is not what the record holds."""
    assert half_there(engine) == []
    assert building(engine) == 0
    assert differences(engine, data_dir) == []
    assert not (data_dir / "snapshots" / "building").exists(), "what was half written is gone"


def columns(engine: Engine) -> list[tuple[str, str, str]]:
    """Every column of the schema, with its table and type."""
    query = text(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'public' ORDER BY 1, 2"
    )
    with _quiet(engine) as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(query)]


@contextmanager
def _quiet(engine: Engine) -> Iterator[Connection]:
    """A moment of which nobody is in the midst of anything."""
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend' AND state <> 'idle'"
    )
    engine.dispose()
    until = time.monotonic() + _WAIT_SECONDS
    with engine.connect() as connection:
        while connection.execute(others).scalar_one():
            assert time.monotonic() < until, "a session goes on"
            connection.rollback()
            time.sleep(0.02)
        connection.rollback()
        yield connection.execution_options(isolation_level="REPEATABLE READ")
    engine.dispose()


def _columns(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _read(connection: Connection, table: Table, sql: str) -> pa.Table:
    layout = arrow_schema(table)
    return pa.Table.from_batches(copy_out(connection, sql, layout), layout)
