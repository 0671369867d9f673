"""Which settings of a recommender to take, by windows of the past that no test ever sees."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.columns import Columns as C
from models.evaluation import JUDGED, relevant
from models.metrics import by_customer
from models.recommenders.base import Recommender
from models.recommenders.training import Kind, Training

_K = JUDGED[1]

Tried = npt.NDArray[np.float64]
"""Settings of a grid, in its order, x customers of a window: NDCG@10."""


def windows_before(training: Training) -> list[tuple[Training, Training]]:
    """Every window of the past that was over at the training's moment: what was known before and after it."""
    found = []
    later = training
    while later.before is not None:
        found.append((later.before, later))
        later = later.before
    return found


def tried(recommender: type[Recommender], training: Training, after: pd.DataFrame, seed: int) -> Tried:
    """NDCG@10 of each of the recommender's settings, fitted on `training`, by what was bought `after` (and new to the
    customer, or bought before where the model makes no other lists).

    after: customer_id, product_id. Nothing is fitted where there is no choice, or nobody to judge by.
    """
    kind: Kind = "discover" if "discover" in recommender.kinds else "buy_again"
    sought = relevant(training, after, kind)
    if len(recommender.grid) == 1 or sought.empty:
        return np.zeros((len(recommender.grid), 0))
    customers = sorted(sought[C.CUSTOMER_ID].unique())
    found = []
    for settings in recommender.grid:
        lists = recommender(seed, **settings).fit(training).recommend(customers, _K, kind)
        found.append(by_customer(lists, sought, (_K,))[JUDGED].to_numpy(float))
    return np.array(found)


def tuned(recommender: type[Recommender], windows: Sequence[Tried]) -> Mapping[str, Any]:
    """The settings of its `grid` with the best mean over all customers of the windows; equal ones go to the first."""
    together = np.concatenate([np.zeros((len(recommender.grid), 0)), *windows], axis=1)
    best: int = np.argmax(together.sum(axis=1)).item()
    return recommender.grid[best]
