"""The state of the business in a period: totals, trend, shares."""

from datetime import timedelta
from typing import Literal

import pandas as pd

from db.filters import Filters, Period
from db.snapshot import Snapshot

Dimension = Literal["country", "department", "category"]
DIMENSIONS: dict[Dimension, str] = {
    "country": "country",
    "department": "(SELECT department FROM product WHERE product.product_id = transaction_line.product_id)",
    "category": "(SELECT category FROM product WHERE product.product_id = transaction_line.product_id)",
}


def totals(snapshot: Snapshot, filters: Filters, period: Period) -> pd.Series:
    """revenue, orders, customers, repeat_customers, average_order, repeat_rate of one period, and without guests
    customer_orders and customer_revenue.

    Guests count in revenue and orders, never in customers; an order that only returns goods is no order. Where
    nothing sold, counts and revenue are 0 and the ratios NaN.
    """
    return trend(snapshot, filters, period, period.days).iloc[0].drop(["bin", "start", "days"])


def trend(snapshot: Snapshot, filters: Filters, period: Period, days: int) -> pd.DataFrame:
    """The same totals for each bin of `days` days, counted back from the period's end: bin (0 is the last), start.

    Its column `days` says how long a bin is: the first is shorter where the bins do not divide the period.
    """
    where = filters.on_lines(period)
    group = f"date_diff('day', ordered_at::date, DATE '{period.end.isoformat()}') // {int(days)}"
    frame = snapshot.frame(_TOTALS.format(group=group, where=where.sql), where.values)
    bins = pd.RangeIndex(-(-period.days // days) - 1, -1, -1, name="bin")
    frame = frame.set_index("bin").reindex(bins)
    counts = ["revenue", "orders", "customers", "repeat_customers", "customer_orders", "customer_revenue"]
    frame[counts] = frame[counts].fillna(0)
    starts = [max(period.start, period.end - timedelta(days=(int(b) + 1) * days - 1)) for b in bins]
    ends = [*starts[1:], period.end + timedelta(days=1)]
    lengths = [(end - start).days for start, end in zip(starts, ends, strict=True)]
    return frame.assign(start=pd.to_datetime(starts), days=lengths).reset_index()


_TOTALS = """
WITH line AS (
    SELECT {group} AS bin, order_id, customer_id, amount, is_return FROM transaction_line WHERE {where}
), buyer AS (
    SELECT bin, customer_id, count(DISTINCT order_id) AS orders FROM line
    WHERE NOT is_return AND customer_id IS NOT NULL GROUP BY ALL
), buyers AS (
    SELECT bin, count(*) AS customers, count(*) FILTER (orders > 1) AS repeat_customers FROM buyer GROUP BY ALL
), sales AS (
    SELECT bin, sum(amount) AS revenue, count(DISTINCT order_id) FILTER (NOT is_return) AS orders,
        sum(amount) FILTER (customer_id IS NOT NULL) AS customer_revenue,
        count(DISTINCT order_id) FILTER (NOT is_return AND customer_id IS NOT NULL) AS customer_orders
    FROM line GROUP BY ALL
)
SELECT bin, coalesce(revenue, 0)::DOUBLE AS revenue, orders, coalesce(customers, 0) AS customers,
    coalesce(repeat_customers, 0) AS repeat_customers, revenue::DOUBLE / nullif(orders, 0) AS average_order,
    repeat_customers / nullif(customers, 0) AS repeat_rate, customer_orders,
    coalesce(customer_revenue, 0)::DOUBLE AS customer_revenue
FROM sales LEFT JOIN buyers USING (bin)
"""


def at_risk(snapshot: Snapshot, filters: Filters, days: list[pd.Timestamp]) -> pd.DataFrame:
    """For the end of each day: day, repeat_customers known by then, at_risk among them, share.

    At risk is who has been silent for more than twice their own usual gap between orders (the mean gap, at least a
    day); who ordered only once has no rhythm yet and is left out. Days before the second order of anybody are absent.
    """
    where = filters.but(start=None, end=None).on_lines()
    return snapshot.frame(
        f"""
        WITH purchase AS (
            SELECT customer_id, epoch(min(ordered_at)) AS bought FROM transaction_line
            WHERE NOT is_return AND customer_id IS NOT NULL AND {where.sql} GROUP BY customer_id, order_id
        ), moment AS (
            SELECT day, epoch(day + INTERVAL 1 DAY) AS night FROM (SELECT unnest(?::TIMESTAMP[]) AS day)
        ), rhythm AS (
            SELECT day, night - max(bought) AS silence, (max(bought) - min(bought)) / (count(*) - 1) AS gap
            FROM purchase JOIN moment ON bought < night GROUP BY day, night, customer_id HAVING count(*) > 1
        )
        SELECT day, count(*) AS repeat_customers,
            count(*) FILTER (silence > 2 * greatest(gap, 86400)) AS at_risk,
            at_risk / repeat_customers AS share
        FROM rhythm GROUP BY day ORDER BY day
        """,
        (*where.values, [day.to_pydatetime() for day in days]),
    )


def breakdown(snapshot: Snapshot, filters: Filters, period: Period, dimension: Dimension) -> pd.DataFrame:
    """Net revenue and orders by country, department or category: value (None where unknown), revenue, orders."""
    where = filters.on_lines(period)
    return snapshot.frame(
        f"SELECT {DIMENSIONS[dimension]} AS value, sum(amount)::DOUBLE AS revenue, "
        "count(DISTINCT order_id) FILTER (NOT is_return) AS orders "
        f"FROM transaction_line WHERE {where.sql} GROUP BY ALL ORDER BY revenue DESC, value",
        where.values,
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


def segment_revenue(snapshot: Snapshot, filters: Filters, period: Period) -> pd.DataFrame:
    """Each segment's revenue in the period beside its size: segment, colour, customers, revenue; best first.

    Revenue of guests and of customers without a segment stands in one row whose segment is None.
    """
    where = filters.on_lines(period)
    return snapshot.frame(
        f"""
        WITH sold AS (
            SELECT segment, sum(amount)::DOUBLE AS revenue
            FROM (SELECT customer_id, amount FROM transaction_line WHERE {where.sql})
            LEFT JOIN (SELECT customer_id, segment FROM customer_segment) USING (customer_id) GROUP BY ALL
        )
        SELECT segment, colour, coalesce(customers, 0) AS customers, coalesce(sold.revenue, 0) AS revenue
        FROM sold FULL JOIN (
            SELECT segment, colour, customers, position FROM segment_profile WHERE grouping = 'segment'
        ) USING (segment)
        ORDER BY position NULLS LAST
        """,
        where.values,
    )
