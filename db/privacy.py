"""What a shop owes its customers: to forget who asks, and to keep nobody longer than it must.

Each erasure is one transaction, beside which no load and no publishing of results goes on. What is not in the record
follows at once: uploaded files, the snapshot, and the samples of values that Postgres keeps for its plans.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, func, insert, text

from db import erasure, forgotten, loads, runs, schema, snapshot, uploads
from db.engine import clear_errors
from db.forgotten import Key
from db.tally import ALREADY_LOADED
from errors import ConfigurationError

_UPLOADS_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Erased:
    """How many customers were erased, table -> rows that went or are nobody's now, and files that went."""

    customers: int
    removed: Mapping[str, int] = field(default_factory=dict)
    uploads: int = 0
    still_read: Sequence[int] = ()
    """The numbers of older versions of the snapshot that somebody reads; they go when nobody does."""


def forget(engine: Engine, data_dir: Path, ids: Sequence[str], key: Key) -> Erased:
    """Erase customers from everything, and let no later load bring them back; again it only finishes what was begun.

    Raises ConfigurationError where one of them is unknown, DatabaseError where the database fails (nothing is changed
    in either case), SnapshotError where they are erased and the snapshot could not be made anew.
    """
    with _erasing(engine, "customers were forgotten") as connection:
        erasure.mark(connection, filter(_can_be, ids))
        strangers = set(ids) - erasure.known(connection) - forgotten.among(connection, ids, key)
        if strangers:
            raise ConfigurationError(
                f"There is no customer {', '.join(sorted(strangers))} and nothing was changed; give the exact ids, as "
                "the list of customers has them."
            )
        removed = erasure.erase(connection)
        forgotten.keep(connection, ids, key)
        if removed:
            _note(connection, "asked", len(set(ids)), removed)
    return _followed(engine, data_dir, Erased(len(set(ids)), removed))


def remember(engine: Engine, customer_id: str, key: Key) -> None:
    """Let later loads know a forgotten customer again; what was erased stays so.

    Raises ConfigurationError where nobody of that id is forgotten, DatabaseError.
    """
    with loads.alone(engine, "a customer was remembered") as connection:
        if not forgotten.drop(connection, customer_id, key):
            raise ConfigurationError(f"No customer {customer_id} is forgotten; nothing was changed.")


def retain(engine: Engine, data_dir: Path, months: int, now: datetime) -> Erased:
    """Erase customers who did nothing in so many months before `now` (UTC), and the cells of rejected rows as old.

    A customer of whom no order and no event is known is as old as the last load that tells of them, a rejected row
    without a date as old as its load. They may come back as new customers. Uploads older than a day go too. Raises
    DatabaseError and SnapshotError as `forget` does.
    """
    limit = {"now": now, "months": months}
    with _erasing(engine, "old customers were erased") as connection:
        erasure.mark(connection)
        customers = connection.execute(text(_INACTIVE), limit).rowcount
        removed = erasure.erase(connection) if customers else {}
        if blank := connection.execute(text(_OLD_REJECTED), limit).rowcount:
            removed["rejected_row"] = removed.get("rejected_row", 0) + blank
        if customers:
            _note(connection, "retention", customers, removed)
    return _followed(engine, data_dir, Erased(customers, removed), now.replace(tzinfo=UTC) - _UPLOADS_KEPT)


_CUTOFF = "CAST(:now AS timestamp) - make_interval(months => :months)"
_INACTIVE = f"""
    INSERT INTO erased
    SELECT customer_id FROM customer
    LEFT JOIN (
        SELECT customer_id, max(moment) AS last FROM (
            SELECT customer_id, ordered_at AS moment FROM transaction_line
            UNION ALL SELECT customer_id, occurred_at FROM interaction_event
        ) AS done GROUP BY customer_id
    ) AS seen USING (customer_id)
    LEFT JOIN (
        SELECT customer_id, max(started_at) AT TIME ZONE 'UTC' AS last
        FROM load_customer JOIN load USING (load_id) GROUP BY customer_id
    ) AS told USING (customer_id)
    WHERE coalesce(seen.last, told.last) < {_CUTOFF}
    """
_OLD_REJECTED = f"""
    UPDATE rejected_row AS row SET raw = '{{}}' FROM load
    WHERE load.load_id = row.load_id AND row.reason <> '{ALREADY_LOADED}' AND row.raw <> '{{}}'
        AND coalesce(row.ordered_at, load.started_at AT TIME ZONE 'UTC') < {_CUTOFF}
    """


@contextmanager
def _erasing(engine: Engine, happening: str) -> Iterator[Connection]:
    with loads.alone(engine, happening) as connection:
        runs.hold(connection)
        yield connection


def _note(connection: Connection, reason: str, customers: int, removed: Mapping[str, int]) -> None:
    """Keep that it was done and how much; by this the snapshot knows that all of it must be made anew."""
    row = {"reason": reason, "customers": customers, "removed": dict(removed), "erased_at": func.clock_timestamp()}
    connection.execute(insert(schema.erasure).values(row))


def _can_be(customer_id: str) -> bool:
    """Whether it is an id that a database can hold: an argument may be no text at all."""
    return (
        bool(customer_id) and "\0" not in customer_id and not any("\ud800" <= sign <= "\udfff" for sign in customer_id)
    )


def _followed(engine: Engine, data_dir: Path, erased: Erased, uploads_before: datetime | None = None) -> Erased:
    """What the record no longer holds goes from the files too; last of all uploads, which may have to be waited for."""
    if erased.removed:
        _vacuum(engine, erased.removed)
    if snapshot.newest_version(data_dir) is not None:
        snapshot.refresh(engine, data_dir)
    gone = uploads.remove(data_dir, uploads_before)
    return replace(erased, uploads=gone, still_read=snapshot.still_read(data_dir))


def _vacuum(engine: Engine, tables: Mapping[str, int]) -> None:
    """Rows that nobody sees any more make room, and the statistics of columns, which hold values, are taken anew."""
    with clear_errors("rows were cleared away", "the customers are erased from the record"):
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with connection:
            connection.execute(text(f"VACUUM (ANALYZE) {', '.join(sorted(tables))}"))
