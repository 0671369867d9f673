"""LightFM (Kula 2015) fitted with early stopping: as many epochs as rank best what was bought next.

The loss is WARP (Weston et al. 2011). It takes any value above 0 as the same yes, so what a pair counts is given as a
weight: the root of the sum of exp(-age / fading_days) over its purchases.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from lightfm import LightFM
from scipy import sparse

from db.columns import Columns as C
from models.metrics import by_customer
from models.recommenders.base import Places, Scores, Tick, best
from models.recommenders.content import Content
from models.recommenders.training import AGE, CUSTOMER, PRODUCT, Training

Floats = npt.NDArray[np.float32]

_LEARNING_RATE = 0.05
_WINDOW_DAYS = 28
_EPOCHS_A_CHECK = 3
_PATIENCE = 1
_MOST_TESTED = 2_000
_TREND_DAYS = 28
_K = 10
CHECKS = 8
"""The most looks at the validation window, one every three epochs."""
EPOCHS = 10
"""Where nothing can be validated: in a short history."""


@dataclass(frozen=True)
class Factors:
    """Of each feature a bias and factors, of customers and of products; the customers' biases move no ranking."""

    customers: Floats
    products: Floats
    product_biases: Floats
    epochs: int
    course: tuple[tuple[float, float], ...]
    """(seconds of training, NDCG@10 on the validation window) at each look."""


def fitted(
    training: Training, customers: Content, products: Content, settings: Mapping[str, Any], seed: int, tick: Tick
) -> Factors:
    """Factors of everything known, after the number of epochs that was best on the window held out.

    settings: factors, fading_days, max_sampled, trend (see `trend`), epochs (None to find the best). Ticks at each
    look.
    """
    epochs: int | None = settings["epochs"]
    course: tuple[tuple[float, float], ...] = ()
    if epochs is None:
        epochs, course = _searched(training, customers, products, settings, seed, tick)
    last = _Fit(training, customers, products, settings, seed)
    last.go_on(epochs)
    return Factors(
        last.model.user_embeddings,
        last.model.item_embeddings,
        last.model.item_biases,
        epochs,
        course,
    )


def trend(training: Training, weight: float) -> Floats:
    """weight x log(1 + buyers of the last 28 days) of each product.

    The factors of a year's purchases lag behind season and fashion.
    """
    return (weight * np.log1p(training.buyers(_TREND_DAYS))).astype(np.float32)


class _Fit:
    """One model on its way through the epochs."""

    def __init__(
        self, training: Training, customers: Content, products: Content, settings: Mapping[str, Any], seed: int
    ) -> None:
        self.customers, self.products = customers.matrix, products.matrix
        fading = np.exp(-training.purchases[AGE].to_numpy() / settings["fading_days"])
        self._weights = training.matrix(training.purchases, fading).sqrt().tocoo()
        self._weights.data = (self._weights.data / self._weights.data.mean()).astype(np.float32)
        ones = np.ones_like(self._weights.data)
        self._bought = sparse.coo_matrix((ones, (self._weights.row, self._weights.col)), self._weights.shape)
        self.model = LightFM(
            no_components=settings["factors"],
            loss="warp",
            learning_rate=_LEARNING_RATE,
            max_sampled=settings["max_sampled"],
            random_state=seed,
        )

    def go_on(self, epochs: int) -> None:
        self.model.fit_partial(
            self._bought,
            user_features=self.customers,
            item_features=self.products,
            sample_weight=self._weights,
            epochs=epochs,
            num_threads=1,  # a second thread would make the result depend on their timing
        )

    def scores(self, rows: Places) -> Scores:
        factors = self.customers[rows] @ self.model.user_embeddings
        scores: Scores = factors @ (self.products @ self.model.item_embeddings).T
        scores += self.products @ self.model.item_biases
        return scores


def held_out(training: Training) -> tuple[Training, pd.DataFrame]:
    """What was known 28 days (in a short history: a quarter of it) earlier, and what was bought new since.

    The second has customer_id and product_id, as row and column numbers, of at most 2,000 customers who had bought
    before; it is empty where nobody did.
    """
    days = min(_WINDOW_DAYS, training.purchases[AGE].max() / 4)
    earlier = training.purchases[training.purchases[AGE] > days]
    past = replace(
        training,
        at=training.at - timedelta(days=days),
        purchases=earlier.assign(**{AGE: earlier[AGE] - days}),
        before=None,
    )
    pairs = training.pairs.merge(past.pairs[[CUSTOMER, PRODUCT]], how="left", indicator=True)
    new = pairs[(pairs["_merge"] == "left_only") & pairs[CUSTOMER].isin(earlier[CUSTOMER].unique())]
    who = np.unique(new[CUSTOMER])
    tested = who[:: -(-len(who) // _MOST_TESTED)] if len(who) else who
    new = new[new[CUSTOMER].isin(tested)]
    return past, pd.DataFrame({C.CUSTOMER_ID: new[CUSTOMER], C.PRODUCT_ID: new[PRODUCT]})


def _searched(
    training: Training, customers: Content, products: Content, settings: Mapping[str, Any], seed: int, tick: Tick
) -> tuple[int, tuple[tuple[float, float], ...]]:
    """The best number of epochs on the window held out, and the course up to where it no longer rose."""
    past, new = held_out(training)
    if new.empty or past.purchases.empty:
        return EPOCHS, ()
    rows = np.unique(new[C.CUSTOMER_ID])
    now = trend(past, settings["trend"])
    fit = _Fit(past, customers, products, settings, seed)
    course: list[tuple[float, float]] = []
    seconds = 0.0
    while len(course) < CHECKS and len(course) - _best_of(course) <= _PATIENCE:
        began = perf_counter()
        fit.go_on(_EPOCHS_A_CHECK)
        seconds += perf_counter() - began
        scores = fit.scores(rows) + now
        past.restrict(scores, rows, "discover", None)
        places = best(scores, _K)
        lists = pd.DataFrame(
            {
                C.CUSTOMER_ID: np.repeat(rows, places.shape[1]),
                C.PRODUCT_ID: places.ravel(),
                C.RANK: np.tile(np.arange(1, places.shape[1] + 1), len(rows)),
            }
        )
        course.append((seconds, float(by_customer(lists, new, [_K])["ndcg", _K].mean())))
        tick()
    return _best_of(course) * _EPOCHS_A_CHECK, tuple(course)


def _best_of(course: list[tuple[float, float]]) -> int:
    """Which look, from 1, saw the best value, the first of equals; 0 before any."""
    return 1 + int(np.argmax([value for _, value in course])) if course else 0
