"""The published lists of offers as the rules of a view leave them: for a customer, for those in view, for segments."""

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa

from db.conditions import ANY, Condition
from db.drill import Grouping
from db.filters import Filters
from db.offer_rules import LIST_LENGTH, OfferRules
from db.queries.consent import WholeList, agreed, refused
from db.remembered import remembered
from db.snapshot import Snapshot
from settings import Consent

KINDS = ("discover", "buy_again")
MOST_OFFERED = 12
PER_SEGMENT = 5
WHOLE_LIST = ("customer_id", "kind", "rank", "product_id", "product", "category", "reason", "score")
"""The columns of the lists as they are downloaded."""

_AT_ONCE = 20_000
_OFFERED = "kind IN ('discover', 'buy_again')"
_NAMED = "(SELECT product_id, name, category FROM product)"


def for_customer(snapshot: Snapshot, customer_id: str, rules: OfferRules) -> pd.DataFrame:
    """Both lists of one customer, of at most ten: kind, rank, product_id, name, category, score, reason, parts (JSON or
    None), because_product_id, because_name and because_at (when they last bought it); empty for a stranger."""
    lists = _lists(snapshot, rules, Condition("customer_id = ?", (customer_id,)))
    return snapshot.frame(
        f"""
        WITH list AS ({lists.sql}), bought AS (
            SELECT product_id AS because_product_id, max(ordered_at) AS because_at
            FROM sale JOIN (SELECT product_no, product_id FROM goods) USING (product_no)
            WHERE customer_no = (SELECT customer_no FROM buyer WHERE customer_id = ?) AND NOT is_return
            GROUP BY product_id
        ), because AS (SELECT product_id AS because_product_id, name AS because_name FROM product)
        SELECT kind, rank, product_id, coalesce(name, product_id) AS name, category, score, reason, parts,
            because_product_id, coalesce(because_name, because_product_id) AS because_name, because_at
        FROM list LEFT JOIN {_NAMED} USING (product_id) LEFT JOIN because USING (because_product_id)
        LEFT JOIN bought USING (because_product_id) ORDER BY kind, rank
        """,
        (*lists.values, customer_id),
    )


