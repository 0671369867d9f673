"""Erasing customers from the record: who they are stands in a table of the transaction, and goes from everywhere.

Their lines and events stay as nobody's, so that every account still adds up; a rejected row keeps its number, reason
and amount, and loses its cells; whatever else has a `customer_id`, of which table it may be, is deleted.
"""

from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa
from sqlalchemy import Column, Connection, MetaData, Table, Text, text

from db import result_schema, run_checksums, schema
from db.bulk import copy_in, copy_out
from db.columns import Columns as C
from db.filters import Filters
from db.tally import ALREADY_LOADED, FACTS

ANONYMOUS = (schema.transaction_line, schema.interaction_event)
"""What is kept without the customer."""

_RESULTS = [table for table in result_schema.RESULT_TABLES if C.CUSTOMER_ID in table.columns]
_MARKED = Table(
    "erased",
    MetaData(),
    Column(C.CUSTOMER_ID, Text, primary_key=True),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
_IDS = pa.schema([(C.CUSTOMER_ID, pa.string())])
_AT_ONCE = 50_000
_WHO = "SELECT customer_id FROM erased"

# cells as ids are read (etl/parse.py): without white space around them, a whole number without decimals
_AS_ID = r"regexp_replace(btrim(value, E' \t\n\r\f\u00a0'), '^([0-9]+)[.]0+$', '\1')"
_NOTED = "load.options #>> '{{mapping,columns,{name}}}'"
_OF_CUSTOMERS = _NOTED.format(name=C.CUSTOMER_ID)
# a bare number may be anything but in the column of customers; any other cell that is an id is taken for it
_MAY_NAME = f"(cell.name = {_OF_CUSTOMERS} OR {_OF_CUSTOMERS} IS NULL OR {_AS_ID} !~ '^[0-9]+$')"
_REFUSED = f"row.reason <> '{ALREADY_LOADED}' AND row.raw <> '{{}}'"


def tables() -> list[Table]:
    """All of the record that have a customer's id, results included."""
    return [*(t for t in schema.metadata.sorted_tables if C.CUSTOMER_ID in t.columns and t not in _RESULTS), *_RESULTS]


def mark(connection: Connection, ids: Iterable[str] = ()) -> None:
    """Say whom the transaction is to erase, in place of whom it said before; others may add to `erased` by SQL."""
    connection.execute(text("DROP TABLE IF EXISTS pg_temp.erased"))
    _MARKED.create(connection)
    listed = sorted(set(ids))
    batches = (listed[at : at + _AT_ONCE] for at in range(0, len(listed), _AT_ONCE))
    copy_in(connection, _MARKED, (pa.record_batch([pa.array(part, pa.string())], schema=_IDS) for part in batches))


def known(connection: Connection) -> set[str]:
    """Of whom the transaction marked: the ids that stand anywhere."""
    found: set[str] = set()
    marked = set(connection.execute(text(_WHO)).scalars())
    rows = [f"SELECT customer_id FROM {table.name}" for table in (schema.customer, *tables())]
    cells = (
        f"SELECT {_AS_ID} FROM rejected_row AS row JOIN load USING (load_id), jsonb_each_text(row.raw) AS cell (name, "
        f"value) WHERE {_REFUSED} AND {_MAY_NAME}"
    )
    for query in (*rows, cells):
        if found != marked:  # nearly always the table of customers has them
            of = f"SELECT DISTINCT id FROM ({query}) AS part (id) WHERE id IN ({_WHO})"
            found.update(connection.execute(text(of)).scalars())
    return found


def erase(connection: Connection, load_id: int | None = None) -> dict[str, int]:
    """Erase whom the transaction marked, of one load alone where it is given; table -> rows changed, where there are.

    Saved audiences go that name one of them (see `_audiences`).
    """
    removed = {schema.rejected_row.name: _blank(connection, load_id)}
    if load_id is None:
        removed[schema.audience.name] = _audiences(connection)
        run_checksums.leave_out(connection, _WHO)
    for table in tables():
        where = f"customer_id IN ({_WHO})"
        if load_id is not None and table in _RESULTS:
            continue
        if load_id is not None and C.LOAD_ID in table.columns:
            where += " AND load_id = :load_id"
        change = f"UPDATE {table.name} SET customer_id = NULL" if table in ANONYMOUS else f"DELETE FROM {table.name}"
        removed[table.name] = connection.execute(text(f"{change} WHERE {where}"), {"load_id": load_id}).rowcount
    return {name: rows for name, rows in removed.items() if rows}


def ids_of(connection: Connection, load_id: int) -> Iterator[str]:
    """Every id that a load names, some more than once, and every cell of its rejected rows that may be one."""
    of = f"load_id = {load_id:d}"
    query = (
        f"SELECT customer_id FROM load_customer WHERE {of} UNION ALL SELECT customer_id FROM load_campaign_member "
        f"WHERE {of} UNION ALL SELECT DISTINCT customer_id FROM interaction_event WHERE {of} UNION ALL "
        f"SELECT DISTINCT {_AS_ID} FROM rejected_row AS row JOIN load USING (load_id), jsonb_each_text(row.raw) AS "
        f"cell (name, value) WHERE {of} AND {_REFUSED} AND {_MAY_NAME}"
    )
    for batch in copy_out(connection, query, _IDS):
        yield from batch.column(0).drop_null().to_pylist()


def leave_out_strangers(connection: Connection, run_id: int) -> None:
    """Delete what a run says of customers who are none any more: they were erased while it was computed.

    Where nobody was ever erased this costs nothing.
    """
    if not connection.execute(text("SELECT EXISTS (SELECT FROM erasure)")).scalar_one():
        return
    for table in _RESULTS:
        statement = (
            f"DELETE FROM {table.name} AS result WHERE run_id = :run_id AND NOT EXISTS "
            "(SELECT FROM customer WHERE customer.customer_id = result.customer_id)"
        )
        connection.execute(text(statement), {"run_id": run_id})


def _blank(connection: Connection, load_id: int | None) -> int:
    """Rejected rows with one of their ids, or of one of their orders: cells of an order may stand on its other rows."""
    of = "" if load_id is None else "AND row.load_id = :load_id"
    statement = f"""
        WITH bought AS MATERIALIZED (
            SELECT DISTINCT order_id FROM transaction_line
            WHERE customer_id IN ({_WHO}) {"" if load_id is None else "AND load_id = :load_id"}
        )
        UPDATE rejected_row AS row SET raw = '{{}}' FROM load
        WHERE load.load_id = row.load_id {of} AND {_REFUSED} AND EXISTS (
            SELECT FROM jsonb_each_text(row.raw) AS cell (name, value)
            WHERE {_AS_ID} IN ({_WHO}) AND {_MAY_NAME}
                OR cell.name = {_NOTED.format(name=C.ORDER_ID)} AND {_AS_ID} IN (SELECT order_id FROM bought)
        )
        """
    return connection.execute(text(statement), {"load_id": load_id}).rowcount


def _audiences(connection: Connection) -> int:
    """Audiences that restrict an attribute to a value that only they have, or whose name has one of their ids."""
    ids = set(connection.execute(text(_WHO)).scalars())
    rows = connection.execute(text("SELECT audience_id, name, query FROM audience")).all()
    gone = [row.audience_id for row in rows if _names_one(connection, ids, row.name, row.query)]
    delete = text("DELETE FROM audience WHERE audience_id = ANY(:gone)")
    return connection.execute(delete, {"gone": gone}).rowcount


def _names_one(connection: Connection, ids: set[str], name: str, query: str) -> bool:
    if ids.intersection((name, *name.split())):
        return True
    return any(_is_theirs_alone(connection, trait.name, trait.value) for trait in Filters.from_query(query).traits)


def _is_theirs_alone(connection: Connection, attribute: str, value: str) -> bool:
    """Whether of all customers only the erased have an attribute of this value, or it is one of their ids and nobody's
    attribute."""
    having = (
        f"SELECT count(*) FILTER (WHERE customer_id IN ({_WHO})) AS theirs, "
        f"count(*) FILTER (WHERE customer_id NOT IN ({_WHO})) AS others, "
        f"EXISTS (SELECT FROM erased WHERE customer_id = :value) AS is_id "
        "FROM customer WHERE attributes ->> :attribute = :value"
    )
    row = connection.execute(text(having), {"attribute": attribute, "value": value}).one()
    return not row.others and bool(row.theirs or row.is_id)


def rows_of(removed: Mapping[str, int], kind: str) -> int:
    """Of what was erased of a load of a kind: how many rows of it named somebody."""
    said = {"customers": "load_customer", "campaigns": "load_campaign_member"}
    return removed.get(FACTS[kind].table.name if kind in FACTS else said[kind], 0)
