"""The segments of a run under one of its groupings: profiles, the grid, components, what tells them apart."""

import pandas as pd

from db.filters import Filters
from db.remembered import remembered
from db.snapshot import Snapshot

FALSE_DISCOVERY = 0.05
"""Among the differences shown about this share is chance (Benjamini, Hochberg 1995)."""


@remembered
def groupings(snapshot: Snapshot) -> list[str]:
    """By what the run parts the customers; nothing before a run."""
    return list(snapshot.frame("SELECT DISTINCT grouping FROM segment_profile")["grouping"])


@remembered
def profiles(snapshot: Snapshot, grouping: str = "segment") -> pd.DataFrame:
    """One row a segment, most valuable first, with its size, medians, persona and playbook; empty before a run."""
    return snapshot.frame("SELECT * FROM segment_profile WHERE grouping = ? ORDER BY position", (grouping,))


def flat_points(snapshot: Snapshot, filters: Filters, grouping: str, most: int) -> pd.DataFrame:
    """customer_id, segment, pca_x, pca_y, total (of all): about `most` customers, of each segment its share and at
    least 50; the same ones every time. Empty where the run has no such picture."""
    where = filters.but(start=None, end=None).on_customers()
    return snapshot.frame(
        f"""
        WITH chosen AS (
            SELECT customer_id, {_name(grouping)} AS segment, pca_x, pca_y FROM known
            WHERE pca_x IS NOT NULL AND {where.sql}
        ), numbered AS (
            SELECT *, count(*) OVER () AS total, count(*) OVER (PARTITION BY segment) AS size,
                row_number() OVER (PARTITION BY segment ORDER BY hash(customer_id), customer_id) AS number FROM chosen
        )
        SELECT customer_id, segment, pca_x, pca_y, total FROM numbered
        WHERE number <= greatest(50, size * ? / total) ORDER BY customer_id
        """,
        (*where.values, most),
    )


def grid(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """The cells of the RFM grid with a customer of the filters: r_score, fm_score, rfm_group, colour, customers. Empty
    where the run has no groups."""
    where = filters.but(start=None, end=None).on_customers()
    return snapshot.frame(
        f"""
        SELECT r_score, fm_score, rfm_group, any_value(colour) AS colour, count(*) AS customers
        FROM (SELECT r_score, fm_score, rfm_group FROM known WHERE rfm_group IS NOT NULL AND {where.sql})
        LEFT JOIN (SELECT segment, colour FROM segment_profile WHERE grouping = 'rfm_group') ON segment = rfm_group
        GROUP BY r_score, fm_score, rfm_group ORDER BY r_score, fm_score
        """,
        where.values,
    )


@remembered
def measures(snapshot: Snapshot, grouping: str) -> pd.DataFrame:
    """How a measure spreads within each segment: measure, segment, colour, q1, median, q3, mean; segments most valuable
    first."""
    return snapshot.frame(
        """
        SELECT measure, segment, colour, q1, median, q3, mean FROM segment_measure
        JOIN (SELECT grouping, segment, colour, position FROM segment_profile) USING (grouping, segment)
        WHERE grouping = ? ORDER BY measure, position
        """,
        (grouping,),
    )


@remembered
def traits(snapshot: Snapshot, grouping: str) -> pd.DataFrame:
    """What is more or less common in a segment than in the whole shop, beyond chance: trait, value, segment, colour,
    customers, share, shop_share, lift, q_value; by trait and segment, the most common for the segment first."""
    return snapshot.frame(
        """
        SELECT trait, value, segment, colour, segment_trait.customers, share, shop_share, lift, q_value
        FROM segment_trait
        JOIN (SELECT grouping, segment, colour, position FROM segment_profile) USING (grouping, segment)
        WHERE grouping = ? AND q_value <= ? ORDER BY trait, position, lift DESC, value
        """,
        (grouping, FALSE_DISCOVERY),
    )


@remembered
def traits_tested(snapshot: Snapshot, grouping: str) -> int:
    """How many differences were tested for `traits`, those that may well be chance included."""
    return int(snapshot.scalar("SELECT count(*) FROM segment_trait WHERE grouping = ?", (grouping,)))


@remembered
def products(snapshot: Snapshot, grouping: str = "segment") -> pd.DataFrame:
    """The top products of each segment by each kind (revenue, quantity, lift): kind, segment, rank, product_id, name,
    category, customers (of the segment, who bought it), quantity, revenue, lift."""
    return snapshot.frame(
        f"""
        WITH top AS (FROM segment_product WHERE grouping = ?), buyer AS (
            SELECT segment, product_id, count(DISTINCT customer_no) AS customers FROM sale
            JOIN (SELECT product_no, product_id FROM goods) USING (product_no)
            JOIN (SELECT customer_no, {_name(grouping)} AS segment FROM known) USING (customer_no)
            WHERE NOT is_return AND product_id IN (SELECT product_id FROM top) GROUP BY ALL
        )
        SELECT kind, segment, rank, product_id, coalesce(name, product_id) AS name, category,
            coalesce(customers, 0) AS customers, quantity::DOUBLE AS quantity, revenue::DOUBLE AS revenue, lift
        FROM top LEFT JOIN product USING (product_id) LEFT JOIN buyer USING (segment, product_id)
        ORDER BY kind, segment, rank
        """,
        (grouping,),
    )


def _name(grouping: str) -> str:
    """The column of a grouping, and none but those there are."""
    return {"segment": "segment", "rfm_group": "rfm_group", "alternative": "alternative"}[grouping]
