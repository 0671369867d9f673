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
