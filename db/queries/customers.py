"""Customers as a list (paged, sorted, filtered by the database) and one by one."""

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa

from db.conditions import Condition
from db.drill import CAUSES, COURSES
from db.filters import Filters
from db.grid import ColumnKind, GridRequest
from db.snapshot import Snapshot

COLUMNS: dict[str, ColumnKind] = {
    "customer_id": "text",
    "segment": "text",
    "rfm_group": "text",
    "alternative": "text",
    "country": "text",
    "first_ordered_at": "date",
    "last_ordered_at": "date",
    **dict.fromkeys(("recency_days", "frequency", "monetary", "average_order", "gap_days", "tenure_days"), "number"),
    **dict.fromkeys(("discount_share", "category_breadth", "return_rate"), "number"),
    **dict.fromkeys(("r_score", "f_score", "m_score", "fm_score"), "number"),
    **dict.fromkeys(("p_alive", "churn_risk"), "number"),
    "next_order_at": "date",
    **dict.fromkeys(("orders_30", "orders_90", "orders_365"), "number"),
    **dict.fromkeys(("clv", "clv_low", "clv_high", "value_decile"), "number"),
}
"""What the list shows and may be sorted and filtered by."""

_LIST = f"""
SELECT {", ".join(COLUMNS).replace("monetary", "monetary::DOUBLE AS monetary")}
FROM known
"""
LIST_COLUMNS = (*COLUMNS, "new_offers", "buy_again_offers")
"""The columns of the whole list."""

_OFFERS = """
SELECT customer_id, string_agg(coalesce(name, product_id), '; ' ORDER BY rank) FILTER (kind = 'discover') AS new_offers,
    string_agg(coalesce(name, product_id), '; ' ORDER BY rank) FILTER (kind = 'buy_again') AS buy_again_offers
FROM recommendation LEFT JOIN product USING (product_id) WHERE rank <= 3 GROUP BY customer_id
"""


def filled(snapshot: Snapshot) -> frozenset[str]:
    """The columns that have a value for anybody: what the data or the run do not tell has none."""
    counts = snapshot.frame(f"SELECT {', '.join(f'count({name}) AS {name}' for name in COLUMNS)} FROM ({_LIST})")
    return frozenset(name for name in COLUMNS if counts[name].iloc[0])


def everyone(snapshot: Snapshot) -> int:
    """How many customers the run has parted."""
    return int(snapshot.scalar("SELECT count(*) FROM known"))


def colours(snapshot: Snapshot) -> dict[tuple[str, str], str]:
    """(grouping, segment) -> the key of its colour."""
    rows = snapshot.frame("SELECT grouping, segment, colour FROM segment_profile")
    return dict(zip(zip(rows["grouping"], rows["segment"], strict=True), rows["colour"], strict=True))


def page(snapshot: Snapshot, filters: Filters, request: GridRequest) -> tuple[pd.DataFrame, int]:
    """One page of the list and the number of customers on all pages."""
    relation, where = _chosen(filters)
    values = (*where.values, *request.where.values)
    total = snapshot.scalar(request.count_sql(relation), values)
    return snapshot.frame(request.sql(relation, "customer_id"), values), total


def whole_list(snapshot: Snapshot, filters: Filters, request: GridRequest) -> tuple[int, Iterator[pa.RecordBatch]]:
    """Every customer the filters and the grid leave, with three offers of each kind: their number, and the batches."""
    relation, where = _chosen(filters)
    values = (*where.values, *request.where.values)
    total = snapshot.scalar(request.count_sql(relation), values)
    everything = GridRequest(rows=None, order=request.order, where=request.where).sql(relation, "customer_id")
    order = ", ".join(part for part in (request.order, "customer_id") if part)
    listed = f"({everything}) LEFT JOIN ({_OFFERS}) USING (customer_id)"
    sql = f"SELECT {', '.join(LIST_COLUMNS)} FROM {listed} ORDER BY {order}"
    return total, snapshot.batches(sql, values)


def one(snapshot: Snapshot, customer_id: str) -> pd.Series | None:
    """A segmented customer's row of the list with the attributes (JSON text), or None for a stranger."""
    frame = snapshot.frame(
        f"SELECT listed.*, attributes FROM ({_LIST}) AS listed "
        "LEFT JOIN (SELECT customer_id, attributes FROM customer) USING (customer_id) WHERE customer_id = ?",
        (customer_id,),
    )
    return None if frame.empty else frame.iloc[0]


def course(snapshot: Snapshot, customer_id: str) -> pd.DataFrame:
    """Where a customer stood at each moment of the run, by segment and by group: grouping, as_of, segment and colour
    (None before the first order), cause (a word of `db.drill.CAUSES`, against the moment before; None at the first)."""
    words = ", ".join(f"('{letter}', '{word}')" for word, letter in CAUSES.items())
    parts = " UNION ALL ".join(
        f"SELECT '{grouping}' AS grouping, moment, as_of, substr({segments}, moment + 1, 1) AS letter, "
        f"CASE WHEN moment > 0 THEN substr({causes}, moment * (moment - 1) // 2 + moment, 1) END AS sign "
        "FROM customer_movement, movement_moment WHERE customer_id = ?"
        for grouping, (segments, causes) in COURSES.items()
    )
    return snapshot.frame(
        f"""
        SELECT grouping, as_of, segment, colour, cause FROM ({parts})
        LEFT JOIN (SELECT grouping, letter, segment, colour FROM movement_letter) USING (grouping, letter)
        LEFT JOIN (VALUES {words}) AS word (sign, cause) USING (sign)
        ORDER BY grouping DESC, moment
        """,
        (customer_id,) * len(COURSES),
    )


def orders(snapshot: Snapshot, customer_id: str) -> pd.DataFrame:
    """Every order of a customer, newest first: order_id, ordered_at, lines, items, amount, is_return."""
    return snapshot.frame(
        "SELECT order_id, min(ordered_at) AS ordered_at, count(*) AS lines, sum(quantity)::DOUBLE AS items, "
        "sum(amount)::DOUBLE AS amount, bool_and(is_return) AS is_return "
        f"FROM sale JOIN bill USING (order_no) WHERE {_THEIRS} GROUP BY order_id "
        "ORDER BY ordered_at DESC, order_id DESC",
        (customer_id,),
    )


def favourites(snapshot: Snapshot, customer_id: str, limit: int = 10) -> pd.DataFrame:
    """What a customer bought most often: product_id, name, category, orders, last_ordered_at, amount."""
    return snapshot.frame(
        "SELECT product_id, coalesce(any_value(name), product_id) AS name, any_value(category) AS category, "
        "count(DISTINCT order_no) AS orders, max(ordered_at) AS last_ordered_at, sum(amount)::DOUBLE AS amount "
        "FROM (SELECT product_no, order_no, ordered_at, amount "
        f"FROM sale WHERE {_THEIRS} AND NOT is_return) "
        "JOIN (SELECT product_no, product_id FROM goods) USING (product_no) "
        "LEFT JOIN (SELECT product_id, name, category FROM product) USING (product_id) "
        "GROUP BY product_id ORDER BY orders DESC, amount DESC, product_id LIMIT ?",
        (customer_id, limit),
    )


_THEIRS = "customer_no = (SELECT customer_no FROM buyer WHERE customer_id = ?)"


def _chosen(filters: Filters) -> tuple[str, Condition]:
    where = filters.on_customers()
    return f"{_LIST} WHERE {where.sql}", where
