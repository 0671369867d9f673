"""All SQL of a load and of its undoing: one transaction, one at a time, set-wise from what COPY brought."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Engine, delete, insert, text, update

from db import accounts, known
from db.accounts import Account, Load
from db.bulk import copy_in
from db.columns import Columns as C
from db.engine import clear_errors
from db.schema import load, rejected_row, transaction_line
from errors import ConfigurationError, DatabaseError

_LOAD_LOCK = 0x5350_4C44


@dataclass(frozen=True)
class Undone:
    """What was taken out: the load's account as it stood, and the customers and products that went with it."""

    account: Account
    customers: int
    products: int


@contextmanager
def transaction(engine: Engine, name: str) -> Iterator[Connection]:
    """The one transaction of a load of `name`; a second load or an undo waits. Raises DatabaseError."""
    with _alone(engine, f"{name} was loaded") as connection:
        yield connection


def find(connection: Connection, sha256: str) -> Load | None:
    """The finished load of this content, or None."""
    query = text("SELECT load_id FROM load WHERE sha256 = :sha256 AND status = 'done'")
    load_id = connection.execute(query, {"sha256": sha256}).scalar_one_or_none()
    return None if load_id is None else accounts.read(connection, load_id)


def begin(connection: Connection, name: str, sha256: str, options: Mapping[str, Any]) -> int:
    """Open a load and its staging tables; gives the load_id."""
    known.create_staging(connection)
    row = {C.NAME: name, "sha256": sha256, "status": "loading", "options": dict(options)}
    return int(connection.execute(insert(load).values(row).returning(load.c.load_id)).scalar_one())


def add_lines(connection: Connection, load_id: int, batches: Iterable[pa.RecordBatch]) -> None:
    """COPY accepted lines; columns that are not the line's own are left aside."""
    wanted = [column.name for column in transaction_line.columns if column.name != C.LOAD_ID]
    copy_in(connection, transaction_line, (_under(load_id, batch.select(wanted)) for batch in batches))


def add_rejected(connection: Connection, load_id: int, batches: Iterable[pa.RecordBatch]) -> None:
    """COPY rejected rows: row_number, reason, amount, raw."""
    copy_in(connection, rejected_row, (_under(load_id, batch) for batch in batches))


def finish(connection: Connection, load_id: int, rows_read: int, amount_read: Decimal) -> Load:
    """Count what arrived, note the months touched and close the load.

    Raises DatabaseError where rows or amounts read are not those accepted and rejected.
    """
    connection.execute(
        text(
            """
            UPDATE load SET
                status = 'done', finished_at = clock_timestamp(), rows_read = :rows_read, amount_read = :amount_read,
                rows_accepted = taken.rows, amount_accepted = taken.amount, months = taken.months,
                rows_rejected = refused.rows, amount_rejected = refused.amount,
                rejected_by_reason = refused.by_reason
            FROM (
                SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(amount), 0) AS amount,
                    coalesce(array_agg(to_char(month, 'YYYY-MM') ORDER BY month), '{}') AS months
                FROM (
                    SELECT date_trunc('month', ordered_at) AS month, count(*) AS rows, sum(amount) AS amount
                    FROM transaction_line WHERE load_id = :load_id GROUP BY 1
                ) AS by_month
            ) AS taken, (
                SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(amount), 0) AS amount,
                    coalesce(jsonb_object_agg(reason, jsonb_build_object('rows', rows, 'amount', amount)), '{}')
                        AS by_reason
                FROM (
                    SELECT reason, count(*) AS rows, coalesce(sum(amount), 0) AS amount
                    FROM rejected_row WHERE load_id = :load_id GROUP BY 1
                ) AS by_reason
            ) AS refused
            WHERE load_id = :load_id
            """
        ),
        {"load_id": load_id, "rows_read": rows_read, "amount_read": amount_read},
    )
    done = accounts.read(connection, load_id)
    rows, amount = done.rows_accepted + done.rows_rejected, done.amount_accepted + done.amount_rejected
    if (rows, amount) != (done.rows_read, done.amount_read):
        raise DatabaseError(
            f"Of {done.name} {done.rows_read} rows of {done.amount_read} were read, but {rows} of {amount} arrived in "
            "the database; nothing was changed, please report this."
        )
    _gather_statistics(connection)
    return done


def undo(engine: Engine, load_id: int) -> Undone:
    """Take a load out again, all or nothing; its row stays as undone, so that its content can be loaded again.

    Customers and products of which no other load has lines go too; those that stay are told as the other loads tell
    them. Raises ConfigurationError where there is no such load or it is undone already, DatabaseError where the
    database fails; nothing is changed then.
    """
    with _alone(engine, f"load {load_id} was undone") as connection:
        account = accounts.account(connection, load_id)
        if account.load.status != "done":
            raise ConfigurationError(
                f"Load {load_id} ({account.load.name}) is undone already and nothing was changed; "
                "`python -m etl report` lists the loads."
            )
        customers, products = known.forget(connection, load_id)
        for table in (transaction_line, rejected_row):
            connection.execute(delete(table).where(table.c.load_id == load_id))
        connection.execute(update(load).where(load.c.load_id == load_id).values(status="undone"))
        _gather_statistics(connection)
        taken_out = replace(account, load=accounts.read(connection, load_id))
        return Undone(taken_out, customers, products)


@contextmanager
def _alone(engine: Engine, happening: str) -> Iterator[Connection]:
    with clear_errors(happening, "nothing was changed"), engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOAD_LOCK})
        yield connection


def _under(load_id: int, batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.append_column(C.LOAD_ID, pa.repeat(pa.scalar(load_id, pa.int32()), batch.num_rows))


def _gather_statistics(connection: Connection) -> None:
    """Or SQL clients wait for bad plans."""
    connection.execute(text("ANALYZE transaction_line, customer, product, load_customer, load_product"))
