"""Weighted factors of who bought what: Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback (2008)."""

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from models.recommenders.base import Places, Recommender, Scores, Tick
from models.recommenders.evidence import TIE, because, nearest_own, shop, weights
from models.recommenders.training import Training


class Als(Recommender):
    """Score = customer factors . product factors, by the package `implicit` with conjugate gradients.

    The confidence in a purchase is 1 + alpha x its weight (1, or exp(-days since / fading_days)); in all else it is 1.
    """

    name = "als"
    grid = tuple(
        {"factors": factors, "alpha": alpha, "regularisation": regularisation, "iterations": 15, "fading_days": fading}
        for factors, alpha, regularisation, fading in (
            (64, 3, 20, 90),
            (128, 3, 20, 90),
            (64, 10, 50, 90),
            (64, 1, 10, None),
        )
    )

    def _fit(self, training: Training, tick: Tick) -> None:
        confidence = weights(training, self.settings["fading_days"])
        confidence.data = 1 + self.settings["alpha"] * confidence.data
        with threadpool_limits(1, "blas"):  # sums of several threads differ from run to run, and are slower
            model = AlternatingLeastSquares(
                factors=self.settings["factors"],
                regularization=self.settings["regularisation"],
                iterations=self.settings["iterations"],
                num_threads=1,
                random_state=self.seed,
            )
            model.fit(confidence, show_progress=False)
        self._customer_factors, self._product_factors = model.user_factors, model.item_factors
        lengths = np.linalg.norm(self._product_factors, axis=1, keepdims=True)
        self._directions = self._product_factors / np.where(lengths > 0, lengths, 1)
        self._shop = shop(training)
        tick()

    def _scores(self, rows: Places) -> Scores:
        scores: Scores = self._customer_factors[rows] @ self._product_factors.T + TIE * self._shop
        return scores

    def _similarities(self, columns: Places) -> Scores:
        alike: Scores = self._directions[columns] @ self._directions.T
        return alike

    def _reasons(self, rows: Places, columns: Places) -> list[str]:
        nearest = nearest_own(self.training, rows, columns, lambda _, products: self._similarities(products))
        return because(self.training, columns, nearest)
