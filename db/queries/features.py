"""What the models read: one row a customer, a product, or a purchase, as of a moment. Times are the shop's own."""

from datetime import datetime
from typing import Literal

import pandas as pd

from db.snapshot import Snapshot

Returns = Literal["net", "raw"]


def last_ordered_at(snapshot: Snapshot) -> datetime | None:
    """The time of the last line, guests included; None where there are no lines."""
    last = snapshot.frame("SELECT max(ordered_at) AS last FROM transaction_line")["last"].iloc[0]
    return None if pd.isna(last) else pd.Timestamp(last).to_pydatetime()


def customer_history(snapshot: Snapshot, as_of: datetime, returns: Returns) -> pd.DataFrame:
    """Customer -> first_ordered_at, last_ordered_at, frequency (distinct orders), monetary (net), before `as_of`.

    With `net`, lines that return goods reduce monetary but are no purchase, and a customer without a purchase is left
    out; with `raw` every order counts. Guests never appear.
    """
    purchase = "NOT is_return" if returns == "net" else "TRUE"
    return snapshot.frame(
        f"""
        SELECT customer_id,
               min(ordered_at) FILTER (WHERE {purchase}) AS first_ordered_at,
               max(ordered_at) FILTER (WHERE {purchase}) AS last_ordered_at,
               count(DISTINCT order_id) FILTER (WHERE {purchase}) AS frequency,
               sum(amount) AS monetary
        FROM transaction_line
        WHERE customer_id IS NOT NULL AND ordered_at < ?
        GROUP BY customer_id
        HAVING frequency > 0
        ORDER BY customer_id
        """,
        [as_of],
    )


def segment_sales(snapshot: Snapshot, segments: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Segment x product -> quantity, revenue (both net of returns) and customers who bought, before `as_of`.

    `segments` says each customer's segment (customer_id, segment). Service products are left out.
    """
    return snapshot.frame(
        """
        SELECT segment, product_id, sum(quantity) AS quantity, sum(amount) AS revenue,
               count(DISTINCT customer_id) FILTER (WHERE NOT is_return) AS customers
        FROM transaction_line
        JOIN segments USING (customer_id)
        JOIN product USING (product_id)
        WHERE ordered_at < ? AND NOT is_service
        GROUP BY segment, product_id
        HAVING customers > 0
        ORDER BY segment, product_id
        """,
        [as_of],
        segments=segments,
    )


def purchases(snapshot: Snapshot, as_of: datetime) -> pd.DataFrame:
    """Customer x product x order -> ordered_at: what was bought before `as_of`, no returns, no services.

    Guests are left out. Ids are categories, so that millions of rows stay small.
    """
    frame = snapshot.frame(
        """
        SELECT customer_id, product_id, min(ordered_at) AS ordered_at
        FROM transaction_line
        JOIN product USING (product_id)
        WHERE customer_id IS NOT NULL AND ordered_at < ? AND NOT is_return AND quantity > 0 AND NOT is_service
        GROUP BY customer_id, product_id, order_id
        ORDER BY customer_id, product_id, ordered_at
        """,
        [as_of],
    )
    return frame.astype({"customer_id": "category", "product_id": "category"})


def products(snapshot: Snapshot) -> pd.DataFrame:
    """Product -> name, category, department, brand; services left out."""
    return snapshot.frame(
        "SELECT product_id, name, category, department, brand FROM product WHERE NOT is_service ORDER BY product_id"
    )


def customers(snapshot: Snapshot) -> pd.DataFrame:
    """Customer -> country and attributes (a JSON object as text)."""
    return snapshot.frame("SELECT customer_id, country, attributes FROM customer ORDER BY customer_id")
