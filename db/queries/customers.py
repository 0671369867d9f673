"""Customers as a list (paged, sorted, filtered by the database) and one by one."""

import pandas as pd

from db.conditions import Condition, one_of
from db.drill import CAUSES, COURSES
from db.filters import Filters
from db.grid import ColumnKind, GridRequest
from db.remembered import remembered
from db.sales import CONSENT
from db.snapshot import Snapshot

COLUMNS: dict[str, ColumnKind] = {
    "customer_id": "text",
    "segment": "text",
    "rfm_group": "text",
    "alternative": "text",
    "country": "text",
    "consent": "text",
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

_DEEP = 10_000  # so far down it is cheaper to find the customers first, and what is known of them afterwards


@remembered
def filled(snapshot: Snapshot) -> frozenset[str]:
    """The columns that have a value for anybody: what the data or the run do not tell has none."""
    counts = snapshot.frame(f"SELECT {', '.join(f'count({name}) AS {name}' for name in COLUMNS)} FROM known")
    return frozenset(name for name in COLUMNS if counts[name].iloc[0])


@remembered
def number(snapshot: Snapshot, filters: Filters) -> int:
    """How many customers the filters leave."""
    return counted(snapshot, filters.on_customers())


def everyone(snapshot: Snapshot) -> int:
    """How many customers the run has parted."""
    return int(snapshot.scalar("SELECT count(*) FROM known"))


def colours(snapshot: Snapshot) -> dict[tuple[str, str], str]:
    """(grouping, segment) -> the key of its colour."""
    rows = snapshot.frame("SELECT grouping, segment, colour FROM segment_profile")
    return dict(zip(zip(rows["grouping"], rows["segment"], strict=True), rows["colour"], strict=True))


def page(snapshot: Snapshot, filters: Filters, request: GridRequest) -> tuple[pd.DataFrame, int]:
    """One page of the list and the number of customers on all pages.

    The columns are those the request names, with the id; all of them where it names none.
    """
    where = chosen(snapshot, filters, request)
    total = number(snapshot, filters) if where == filters.on_customers() else counted(snapshot, where)
    columns = tuple(dict.fromkeys(("customer_id", *(request.columns or COLUMNS))))
    order, read = in_order(request), ", ".join(selected(name) for name in columns)
    limit = "" if request.rows is None else f"LIMIT {request.rows} OFFSET {request.first}"
    found = f"WHERE {where.sql} ORDER BY {order} {limit}"
    if request.first >= _DEEP:
        found = f"WHERE customer_id IN (SELECT customer_id FROM known {found}) ORDER BY {order}"
    return snapshot.frame(f"SELECT {read} FROM known {found}", where.values), total


def chosen(snapshot: Snapshot, filters: Filters, request: GridRequest) -> Condition:
    """What the filters, the heads of the columns and the search box leave: ids that start with the text, and the
    customers of segments, groups and countries whose names hold it."""
    where = filters.on_customers() & request.where
    if not request.search:
        return where
    found = Condition("starts_with(lower(customer_id), lower(?))", (request.search,))
    names = _names(snapshot)
    for column, of in names[names["name"].str.lower().str.contains(request.search.lower(), regex=False)].groupby("of"):
        among = one_of(str(column), list(of["name"]))
        found = Condition(f"{found.sql} OR {among.sql}", found.values + among.values)
    return where & Condition(f"({found.sql})", found.values)


@remembered
def _names(snapshot: Snapshot) -> pd.DataFrame:
    return snapshot.frame(
        " UNION ALL ".join(
            f"SELECT DISTINCT '{name}' AS of, {name} AS name FROM known WHERE {name} IS NOT NULL"
            for name in ("segment", "rfm_group", "country")
        )
    )


def counted(snapshot: Snapshot, where: Condition) -> int:
    """How many customers a condition on rows of `known` leaves."""
    return int(snapshot.scalar(f"SELECT count(*) FROM known WHERE {where.sql}", where.values))


def in_order(request: GridRequest) -> str:
    """The order of a request, made total by the id."""
    return ", ".join(part for part in (request.order, "customer_id") if part)


def selected(name: str) -> str:
    """A column as the list has it: money as a float."""
    return "monetary::DOUBLE AS monetary" if name == "monetary" else name


def one(snapshot: Snapshot, customer_id: str) -> pd.Series | None:
    """A segmented customer's row of the list with the attributes (JSON text), or None for a stranger."""
    columns = ", ".join(selected(name) for name in COLUMNS)
    frame = snapshot.frame(
        f"SELECT {columns}, attributes FROM (FROM customer_segment WHERE customer_id = ?) LEFT JOIN "
        f"(SELECT customer_id, country, {CONSENT}, attributes FROM customer WHERE customer_id = ?) USING (customer_id)",
        (customer_id, customer_id),
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
