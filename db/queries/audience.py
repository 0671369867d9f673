"""One product as an offer: what it is, whom to write to about it, what is bought with it and what is like it."""

import pandas as pd

from db.conditions import Condition
from db.filters import Filters
from db.offer_rules import LIST_LENGTH
from db.queries.consent import WholeList, agreed, refused
from db.snapshot import Snapshot
from settings import Consent

WHOLE_AUDIENCE = (
    *("product_id", "product", "rank", "customer_id", "segment", "reason", "score"),
    *("last_ordered_at", "frequency", "monetary", "clv"),
)
"""The columns of an audience as it is downloaded."""


def matching(snapshot: Snapshot, typed: str, limit: int = 20) -> pd.DataFrame:
    """Products whose name holds what was typed or whose id starts with it, in any case: product_id, name.

    An id that is typed in full comes first, then products with an audience, then by name.
    """
    return snapshot.frame(
        """
        SELECT product_id, coalesce(name, product_id) AS name FROM product
        LEFT JOIN (SELECT DISTINCT product_id, true AS is_offered FROM product_audience) USING (product_id)
        WHERE NOT is_service AND (contains(lower(name), lower(?)) OR starts_with(lower(product_id), lower(?)))
        ORDER BY lower(product_id) = lower(?) DESC, is_offered IS NULL, name, product_id LIMIT ?
        """,
        (typed, typed, typed, limit),
    )


def product(snapshot: Snapshot, product_id: str) -> pd.Series | None:
    """A product and how it sells: product_id, name, category, department, brand, is_service, price (the median at which
    it sold), buyers, orders, revenue (net), last_ordered_at, and on how many lists of ten it stands: discover,
    buy_again. None where there is no such product."""
    frame = snapshot.frame(
        f"""
        WITH sold AS (
            SELECT median(unit_price) FILTER (NOT is_return AND unit_price > 0)::DOUBLE AS price,
                count(DISTINCT customer_no) FILTER (NOT is_return) AS buyers,
                count(DISTINCT order_no) FILTER (NOT is_return) AS orders,
                coalesce(sum(amount), 0)::DOUBLE AS revenue, max(ordered_at) FILTER (NOT is_return) AS last_ordered_at
            FROM sale WHERE product_no = (SELECT product_no FROM goods WHERE product_id = ?)
        ), listed AS (
            SELECT count(*) FILTER (kind = 'discover') AS discover, count(*) FILTER (kind = 'buy_again') AS buy_again
            FROM recommendation WHERE product_id = ? AND rank <= {LIST_LENGTH}
        )
        SELECT product_id, coalesce(name, product_id) AS name, category, department, brand, is_service,
            sold.*, listed.*
        FROM (FROM product WHERE product_id = ?), sold, listed
        """,
        (product_id, product_id, product_id),
    )
    return None if frame.empty else frame.iloc[0]


def is_known(snapshot: Snapshot, product_id: str) -> bool:
    """Whether the shop has a product of this id."""
    return bool(snapshot.scalar("SELECT EXISTS (FROM product WHERE product_id = ?)", (product_id,)))


def has_audiences(snapshot: Snapshot) -> bool:
    """Whether the published run tells for any product whom to write to."""
    return bool(snapshot.scalar("SELECT EXISTS (FROM product_audience)"))


def has_pairs(snapshot: Snapshot) -> bool:
    """Whether the published run tells for any product what goes with it."""
    return bool(snapshot.scalar("SELECT EXISTS (FROM product_pair)"))


def size(snapshot: Snapshot, product_id: str) -> int:
    """How many customers the product's audience has, whatever is filtered."""
    return int(snapshot.scalar("SELECT count(*) FROM product_audience WHERE product_id = ?", (product_id,)))


def audience(snapshot: Snapshot, filters: Filters, product_id: str) -> pd.DataFrame:
    """Whom to write to about a product, of the customers the filters leave: the columns of `WHOLE_AUDIENCE`, the
    likeliest first."""
    found = _audience(filters.on_customers(), product_id)
    return snapshot.frame(found.sql, found.values)


def whole_audience(snapshot: Snapshot, filters: Filters, product_id: str, consent: Consent) -> WholeList:
    """The same for a download, of those who may be contacted."""
    where = filters.on_customers()
    found, others = (_audience(where & of, product_id) for of in (agreed(consent), refused(consent)))
    total, missing = (
        int(snapshot.scalar(f"SELECT count(*) FROM ({part.sql})", part.values)) for part in (found, others)
    )
    return WholeList(total, snapshot.batches(found.sql, found.values), missing)


def _audience(where: Condition, product_id: str) -> Condition:
    sql = f"""
        WITH target AS (FROM product_audience WHERE product_id = ?), known AS (
            SELECT customer_id, segment, last_ordered_at, frequency, monetary::DOUBLE AS monetary, clv
            FROM known
            WHERE customer_id IN (SELECT customer_id FROM target) AND {where.sql}
        )
        SELECT {", ".join(WHOLE_AUDIENCE)} FROM target JOIN known USING (customer_id)
        LEFT JOIN (SELECT product_id, name AS product FROM product) USING (product_id) ORDER BY rank
    """
    return Condition(sql, (product_id, *where.values))


def pairs(snapshot: Snapshot, product_id: str) -> pd.DataFrame:
    """What is bought with a product and what is like it: product_id, name, category; baskets, support, confidence,
    lift and leverage (null where there is no rule), similarity (null where they are not alike)."""
    return snapshot.frame(
        """
        SELECT other_product_id AS product_id, coalesce(name, other_product_id) AS name, category, baskets, support,
            confidence, lift, leverage, similarity
        FROM (FROM product_pair WHERE product_id = ?)
        LEFT JOIN (SELECT product_id AS other_product_id, name, category FROM product) USING (other_product_id)
        ORDER BY lift DESC NULLS LAST, similarity DESC NULLS LAST, other_product_id
        """,
        (product_id,),
    )
