"""Models whose score is a sum over the customer's purchases: weight of the purchase x likeness of the two products."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from db.columns import Columns as C
from models.recommenders.base import Explanation, Places, Recommender, Scores
from models.recommenders.evidence import TIE, because, nearest_own, shop, weights
from models.recommenders.training import Training


class Linear(Recommender):
    """Scores = weighted purchases @ likeness, exact to explain; `_fit` of a model finds the likeness.

    Setting `fading_days`: a purchase weighs exp(-days since / fading_days), or 1 where that is None.
    """

    def _learned(self, training: Training, likeness: npt.NDArray[np.float32] | sparse.csr_matrix) -> None:
        """Keep what `_fit` found: products (bought) x products (to list), nothing on the diagonal."""
        self._weights = weights(training, self.settings["fading_days"])
        self._likeness = likeness
        self._shop = shop(training)

    def _scores(self, rows: Places) -> Scores:
        return _dense(self._weights[rows] @ self._likeness) + TIE * self._shop

    def of_purchases(self, purchases: sparse.csr_matrix) -> Scores:
        """Scores of all products from other purchases than those of the training: any rows x products."""
        return _dense(purchases @ self._likeness)

    def _reasons(self, rows: Places, columns: Places) -> list[str]:
        return because(self.training, columns, nearest_own(self.training, rows, columns, self._amounts))

    def _explain(self, row: int, column: int) -> Explanation:
        (amounts,) = self._amounts(np.array([row]), np.array([column]))
        own = amounts.nonzero()[0]
        own = own[np.argsort(-amounts[own], kind="stable")]
        names = self.training.products[C.NAME].fillna(self.training.products[C.PRODUCT_ID]).to_numpy()
        parts = [(f"Bought {names[product]}", float(amounts[product])) for product in own]
        parts.append(("Popular now", TIE * float(self._shop[column])))
        return Explanation(sum(amount for _, amount in parts), tuple(parts))

    def _amounts(self, rows: Places, columns: Places) -> Scores:
        """What each purchase (all products) adds to the score of the product in each row's column."""
        amounts: Scores = self._weights[rows].toarray() * _dense(self._likeness[:, columns]).T
        return amounts


def _dense(matrix: Any) -> Scores:
    array: Scores = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
    return array
