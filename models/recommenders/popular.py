"""What most customers bought of late: the baseline every other recommender must beat."""

import numpy as np

from models.recommenders.base import Places, Recommender, Scores, Tick
from models.recommenders.training import Training
from models.wording import counted


class Popular(Recommender):
    """Score = customers who bought the product in the last `days` days; the same for everyone."""

    name = "popular"
    grid = tuple({"days": days} for days in (28, 14, 56, 90))

    def _fit(self, training: Training, tick: Tick) -> None:
        self._buyers = training.buyers(self.settings["days"]).astype(np.float32)
        tick()

    def _scores(self, rows: Places) -> Scores:
        return np.tile(self._buyers, (len(rows), 1))

    def _reasons(self, rows: Places, columns: Places) -> list[str]:
        buyers = self._buyers[columns].astype(int).tolist()
        return [
            f"{counted(number, 'customer')} bought it in the last {self.settings['days']} days" for number in buyers
        ]
