"""The one contract of all recommenders: `fit` once, then lists of one shape. A model's file holds its mathematics."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.columns import Columns as C
from models.recommenders.training import Training

Scores = npt.NDArray[np.floating]
Places = npt.NDArray[np.intp]
Tick = Callable[[], None]

_BLOCK = 1_000


class Recommender(ABC):
    """Scores every customer x candidate product; `seed` fixes whatever is random in it."""

    name: ClassVar[str]
    steps: ClassVar[int] = 1
    """How often `fit` ticks."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._training: Training | None = None

    @property
    def training(self) -> Training:
        """What it was fitted on. Raises RuntimeError before `fit`."""
        if self._training is None:
            raise RuntimeError(f"{type(self).__name__} is asked for recommendations before it was fitted.")
        return self._training

    def fit(self, training: Training, tick: Tick = lambda: None) -> Self:
        """Learn; calls `tick` after each of its `steps`."""
        self._fit(training, tick)
        self._training = training
        return self

    def recommend(self, customers: Sequence[str], k: int, *, discover: bool) -> pd.DataFrame:
        """The best k products a customer: customer_id, product_id, score, rank (1 is best), in the order asked.

        With `discover` only products the customer never bought. Fewer than k where there are fewer candidates or the
        model has no opinion; equal scores go to the smaller product_id. Raises KeyError for a customer who was not in
        the training.
        """
        training = self.training
        rows = pd.Index(training.customers[C.CUSTOMER_ID]).get_indexer(list(customers))
        if (rows < 0).any():
            raise KeyError(f"{(rows < 0).sum()} of the customers were not in the training.")
        blocks = [self._block(rows[at : at + _BLOCK], k, discover) for at in range(0, max(len(rows), 1), _BLOCK)]
        return pd.concat(blocks, ignore_index=True)

    def reasons(self, recommended: pd.DataFrame) -> list[str]:
        """Why each row of `recommend` stands there: one sentence from the evidence the model has."""
        if recommended.empty:
            return []
        training = self.training
        rows = pd.Index(training.customers[C.CUSTOMER_ID]).get_indexer(recommended[C.CUSTOMER_ID])
        columns = pd.Index(training.products[C.PRODUCT_ID]).get_indexer(recommended[C.PRODUCT_ID])
        return self._reasons(rows, columns)

    @abstractmethod
    def _fit(self, training: Training, tick: Tick) -> None: ...

    @abstractmethod
    def _scores(self, rows: Places) -> Scores:
        """A new array, customers of the rows x all products; -inf where the model has no opinion."""

    @abstractmethod
    def _reasons(self, rows: Places, columns: Places) -> list[str]: ...

    def _block(self, rows: Places, k: int, discover: bool) -> pd.DataFrame:
        training = self.training
        scores = self._scores(rows)
        if discover:
            scores[training.bought[rows].nonzero()] = -np.inf
        columns = best(scores, k)
        chosen = np.take_along_axis(scores, columns, axis=1)
        row, rank = np.isfinite(chosen).nonzero()
        return pd.DataFrame(
            {
                C.CUSTOMER_ID: training.customers[C.CUSTOMER_ID].to_numpy()[rows[row]],
                C.PRODUCT_ID: training.products[C.PRODUCT_ID].to_numpy()[columns[row, rank]],
                C.SCORE: chosen[row, rank].astype(np.float64),
                C.RANK: rank + 1,
            }
        )


def best(scores: Scores, k: int) -> Places:
    """The places of each row's k largest scores, largest first; equal scores in ascending place.

    >>> best(np.array([[1.0, 3.0, 2.0, 3.0]]), 3).tolist()
    [[1, 3, 2]]
    """
    k = min(k, scores.shape[1])
    places: Places = np.sort(np.argpartition(-scores, k - 1, axis=1)[:, :k], axis=1)
    chosen = np.take_along_axis(scores, places, axis=1)
    tied = (scores >= chosen.min(axis=1, keepdims=True)).sum(axis=1) > k  # the partition cut among equals
    places = np.take_along_axis(places, np.argsort(-chosen, axis=1, kind="stable"), axis=1)
    places[tied] = np.argsort(-scores[tied], axis=1, kind="stable")[:, :k]
    return places
