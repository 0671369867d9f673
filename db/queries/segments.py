"""The published segments: profiles, the customers as points, their products."""

import pandas as pd

from db.filters import Filters
from db.snapshot import Snapshot


def profiles(snapshot: Snapshot) -> pd.DataFrame:
    """One row a segment, most valuable first, with its size, medians, persona and playbook; empty before a run."""
    return snapshot.frame("SELECT * FROM segment_profile ORDER BY position")


def points(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """customer_id, segment, recency_days, frequency, monetary of the customers the filters leave, by id."""
    where = filters.but(start=None, end=None).on_customers()
    return snapshot.frame(
        "SELECT customer_id, segment, recency_days, frequency, monetary::DOUBLE AS monetary "
        f"FROM (FROM customer_segment LEFT JOIN customer USING (customer_id)) WHERE {where.sql} ORDER BY customer_id",
        where.values,
    )


def spread(snapshot: Snapshot) -> pd.DataFrame:
    """How a measure spreads within each segment: segment, colour, measure (recency_days, frequency, monetary), and the
    quantiles p5, p25, p50, p75, p95; segments most valuable first."""
    return snapshot.frame(
        """
        WITH long AS (
            UNPIVOT (SELECT segment, recency_days::DOUBLE AS recency_days, frequency::DOUBLE AS frequency,
                monetary::DOUBLE AS monetary FROM customer_segment)
            ON recency_days, frequency, monetary INTO NAME measure VALUE number
        ), quantiles AS (
            SELECT segment, measure, quantile_cont(number, [0.05, 0.25, 0.5, 0.75, 0.95]) AS q FROM long GROUP BY ALL
        )
        SELECT segment, colour, measure, q[1] AS p5, q[2] AS p25, q[3] AS p50, q[4] AS p75, q[5] AS p95
        FROM quantiles JOIN segment_profile USING (segment) ORDER BY measure, position
        """
    )


def products(snapshot: Snapshot, segment: str | None = None, kind: str = "revenue") -> pd.DataFrame:
    """The top products: segment, rank, product_id, name, category, quantity, revenue, lift; of one segment or all."""
    return snapshot.frame(
        """
        SELECT segment, rank, product_id, coalesce(name, product_id) AS name, category, quantity::DOUBLE AS quantity,
            revenue::DOUBLE AS revenue, lift
        FROM segment_product LEFT JOIN product USING (product_id)
        WHERE kind = ? AND (?::VARCHAR IS NULL OR segment = ?) ORDER BY segment, rank
        """,
        (kind, segment, segment),
    )
