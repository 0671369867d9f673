"""The state of the business in a period: totals, trend, shares."""

from datetime import timedelta
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from db.conditions import ANY, Condition, ordered
from db.filters import Filters, Period
from db.remembered import remembered
from db.sales import with_courses
from db.snapshot import Snapshot

Dimension = Literal["country", "department", "category"]
DIMENSIONS: tuple[Dimension, ...] = ("country", "department", "category")


def totals(snapshot: Snapshot, filters: Filters, period: Period) -> pd.Series:
    """revenue, orders, customers, repeat_customers, average_order, repeat_rate of one period, and without guests
    customer_orders and customer_revenue.

    Guests count in revenue and orders, never in customers; an order that only returns goods is no order. Where
    nothing sold, counts and revenue are 0 and the ratios NaN.
    """
    return trend(snapshot, filters, period, period.days).iloc[0].drop(["bin", "start", "days"])


@remembered
def trend(snapshot: Snapshot, filters: Filters, period: Period, days: int) -> pd.DataFrame:
    """The same totals for each bin of `days` days, counted back from the period's end: bin (0 is the last), start.

    Its column `days` says how long a bin is: the first is shorter where the bins do not divide the period.
    """
    began, ended = (f"DATE '{day.isoformat()}'" for day in (period.start, period.end))
    bin_of = f"(({ended} - day) // {int(days)})::INTEGER" if days < period.days else "0"
    first = f"greatest({ended} - (bin + 1) * {int(days)} + 1, {began})" if days < period.days else began
    orders, kept = _orders(snapshot, filters, period)
    frame = snapshot.frame(_TOTALS.format(bin=bin_of, first=first, orders=orders.sql), orders.values, **kept)
    bins = pd.RangeIndex(-(-period.days // days) - 1, -1, -1, name="bin")
    frame = frame.set_index("bin").reindex(bins)
    counts = ["revenue", "orders", "customers", "repeat_customers", "customer_orders", "customer_revenue"]
    frame[counts] = frame[counts].fillna(0)
    starts = [max(period.start, period.end - timedelta(days=(int(b) + 1) * days - 1)) for b in bins]
    ends = [*starts[1:], period.end + timedelta(days=1)]
    lengths = [(end - start).days for start, end in zip(starts, ends, strict=True)]
    return frame.assign(start=pd.to_datetime(starts), days=lengths).reset_index()


# Of plain purchases each sale is an order, and its customer's first in the bin where the one before lies earlier; what
# is not plain is counted out.
_TOTALS = """
WITH part AS NOT MATERIALIZED (
    SELECT *, {first} AS first_day FROM (SELECT *, {bin} AS bin FROM ({orders}))
), counted AS (
    SELECT bin, sum(amount) AS revenue, sum(amount) FILTER (customer_no IS NOT NULL) AS customer_revenue,
        count(*) FILTER (is_sold AND is_plain) AS orders, count(nth) AS customer_orders,
        count(*) FILTER (previous_day < first_day) AS customers,
        count(*) FILTER (previous_day >= first_day AND earlier_day < first_day) AS repeat_customers
    FROM part GROUP BY bin
    UNION ALL
    SELECT bin, 0, 0, count(DISTINCT order_no), count(DISTINCT order_no) FILTER (customer_no IS NOT NULL), 0, 0
    FROM part WHERE is_sold AND NOT is_plain GROUP BY bin
    UNION ALL SELECT bin, 0, 0, 0, 0, count(*), count(*) FILTER (orders > 1) FROM (
        SELECT bin, customer_no, count(DISTINCT order_no) AS orders FROM part
        WHERE is_sold AND NOT is_plain AND customer_no IS NOT NULL GROUP BY ALL
    ) GROUP BY bin
)
SELECT bin, coalesce(sum(revenue), 0)::DOUBLE AS revenue, sum(orders)::BIGINT AS orders,
    sum(customers)::BIGINT AS customers, sum(repeat_customers)::BIGINT AS repeat_customers,
    sum(revenue)::DOUBLE / nullif(sum(orders), 0)::DOUBLE AS average_order,
    sum(repeat_customers)::DOUBLE / nullif(sum(customers), 0)::DOUBLE AS repeat_rate,
    sum(customer_orders)::BIGINT AS customer_orders, coalesce(sum(customer_revenue), 0)::DOUBLE AS customer_revenue
FROM counted GROUP BY bin
"""


def _orders(
    snapshot: Snapshot, filters: Filters, period: Period | None = None
) -> tuple[Condition, dict[str, pa.Table]]:
    """The orders of a view with the courses that customers take in it, and the tables that the relation needs.

    The courses that are kept with all orders serve, unless but a part of them is in the view.
    """
    if not filters.parts_orders:
        return filters.orders(period), {}
    part = _parted(snapshot, filters.but(start=None, end=None))
    days = ordered(period.start, period.end) if period else ANY
    return Condition(f"SELECT * FROM parted WHERE {days.sql}", days.values), {"parted": part}


@remembered
def _parted(snapshot: Snapshot, filters: Filters) -> pa.Table:
    orders = filters.orders()
    return snapshot.table(with_courses(orders.sql), orders.values)


def at_risk(snapshot: Snapshot, filters: Filters, days: list[pd.Timestamp]) -> pd.DataFrame:
    """For the end of each day: day, repeat_customers known by then, at_risk among them, share.

    At risk is who has been silent for more than twice their own usual gap between orders (the mean gap, at least a
    day); who ordered only once has no rhythm yet and is left out. Days before the second order of anybody are absent.
    """
    orders, kept = _orders(snapshot, filters)
    changes = snapshot.frame(_RISK.format(orders=orders.sql), orders.values, **kept)
    known = changes[["repeat_customers", "at_risk"]].cumsum()
    upto = np.searchsorted(changes["day"].to_numpy(), np.array(days, dtype="datetime64[us]"), side="right")
    found = known.iloc[upto[upto > 0] - 1].reset_index(drop=True)
    found.insert(0, "day", [day for day, rows in zip(days, upto, strict=True) if rows])
    found = found[found["repeat_customers"] > 0]
    return found.assign(share=found["at_risk"] / found["repeat_customers"]).sort_values("day", ignore_index=True)


# A second order makes a repeat customer, a late day one at risk, and the next order ends that: numbers change on these
# days alone. Orders of several rows are put together first.
_RISK = f"""
WITH part AS NOT MATERIALIZED ({{orders}}), visit AS NOT MATERIALIZED (
    SELECT day, nth, late_day, next_day FROM part WHERE nth > 1 UNION ALL
    SELECT day, nth, late_day, next_day FROM ({
    with_courses('''
        SELECT any_value(purchase_no) AS purchase_no, customer_no, order_no, min(bought_at) AS bought_at,
            min(day) AS day, '' AS country, 0 AS amount, true AS is_sold, true AS is_plain
        FROM part WHERE is_sold AND NOT is_plain AND customer_no IS NOT NULL GROUP BY customer_no, order_no
    ''')
}) WHERE nth > 1
), change AS (
    SELECT day, count(*) AS repeat_customers, 0 AS at_risk FROM visit WHERE nth = 2 GROUP BY day
    UNION ALL SELECT late_day, 0, count(*) FROM visit WHERE late_day IS NOT NULL GROUP BY late_day
    UNION ALL SELECT next_day, 0, -count(*) FROM visit WHERE late_day < next_day GROUP BY next_day
)
SELECT day, sum(repeat_customers)::BIGINT AS repeat_customers, sum(at_risk)::BIGINT AS at_risk FROM change
GROUP BY day ORDER BY day
"""


@remembered
def breakdown(snapshot: Snapshot, filters: Filters, period: Period, dimension: Dimension) -> pd.DataFrame:
    """Net revenue and orders by country, department or category: value (None where unknown), revenue, orders."""
    if dimension == "country":
        (of, kept), is_order, is_sold = _orders(snapshot, filters, period), "is_sold", "is_sold"
    else:
        of, kept, is_order, is_sold = filters.lines(period), {}, f"opens_{dimension}", "NOT is_return"
    # where other goods are asked for, the line that opens an order of this value may not be among them
    own = {"department": "departments", "category": "categories"}
    whole = dimension not in own or not filters.but(**{own[dimension]: ()}).parts_orders
    plain = "is_plain" if whole else "false"
    return snapshot.frame(
        f"""
        WITH part AS NOT MATERIALIZED ({of.sql})
        SELECT value, sum(revenue)::DOUBLE AS revenue, sum(orders)::BIGINT AS orders FROM (
            SELECT {dimension} AS value, sum(amount) AS revenue, count(*) FILTER ({is_order} AND {plain}) AS orders
            FROM part GROUP BY ALL
            UNION ALL
            SELECT {dimension}, 0, count(DISTINCT order_no) FROM part WHERE {is_sold} AND NOT {plain} GROUP BY ALL
        ) GROUP BY value ORDER BY revenue DESC, value
        """,
        of.values,
        **kept,
    )


def moved(snapshot: Snapshot, filters: Filters, period: Period, before: Period, dimension: Dimension) -> pd.DataFrame:
    """Net revenue by country, department or category in two periods: value, revenue, before, change; most risen first.

    A value that sold in one of them alone has 0 in the other.
    """
    now, then = (breakdown(snapshot, filters, days, dimension) for days in (period, before))
    both = now.merge(then.rename(columns={"revenue": "before"}), on="value", how="outer", suffixes=("", "_then"))
    both[["revenue", "before"]] = both[["revenue", "before"]].fillna(0.0)
    found = both.assign(change=both["revenue"] - both["before"])[["value", "revenue", "before", "change"]]
    return found.sort_values(["change", "value"], ascending=[False, True], ignore_index=True)


@remembered
def segment_revenue(snapshot: Snapshot, filters: Filters, period: Period) -> pd.DataFrame:
    """Each segment's revenue in the period beside its size: segment, colour, customers, revenue; best first.

    Revenue of guests and of customers without a segment stands in one row whose segment is None.
    """
    orders, kept = _orders(snapshot, filters, period)
    return snapshot.frame(
        f"""
        WITH sold AS (
            SELECT segment, sum(amount)::DOUBLE AS revenue FROM (
                SELECT customer_no, sum(amount) AS amount FROM ({orders.sql}) GROUP BY customer_no
            ) LEFT JOIN (SELECT customer_no, segment FROM known) USING (customer_no) GROUP BY ALL
        )
        SELECT segment, colour, coalesce(customers, 0) AS customers, coalesce(sold.revenue, 0) AS revenue
        FROM sold FULL JOIN (
            SELECT segment, colour, customers, position FROM segment_profile WHERE grouping = 'segment'
        ) USING (segment)
        ORDER BY position NULLS LAST
        """,
        orders.values,
        **kept,
    )
