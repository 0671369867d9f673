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

CATEGORY, DEPARTMENT, COUNTRY = "category", "department", "country"
_STRATA = 20
_MOST_VALUES = 30

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


def first_ordered_at(snapshot: Snapshot) -> datetime | None:
    """The time of the first line that names a customer; None where none does."""
    sql = "SELECT min(ordered_at) FROM transaction_line WHERE customer_id IS NOT NULL"
    found: datetime | None = snapshot.scalar(sql)
    return found


def segment_names(snapshot: Snapshot) -> pd.DataFrame:
    """What the published run calls its segments: grouping, segment, cluster, since; no rows before the first."""
    return snapshot.frame("SELECT grouping, segment, cluster, since FROM segment_profile ORDER BY grouping, position")


def published_customers(snapshot: Snapshot, columns: Sequence[str]) -> pd.DataFrame:
    """These columns of customer_segment, of the published run; no rows before the first, no column of nulls alone."""
    frame = snapshot.frame(f"SELECT {', '.join(columns)} FROM customer_segment ORDER BY customer_id")
    return frame.dropna(axis="columns", how="all")


def customer_periods(snapshot: Snapshot, moments: Sequence[datetime], returns: Returns) -> Periods:
    """What each customer did between moments (ascending): one row a customer and period in which they did something.

    Period p holds the lines from moment p-1 (or the beginning) to before moment p; what is later than the last moment
    is left out. Sums of periods 0 to p are what was known at moment p. Columns:

    - customer: a number into `Periods.ids`; period; rows come in this order
    - orders: distinct orders first bought of in the period; first_at, last_at: of purchases, NaT where there was none
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
            SELECT customer, period, count(*) AS orders FROM (
                SELECT customer, min(period) AS period FROM part
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
        SELECT customer, period, coalesce(orders, 0)::INTEGER AS orders, first_at, last_at, amount,
            sold, on_discount, returned, coalesce(categories, 0)::INTEGER AS categories
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


def segment_sales(snapshot: Snapshot, labels: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Grouping x segment x product -> quantity, revenue (both net of returns) and customers who bought, before `as_of`.

    `labels` says each customer's segment in every grouping: customer_id, and a column a grouping. Service products are
    left out. The lines are read once: who shares all segments makes one cell, and the cells add up to the segments.
    """
    who, cells = _cells(labels)
    return snapshot.frame(
        """
        WITH line AS (
            SELECT customer, cell, product_id, quantity, amount, is_return
            FROM transaction_line JOIN who USING (customer_id) JOIN product USING (product_id)
            WHERE ordered_at < ? AND NOT is_service
        ), bought AS (
            SELECT cell, product_id, count(*) AS customers
            FROM (SELECT DISTINCT customer, cell, product_id FROM line WHERE NOT is_return) GROUP BY ALL
        ), sold AS (
            SELECT cell, product_id, sum(quantity) AS quantity, sum(amount) AS revenue FROM line GROUP BY ALL
        )
        SELECT grouping, segment, product_id, sum(quantity)::DOUBLE AS quantity, sum(revenue)::DOUBLE AS revenue,
            coalesce(sum(customers), 0)::BIGINT AS customers
        FROM sold LEFT JOIN bought USING (cell, product_id) JOIN cells USING (cell)
        GROUP BY ALL HAVING customers > 0 ORDER BY ALL
        """,
        [as_of],
        who=who,
        cells=cells,
    )


