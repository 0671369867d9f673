"""The list of customers as it is downloaded: all of them, in the order of the grid, with offers for each.

First the ids in their order, then what is known of some customers at a time: a sort of whole rows would hold them all.
That is read from the Parquet files, of which nothing stays in memory afterwards.
"""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from db.conditions import Condition
from db.filters import Filters
from db.grid import GridRequest
from db.queries.consent import WholeList, agreed, refused
from db.queries.customers import COLUMNS, chosen, counted, in_order, selected
from db.sales import CONSENT
from db.snapshot import Snapshot
from settings import Consent

OFFERS = ("new_offers", "buy_again_offers")
LIST_COLUMNS = (*COLUMNS, *OFFERS)
"""The columns of the whole list; the last two hold the first three products of either kind."""

_AT_ONCE = 10_000
_BATCH = 2_500
_OF_BLOCK = """
SELECT customer_id, string_agg(coalesce(name, product_id), '; ' ORDER BY rank) FILTER (kind = 'discover') AS new_offers,
    string_agg(coalesce(name, product_id), '; ' ORDER BY rank) FILTER (kind = 'buy_again') AS buy_again_offers
FROM (FROM recommendation WHERE rank <= 3 AND {among}) LEFT JOIN (SELECT product_id, name FROM product)
USING (product_id) GROUP BY customer_id
"""


def whole_list(
    snapshot: Snapshot,
    filters: Filters,
    request: GridRequest,
    consent: Consent,
    columns: Sequence[str] = LIST_COLUMNS,
) -> WholeList:
    """Every customer the filters and the grid leave and who may be contacted, with these columns."""
    found = chosen(snapshot, filters, request)
    where = found & agreed(consent)
    rows = _in_blocks(snapshot, where, in_order(request), columns)
    return WholeList(counted(snapshot, where), rows, counted(snapshot, found & refused(consent)))


def _in_blocks(snapshot: Snapshot, where: Condition, order: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    keys = f"SELECT customer_id FROM known WHERE {where.sql} ORDER BY {order}"
    ids = pa.Table.from_batches(
        list(snapshot.batches(keys, where.values)), pa.schema([("customer_id", pa.string())])
    ).column(0)
    for at in range(0, len(ids), _AT_ONCE):
        yield from _block(snapshot, ids.slice(at, _AT_ONCE).to_pylist(), columns)


def _block(snapshot: Snapshot, ids: list[str], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """In the order of the ids. Where these lie near each other, their ends tell which parts of the files to read."""
    among = "customer_id BETWEEN ? AND ? AND customer_id IN (FROM wanted)"
    ends = (min(ids), max(ids))
    values: tuple[object, ...] = (ids, len(ids), *ends)
    parts = [f"listed JOIN (FROM customer_segment WHERE {among}) USING (customer_id)"]
    if {"country", "consent"}.intersection(columns):
        parts.append(f"(SELECT customer_id, country, {CONSENT} FROM customer WHERE {among}) USING (customer_id)")
        values += ends
    if set(OFFERS) & set(columns):
        parts.append(f"({_OF_BLOCK.format(among=among)}) USING (customer_id)")
        values += ends
    yield from snapshot.batches(
        f"""
        WITH listed AS MATERIALIZED (SELECT unnest(?::VARCHAR[]) AS customer_id, unnest(range(?)) AS place),
            wanted AS MATERIALIZED (SELECT customer_id FROM listed)
        SELECT {", ".join(selected(name) for name in columns)} FROM {" LEFT JOIN ".join(parts)} ORDER BY place
        """,
        values,
        _BATCH,
    )
