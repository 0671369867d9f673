"""What customers alike bought: Herlocker et al., An Algorithmic Framework for Collaborative Filtering (1999)."""

import numpy as np
from scipy import sparse
from sklearn.preprocessing import normalize

from models.recommenders.base import Places, Recommender, Scores, Tick
from models.recommenders.evidence import TIE, largest, shop, weights
from models.recommenders.training import Training
from models.wording import counted

_CELLS = 20_000_000
"""Likenesses of customers held in memory at once."""


class UserKNN(Recommender):
    """Score = sum over the nearest customers of cosine x weight of their purchase.

    Customers are near by the cosine of their weighted purchases; the customer's own do not count.
    """

    name = "user_knn"
    grid = tuple({"neighbours": size, "fading_days": fading} for fading in (90, 60, None) for size in (100, 50))

    def _fit(self, training: Training, tick: Tick) -> None:
        self._weights = weights(training, self.settings["fading_days"])
        self._directions = normalize(self._weights)
        self._shop = shop(training)
        tick()

    def _scores(self, rows: Places) -> Scores:
        scores: Scores = (self._nearest(rows) @ self._weights).toarray() + TIE * self._shop
        return scores

    def _reasons(self, rows: Places, columns: Places) -> list[str]:
        customers, places = np.unique(rows, return_inverse=True)
        nearest = self._nearest(customers)
        sizes = nearest.getnnz(axis=1)[places].tolist()
        buyers = (nearest > 0).astype(np.int64) @ self.training.bought.astype(np.int64)
        theirs = np.asarray(buyers[places, columns]).ravel().tolist()
        return [
            f"Bought by {number:,} of the {counted(size, 'customer')} most like them"
            for number, size in zip(theirs, sizes, strict=True)
        ]

    def _nearest(self, rows: Places) -> sparse.csr_matrix:
        """Rows x all customers: the cosine of each one's nearest."""
        at_once = max(1, _CELLS // len(self.training.customers))
        parts = [self._nearest_of(rows[at : at + at_once]) for at in range(0, max(len(rows), 1), at_once)]
        nearest: sparse.csr_matrix = sparse.vstack(parts, format="csr")
        return nearest

    def _nearest_of(self, rows: Places) -> sparse.csr_matrix:
        alike = (self._directions[rows] @ self._directions.T).toarray()
        alike[np.arange(len(rows)), rows] = 0
        return largest(alike, self.settings["neighbours"])
