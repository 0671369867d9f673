"""The published recommendations: for a customer, for a segment, and how good they are."""

import pandas as pd

from db.filters import Filters
from db.snapshot import Snapshot


def for_customer(snapshot: Snapshot, customer_id: str) -> pd.DataFrame:
    """Both lists of one customer: kind, rank, product_id, name, category, score, reason; empty for a stranger."""
    return snapshot.frame(
        """
        SELECT kind, rank, product_id, coalesce(name, product_id) AS name, category, department, score, reason
        FROM recommendation LEFT JOIN product USING (product_id) WHERE customer_id = ? ORDER BY kind, rank
        """,
        (customer_id,),
    )


def for_customers(snapshot: Snapshot, filters: Filters, kind: str, limit: int = 25) -> pd.DataFrame:
    """What is recommended most among the customers the filters leave.

    Gives product_id, name, category, customers (how many have it on their list), share of those customers, and the
    mean rank; most customers first.
    """
    where = filters.on_customers()
    return snapshot.frame(
        f"""
        WITH chosen AS (
            SELECT customer_id FROM (FROM customer_segment LEFT JOIN customer USING (customer_id)) WHERE {where.sql}
        )
        SELECT product_id, coalesce(any_value(name), product_id) AS name, any_value(category) AS category,
            count(*) AS customers, count(*) / (SELECT count(*) FROM chosen) AS share, avg(rank) AS mean_rank
        FROM recommendation LEFT JOIN product USING (product_id)
        WHERE kind = ? AND customer_id IN (FROM chosen)
        GROUP BY product_id ORDER BY customers DESC, mean_rank, product_id LIMIT ?
        """,
        (*where.values, kind, limit),
    )


def evaluation(snapshot: Snapshot) -> pd.DataFrame:
    """model, slice, metric, k, value, ci_low, ci_high of the published run."""
    return snapshot.frame("SELECT * EXCLUDE run_id FROM evaluation ORDER BY slice, metric, k, model")


def customer_ids(snapshot: Snapshot, typed: str, limit: int = 20) -> list[str]:
    """Ids of segmented customers that start with what was typed, shortest first."""
    frame = snapshot.frame(
        "SELECT customer_id FROM customer_segment WHERE starts_with(customer_id, ?) "
        "ORDER BY length(customer_id), customer_id LIMIT ?",
        (typed, limit),
    )
    return list(frame["customer_id"])
