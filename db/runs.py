"""Versioned model runs: open one, publish its results in one transaction, refuse it, prune old ones.

A reader of the `current_*` views sees the last published run of each kind until the very commit that replaces it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, text, update

from db import erasure, run_checksums
from db.bulk import arrow_table, copy_in
from db.columns import Columns as C
from db.engine import clear_errors
from db.result_schema import RESULT_TABLES, model_run
from errors import DatabaseError

SEGMENTS = "segments"
RECOMMENDATIONS = "recommendations"

_PUBLISH_LOCK = 0x5350_4552
_RUN_LOCK = 0x5350_5255
_AGAIN_SECONDS = 0.2

INTERRUPTED = "It was interrupted before it was done; run the models again."
"""What a run says whose process was killed."""

Results = Mapping[Table, pd.DataFrame]
"""Result table -> its rows, without the run."""


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


@contextmanager
def one_at_a_time(engine: Engine, wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """While models run; others wait for their turn, and `wait` is called once by one that has to.

    The lock is its session's, so a process that is killed lets it go; a run that such a process left open is refused.
    Raises DatabaseError.
    """
    waited = False
    with clear_errors("the models waited for their turn", "nothing was changed"):
        session = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        session.detach()  # or the pool would keep the lock
    try:
        with clear_errors("the models waited for their turn", "nothing was changed"):
            while not session.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _RUN_LOCK}).scalar():
                if not waited:
                    waited = True
                    wait()
                time.sleep(_AGAIN_SECONDS)  # Postgres would wait too, but deaf to Ctrl-C
            interrupted = {"status": "refused", "message": INTERRUPTED, "finished_at": func.now()}
            session.execute(update(model_run).where(model_run.c.status == "building").values(interrupted))
        yield
    finally:
        session.close()


def open_run(engine: Engine, kind: str, as_of: datetime, parameters: Mapping[str, Any], data_version: str) -> int:
    """Record that a run is being built; gives its run_id. Nothing of it shows until it is published.

    This and all that follow raise DatabaseError where the database fails, and change nothing then.
    """
    row = {
        C.KIND: kind,
        "status": "building",
        "as_of": as_of,
        "parameters": dict(parameters),
        "data_version": data_version,
    }
    with _transaction(engine, f"a run of {kind} was opened") as connection:
        return int(connection.execute(insert(model_run).values(row).returning(model_run.c.run_id)).scalar_one())


def publish(
    engine: Engine,
    run_id: int,
    results: Results,
    metrics: Mapping[str, Any],
    message: str | None = None,
) -> bool:
    """Write the results under the run and make it the published one of its kind, all in one transaction.

    Customers who were erased since the run read its data are left out. False where a newer run of the kind is
    published already: that one stays, and this one closes as superseded.
    Raises DatabaseError where the run is not being built any more.
    """
    with _transaction(engine, f"run {run_id} was published") as connection:
        hold(connection)
        kind = _kind_of_building(connection, run_id)
        _write(connection, run_id, results)
        kept = {"checksums": run_checksums.of_run(connection, run_id)}
        connection.execute(update(model_run).where(model_run.c.run_id == run_id).values(kept))
        standing = model_run.c.kind == kind, model_run.c.status == "published"
        newest = connection.execute(select(model_run.c.run_id).where(*standing)).scalar()
        if newest is not None and newest > run_id:
            _close(connection, run_id, "superseded", metrics, f"The newer run {newest} was published before this one.")
            return False
        connection.execute(update(model_run).where(*standing).values(status="superseded"))
        _close(connection, run_id, "published", metrics, message)
        return True


def refuse(
    engine: Engine,
    run_id: int,
    message: str,
    results: Results | None = None,
    metrics: Mapping[str, Any] | None = None,
) -> None:
    """Close a run without publishing it; the message says why, and what evidence it brought is kept.

    Raises DatabaseError where the run is not being built any more: what is published stays so.
    """
    with _transaction(engine, f"run {run_id} was refused") as connection:
        hold(connection)
        _kind_of_building(connection, run_id)
        _write(connection, run_id, results or {})
        _close(connection, run_id, "refused", metrics or {}, message)


def withdraw(engine: Engine, run_id: int, message: str) -> None:
    """Refuse a run after all, without its results; if it was published, the one published before is so again.

    Raises DatabaseError.
    """
    run = model_run.c
    with _transaction(engine, f"run {run_id} was withdrawn") as connection:
        hold(connection)
        of_it = run.run_id == run_id
        kind, status = connection.execute(select(run.kind, run.status).where(of_it)).one()
        for table in RESULT_TABLES:
            connection.execute(delete(table).where(table.c.run_id == run_id))
        withdrawn = {"status": "refused", "message": message, "checksums": {}}
        connection.execute(update(model_run).where(of_it).values(withdrawn))
        if status == "published":
            before = select(func.max(run.run_id)).where(run.kind == kind, run.status == "superseded")
            again = update(model_run).where(run.run_id == before.scalar_subquery()).values(status="published")
            connection.execute(again)


def published(engine: Engine, kind: str) -> Run | None:
    """The published run of a kind, or None before the first."""
    query = select(model_run).where(model_run.c.kind == kind, model_run.c.status == "published")
    return _one(engine, query)


def latest(engine: Engine, kind: str) -> Run | None:
    """The newest run of a kind whatever its status, or None before the first."""
    query = select(model_run).where(model_run.c.kind == kind).order_by(model_run.c.run_id.desc()).limit(1)
    return _one(engine, query)


def prune(engine: Engine, kind: str, keep: int = 5, keep_refused: int = 20) -> int:
    """Delete what is beyond the newest superseded runs and the newest refused ones of a kind, results included.

    Refused runs are the record of decisions and hold little. Gives how many were deleted.
    """
    deleted = 0
    with _transaction(engine, f"old runs of {kind} were removed") as connection:
        for status, kept in (("superseded", keep), ("refused", keep_refused)):
            old = (
                select(model_run.c.run_id)
                .where(model_run.c.kind == kind, model_run.c.status == status)
                .order_by(model_run.c.run_id.desc())
                .offset(kept)
            )
            deleted += connection.execute(delete(model_run).where(model_run.c.run_id.in_(old))).rowcount
    return deleted


def hold(connection: Connection) -> None:
    """Until the end of the caller's transaction no results are written; waits for those that are."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PUBLISH_LOCK})


