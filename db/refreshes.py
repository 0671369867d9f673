"""Scheduled refreshes: what became of each, and the lock by which one at a time goes on, whatever machine it is on.

The moments are the database's, so that all machines go by one clock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, insert, select, text

from db.engine import clear_errors
from db.schema import refresh

_LOCK = 0x5350_5246
_READ = "the refreshes were read"


@dataclass(frozen=True)
class Refresh:
    """One that came to its end: status done or failed, and why it failed."""

    started_at: datetime
    finished_at: datetime
    status: str
    message: str | None


@contextmanager
def alone(engine: Engine) -> Iterator[datetime | None]:
    """The moment from which nobody else refreshes until the block ends; None: somebody does. Raises DatabaseError."""
    with clear_errors("a refresh was begun", "nothing was changed"):
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    with connection:
        with clear_errors("a refresh was begun", "nothing was changed"):
            query = text("SELECT CASE WHEN pg_try_advisory_lock(:key) THEN clock_timestamp() END")
            began: datetime | None = connection.execute(query, {"key": _LOCK}).scalar_one()
        try:
            yield began
        finally:
            connection.invalidate()  # the lock goes with the connection, even where that is lost already


def has_come(engine: Engine, moment: datetime) -> bool:
    """Whether it is that late. Raises DatabaseError."""
    with clear_errors(_READ, "nothing was changed"), engine.connect() as connection:
        return bool(connection.execute(select(func.clock_timestamp() >= moment)).scalar_one())


def last(engine: Engine) -> Refresh | None:
    """The one that began last of those that came to their end, or None before the first. Raises DatabaseError."""
    columns = (refresh.c[name] for name in Refresh.__dataclass_fields__)
    newest = select(*columns).order_by(refresh.c.started_at.desc()).limit(1)
    with clear_errors(_READ, "nothing was changed"), engine.connect() as connection:
        row = connection.execute(newest).mappings().one_or_none()
        return None if row is None else Refresh(**row)


def record(engine: Engine, started_at: datetime, failure: str | None) -> None:
    """Keep what became of a refresh. Raises DatabaseError."""
    row = {"started_at": started_at, "status": "done" if failure is None else "failed", "message": failure}
    with clear_errors("the end of a refresh was noted", "it is repeated"), engine.begin() as connection:
        connection.execute(insert(refresh).values(row))
