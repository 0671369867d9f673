"""What the customers are expected to bring: totals, tenths, who is still active, and what is at risk.

All of it is of the customers whom the filters leave, whatever the days: a forecast looks ahead from the run's moment.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from db.conditions import Condition
from db.drill import Grouping, Range
from db.filters import Filters
from db.remembered import remembered
from db.snapshot import Snapshot

PROBABLY = 0.5
"""From this probability on a customer is probably active, or probably at risk."""

RECENCIES = (0, 7, 14, 30, 60, 90, 180, 365)
FREQUENCIES = (1, 2, 3, 5, 10, 20, 50, 100)
"""The lowest number of each bin; the last has no end."""


def totals(snapshot: Snapshot, filters: Filters) -> pd.Series:
    """What the customers of a view bring together; 0 where there is nobody.

    customers, forecast (those with one), expected, half (of the width of its interval were each customer independent of
    the others), orders_30, orders_90, back (customers expected to order within 90 days), at_risk (customers by
    `PROBABLY`), past and risk (net revenue of the year before, and the part of it that may not come again).
    """
    sums = _by_decile(snapshot, filters).drop(columns="value_decile").sum()
    sums["half"] = np.sqrt(sums.pop("square"))
    return sums


def deciles(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """value_decile (10 first), customers, expected, past: net revenue of the next and of the last `YEAR` days."""
    frame = _by_decile(snapshot, filters).dropna(subset=["value_decile"])
    return frame[["value_decile", "customers", "expected", "past"]].reset_index(drop=True)


@remembered
def _by_decile(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    relation = _in_view(filters)
    return snapshot.frame(
        f"""
        SELECT value_decile, count(*) AS customers, count(clv) AS forecast, coalesce(sum(clv), 0) AS expected,
            coalesce(sum(((clv_high - clv_low) / 2) ** 2), 0) AS square, coalesce(sum(orders_30), 0) AS orders_30,
            coalesce(sum(orders_90), 0) AS orders_90, coalesce(sum(1 - churn_risk), 0) AS back,
            count(*) FILTER (churn_risk >= {PROBABLY}) AS at_risk, coalesce(sum(past), 0) AS past,
            coalesce(sum(risk), 0) AS risk
        FROM ({relation.sql}) GROUP BY ALL ORDER BY value_decile DESC
        """,
        relation.values,
    )


def activity(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """recency, frequency (places in `RECENCIES` and `FREQUENCIES`), customers, p_alive (their mean), expected."""
    relation = _in_view(filters)
    recency, frequency = (_place(*bins) for bins in (("recency_days", RECENCIES), ("frequency", FREQUENCIES)))
    return snapshot.frame(
        f"SELECT {recency} AS recency, {frequency} AS frequency, count(*) AS customers, avg(p_alive) AS p_alive, "
        f"sum(clv) AS expected FROM ({relation.sql}) WHERE p_alive IS NOT NULL GROUP BY ALL ORDER BY ALL",
        relation.values,
    )


def bin_range(column: str, bins: Sequence[int], place: int) -> Range:
    """The numbers of a bin."""
    return Range(column, bins[place], bins[place + 1] - 1 if place + 1 < len(bins) else None)


def at_risk(snapshot: Snapshot, filters: Filters, limit: int = 12) -> pd.DataFrame:
    """Who has most to lose: customer_id, segment, recency_days, churn_risk, clv, past, risk; most first."""
    relation = _in_view(filters)
    return snapshot.frame(
        "SELECT customer_id, segment, recency_days, churn_risk, clv, past, risk "
        f"FROM ({relation.sql}) WHERE risk > 0 ORDER BY risk DESC, customer_id LIMIT ?",
        (*relation.values, limit),
    )


def at_risk_by(snapshot: Snapshot, grouping: Grouping) -> pd.DataFrame:
    """Net revenue of the year before that may not come again, of all customers: segment, risk; most first."""
    relation = _in_view(Filters())
    return snapshot.frame(
        f"SELECT {grouping} AS segment, sum(risk) AS risk FROM ({relation.sql}) GROUP BY ALL "
        "HAVING sum(risk) > 0 ORDER BY risk DESC, segment",
        relation.values,
    )


def _in_view(filters: Filters) -> Condition:
    """The customers in view, as in `known`."""
    where = filters.but(start=None, end=None).on_customers()
    return Condition(f"SELECT * FROM known WHERE {where.sql}", where.values)


def _place(column: str, bins: Sequence[int]) -> str:
    return " + ".join(f"({column} >= {low})::INTEGER" for low in bins[1:])
