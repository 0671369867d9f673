"""All SQL of a load and of its undoing: one transaction, one at a time, set-wise from what COPY brought."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Engine, delete, func, insert, text, update

from db import accounts, forgotten, known, overlap, tally
from db.accounts import Account, Load
from db.bulk import as_csv, copy_csv, copy_in
from db.columns import Columns as C
from db.engine import clear_errors
from db.forgotten import Key, no_key
from db.schema import RECORD_TABLES, interaction_event, load, metadata, rejected_row, transaction_line
from db.tally import ORDERS
from errors import ConfigurationError, DatabaseError

_LOAD_LOCK = 0x5350_4C44


@dataclass(frozen=True)
class Undone:
    """What was taken out: the load's account as it stood, the customers and products that went with it, and its heirs.

    Heirs are the loads to which rows of it passed, because they have them too.
    """

    account: Account
    customers: int
    products: int
    heirs: Sequence[int]


@contextmanager
def transaction(engine: Engine, name: str) -> Iterator[Connection]:
    """The one transaction of a load of `name`; a second load or an undo waits. Raises DatabaseError."""
    with alone(engine, f"{name} was loaded") as connection:
        yield connection


def find(connection: Connection, sha256: str, kind: str = ORDERS) -> Load | None:
    """The finished load of this content as this kind, or None."""
    query = text("SELECT load_id FROM load WHERE sha256 = :sha256 AND kind = :kind AND status = 'done'")
    load_id = connection.execute(query, {"sha256": sha256, C.KIND: kind}).scalar_one_or_none()
    return None if load_id is None else accounts.read(connection, load_id)


def begin(
    connection: Connection,
    name: str,
    sha256: str,
    options: Mapping[str, Any],
    *,
    kind: str = ORDERS,
    replaces: int | None = None,
) -> int:
    """Open a load and its staging tables; gives the load_id.

    The load it `replaces` is taken out first. Raises ConfigurationError where there is none such, it is of another kind
    or out already.
    """
    if replaces is not None:
        standing = accounts.read(connection, replaces)
        if standing.kind != kind:
            raise ConfigurationError(
                f"Load {replaces} ({standing.name}) is of {standing.kind}, and {name} of {kind}: it cannot take its "
                "place; nothing was changed, name a load of the same kind."
            )
        take_out(connection, replaces, "replaced")
    known.create_staging(connection)
    row = {
        C.NAME: name,
        C.KIND: kind,
        "sha256": sha256,
        "status": "loading",
        "options": dict(options),
        "replaces": replaces,
    }
    return int(connection.execute(insert(load).values(row).returning(load.c.load_id)).scalar_one())


def add_lines(connection: Connection, lines: Iterable[bytes]) -> None:
    """COPY accepted lines, as `lines_of` writes them."""
    copy_csv(connection, transaction_line, transaction_line.columns.keys(), lines)


def lines_of(load_id: int, accepted: pa.RecordBatch) -> bytes:
    """Accepted lines ready for COPY; columns that are not the line's own are left aside. Any thread may do it."""
    return as_csv(_under(load_id, accepted).select(transaction_line.columns.keys()))


def add_rows(connection: Connection, load_id: int, table: str, batches: Iterable[pa.RecordBatch]) -> None:
    """COPY events, or say what rows tell of customers, products and campaigns: columns of the table, and row_number."""
    if table == interaction_event.name:
        copy_in(connection, interaction_event, (_under(load_id, batch) for batch in batches))
    else:
        known.say(connection, load_id, metadata.tables[table], batches)


def add_carried(connection: Connection, load_id: int, tables: Mapping[str, pa.Table]) -> None:
    """The same of what a source carries beside its rows: its numbers are below 0, and no account counts it."""
    for name, table in tables.items():
        numbers = pa.array(range(-table.num_rows, 0), pa.int64())
        add_rows(connection, load_id, name, table.append_column(C.ROW_NUMBER, numbers).to_batches())


def add_rejected(connection: Connection, load_id: int, batches: Iterable[pa.RecordBatch]) -> None:
    """COPY rejected rows: row_number, reason, amount, raw."""
    copy_in(connection, rejected_row, (_under(load_id, batch) for batch in batches))


