"""Versioned model runs: open one, publish its results in one transaction, refuse it, prune old ones.

A reader of the `current_*` views sees the last published run of each kind until the very commit that replaces it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, text, update

from db.bulk import arrow_table, copy_in
from db.columns import Columns as C
from db.schema import model_run

SEGMENTS = "segments"
RECOMMENDATIONS = "recommendations"

_PUBLISH_LOCK = 0x5350_4552


@dataclass(frozen=True)
class Run:
    """One row of `model_run`."""

    run_id: int
    kind: str
    status: str
    as_of: datetime
    parameters: Mapping[str, Any]
    data_version: str
    metrics: Mapping[str, Any]
    message: str | None


def open_run(engine: Engine, kind: str, as_of: datetime, parameters: Mapping[str, Any], data_version: str) -> int:
    """Record that a run is being built; gives its run_id. Nothing of it shows until it is published."""
    row = {
        C.KIND: kind,
        "status": "building",
        "as_of": as_of,
        "parameters": dict(parameters),
        "data_version": data_version,
    }
    with engine.begin() as connection:
        return int(connection.execute(insert(model_run).values(row).returning(model_run.c.run_id)).scalar_one())


def publish(
    engine: Engine,
    run_id: int,
    results: Mapping[Table, pd.DataFrame],
    metrics: Mapping[str, Any],
    message: str | None = None,
) -> None:
    """Write the results under the run and make it the published one of its kind, all in one transaction."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PUBLISH_LOCK})
        _write(connection, run_id, results)
        kind = select(model_run.c.kind).where(model_run.c.run_id == run_id).scalar_subquery()
        connection.execute(
            update(model_run)
            .where(model_run.c.kind == kind, model_run.c.status == "published")
            .values(status="superseded")
        )
        _close(connection, run_id, "published", metrics, message)


def refuse(
    engine: Engine,
    run_id: int,
    message: str,
    results: Mapping[Table, pd.DataFrame] | None = None,
    metrics: Mapping[str, Any] | None = None,
) -> None:
    """Close a run without publishing it; the message says why, and what evidence it brought is kept."""
    with engine.begin() as connection:
        _write(connection, run_id, results or {})
        _close(connection, run_id, "refused", metrics or {}, message)


def published(engine: Engine, kind: str) -> Run | None:
    """The published run of a kind, or None before the first."""
    query = select(model_run).where(model_run.c.kind == kind, model_run.c.status == "published")
    return _one(engine, query)


def latest(engine: Engine, kind: str) -> Run | None:
    """The newest run of a kind whatever its status, or None before the first."""
    query = select(model_run).where(model_run.c.kind == kind).order_by(model_run.c.run_id.desc()).limit(1)
    return _one(engine, query)


def prune(engine: Engine, kind: str, keep: int = 5) -> int:
    """Delete the superseded and refused runs of a kind beyond the newest `keep`, results included; gives how many."""
    old = (
        select(model_run.c.run_id)
        .where(model_run.c.kind == kind, model_run.c.status.in_(("superseded", "refused")))
        .order_by(model_run.c.run_id.desc())
        .offset(keep)
    )
    with engine.begin() as connection:
        return int(connection.execute(delete(model_run).where(model_run.c.run_id.in_(old))).rowcount)


def _write(connection: Connection, run_id: int, results: Mapping[Table, pd.DataFrame]) -> None:
    for table, frame in results.items():
        if len(frame):
            copy_in(connection, table, arrow_table(table, frame.assign(**{C.RUN_ID: run_id})).to_batches())
            connection.execute(text(f'ANALYZE "{table.name}"'))  # or SQL clients wait for bad plans


def _close(connection: Connection, run_id: int, status: str, metrics: Mapping[str, Any], message: str | None) -> None:
    connection.execute(
        update(model_run)
        .where(model_run.c.run_id == run_id)
        .values(status=status, metrics=dict(metrics), message=message, finished_at=func.now())
    )


def _one(engine: Engine, query: Any) -> Run | None:
    with engine.connect() as connection:
        row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return Run(**{name: row[name] for name in Run.__dataclass_fields__})
