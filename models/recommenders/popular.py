"""What most customers bought of late: the baseline every other recommender must beat."""

import numpy as np

from models.recommenders.base import Places, Recommender, Scores, Tick
from models.recommenders.training import Training
from models.wording import counted

_DAYS = 28


class Popular(Recommender):
    """Score = customers who bought the product in the last 28 days; the same for everyone."""

    name = "popular"

    def _fit(self, training: Training, tick: Tick) -> None:
        self._buyers = training.buyers(_DAYS).astype(np.float64)
        tick()

    def _scores(self, rows: Places) -> Scores:
        return np.tile(self._buyers, (len(rows), 1))

    def _reasons(self, rows: Places, columns: Places) -> list[str]:
        buyers = self._buyers[columns].astype(int).tolist()
        return [f"{counted(number, 'customer')} bought it in the last {_DAYS} days" for number in buyers]
