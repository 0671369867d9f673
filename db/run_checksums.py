"""What the results of a run were when it was published, so that what was changed since is found.

A checksum is of content alone: neither the order of the rows nor the number of the run is in it, and the same results
give the same. It is kept with the names of the columns that it covers, for later versions may add some.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, select, text, update

from db.columns import Columns as C
from db.engine import clear_errors
from db.result_schema import RESULT_TABLES, model_run
from errors import ChangedResultsError

Checksums = Mapping[str, Mapping[str, Any]]
"""Table -> rows, checksum and columns; tables in which the run has no rows are left out."""


def of_run(connection: Connection, run_id: int) -> Checksums:
    """What the results of a run are now."""
    found = {table.name: _of(connection, table, run_id, _columns(table)) for table in RESULT_TABLES}
    return {name: told for name, told in found.items() if told["rows"]}


def leave_out(connection: Connection, customers: str) -> None:
    """Take customers (a query of their ids) whose rows are about to be deleted out of the checksums of all runs.

    A checksum is a sum over rows: theirs are subtracted, and what else was changed before is found afterwards too.
    """
    of_customers = [table for table in RESULT_TABLES if C.CUSTOMER_ID in table.columns]
    runs = select(model_run.c.run_id, model_run.c.checksums).where(model_run.c.checksums != {})
    for run_id, kept in connection.execute(runs).all():
        left = dict(kept)
        for table in of_customers:
            told = kept.get(table.name)
            if told is not None and set(told["columns"]) <= set(_columns(table)):
                gone = _of(connection, table, run_id, told["columns"], f"{C.CUSTOMER_ID} IN ({customers})")
                checksum = int(told["checksum"]) - int(gone["checksum"])
                left[table.name] = {**told, "rows": told["rows"] - gone["rows"], "checksum": str(checksum)}
        left = {name: told for name, told in left.items() if told["rows"]}
        connection.execute(update(model_run).where(model_run.c.run_id == run_id).values(checksums=left))


def must_be(connection: Connection, table: Table, run_id: int) -> None:
    """Raise ChangedResultsError where a table's rows of a run are not those that were published.

    Of a run without checksums (older than they are, or refused) nothing is known, nor of columns that are gone.
    """
    kept = connection.execute(select(model_run.c.checksums).where(model_run.c.run_id == run_id)).scalar_one()
    if not _is(connection, table, run_id, kept):
        raise _changed(run_id, [table.name])


def check(engine: Engine) -> list[int]:
    """The published runs, whose results are as they were published.

    Raises ChangedResultsError for the newest whose are not, DatabaseError where the database fails.
    """
    run = model_run.c
    query = select(run.run_id, run.checksums).where(run.status == "published").order_by(run.run_id.desc())
    with clear_errors("the published results were checked", "nothing was changed"), engine.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        published = connection.execute(query).all()
        for run_id, kept in published:
            if wrong := [table.name for table in RESULT_TABLES if not _is(connection, table, run_id, kept)]:
                raise _changed(run_id, wrong)
    return [run_id for run_id, _ in published]


def _is(connection: Connection, table: Table, run_id: int, kept: Checksums) -> bool:
    if not kept:
        return True
    told = kept.get(table.name)
    if told is None:
        return not _of(connection, table, run_id, _columns(table))["rows"]
    return not set(told["columns"]) <= set(_columns(table)) or _of(connection, table, run_id, told["columns"]) == told


def _of(
    connection: Connection, table: Table, run_id: int, columns: Sequence[str], where: str = "true"
) -> dict[str, Any]:
    """The sum of 64-bit hashes of the rows as text: Postgres makes half a million and more of them in a second."""
    row = ", ".join(f'"{name}"' for name in columns)
    hashes = f"coalesce(sum(hashtextextended(ROW({row})::text, 0)), 0)"
    query = f'SELECT count(*), {hashes} FROM "{table.name}" WHERE run_id = :run_id AND {where}'
    rows, checksum = connection.execute(text(query), {"run_id": run_id}).one()
    return {"rows": rows, "checksum": str(checksum), "columns": list(columns)}


def _columns(table: Table) -> list[str]:
    return [name for name in table.columns.keys() if name != C.RUN_ID]  # noqa: SIM118 (keys are names here)


def _changed(run_id: int, tables: Sequence[str]) -> ChangedResultsError:
    return ChangedResultsError(
        run_id,
        f"The results of run {run_id} in {', '.join(tables)} are not those that were published: somebody changed them "
        "in the database; the snapshot stays as it is, and `python -m models run` computes them anew.",
    )
