"""LightFM (Kula 2015) fitted with early stopping: the epoch is kept that ranks best what was bought next.

The loss is WARP (Weston et al. 2011). It takes any value above 0 as the same yes, so what a pair counts is given as a
weight: the root of the sum of exp(-age / fading_days) over its purchases.
"""

from collections.abc import Mapping
from copy import deepcopy
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
_SHORTEST_DAYS = 7
_K = 10
_MOST_STEPS = 4_000_000
_EPOCHS_AFTER = 6
_EPOCHS_UNTESTED = 10
_QUICK_STEPS = 1_000_000
CHECKS = 8
"""The most looks at the validation window, one every three epochs; fewer where those would take over 4 M steps."""


@dataclass(frozen=True)
class Factors:
    """Of each feature a bias and factors, of customers and of products; the customers' biases move no ranking."""

    customers: Floats
    products: Floats
    product_biases: Floats
    course: tuple[tuple[float, float], ...]
    """(seconds of training, NDCG@10 on the validation window) at each look."""


def fitted(
    training: Training, customers: Content, products: Content, settings: Mapping[str, Any], seed: int, tick: Tick
) -> Factors:
    """Factors of the epoch that was best on the window held out, trained on for six epochs with everything known.

    settings: factors, fading_days, max_sampled, trend and newness (weights, see there), quick (on everything known at
    once, at most ten epochs and 1 M steps), epochs (as many on everything known; None to find the best). Ticks at each
    look. Where nothing can be held out there are ten epochs.
    """
    epochs: int | None = settings["epochs"]
    if settings["quick"]:
        epochs = int(np.clip(_QUICK_STEPS // training.bought.nnz, 1, _EPOCHS_UNTESTED))
    model: LightFM | None = None
    course: tuple[tuple[float, float], ...] = ()
    if epochs is None:
        model, course = _best_epoch(training, customers, products, settings, seed, tick)
        epochs = _EPOCHS_AFTER if course else _EPOCHS_UNTESTED
    last = _Fit(training, customers, products, settings, model or _untrained(settings, seed))
    last.go_on(epochs)
    return Factors(last.model.user_embeddings, last.model.item_embeddings, last.model.item_biases, course)


def trend(training: Training, weight: float) -> Floats:
    """weight x log(1 + buyers of the last 28 days) of each product: factors of a year lag behind the season.

    What was first sold within these days counts at its pace since then, over a week at least.
    """
    first = training.purchases.groupby(PRODUCT)[AGE].max()
    days = first.reindex(range(len(training.products)), fill_value=_TREND_DAYS).to_numpy(dtype=np.float64)
    pace = training.buyers(_TREND_DAYS) * _TREND_DAYS / days.clip(_SHORTEST_DAYS, _TREND_DAYS)
    logs: Floats = np.log1p(pace).astype(np.float32) * np.float32(weight)
    return logs


def newness(training: Training, fading_days: float, weight: float) -> Floats:
    """-weight x log(1 - exp(-days / fading_days)), for each product's days since it was first sold, a week at least.

    The part in brackets is the share of all fading purchases that could have been made since then: a product's bias
    and factors know it as that much rarer than it is. Next to nothing for what was sold all along.
    """
    first = training.purchases.groupby(PRODUCT)[AGE].max()
    days = first.reindex(range(len(training.products)), fill_value=np.inf).to_numpy(dtype=np.float64)
    share = -np.expm1(-days.clip(_SHORTEST_DAYS) / fading_days)
    amounts: Floats = (-weight * np.log(share)).astype(np.float32)
    return amounts


class _Fit:
    """One model on its way through the epochs."""

    def __init__(
        self, training: Training, customers: Content, products: Content, settings: Mapping[str, Any], model: LightFM
    ) -> None:
        self.customers, self.products = customers.matrix, products.matrix
        fading = np.exp(-training.purchases[AGE].to_numpy() / settings["fading_days"])
        self._weights = training.matrix(training.purchases, fading).sqrt().tocoo()
        self._weights.data = (self._weights.data / self._weights.data.mean()).astype(np.float32)
        ones = np.ones_like(self._weights.data)
        self._bought = sparse.coo_matrix((ones, (self._weights.row, self._weights.col)), self._weights.shape)
        self.model = model

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


def _untrained(settings: Mapping[str, Any], seed: int) -> LightFM:
    return LightFM(
        no_components=settings["factors"],
        loss="warp",
        learning_rate=_LEARNING_RATE,
        max_sampled=settings["max_sampled"],
        random_state=seed,
    )


def _best_epoch(
    training: Training, customers: Content, products: Content, settings: Mapping[str, Any], seed: int, tick: Tick
) -> tuple[LightFM | None, tuple[tuple[float, float], ...]]:
    """The model as it was at its best on the window held out, and the course until it rose no more."""
    past, new = held_out(training)
    if new.empty:
        return None, ()
    rows = np.unique(new[C.CUSTOMER_ID])
    now = trend(past, settings["trend"]) + newness(past, settings["fading_days"], settings["newness"])
    fit = _Fit(past, customers, products, settings, _untrained(settings, seed))
    most = np.clip(_MOST_STEPS // (_EPOCHS_A_CHECK * past.bought.nnz), 1, CHECKS)
    course: list[tuple[float, float]] = []
    kept = fit.model
    seconds = 0.0
    while len(course) < most and len(course) - _best_of(course) <= _PATIENCE:
        began = perf_counter()
        fit.go_on(_EPOCHS_A_CHECK)
        seconds += perf_counter() - began
        scores = fit.scores(rows) + now
        past.restrict(scores, rows, "discover", None)
        course.append((seconds, _ndcg(best(scores, _K), rows, new)))
        if _best_of(course) == len(course):
            kept = deepcopy(fit.model)
        tick()
    return kept, tuple(course)


def _ndcg(places: Places, rows: Places, new: pd.DataFrame) -> float:
    """Of lists of products, one for each row, as `held_out` names both."""
    lists = pd.DataFrame(
        {
            C.CUSTOMER_ID: np.repeat(rows, places.shape[1]),
            C.PRODUCT_ID: places.ravel(),
            C.RANK: np.tile(np.arange(1, places.shape[1] + 1), len(rows)),
        }
    )
    return float(by_customer(lists, new, [_K])["ndcg", _K].mean())


def _best_of(course: list[tuple[float, float]]) -> int:
    """Which look, from 1, saw the best value, the first of equals; 0 before any."""
    return 1 + int(np.argmax([value for _, value in course])) if course else 0
