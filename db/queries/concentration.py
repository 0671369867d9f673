"""How much of the revenue few customers bring."""

import pandas as pd

from db.filters import Filters, Period
from db.snapshot import Snapshot

POINTS = (*range(10), *range(10, 1001, 10))
"""Where the curve is told, in thousandths of the customers: each up to the first hundredth, then each hundredth."""


def curve(snapshot: Snapshot, filters: Filters, period: Period) -> pd.DataFrame:
    """The Pareto curve of a period, one row for each of `POINTS`: top (share of the customers), customers, revenue
    (net, of these together), least (net revenue of the last of them).

    The customers are those with a line in the view, by their net revenue in it, largest first; guests are left out.
    The top share p of n customers are the first p * n of them, rounded up. Who returned more than they bought counts
    with less than 0, so the revenue may rise above that of all before it comes down to it. No rows without customers.
    """
    orders = filters.orders(period)
    return snapshot.frame(
        f"""
        WITH person AS (
            SELECT sum(amount)::DOUBLE AS revenue FROM ({orders.sql}) WHERE customer_no IS NOT NULL GROUP BY customer_no
        ), ranked AS (
            SELECT revenue AS least, row_number() OVER largest AS customers,
                sum(revenue) OVER (largest ROWS UNBOUNDED PRECEDING) AS revenue
            FROM person WINDOW largest AS (ORDER BY revenue DESC)
        ), point AS (
            SELECT thousandths / 1000 AS top, (count * thousandths + 999) // 1000 AS customers
            FROM (SELECT count(*) AS count FROM person), (SELECT unnest(?::BIGINT[]) AS thousandths) WHERE count > 0
        )
        SELECT top, customers, coalesce(revenue, 0) AS revenue, least FROM point LEFT JOIN ranked USING (customers)
        ORDER BY top
        """,
        (*orders.values, list(POINTS)),
    )
