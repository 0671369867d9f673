"""What is bought together: association rules between two products, counted over all orders."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from db.columns import Columns as C

MEASURES = (C.BASKETS, C.SUPPORT, C.CONFIDENCE, C.LIFT, C.LEVERAGE)

_FEWEST = 10
_SHARE = 0.0001
_CONFIDENCE = 0.05
_RULES = 20
_BLOCK = 500


@dataclass(frozen=True)
class Together:
    """Rules "who buys the product buys the other", and what they rest on.

    rules: product_id, other_product_id, baskets (with both), support, confidence, lift, leverage; by product, the
    strongest lift first.
    """

    baskets: int
    """Orders counted."""
    floor: int
    """The fewest orders that must have both."""
    left_out: int
    """Products bought in fewer orders than that, which therefore have no rules."""
    rules: pd.DataFrame


def together(baskets: pd.DataFrame, products: pd.DataFrame, floor: int | None = None) -> Together:
    """Rules with a lift above 1 and a confidence of at least 5%, at most 20 a product.

    `baskets` has order_id and product_id, one row each, as categories; `products` has product_id and name. A rule needs
    ten orders that have both, or one in 10,000 where that is more, unless `floor` says otherwise: fewer are chance.
    Between two products of one name there is no rule. No rules, and no error, where nothing was bought.

    For products A and B in n orders: support = n(A and B) / n, confidence = n(A and B) / n(A), lift = confidence /
    (n(B) / n), leverage = support - n(A) n(B) / n^2. Agrawal, Imielinski and Swami (1993), Mining association rules
    between sets of items in large databases; leverage: Piatetsky-Shapiro (1991). The counts are a product of sparse
    matrices; FP-growth finds the very same pairs, in far more time and memory.
    """
    orders, bought = baskets[C.ORDER_ID].cat, baskets[C.PRODUCT_ID].cat
    count = len(orders.categories)
    floor = max(_FEWEST, int(np.ceil(_SHARE * count))) if floor is None else floor
    ones = np.ones(len(baskets), dtype=np.int32)
    matrix: sparse.csr_matrix = sparse.csr_matrix(
        (ones, (orders.codes, bought.codes)), shape=(count, len(bought.categories))
    )
    popular = np.flatnonzero(np.asarray(matrix.sum(axis=0)).ravel() >= floor)
    ids = bought.categories.to_numpy(object)[popular]
    blocks = list(_blocks(matrix[:, popular], count, floor, name_numbers(products, ids)))
    found = pd.concat([_NO_RULES, *blocks], ignore_index=True)
    for side in (C.PRODUCT_ID, C.OTHER_PRODUCT_ID):
        found[side] = ids[found[side].to_numpy(np.intp)]
    return Together(count, floor, len(bought.categories) - len(popular), found)


def product_pairs(rules: pd.DataFrame, similar: pd.DataFrame) -> pd.DataFrame:
    """The table product_pair: what is bought together (`Together.rules`) beside what is alike.

    `similar` has product_id, other_product_id, similarity. One row a pair that either has, in ascending id; what only
    the other one knows is null.
    """
    keys = [C.PRODUCT_ID, C.OTHER_PRODUCT_ID]
    pairs = rules.merge(similar[[*keys, C.SIMILARITY]], on=keys, how="outer", sort=True)
    return pairs.astype({C.BASKETS: "Int64"})


def name_numbers(products: pd.DataFrame, ids: npt.NDArray[np.object_]) -> npt.NDArray[np.intp]:
    """A number for each product, the same for those of one name, capitals and blanks aside.

    `products` has product_id and name; who has no name shares it with nobody.
    """
    names = products.set_index(C.PRODUCT_ID)[C.NAME].reindex(ids)
    folded = names.map(lambda name: " ".join(name.casefold().split()), na_action="ignore")
    numbers = pd.factorize(folded)[0]
    return np.where(numbers < 0, len(ids) + np.arange(len(ids)), numbers)


_NO_RULES = pd.DataFrame(
    {
        C.PRODUCT_ID: np.array([], dtype=np.intp),
        C.OTHER_PRODUCT_ID: np.array([], dtype=np.intp),
        C.BASKETS: np.array([], dtype=np.int64),
        **{measure: np.array([], dtype=np.float64) for measure in MEASURES[1:]},
    }
)


def _blocks(matrix: sparse.csr_matrix, count: int, floor: int, names: npt.NDArray[np.intp]) -> Iterator[pd.DataFrame]:
    """The rules of a block of products at a time, the products as columns of the matrix (orders x products)."""
    columns = matrix.tocsc()
    orders_of = np.diff(columns.indptr)
    for at in range(0, matrix.shape[1], _BLOCK):
        both = (columns[:, at : at + _BLOCK].T @ matrix).tocoo()
        enough = (both.data >= floor) & (names[both.row + at] != names[both.col])
        product, other, baskets = both.row[enough] + at, both.col[enough], both.data[enough].astype(np.int64)
        confidence = baskets / orders_of[product]
        lift = confidence * count / orders_of[other]
        rules = pd.DataFrame(
            {
                C.PRODUCT_ID: product,
                C.OTHER_PRODUCT_ID: other,
                C.BASKETS: baskets,
                C.SUPPORT: baskets / count,
                C.CONFIDENCE: confidence,
                C.LIFT: lift,
                C.LEVERAGE: baskets / count - orders_of[product] / count * (orders_of[other] / count),
            }
        )[(lift > 1) & (confidence >= _CONFIDENCE)]
        rules = rules.sort_values(
            [C.PRODUCT_ID, C.LIFT, C.BASKETS, C.OTHER_PRODUCT_ID], ascending=[True, False, False, True]
        )
        yield rules[rules.groupby(C.PRODUCT_ID).cumcount() < _RULES]
