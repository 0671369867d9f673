"""What LightFM with and without features share: the score, likeness, its exact split, and the words for a reason."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.columns import Columns as C
from models.recommenders.base import Explanation, Places, Recommender, Scores, Tick
from models.recommenders.content import Content
from models.recommenders.lightfm_fit import CHECKS, fitted, newness, trend
from models.recommenders.training import Training
from models.wording import counted

_BLOCK = 1_000
PURCHASES, POPULAR, TREND, NEW = "Their purchases", "Popular over time", "Popular now", "New in the shop"


class Factorised(Recommender):
    """Score = product bias + dot product of the summed factors of the features + what sells of late + what is new.

    The customer's bias, which moves all products alike, is left out.
    """

    steps: ClassVar[int] = CHECKS + 1
    course: tuple[tuple[float, float], ...] = ()
    """(seconds of training, NDCG@10 on the validation window) at each look, once it is fitted."""

    @abstractmethod
    def _content(self, training: Training) -> tuple[Content, Content]:
        """The features of customers and of products."""

    def _fit(self, training: Training, tick: Tick) -> None:
        self._customers, self._products = self._content(training)
        self._of = fitted(training, self._customers, self._products, self.settings, self.seed, tick)
        self.course = self._of.course
        self._customer_factors = self._customers.matrix @ self._of.customers
        self._product_factors = self._products.matrix @ self._of.products
        self._trend = trend(training, self.settings["trend"])
        self._newness = newness(training, self.settings["fading_days"], self.settings["newness"])
        self._biases = self._products.matrix @ self._of.product_biases + self._trend + self._newness
        for _ in range(self.steps - len(self.course)):
            tick()

    def _scores(self, rows: Places) -> Scores:
        scores: Scores = self._customer_factors[rows] @ self._product_factors.T
        scores += self._biases
        return scores

    def _similarities(self, columns: Places) -> Scores:
        directions = _directions(self._product_factors)
        alike: Scores = directions[columns] @ directions.T
        return alike

    def _explain(self, row: int, column: int) -> Explanation:
        """Each pair of a customer's and a product's feature adds the dot product of their factors.

        It is put down to the customer's trait; where that is their own id, to the product's trait; and between both
        ids to their purchases.
        """
        mine, theirs = self._customers.matrix[row], self._products.matrix[column]
        factors = self._of.customers[mine.indices] * mine.data[:, None]
        amounts = factors.astype(np.float64) @ (self._of.products[theirs.indices] * theirs.data[:, None]).T
        my_labels, their_labels = _labels(mine.indices, self._customers), _labels(theirs.indices, self._products)
        pairs = [
            (my or their or PURCHASES, amounts[i, j])
            for i, my in enumerate(my_labels)
            for j, their in enumerate(their_labels)
        ]
        pairs.append((POPULAR, float(self._of.product_biases[theirs.indices].astype(np.float64) @ theirs.data)))
        pairs += [(TREND, float(self._trend[column])), (NEW, float(self._newness[column]))]
        sums = pd.DataFrame(pairs, columns=["label", "amount"]).groupby("label")["amount"].sum()
        parts = tuple((str(label), float(sums[label])) for label in sums.sort_values(ascending=False).index)
        return Explanation(float(sums.sum()), tuple(part for part in parts if part[1]))

    def _reasons(self, rows: Places, columns: Places) -> list[str]:
        """The own product with the nearest factors (cosine), of another name where there is one, else with its id.

        For who has none alike, how many bought the product.
        """
        products = self.training.products
        ids = products[C.PRODUCT_ID].to_numpy()
        names = products[C.NAME].fillna(products[C.PRODUCT_ID]).to_numpy()
        kinds = pd.factorize(names)[0]
        buyers = self.training.buyers()
        directions = _directions(self._product_factors)
        reasons = []
        for at in range(0, len(rows), _BLOCK):
            mine, theirs = rows[at : at + _BLOCK], columns[at : at + _BLOCK]
            alike = np.where(self.training.bought[mine].toarray(), directions[theirs] @ directions.T, -2)
            alike[np.arange(len(theirs)), theirs] = -2  # a product is no reason for itself
            alike[alike <= 0] = -2
            alike[kinds[theirs][:, None] == kinds] -= 1  # behind every product of another name
            nearest = alike.argmax(axis=1)
            found = alike.max(axis=1, initial=-2) > -1
            reasons += [
                f"Close to {names[own]}{f' ({ids[own]})' if kinds[own] == kinds[product] else ''}, which they bought"
                if is_found
                else f"Bought by {counted(buyers[product], 'customer')}"
                for own, product, is_found in zip(nearest, theirs, found, strict=True)
            ]
        return reasons


def _labels(features: npt.NDArray[np.integer], of: Content) -> list[str | None]:
    """Of each feature of a row the name of its trait; None for the id."""
    ids = of.matrix.shape[0]
    return [of.labels[feature - ids] if feature >= ids else None for feature in features]


def _directions(factors: Scores) -> Scores:
    lengths = np.linalg.norm(factors, axis=1, keepdims=True)
    return factors / np.where(lengths > 0, lengths, 1)
