"""Whom to write to about a product: the customers likeliest to take to it, of those who never bought it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from db.columns import Columns as C
from models.recommenders.base import Recommender

SIZE = 50
"""Customers a product at most."""

_BLOCK = 1_000


def audience(model: Recommender, candidates: Sequence[str]) -> pd.DataFrame:
    """Up to 50 customers for each of the candidates: product_id, rank (1 first), customer_id, score.

    Equal scores go to the smaller customer_id. Customers who never bought anything are left out: nothing is known of
    them that speaks for one rather than another. A block of customers is taken at a time, and only the best are kept.
    """
    training = model.training
    rows = np.flatnonzero(training.bought.getnnz(axis=1))
    kept: pd.DataFrame | None = None
    for at in range(0, len(rows), _BLOCK):
        row, column, score = model.likely(rows[at : at + _BLOCK], SIZE, candidates)
        found = pd.DataFrame({C.PRODUCT_ID: column, C.CUSTOMER_ID: rows[row + at], C.SCORE: score.astype(np.float64)})
        found = found if kept is None else pd.concat([kept, found])
        found = found.sort_values([C.PRODUCT_ID, C.SCORE, C.CUSTOMER_ID], ascending=[True, False, True])
        kept = found[found.groupby(C.PRODUCT_ID).cumcount() < SIZE]
    if kept is None:
        return pd.DataFrame(columns=[C.PRODUCT_ID, C.RANK, C.CUSTOMER_ID, C.SCORE])
    return pd.DataFrame(
        {
            C.PRODUCT_ID: training.products[C.PRODUCT_ID].to_numpy()[kept[C.PRODUCT_ID]],
            C.RANK: kept.groupby(C.PRODUCT_ID).cumcount().to_numpy() + 1,
            C.CUSTOMER_ID: training.customers[C.CUSTOMER_ID].to_numpy()[kept[C.CUSTOMER_ID]],
            C.SCORE: kept[C.SCORE].to_numpy(),
        }
    )
