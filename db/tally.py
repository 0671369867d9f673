"""What arrived of a load, counted in the tables and noted in its row."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, func, select, text, update

from db.columns import Columns as C
from db.schema import interaction_event, load, rejected_row, transaction_line

ORDERS, EVENTS = "orders", "events"
ALREADY_LOADED = "already_loaded"


@dataclass(frozen=True)
class Facts:
    """A table whose rows happened at a moment and are counted: the lines of orders, or events."""

    table: Table
    moment: str
    amount: str = "0"
    """What is summed, as SQL."""
    returns: str = "false"
    """Which rows are returns, as SQL."""


LINES = Facts(transaction_line, C.ORDERED_AT, C.AMOUNT, C.IS_RETURN)
FACTS: Mapping[str, Facts] = {ORDERS: LINES, EVENTS: Facts(interaction_event, C.OCCURRED_AT)}
"""Kind of load -> the facts that its rows become; rows of other kinds say something of a customer, product, ..."""


def count(connection: Connection, load_id: int, months: Sequence[str] | None = None) -> None:
    """Note rows, amounts, returns, months (unless they are known) and reasons of a load as the tables hold them.

    Rows with negative numbers are not the file's own: what it carries beside them is not counted. Rows that become no
    facts are accepted unless rejected.
    """
    kind, rows_read = connection.execute(select(load.c.kind, load.c.rows_read).where(load.c.load_id == load_id)).one()
    mine = rejected_row.c.load_id == load_id, rejected_row.c.row_number > 0
    reason, rows = rejected_row.c.reason, func.count().label("rows")
    amount = func.coalesce(func.sum(rejected_row.c.amount), 0).label("amount")
    refused = connection.execute(select(reason, rows, amount).where(*mine).group_by(reason)).all()
    rejected: dict[str, Any] = {
        "rows_rejected": sum(part.rows for part in refused),
        "amount_rejected": sum((part.amount for part in refused), Decimal()),
        "rejected_by_reason": {part.reason: {"rows": part.rows, "amount": str(part.amount)} for part in refused},
    }
    accepted = {"rows_accepted": rows_read - rejected["rows_rejected"]}
    if kind in FACTS:
        accepted = _accepted(connection, load_id, FACTS[kind], months)
    connection.execute(update(load).where(load.c.load_id == load_id).values(**accepted, **rejected))


@contextmanager
def in_one_pass(connection: Connection) -> Iterator[None]:
    """No nested loops: the planner knows nothing of rows that have just come, and would compare each with each."""
    connection.execute(text("SET LOCAL enable_nestloop = off"))
    yield
    connection.execute(text("SET LOCAL enable_nestloop = on"))


def _accepted(connection: Connection, load_id: int, facts: Facts, months: Sequence[str] | None) -> dict[str, Any]:
    month = "CAST(NULL AS timestamp)" if months is not None else f"date_trunc('month', {facts.moment})"
    query = (
        f"SELECT {month} AS month, count(*) AS rows, sum({facts.amount}) AS amount, "
        f"count(*) FILTER (WHERE {facts.returns}) AS returns "
        f"FROM {facts.table.name} WHERE load_id = :load_id AND row_number > 0 GROUP BY 1 ORDER BY 1"
    )
    parts = connection.execute(text(query), {"load_id": load_id}).all()
    return {
        "rows_accepted": sum(part.rows for part in parts),
        "amount_accepted": sum((part.amount for part in parts), Decimal()),
        "returns": sum(part.returns for part in parts),
        "months": [f"{part.month:%Y-%m}" for part in parts] if months is None else list(months),
    }
