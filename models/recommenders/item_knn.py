"""Products with the same buyers: Deshpande and Karypis, Item-based top-N recommendation algorithms (2004)."""

import numpy as np
from scipy import sparse

from models.recommenders.base import Places, Scores, Tick
from models.recommenders.evidence import largest, weights
from models.recommenders.linear import Linear
from models.recommenders.training import Training

_BLOCK = 1_000


class ItemKNN(Linear):
    """Likeness = a . b / (|a| |b| + shrinkage) of two products' weighted purchases.

    A product's score comes from its `neighbours` most alike products alone, so that those bought by everyone do not
    fill all lists.
    Without shrinkage it is the cosine; the more, the less a likeness that rests on few customers counts (Ferrari
    Dacrema et al. 2019, arXiv:1907.06902).
    """

    name = "item_knn"
    grid = tuple(
        {"neighbours": neighbours, "shrinkage": 20, "fading_days": fading}
        for fading in (60, 90, None)
        for neighbours in (100, 300)
    )

    def _fit(self, training: Training, tick: Tick) -> None:
        self._purchases = weights(training, self.settings["fading_days"]).T.tocsr()
        self._lengths = np.sqrt(np.asarray(self._purchases.multiply(self._purchases).sum(axis=1)).ravel())
        every = np.arange(len(training.products))
        nearest = [self._nearest(every[at : at + _BLOCK]) for at in range(0, len(every), _BLOCK)]
        self._learned(training, sparse.vstack(nearest).T.tocsr())
        tick()

    def _similarities(self, columns: Places) -> Scores:
        shared = (self._purchases[columns] @ self._purchases.T).toarray()
        alike: Scores = shared / (np.outer(self._lengths[columns], self._lengths) + self.settings["shrinkage"])
        return alike

    def _nearest(self, columns: Places) -> sparse.csr_matrix:
        alike = self._similarities(columns)
        alike[np.arange(len(columns)), columns] = 0
        return largest(alike, self.settings["neighbours"])