@contextmanager
def _transaction(engine: Engine, happening: str) -> Iterator[Connection]:
    with clear_errors(happening, "nothing was changed"), engine.begin() as connection:
        yield connection


def _kind_of_building(connection: Connection, run_id: int) -> str:
    """The kind of a run that is still being built, which nobody else closes before this transaction ends."""
    building = select(model_run.c.kind).where(model_run.c.run_id == run_id, model_run.c.status == "building")
    kind = connection.execute(building.with_for_update()).scalar()
    if kind is None:
        raise DatabaseError(f"Run {run_id} is closed already, and what is closed stays as it is; start a new run.")
    return str(kind)


def _write(connection: Connection, run_id: int, results: Results) -> None:
    for table, frame in results.items():
        if len(frame):
            copy_in(connection, table, arrow_table(table, frame.assign(**{C.RUN_ID: run_id})).to_batches())
            connection.execute(text(f'ANALYZE "{table.name}"'))  # or SQL clients wait for bad plans
    erasure.leave_out_strangers(connection, run_id)


def _close(connection: Connection, run_id: int, status: str, metrics: Mapping[str, Any], message: str | None) -> None:
    connection.execute(
        update(model_run)
        .where(model_run.c.run_id == run_id)
        .values(status=status, metrics=dict(metrics), message=message, finished_at=func.now())
    )


def _one(engine: Engine, query: Any) -> Run | None:
    with _transaction(engine, "the runs were read") as connection:
        row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return Run(**{name: row[name] for name in Run.__dataclass_fields__})
