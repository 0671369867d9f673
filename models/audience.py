"""Whom to write to about a product: the customers likeliest to take to it, of those who never bought it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from db.columns import Columns as C
from models.recommenders.base import Recommender

SIZE = 50
"""Customers a product at most."""


def audience(model: Recommender, candidates: Sequence[str]) -> pd.DataFrame:
    """Up to 50 customers for each of the candidates: product_id, rank (1 first), customer_id, score.

    Equal scores go to the smaller customer_id; customers who never bought anything are left out.
    """
    training = model.training
    row, column, score = model.likeliest(SIZE, candidates)
    products = training.products[C.PRODUCT_ID].to_numpy()[column]
    found = pd.DataFrame(
        {C.PRODUCT_ID: products, C.CUSTOMER_ID: training.customers[C.CUSTOMER_ID].to_numpy()[row], C.SCORE: score}
    )
    return found.assign(**{C.RANK: found.groupby(C.PRODUCT_ID).cumcount() + 1}).astype({C.SCORE: np.float64})
