"""The account of a load: what was read, accepted and rejected, what the lines cover, and what the load changed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, select, text

from db import known
from db.engine import clear_errors
from db.schema import load
from db.tally import ALREADY_LOADED
from errors import ConfigurationError


@dataclass(frozen=True)
class Load:
    """One load as it stands in the record, done or undone; `rejected` is reason -> rows and amount, most rows first."""

    load_id: int
    name: str
    status: str
    options: Mapping[str, Any]
    started_at: datetime
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    amount_read: Decimal
    amount_accepted: Decimal
    amount_rejected: Decimal
    rejected: Mapping[str, tuple[int, Decimal]]
    kind: str = "orders"
    returns: int = 0
    replaces: int | None = None
    months: Sequence[str] = ()
    """YYYY-MM, of its accepted rows."""


@dataclass(frozen=True)
class Extent:
    """What the accepted lines of a load cover; the moments are None where it has none."""

    orders: int
    customers: int
    products: int
    guest_rows: int
    guest_amount: Decimal
    first_ordered_at: datetime | None
    last_ordered_at: datetime | None


@dataclass(frozen=True)
class Month:
    """The accepted lines of one month (YYYY-MM), and the rejected ones whose date could be read."""

    month: str
    rows: int
    amount: Decimal
    rejected_rows: int = 0
    rejected_amount: Decimal = Decimal()


@dataclass(frozen=True)
class Account:
    """A load, what its lines cover, month by month, and who and what no earlier load has.

    already_loaded: load that has them -> rows left out. replaced_by: the load that
    took this one's place. The lines of a load that was taken out are gone: its extent is of zeros, it has no months.
    """

    load: Load
    extent: Extent
    months: Sequence[Month]
    customers_new: int
    products_new: int
    already_loaded: Mapping[int, int] = field(default_factory=dict)
    replaced_by: int | None = None


def report(engine: Engine, load_id: int) -> Account:
    """The account of a load. Raises ConfigurationError where there is none, DatabaseError where the database fails."""
    with _reading(engine, f"load {load_id} was summed up") as connection:
        return account(connection, load_id)


def all_loads(engine: Engine) -> list[Load]:
    """All loads, the newest first, undone ones too; empty before the first. Raises DatabaseError."""
    with _reading(engine, "the loads were listed") as connection:
        rows = connection.execute(load.select().order_by(load.c.load_id.desc())).mappings()
        return [_load(row) for row in rows]


def account(connection: Connection, load_id: int) -> Account:
    """The same within a transaction of the caller's."""
    found = read(connection, load_id)
    lines = {"load_id": load_id}
    extent = connection.execute(
        text(
            """
            SELECT count(DISTINCT order_id) AS orders, count(DISTINCT customer_id) AS customers,
                count(DISTINCT product_id) AS products, count(*) FILTER (WHERE customer_id IS NULL) AS guest_rows,
                coalesce(sum(amount) FILTER (WHERE customer_id IS NULL), 0) AS guest_amount,
                min(ordered_at) AS first_ordered_at, max(ordered_at) AS last_ordered_at
            FROM transaction_line WHERE load_id = :load_id
            """
        ),
        lines,
    )
    months = connection.execute(
        text(
            """
            SELECT to_char(month, 'YYYY-MM') AS month, coalesce(taken.rows, 0) AS rows,
                coalesce(taken.amount, 0) AS amount, coalesce(refused.rows, 0) AS rejected_rows,
                coalesce(refused.amount, 0) AS rejected_amount
            FROM (
                SELECT date_trunc('month', ordered_at) AS month, count(*) AS rows, sum(amount) AS amount
                FROM transaction_line WHERE load_id = :load_id GROUP BY 1
            ) AS taken FULL JOIN (
                SELECT date_trunc('month', ordered_at) AS month, count(*) AS rows, sum(amount) AS amount
                FROM rejected_row WHERE load_id = :load_id AND ordered_at IS NOT NULL AND row_number > 0 GROUP BY 1
            ) AS refused USING (month)
            ORDER BY 1
            """
        ),
        lines,
    )
    customers_new, products_new = known.first_seen(connection, load_id)
    return Account(
        load=found,
        extent=Extent(**extent.mappings().one()),
        months=[Month(**row) for row in months.mappings()],
        customers_new=customers_new,
        products_new=products_new,
        already_loaded=_already_loaded(connection, load_id),
        replaced_by=connection.execute(select(load.c.load_id).where(load.c.replaces == load_id)).scalar(),
    )


def _already_loaded(connection: Connection, load_id: int) -> dict[int, int]:
    query = f"""
        SELECT CAST(raw ->> 'load' AS integer) AS load_id, count(*) AS rows FROM rejected_row
        WHERE load_id = :load_id AND reason = '{ALREADY_LOADED}' AND row_number > 0
        GROUP BY CAST(raw ->> 'load' AS integer) ORDER BY 1
        """
    return {row.load_id: row.rows for row in connection.execute(text(query), {"load_id": load_id})}


def read(connection: Connection, load_id: int) -> Load:
    """One load by its number. Raises ConfigurationError where there is none."""
    row = connection.execute(load.select().where(load.c.load_id == load_id)).mappings().one_or_none()
    if row is None:
        raise ConfigurationError(f"There is no load {load_id}; `python -m etl report` lists the loads.")
    return _load(row)


def _load(row: RowMapping) -> Load:
    counted = row["rejected_by_reason"].items()
    reasons = {reason: (part["rows"], Decimal(str(part["amount"]))) for reason, part in counted}
    ordered = dict(sorted(reasons.items(), key=lambda item: (-item[1][0], item[0])))
    fields = {name: row[name] for name in Load.__dataclass_fields__ if name != "rejected"}
    return Load(**fields, rejected=ordered)


@contextmanager
def _reading(engine: Engine, happening: str) -> Iterator[Connection]:
    """All that is read is of one moment."""
    with clear_errors(happening, "what is loaded stays in the record"), engine.connect() as connection:
        yield connection.execution_options(isolation_level="REPEATABLE READ")
