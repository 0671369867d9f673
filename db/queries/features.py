"""What the models read: one row a customer, a product, or a purchase, as of a moment. Times are the shop's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.snapshot import Snapshot

Returns = Literal["net", "raw"]

_AT_ONCE = 250_000
"""Customers whose orders are held in memory together."""


@dataclass(frozen=True)
class Periods:
    """The customers, in ascending id (as numbers where all are), and what each did in each period."""

    ids: npt.NDArray[np.object_]
    frame: pd.DataFrame


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


def customer_periods(snapshot: Snapshot, moments: Sequence[datetime], returns: Returns) -> "Periods":
    """What each customer did between moments (ascending): one row a customer and period in which they did something.

    Period p holds the lines from moment p-1 (or the beginning) to before moment p; what is later than the last moment
    is left out. Sums of periods 0 to p are what was known at moment p. Columns:

    - customer: a number into `Periods.ids`; period; rows come in this order
    - orders: distinct orders first bought of in the period; days: distinct days of those; first_at, last_at: of
      purchases, NaT where there was none
    - amount: net revenue; sold: what purchases brought; on_discount: of it by lines with a discount; returned: the
      worth of what came back
    - categories: those first bought from in the period (0 where the products have none)

    With `net`, lines that return goods are no purchase; with `raw` every line is. Guests never appear. A part of the
    customers is taken at a time, so that memory does not grow with their number.
    """
    purchase = "NOT is_return" if returns == "net" else "TRUE"
    ids = in_id_order(
        snapshot.frame(
            "SELECT DISTINCT customer_id FROM transaction_line WHERE customer_id IS NOT NULL AND ordered_at < ?",
            [moments[-1]],
        )
    )
    numbered = ids.assign(customer=np.arange(len(ids), dtype=np.int32))
    period = " + ".join(f"(ordered_at >= TIMESTAMP '{moment.isoformat(sep=' ')}')::SMALLINT" for moment in moments)
    sql = f"""
        WITH line AS (
            SELECT customer, order_id, product_id, ordered_at, amount, discount, is_return, {purchase} AS is_purchase,
                ({period})::SMALLINT AS period
            FROM transaction_line JOIN who USING (customer_id) WHERE ordered_at < ?
        ), part AS (
            SELECT customer, order_id, period, min(ordered_at) FILTER (is_purchase) AS first_at,
                max(ordered_at) FILTER (is_purchase) AS last_at, sum(amount) AS amount,
                sum(amount) FILTER (NOT is_return) AS sold,
                sum(amount) FILTER (NOT is_return AND discount > 0) AS on_discount,
                -sum(amount) FILTER (is_return) AS returned
            FROM line GROUP BY ALL
        ), fresh AS (
            SELECT customer, period, count(*) AS orders, count(DISTINCT first_at::DATE) AS days FROM (
                SELECT customer, min(period) AS period, min(first_at) AS first_at FROM part
                WHERE first_at IS NOT NULL GROUP BY customer, order_id
            ) GROUP BY ALL
        ), tried AS (
            SELECT customer, period, count(*) AS categories FROM (
                SELECT customer, category, min(period) AS period FROM line
                JOIN (SELECT product_id, category FROM product WHERE category IS NOT NULL) USING (product_id)
                WHERE is_purchase GROUP BY customer, category
            ) GROUP BY ALL
        ), done AS (
            SELECT customer, period, min(first_at) AS first_at, max(last_at) AS last_at, sum(amount)::DOUBLE AS amount,
                coalesce(sum(sold), 0)::DOUBLE AS sold, coalesce(sum(on_discount), 0)::DOUBLE AS on_discount,
                coalesce(sum(returned), 0)::DOUBLE AS returned
            FROM part GROUP BY ALL
        )
        SELECT customer, period, coalesce(orders, 0)::INTEGER AS orders, coalesce(days, 0)::INTEGER AS days, first_at,
            last_at, amount, sold, on_discount, returned, coalesce(categories, 0)::INTEGER AS categories
        FROM done LEFT JOIN fresh USING (customer, period) LEFT JOIN tried USING (customer, period)
        ORDER BY customer, period
        """
    parts = [
        snapshot.frame(sql, [moments[-1]], who=numbered.iloc[start : start + _AT_ONCE])
        for start in range(0, max(len(ids), 1), _AT_ONCE)
    ]
    return Periods(ids["customer_id"].to_numpy(), pd.concat(parts, ignore_index=True))


def in_id_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows in ascending customer_id, as numbers where all ids are numbers, else as text."""
    numbers = pd.to_numeric(frame["customer_id"], errors="coerce")
    keys = ["customer_id"] if numbers.isna().any() else ["number", "customer_id"]
    return frame.assign(number=numbers).sort_values(keys, ignore_index=True).drop(columns="number")


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
