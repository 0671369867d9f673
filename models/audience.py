"""Whom to write to about a product: the customers likeliest to take to it, of those who never bought it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from db.columns import Columns as C
from models.recommenders.base import Recommender, place_among_equals

SIZE = 50
"""Customers a product at most."""


def audience(model: Recommender, candidates: Sequence[str]) -> pd.DataFrame:
    """Up to 50 customers for each of the candidates: product_id, rank (1 first), customer_id, score.

    Equal scores go to the smaller customer_id; customers who never bought anything are left out.
    """
    training = model.training
    row, column, score = model.likeliest(SIZE, candidates)
    products = training.products[C.PRODUCT_ID].to_numpy()[column]
    customers = training.customers[C.CUSTOMER_ID].to_numpy()[row]
    return pd.DataFrame(
        {
            C.PRODUCT_ID: products,
            C.RANK: place_among_equals(column) + 1,
            C.CUSTOMER_ID: customers,
            C.SCORE: score.astype(np.float64),
        }
    )
