"""Whom to write to about a product, against all customers sorted."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.columns import Columns as C
from models import audience as module
from models.audience import audience
from models.recommenders import base
from models.recommenders.base import Recommender
from models.recommenders.hybrid import Hybrid
from models.recommenders.item_knn import ItemKNN
from models.recommenders.popular import Popular
from models.recommenders.ranker import Ranker
from models.recommenders.training import AGE, CUSTOMER, ORDER, PRODUCT, Training
from tests.two_tastes import COLD, known
from tests.unit.test_lists import Given

COLUMNS = [C.PRODUCT_ID, C.RANK, C.CUSTOMER_ID, C.SCORE]


def sorted_out(model: Recommender, candidates: list[str], size: int) -> pd.DataFrame:
    """The table from the scores of all customers for all products."""
    bought = model.training.bought
    ids = model.training.customers[C.CUSTOMER_ID]
    who = [customer for customer, products in zip(ids, bought.getnnz(axis=1), strict=True) if products]
    rows = model.recommend(who, bought.shape[1], "discover", candidates)
    rows = rows.sort_values([C.PRODUCT_ID, C.SCORE, C.CUSTOMER_ID], ascending=[True, False, True])
    rows[C.RANK] = rows.groupby(C.PRODUCT_ID).cumcount() + 1
    return rows.loc[rows[C.RANK] <= size, COLUMNS].reset_index(drop=True)


@pytest.mark.parametrize("recommender", [ItemKNN, Hybrid, Popular, Ranker])
def test_it_is_the_best_of_all_customers(recommender: type[Recommender], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_BLOCK", 11)
    monkeypatch.setattr(module, "SIZE", 6)
    model = recommender(42).fit(known())
    candidates = model.training.products[C.PRODUCT_ID].tolist()[::4]
    found = audience(model, candidates)
    pd.testing.assert_frame_equal(found, sorted_out(model, candidates, 6), rtol=1e-5, check_dtype=False)
    assert COLD not in set(found[C.CUSTOMER_ID]), "nothing is known of who never bought"


@settings(max_examples=50)
@given(st.integers(0, 1_000), st.integers(1, 9), st.integers(1, 90))
def test_it_is_the_best_of_all_customers_whatever_the_scores(seed: int, size: int, block: int) -> None:
    random = np.random.default_rng(seed)
    scores = random.choice([-np.inf, 0, 1, 2], (80, 5))
    who, what = (random.random((80, 5)) < 0.3).nonzero()
    shop = Training(
        datetime.fromisoformat("2024-07-01"),
        pd.DataFrame({C.CUSTOMER_ID: [f"c{number:02}" for number in range(80)]}),
        pd.DataFrame({C.PRODUCT_ID: [f"p{number}" for number in range(5)]}),
        pd.DataFrame({CUSTOMER: who, PRODUCT: what, ORDER: 0, AGE: 1.0}),
    )
    model = Given(scores).fit(shop)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "_BLOCK", block)
        patch.setattr(module, "SIZE", size)
        found = audience(model, ["p0", "p2", "p4"])
    pd.testing.assert_frame_equal(found, sorted_out(model, ["p0", "p2", "p4"], size), check_dtype=False)
