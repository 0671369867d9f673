"""What the customer buys again: their own orders of a product, fading with the days since the last."""

import numpy as np

from models.recommenders.base import Places, Recommender, Scores, Tick
from models.recommenders.training import AGE, ORDERS, Training
from models.wording import counted

_FADING_DAYS = 180


class OwnHistory(Recommender):
    """Score = orders of the product x exp(-days since the last / 180); no opinion on what they never bought."""

    name = "own_history"
    kinds = ("buy_again", "any")

    def _fit(self, training: Training, tick: Tick) -> None:
        pairs = training.pairs
        self._weights = training.matrix(pairs, (pairs[ORDERS] * np.exp(-pairs[AGE] / _FADING_DAYS)).to_numpy())
        self._orders = training.matrix(pairs, pairs[ORDERS].to_numpy())
        self._days = training.matrix(pairs, pairs[AGE].to_numpy().astype(int))
        tick()

    def _scores(self, rows: Places) -> Scores:
        weights: Scores = self._weights[rows].toarray()
        weights[weights == 0] = -np.inf
        return weights

    def _reasons(self, rows: Places, columns: Places) -> list[str]:
        orders = np.asarray(self._orders[rows, columns]).ravel().tolist()
        days = np.asarray(self._days[rows, columns]).ravel().tolist()
        return [_reason(count, age) for count, age in zip(orders, days, strict=True)]


def _reason(orders: int, days: int) -> str:
    last = "today" if days == 0 else f"{counted(days, 'day')} ago"
    return f"Bought once, {last}" if orders == 1 else f"Bought {orders} times, last {last}"
