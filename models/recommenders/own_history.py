"""What the customer buys again: their own orders of a product, fading with the days since the last."""

import numpy as np

from models.recommenders.base import Places, Recommender, Scores, Tick
from models.recommenders.evidence import shop
from models.recommenders.training import AGE, ORDERS, Training
from models.wording import counted

_TIE = 1e-3  # of at most 1 share: less than a day's fading


class OwnHistory(Recommender):
    """Score = orders of the product x exp(-days since the last / fading_days); no opinion on what they never bought.

    Without fading (None) the orders alone count. Products of one order are equals; among them go first what the shop's
    customers buy of late.
    """

    name = "own_history"
    grid = tuple({"fading_days": fading} for fading in (180, 90, 360, None))
    kinds = ("buy_again", "any")

    def _fit(self, training: Training, tick: Tick) -> None:
        pairs = training.pairs
        fading = np.exp(-pairs[AGE] / (self.settings["fading_days"] or np.inf))
        self._weights = training.matrix(pairs, (pairs[ORDERS] * fading).to_numpy(dtype=np.float32))
        self._shop = _TIE * shop(training)
        self._orders = training.matrix(pairs, pairs[ORDERS].to_numpy())
        self._days = training.matrix(pairs, pairs[AGE].to_numpy().astype(int))
        tick()

    def _scores(self, rows: Places) -> Scores:
        weights = self._weights[rows].toarray()
        scores: Scores = np.where(weights > 0, weights + self._shop, -np.inf)
        return scores

    def _reasons(self, rows: Places, columns: Places) -> list[str]:
        orders = np.asarray(self._orders[rows, columns]).ravel().tolist()
        days = np.asarray(self._days[rows, columns]).ravel().tolist()
        return [_reason(count, age) for count, age in zip(orders, days, strict=True)]


def _reason(orders: int, days: int) -> str:
    last = "today" if days == 0 else f"{counted(days, 'day')} ago"
    return f"Bought once, {last}" if orders == 1 else f"Bought {orders} times, last {last}"
