"""What an analyst looks at before any model: what is loaded, day by day and order by order."""

import pandas as pd

from db.snapshot import Snapshot


def loaded(snapshot: Snapshot) -> pd.Series:
    """first_at and last_at (of any line; NaT where there is none), lines, orders, customers, products, revenue (net),
    and of these guest_revenue, lines and worth of what came back: returned_lines, returned."""
    return snapshot.frame(
        """
        SELECT min(ordered_at) AS first_at, max(ordered_at) AS last_at, count(*) AS lines,
            count(DISTINCT order_id) FILTER (NOT is_return) AS orders, count(DISTINCT customer_id) AS customers,
            count(DISTINCT product_id) AS products, coalesce(sum(amount), 0)::DOUBLE AS revenue,
            coalesce(sum(amount) FILTER (customer_id IS NULL), 0)::DOUBLE AS guest_revenue,
            count(*) FILTER (is_return) AS returned_lines,
            coalesce(-sum(amount) FILTER (is_return), 0)::DOUBLE AS returned
        FROM transaction_line
        """
    ).iloc[0]


def days(snapshot: Snapshot) -> pd.DataFrame:
    """Each day from the first to the last, 0 where nothing sold: day, revenue (net), orders; guests included."""
    return snapshot.frame(
        """
        WITH sold AS (
            SELECT ordered_at::DATE AS day, sum(amount)::DOUBLE AS revenue,
                count(DISTINCT order_id) FILTER (NOT is_return) AS orders
            FROM transaction_line GROUP BY ALL
        ), calendar AS (
            SELECT unnest(range(min(day)::TIMESTAMP, max(day) + INTERVAL 1 DAY, INTERVAL 1 DAY)) AS day FROM sold
        )
        SELECT calendar.day, coalesce(revenue, 0) AS revenue, coalesce(orders, 0) AS orders
        FROM calendar LEFT JOIN sold ON sold.day = calendar.day ORDER BY calendar.day
        """
    )


def orders(snapshot: Snapshot, most: int) -> pd.DataFrame:
    """At most so many purchases of all orders, always the same ones: amount, and gap_days since the customer's order
    before (NaN for a first order, and for guests)."""
    return snapshot.frame(
        """
        WITH bought AS (
            SELECT order_id, customer_id, min(ordered_at) AS ordered_at, sum(amount)::DOUBLE AS amount
            FROM transaction_line WHERE NOT is_return GROUP BY ALL
        ), spaced AS (
            SELECT order_id, customer_id, amount, epoch(ordered_at - lag(ordered_at) OVER (
                PARTITION BY customer_id ORDER BY ordered_at, order_id)) / 86400 AS gap
            FROM bought
        )
        SELECT amount, if(customer_id IS NULL, NULL, gap) AS gap_days FROM spaced
        ORDER BY hash(order_id), order_id, customer_id LIMIT ?
        """,
        [most],
    )
