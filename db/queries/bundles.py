"""Rules of baskets as a list: who buys the one product buys the other, how often, and how much more than usual."""

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa

from db.conditions import Condition
from db.grid import ColumnKind, GridRequest
from db.offer_rules import OfferRules
from db.snapshot import Snapshot

COLUMNS: dict[str, ColumnKind] = {
    **dict.fromkeys(("product_id", "product", "category"), "text"),
    **dict.fromkeys(("other_product_id", "other_product", "other_category"), "text"),
    **dict.fromkeys(("lift", "confidence", "support", "leverage", "baskets"), "number"),
}
"""What the list shows, and may be sorted and filtered by."""

_KEY = "product_id, other_product_id"


def are_there(snapshot: Snapshot) -> bool:
    """Whether the published run found any rule."""
    return bool(snapshot.scalar("SELECT EXISTS (FROM product_pair WHERE baskets IS NOT NULL)"))


def page(snapshot: Snapshot, rules: OfferRules, request: GridRequest) -> tuple[pd.DataFrame, int]:
    """One page of the list and the number of rules on all pages."""
    relation = _rules(rules)
    values = (*relation.values, *request.where.values)
    total = snapshot.scalar(request.count_sql(relation.sql), values)
    return snapshot.frame(request.sql(relation.sql, _KEY), values), int(total)


def whole_list(snapshot: Snapshot, rules: OfferRules, request: GridRequest) -> tuple[int, Iterator[pa.RecordBatch]]:
    """Every rule that the least support and lift, and the grid, leave: how many, and the batches."""
    relation = _rules(rules)
    values = (*relation.values, *request.where.values)
    total = snapshot.scalar(request.count_sql(relation.sql), values)
    everything = GridRequest(rows=None, order=request.order, where=request.where)
    return int(total), snapshot.batches(everything.sql(relation.sql, _KEY), values)


def strongest(snapshot: Snapshot, rules: OfferRules, limit: int) -> pd.DataFrame:
    """The rules that hold most beyond chance (by leverage), rows of the list; of two ways round the surer one."""
    relation = _rules(rules)
    return snapshot.frame(
        f"""
        SELECT * FROM ({relation.sql})
        QUALIFY row_number() OVER (
            PARTITION BY least(product_id, other_product_id), greatest(product_id, other_product_id)
            ORDER BY confidence DESC, product_id
        ) = 1
        ORDER BY leverage DESC, lift DESC, {_KEY} LIMIT ?
        """,
        (*relation.values, limit),
    )


def _rules(rules: OfferRules) -> Condition:
    sql = f"""
        SELECT {", ".join(COLUMNS)} FROM (
            SELECT * FROM product_pair WHERE baskets IS NOT NULL AND support >= ? AND lift >= ?
        )
        LEFT JOIN (SELECT product_id, coalesce(name, product_id) AS product, category FROM product) USING (product_id)
        LEFT JOIN (
            SELECT product_id AS other_product_id, coalesce(name, product_id) AS other_product,
                category AS other_category
            FROM product
        ) USING (other_product_id)
    """
    return Condition(sql, (rules.support, rules.lift))