def trait_counts(snapshot: Snapshot, labels: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Grouping x segment x trait x stratum x value -> customers; a null value counts all whose trait is known.

    Traits are category and department (of purchases before `as_of`; not those of services alone), country, and each
    attribute of at most 30 values. Of purchases, customers who bought from about as many different values share one of
    up to 20 strata; the others have the stratum 0. `labels` as for `segment_sales`; lines are read once, and not at all
    where no product has a category or a department.
    """
    who, cells = _cells(labels)
    return snapshot.frame(
        f"""
        WITH named AS (
            SELECT product_id, is_service, unnest(['{CATEGORY}', '{DEPARTMENT}']) AS trait,
                unnest([category, department]) AS value
            FROM product
        ), term AS (
            SELECT trait, value, row_number() OVER ()::INTEGER AS term
            FROM (SELECT trait, value FROM named WHERE value <> '' GROUP BY ALL HAVING NOT bool_and(is_service))
        ), kind AS (
            SELECT product_id, terms, dense_rank() OVER (ORDER BY terms)::INTEGER AS kind
            FROM (
                SELECT product_id, list_sort(list(term)) AS terms FROM named JOIN term USING (trait, value) GROUP BY ALL
            )
        ), meaning AS (
            SELECT kind, unnest(terms) AS term FROM (SELECT DISTINCT kind, terms FROM kind)
        ), pair AS (
            SELECT DISTINCT customer, kind
            FROM transaction_line JOIN who USING (customer_id) JOIN kind USING (product_id)
            WHERE NOT is_return AND ordered_at < ?
        ), bought AS (
            SELECT DISTINCT customer, term, trait = '{CATEGORY}' AS is_category
            FROM pair JOIN meaning USING (kind) JOIN term USING (term)
        ), broad AS (
            SELECT customer, is_category, count(*) AS breadth FROM bought GROUP BY ALL
        ), stratum AS (
            SELECT is_category, breadth, floor({_STRATA} * coalesce(sum(customers) OVER narrower, 0)
                / sum(customers) OVER (PARTITION BY is_category))::SMALLINT AS stratum
            FROM (SELECT is_category, breadth, count(*) AS customers FROM broad GROUP BY ALL)
            WINDOW narrower AS (
                PARTITION BY is_category ORDER BY breadth ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            )
        ), buyer AS (
            SELECT customer, cell, is_category, stratum
            FROM broad JOIN stratum USING (is_category, breadth) JOIN who USING (customer)
        ), person AS (
            SELECT cell, '{COUNTRY}' AS trait, country AS value, count(*) AS customers
            FROM customer JOIN who USING (customer_id) WHERE country <> '' GROUP BY ALL
            UNION ALL
            SELECT cell, key || if(key IN ('{CATEGORY}', '{DEPARTMENT}', '{COUNTRY}'), ' (attribute)', ''),
                value ->> '$', sum(customers)
            FROM (
                SELECT cell, attributes::JSON AS attributes, count(*) AS customers
                FROM customer JOIN who USING (customer_id) WHERE attributes <> '{{}}' GROUP BY ALL
            ) AS alike, json_each(alike.attributes)
            WHERE type NOT IN ('NULL', 'ARRAY', 'OBJECT') GROUP BY ALL
        ), counted AS (
            SELECT cell, trait, stratum, value, count(*) AS customers
            FROM bought JOIN buyer USING (customer, is_category) JOIN term USING (term) GROUP BY ALL
            UNION ALL
            SELECT cell, if(is_category, '{CATEGORY}', '{DEPARTMENT}'), stratum, NULL, count(*) FROM buyer GROUP BY ALL
            UNION ALL
            SELECT cell, trait, 0, value, customers FROM person WHERE value <> ''
            UNION ALL
            SELECT cell, trait, 0, NULL, sum(customers) FROM person WHERE value <> '' GROUP BY ALL
        )
        SELECT grouping, segment, trait, stratum, value, sum(customers)::BIGINT AS customers
        FROM counted JOIN cells USING (cell)
        WHERE trait IN (
            SELECT trait FROM counted GROUP BY trait
            HAVING trait IN ('{CATEGORY}', '{DEPARTMENT}', '{COUNTRY}') OR count(DISTINCT value) <= {_MOST_VALUES}
        )
        GROUP BY ALL ORDER BY ALL
        """,
        [as_of],
        who=who,
        cells=cells,
    )


def _cells(labels: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customer -> number and cell; and cell x grouping -> segment, a cell being who shares the segments of each.

    Who has no segment in one grouping still counts in the others.
    """
    groupings = [column for column in labels.columns if column != "customer_id"]
    cell = labels.groupby(groupings, observed=True, sort=False, dropna=False).ngroup().to_numpy(np.int32)
    who = pd.DataFrame(
        {
            "customer_id": labels["customer_id"].to_numpy(),
            "customer": np.arange(len(labels), dtype=np.int32),
            "cell": cell,
        }
    )
    one_each = labels[groupings].assign(cell=cell).drop_duplicates("cell")
    segments = [
        one_each[["cell", name]].set_axis(["cell", "segment"], axis=1).assign(grouping=name) for name in groupings
    ]
    return who, pd.concat([frame.astype({"segment": object}).dropna() for frame in segments], ignore_index=True)


def purchases(snapshot: Snapshot, as_of: datetime) -> pd.DataFrame:
    """Customer x product x order_id -> ordered_at: what was bought before `as_of`, no returns, no services.

    Guests and what was given away (a price of 0) are left out. Ids are categories, so that millions of rows stay small.
    """
    frame = snapshot.frame(
        """
        SELECT customer_id, product_id, order_id, min(ordered_at) AS ordered_at
        FROM transaction_line
        JOIN product USING (product_id)
        WHERE customer_id IS NOT NULL AND ordered_at < ? AND NOT is_return AND quantity > 0
            AND unit_price > 0 AND NOT is_service
        GROUP BY customer_id, product_id, order_id
        ORDER BY customer_id, product_id, ordered_at, order_id
        """,
        [as_of],
    )
    return frame.astype(dict.fromkeys(("customer_id", "product_id", "order_id"), "category"))


def baskets(snapshot: Snapshot, as_of: datetime) -> pd.DataFrame:
    """Order_id x product_id: what was bought together before `as_of`, guests' orders too; no returns, no services.

    What was given away (a price of 0) is left out. Ids are categories.
    """
    frame = snapshot.frame(
        """
        SELECT DISTINCT order_id, product_id
        FROM transaction_line
        JOIN product USING (product_id)
        WHERE ordered_at < ? AND NOT is_return AND quantity > 0 AND unit_price > 0 AND NOT is_service
        ORDER BY order_id, product_id
        """,
        [as_of],
    )
    return frame.astype("category")


def products(snapshot: Snapshot, as_of: datetime) -> pd.DataFrame:
    """Product -> name, category, department, brand, price (the median before `as_of`, null before the first sale).

    Services are left out.
    """
    return snapshot.frame(
        """
        WITH sold AS (
            SELECT product_id, median(unit_price)::DOUBLE AS price FROM transaction_line
            WHERE ordered_at < ? AND NOT is_return AND unit_price > 0 GROUP BY product_id
        )
        SELECT product_id, name, category, department, brand, price
        FROM product LEFT JOIN sold USING (product_id) WHERE NOT is_service ORDER BY product_id
        """,
        [as_of],
    )


def customers(snapshot: Snapshot) -> pd.DataFrame:
    """Customer -> country and attributes (a JSON object as text)."""
    return snapshot.frame("SELECT customer_id, country, attributes FROM customer ORDER BY customer_id")