@remembered
def for_customers(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """What is offered most to the customers the filters leave, at most twelve products a kind.

    Gives kind, product_id, name, category, customers (how many have it on their list of ten), share of all customers in
    view, and the mean rank; most customers first.
    """
    chosen, lists = _of_view(snapshot, filters)
    return snapshot.frame(
        f"""
        WITH chosen AS MATERIALIZED ({chosen.sql}), top AS (
            SELECT kind, product_id, count(*) AS customers, count(*) / (SELECT count(*) FROM chosen) AS share,
                avg(rank) AS mean_rank
            FROM ({lists.sql}) GROUP BY kind, product_id
            QUALIFY row_number() OVER (PARTITION BY kind ORDER BY customers DESC, mean_rank, product_id) <= ?
        )
        SELECT kind, product_id, coalesce(name, product_id) AS name, category, customers, share, mean_rank
        FROM top LEFT JOIN {_NAMED} USING (product_id) ORDER BY kind, customers DESC, mean_rank, product_id
        """,
        (*chosen.values, *lists.values, MOST_OFFERED),
    )


@remembered
def shortened(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """What the rules do to the lists of the customers in view: kind, lists, shorter (of fewer than without the rules),
    emptied (of these, with nothing left)."""
    chosen, lists = _of_view(snapshot, filters)
    if not filters.rules.narrow:
        return snapshot.frame(
            f"WITH chosen AS MATERIALIZED ({chosen.sql}) SELECT kind, count(*) AS lists, 0 AS shorter, 0 AS emptied "
            f"FROM ({lists.sql}) WHERE rank = 1 GROUP BY kind ORDER BY kind",
            (*chosen.values, *lists.values),
        )
    return snapshot.frame(
        f"""
        WITH chosen AS MATERIALIZED ({chosen.sql}), stored AS (
            SELECT customer_id, kind, count(*) AS before FROM recommendation
            WHERE {_OFFERED} AND rank <= {LIST_LENGTH} AND customer_id IN (FROM chosen) GROUP BY ALL
        ), kept AS (
            SELECT customer_id, kind, count(*) AS after FROM ({lists.sql}) GROUP BY ALL
        )
        SELECT kind, count(*) AS lists, count(*) FILTER (coalesce(after, 0) < before) AS shorter,
            count(*) FILTER (after IS NULL) AS emptied
        FROM stored LEFT JOIN kept USING (customer_id, kind) GROUP BY kind ORDER BY kind
        """,
        (*chosen.values, *lists.values),
    )


def for_segments(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """What is offered most in each segment of the filters' grouping, whatever else is filtered: segment, product_id,
    name, category, customers, share (of the segment), at most five products that are new to their customers."""
    return _for_segments(snapshot, filters.by, filters.rules)


@remembered
def _for_segments(snapshot: Snapshot, by: Grouping, rules: OfferRules) -> pd.DataFrame:
    grouping = {"segment": "segment", "rfm_group": "rfm_group", "alternative": "alternative"}[by]
    lists = _lists(snapshot, rules, Condition("kind = 'discover'"))
    return snapshot.frame(
        f"""
        WITH member AS MATERIALIZED (SELECT customer_id, {grouping} AS segment FROM known), top AS (
            SELECT segment, product_id, count(*) AS customers
            FROM ({lists.sql}) JOIN member USING (customer_id) WHERE segment IS NOT NULL
            GROUP BY segment, product_id
            QUALIFY row_number() OVER (PARTITION BY segment ORDER BY customers DESC, product_id) <= ?
        )
        SELECT segment, product_id, coalesce(name, product_id) AS name, category, customers, customers / size AS share
        FROM top JOIN (SELECT segment, count(*) AS size FROM member GROUP BY segment) USING (segment)
        LEFT JOIN {_NAMED} USING (product_id) ORDER BY segment, customers DESC, product_id
        """,
        (*lists.values, PER_SEGMENT),
    )


def whole_lists(snapshot: Snapshot, filters: Filters, consent: Consent) -> WholeList:
    """Every list of the customers in view who may be contacted, by customer, kind and rank.

    Some customers are taken at a time, so that memory does not grow with their number.
    """
    everybody, lists = _of_view(snapshot, filters, whole=False)

    def counted(what: str, chosen: Condition) -> int:
        sql = f"WITH chosen AS MATERIALIZED ({chosen.sql}) SELECT {what} FROM ({lists.sql})"
        return int(snapshot.scalar(sql, (*chosen.values, *lists.values)))

    chosen = everybody & agreed(consent)
    missing = counted("count(DISTINCT customer_id)", everybody & refused(consent))
    return WholeList(counted("count(*)", chosen), _by_customers(snapshot, filters.rules, chosen), missing)


def _by_customers(snapshot: Snapshot, rules: OfferRules, chosen: Condition) -> Iterator[pa.RecordBatch]:
    ids = snapshot.frame(f"{chosen.sql} ORDER BY customer_id", chosen.values)["customer_id"].to_list()
    for at in range(0, len(ids), _AT_ONCE):
        part = ids[at : at + _AT_ONCE]
        near = Condition("customer_id BETWEEN ? AND ?", (part[0], part[-1]))  # finds the few parts of the file to read
        lists = _lists(snapshot, rules, near & Condition("customer_id IN (SELECT unnest(?::VARCHAR[]))", (part,)))
        sql = f"""
            SELECT {", ".join(WHOLE_LIST)}
            FROM ({lists.sql}) LEFT JOIN (SELECT product_id, name AS product, category FROM product) USING (product_id)
            ORDER BY customer_id, kind, rank
        """
        yield from snapshot.batches(sql, lists.values)


def customer_ids(snapshot: Snapshot, typed: str, limit: int = 20) -> list[str]:
    """Ids of segmented customers that start with what was typed, shortest first."""
    frame = snapshot.frame(
        "SELECT customer_id FROM known WHERE starts_with(customer_id, ?) "
        "ORDER BY length(customer_id), customer_id LIMIT ?",
        (typed, limit),
    )
    return list(frame["customer_id"])


def allowed(snapshot: Snapshot, rules: OfferRules) -> list[str]:
    """The products that the rules let be offered."""
    goods = snapshot.frame("SELECT product_id, category FROM product ORDER BY product_id")
    keep = ~goods["category"].isin(rules.without)
    if rules.by_sales:
        sold = goods.merge(_sold(snapshot, Filters()), on="product_id", how="left")
        keep &= sold["buyers"].fillna(0) >= rules.buyers
        keep &= sold["price"].ge(rules.low) if rules.low is not None else True
        keep &= sold["price"].le(rules.high) if rules.high is not None else True
    return list(goods.loc[keep, "product_id"])


@remembered
def _sold(snapshot: Snapshot, _: Filters) -> pd.DataFrame:
    """product_id, price (the median at which it sold), buyers; of what ever sold."""
    return snapshot.frame(
        "SELECT product_id, price, buyers FROM (SELECT product_no, median(unit_price)::DOUBLE AS price, "
        "count(DISTINCT customer_no) AS buyers FROM sale WHERE NOT is_return AND unit_price > 0 GROUP BY product_no) "
        "JOIN goods USING (product_no)"
    )


def _of_view(snapshot: Snapshot, filters: Filters, *, whole: bool = True) -> tuple[Condition, Condition]:
    """The customers the filters leave; and their lists, which name the first relation `chosen`.

    `whole`: where everybody is left, all lists are taken without asking whose each is, which would cost the most.
    """
    where = filters.on_customers()
    chosen = Condition(f"SELECT customer_id FROM known WHERE {where.sql}", where.values)
    everybody = whole and where == ANY and snapshot.run_id is None
    return chosen, _lists(snapshot, filters.rules, ANY if everybody else Condition("customer_id IN (FROM chosen)"))


def _lists(snapshot: Snapshot, rules: OfferRules, where: Condition) -> Condition:
    """The first ten of each list that pass the rules, ranked anew, of the rows of `recommendation` that `where` leaves.

    The columns are those of `recommendation`.
    """
    stored = f"recommendation WHERE {_OFFERED} AND {where.sql}"
    if not rules.narrow:
        return Condition(f"SELECT * FROM {stored} AND rank <= {LIST_LENGTH}", where.values)
    cap = Condition("")
    if rules.per_category:
        number = "row_number() OVER (PARTITION BY customer_id, kind, category ORDER BY rank)"
        cap = Condition(f"QUALIFY category IS NULL OR {number} <= ?", (rules.per_category,))
    sql = f"""
        SELECT * EXCLUDE place REPLACE (place AS rank) FROM (
            SELECT *, row_number() OVER (PARTITION BY customer_id, kind ORDER BY rank) AS place FROM (
                SELECT recommendation.* FROM recommendation JOIN (
                    SELECT product_id, category FROM product WHERE product_id IN (SELECT unnest(?::VARCHAR[]))
                ) USING (product_id) WHERE {_OFFERED} AND {where.sql} {cap.sql}
            )
        ) WHERE place <= {LIST_LENGTH}
    """
    return Condition(sql, (allowed(snapshot, rules), *where.values, *cap.values))
