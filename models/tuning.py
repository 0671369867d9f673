"""Which settings of a recommender to take, by a window of the past that no test ever sees."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from db.columns import Columns as C
from models.evaluation import JUDGED, relevant
from models.metrics import by_customer
from models.recommenders.base import Recommender
from models.recommenders.training import Kind, Training

_METRIC, _K = JUDGED


def tuned(recommender: type[Recommender], training: Training, after: pd.DataFrame, seed: int) -> Mapping[str, Any]:
    """The settings of its `grid` with the best mean NDCG@10 when fitted on `training` and judged by what came `after`.

    after: customer_id, product_id of a window before every window of the test. Judged by products new to the customer,
    or by those bought before where the model makes no other lists; equal settings go to the first. Nothing is fitted
    where there is no choice, or nobody to judge by: the default stands.
    """
    kind: Kind = "discover" if "discover" in recommender.kinds else "buy_again"
    sought = relevant(training, after, kind)
    if len(recommender.grid) == 1 or sought.empty:
        return recommender.grid[0]
    customers = sorted(sought[C.CUSTOMER_ID].unique())
    found = []
    for settings in recommender.grid:
        lists = recommender(seed, **settings).fit(training).recommend(customers, _K, kind)
        found.append(by_customer(lists, sought, (_K,))[JUDGED].mean())
    return recommender.grid[found.index(max(found))]