def finish(
    connection: Connection,
    load_id: int,
    rows_read: int,
    amount_read: Decimal,
    months: Sequence[str] | None = None,
    *,
    key: Key = no_key,
) -> Load:
    """Leave out what other loads have already, count what arrived, note the months touched and close the load.

    Whoever is forgotten (`key` gives what knows them) counts as a guest; a remark says of how many rows. Where the
    caller knows the `months` (YYYY-MM, ascending) of all accepted rows, the lines are not asked for them. Raises
    DatabaseError where rows or amounts read are not those accepted and rejected, ConfigurationError where customers
    were forgotten by another key.
    """
    read = {"rows_read": rows_read, "amount_read": amount_read}
    kind = connection.execute(update(load).where(load.c.load_id == load_id).values(read).returning(load.c.kind))
    if rows := forgotten.leave_out(connection, load_id, kind.scalar_one(), key):
        remark = f"Rows that name forgotten customers, who count as guests: {rows:,}."
        note = "UPDATE load SET options = options || CAST(:told AS jsonb) WHERE load_id = :load_id"
        connection.execute(text(note), {"told": json.dumps({"remarks": [remark]}), "load_id": load_id})
    known.mention(connection, load_id)
    tally.count(connection, load_id, months)
    if overlap.leave_out(connection, load_id):
        tally.count(connection, load_id)
    closed = {"status": "done", "finished_at": func.clock_timestamp()}
    connection.execute(update(load).where(load.c.load_id == load_id).values(closed))
    done = accounts.read(connection, load_id)
    rows, amount = done.rows_accepted + done.rows_rejected, done.amount_accepted + done.amount_rejected
    if (rows, amount) != (done.rows_read, done.amount_read):
        raise DatabaseError(
            f"Of {done.name} {done.rows_read} rows of {done.amount_read} were read, but {rows} of {amount} arrived in "
            "the database; nothing was changed, please report this."
        )
    return done


def explain(connection: Connection, done: Load, meanings: Mapping[str, str], remarks: Sequence[str]) -> Load:
    """Keep in the options of a load, for those who read it, what is to be remarked on its file.

    So too what the reasons mean that its rows were rejected for. What there is nothing of is no key.
    """
    told = (*done.options.get("remarks", ()), *remarks)
    said = {"remarks": list(told), "reasons": {why: meanings[why] for why in done.rejected if why in meanings}}
    if not any(said.values()):
        return done
    options = {**done.options, **{name: value for name, value in said.items() if value}}
    connection.execute(update(load).where(load.c.load_id == done.load_id).values(options=options))
    return replace(done, options=options)


def undo(engine: Engine, load_id: int) -> Undone:
    """Take a load out again, all or nothing; its row stays as undone, so that its content can be loaded again.

    Rows that later loads left out because of it pass to them. Customers and products of which no other load tells go
    too; those that stay are told as the other loads tell them. Raises ConfigurationError where there is no such load or
    it is out already, DatabaseError where the database fails; nothing is changed then.
    """
    with alone(engine, f"load {load_id} was undone") as connection:
        return take_out(connection, load_id, "undone")


def take_out(connection: Connection, load_id: int, status: str) -> Undone:
    """The same within a transaction of the caller's; the load's row stays, with the status given."""
    account = accounts.account(connection, load_id)
    if account.load.status != "done":
        raise ConfigurationError(
            f"Load {load_id} ({account.load.name}) is {account.load.status} already and nothing was changed; "
            "`python -m etl report` lists the loads."
        )
    customers, products = known.forget(connection, load_id)
    heirs = overlap.hand_over(connection, load_id)
    for table in (transaction_line, interaction_event, rejected_row):
        connection.execute(delete(table).where(table.c.load_id == load_id))
    connection.execute(update(load).where(load.c.load_id == load_id).values(status=status))
    for heir in heirs:
        tally.count(connection, heir)
    return Undone(replace(account, load=accounts.read(connection, load_id)), customers, products, heirs)


def gather_statistics(engine: Engine) -> None:
    """Tell Postgres what came or went, or SQL clients wait for bad plans. Raises DatabaseError."""
    with clear_errors("statistics were gathered", "what is loaded is in the record"), engine.begin() as connection:
        connection.execute(text(f"ANALYZE {', '.join(table.name for table in RECORD_TABLES)}"))


@contextmanager
def alone(engine: Engine, happening: str) -> Iterator[Connection]:
    """A transaction beside which no load, undo or erasure goes on; waits for one that does. Raises DatabaseError."""
    with clear_errors(happening, "nothing was changed"), engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOAD_LOCK})
        connection.execute(text("SET LOCAL work_mem = '64MB'"))  # one at a time may sort what it has in memory
        yield connection


def _under(load_id: int, batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.append_column(C.LOAD_ID, pa.repeat(pa.scalar(load_id, pa.int32()), batch.num_rows))
