"""The second stage: trees that learn from what happened between two moments how much each signal is worth.

Candidates and their signals as of the earlier moment, whether each was bought until the later one: from these pairs
gradient boosted trees (Friedman 2001, in scikit-learn's histogram form) learn the log-odds of a purchase. The same
signals as of the later moment then give the scores. Products new to the customer and those bought before are learnt
apart, for other things decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.recommenders.base import (
    Explanation,
    Flags,
    Places,
    Recommender,
    Scores,
    Tick,
    in_blocks,
    place_among_equals,
)
from models.recommenders.contributions import Contributions
from models.recommenders.ease import Ease
from models.recommenders.fits import Fits
from models.recommenders.hybrid import Hybrid
from models.recommenders.inputs import Inputs, Teller, direction
from models.recommenders.own_history import OwnHistory
from models.recommenders.signals import Signals
from models.recommenders.training import CUSTOMER, PRODUCT, Kind, Training

LISTS: tuple[Kind, ...] = ("discover", "buy_again")

_WINDOWS = 2
_START = "Every candidate"
_LEARNING = 6.0
"""Learning rate x iterations: with fewer trees each has to learn more."""
_FEWEST = 10
_LEARNERS = 20_000
"""Customers learnt from at most: more would say the same again."""
_REMEMBERED = 128
"""Blocks of customers whose scores are kept, each kind of its own: lists and audiences are made of the same."""


_Scored = tuple[Places, Places, Scores]
"""Places of customers among those asked for, places of products, and the scores of the pairs."""


@dataclass(frozen=True)
class _Learnt:
    """What was learnt of one kind of list; no model where next to nothing was bought: other models stand in."""

    model: HistGradientBoostingClassifier | None
    contributions: Contributions | None
    labels: tuple[str, ...]
    """The groups of inputs, in the order of the contributions."""
    left_out: float
    """The logarithm of the share of candidates nobody bought that was learnt from."""

    def scores(self, values: npt.NDArray[np.float32]) -> Scores:
        """Log-odds a row of inputs; of those left out in learning a share as large is put back."""
        if self.model is None or not len(values):
            return np.zeros(len(values))
        scores: Scores = self.model.decision_function(values) + self.left_out
        return scores


class Ranker(Recommender):
    """Score = log-odds, within a window as long as the one learnt from, that the customer buys the product.

    Settings: `iterations`, and how much is `kept` of the candidates nobody bought: the others say the same again. It
    has an opinion on candidates alone (see `Teller.inputs`); `fits` shares the models below with who fits them too.
    Learns from the window before the training, and where there is one from the window before that. `fit` raises
    NotEnoughDataError for a training without an earlier one.
    """

    name = "ranker"
    steps = _WINDOWS + 1 + len(LISTS)
    grid = ({"iterations": 200, "kept": 0.25},)

    def __init__(self, seed: int, fits: Fits | None = None, **settings: Any) -> None:
        super().__init__(seed, **settings)
        self._fits = fits or Fits(seed)
        self._remembered: dict[tuple[Kind, bytes, bytes], _Scored] = {}

    def _fit(self, training: Training, tick: Tick) -> None:
        if training.before is None:
            raise NotEnoughDataError(
                "The ranker learns from what customers bought after an earlier moment, and the history is too short "
                "for one; load a longer one, or hold out fewer days with --holdout-days."
            )
        told: dict[Kind, list[tuple[Inputs, npt.NDArray[np.bool_]]]] = {kind: [] for kind in LISTS}
        later: Training = training
        earlier: Training | None = training.before
        for _ in range(_WINDOWS):
            if earlier is not None:
                examples = self._examples(earlier, later)
                for kind, pairs in told.items():
                    pairs.append(examples[kind])
                later, earlier = earlier, earlier.before
            tick()
        self._teller = self._teller_of(training)
        tick()
        self._learnt: dict[Kind, _Learnt] = {}
        for kind, pairs in told.items():
            self._learnt[kind] = self._learn(pairs)
            tick()

    def _teller_of(self, training: Training) -> Teller:
        return self._fits.once("teller", training, lambda: Teller(Signals(training, self._fits)))

    def _examples(self, earlier: Training, later: Training) -> dict[Kind, tuple[Inputs, npt.NDArray[np.bool_]]]:
        """Of each kind the candidates of the earlier moment, and which were bought until the later one."""
        teller, since = self._teller_of(earlier), _bought_since(earlier, later)
        return self._fits.once("examples", earlier, lambda: _examples(teller, since, self.seed))

    def _learn(self, pairs: Sequence[tuple[Inputs, npt.NDArray[np.bool_]]]) -> _Learnt:
        names, groups = np.unique(pairs[0][0].labels, return_inverse=True)
        random = np.random.default_rng(self.seed)
        kept = [wanted | (random.random(len(wanted)) < self.settings["kept"]) for _, wanted in pairs]
        values = np.concatenate([inputs.values[some] for (inputs, _), some in zip(pairs, kept, strict=True)])
        values[:, np.isnan(values).all(axis=0)] = 0  # what nobody knows has no bins
        wanted = np.concatenate([flags[some] for (_, flags), some in zip(pairs, kept, strict=True)])
        if min(wanted.sum(), (~wanted).sum()) < _FEWEST:
            return _Learnt(None, None, tuple(names), 0.0)
        model = HistGradientBoostingClassifier(
            max_iter=self.settings["iterations"],
            learning_rate=_LEARNING / self.settings["iterations"],
            max_leaf_nodes=15,
            min_samples_leaf=int(np.clip(len(wanted) / 1_000, 20, 100)),
            l2_regularization=30,
            max_features=0.3,
            monotonic_cst=[direction(name) for name in pairs[0][0].names],
            early_stopping=False,
            random_state=self.seed,
        )
        model.fit(values, wanted)
        return _Learnt(model, Contributions(model, groups), tuple(names), float(np.log(self.settings["kept"])))

    def _scored(self, rows: Places, kind: Kind, allowed: Flags | None) -> _Scored:
        """All candidates of customers (places in the training) for a list of a kind, and their scores."""
        key = rows.tobytes(), b"" if allowed is None else allowed.tobytes()
        found = self._remembered.get((kind, *key))
        if found is None:
            is_room = len(self._remembered) < _REMEMBERED
            kinds = LISTS if is_room else (kind,)  # the other kind will be asked for too
            told = self._teller.inputs(rows, kinds, allowed)
            scored = {
                one: (told[one].rows, told[one].columns, self._learnt[one].scores(told[one].values)) for one in kinds
            }
            if is_room:
                self._remembered |= {(one, *key): scores for one, scores in scored.items()}
            found = scored[kind]
        return found

    def likely(self, rows: Places, k: int, candidates: Sequence[str] | None = None) -> _Scored:
        """As the contract says, of the candidates of these customers: a product may come to fewer than k of them."""
        return self._scored(rows, "discover", self._allowed(candidates))

    def parts(
        self, recommended: Mapping[Kind, pd.DataFrame], candidates: Sequence[str]
    ) -> dict[Kind, list[dict[str, float]]]:
        """What the score of each row (customer_id, product_id) is the sum of: label -> amount, the largest first.

        Kinds and `candidates` as they were recommended with. Nothing for customers who never bought: LightFM lists for
        them.
        """
        allowed = self._allowed(candidates)
        wanted = {kind: self._places(frame) for kind, frame in recommended.items()}
        active = np.flatnonzero(self.training.bought.getnnz(axis=1) > 0)
        asked = np.intersect1d(active, np.concatenate([np.zeros(0, np.intp), *(rows for rows, _ in wanted.values())]))
        named: dict[Kind, list[dict[str, float]]] = {kind: [{} for _ in rows] for kind, (rows, _) in wanted.items()}
        for of_block in in_blocks(asked, lambda block: self._parts(block, wanted, allowed)):
            for kind, (places, amounts) in of_block.items():
                for place, row in zip(places.tolist(), amounts, strict=True):
                    named[kind][place] = self._named(self._learnt[kind], row)
        return named

    def _parts(
        self, block: Places, wanted: Mapping[Kind, tuple[Places, Places]], allowed: Flags | None
    ) -> dict[Kind, tuple[Places, npt.NDArray[np.float64]]]:
        """Of each kind which of the wanted pairs are of customers of the block, and their contributions."""
        found: dict[Kind, tuple[Places, npt.NDArray[np.float64]]] = {}
        size = len(self.training.products)
        for kind, inputs in self._teller.inputs(block, tuple(wanted), allowed).items():
            rows, columns = wanted[kind]
            inside = np.flatnonzero(np.isin(rows, block))
            contributions = self._learnt[kind].contributions
            if contributions is not None and len(inside):
                keys = inputs.rows * size + inputs.columns  # ascending: candidates stand in the order of their places
                sought = np.searchsorted(block, rows[inside]) * size + columns[inside]
                found[kind] = inside, contributions.of(inputs.values[np.searchsorted(keys, sought)])
        return found

    def _places(self, frame: pd.DataFrame) -> tuple[Places, Places]:
        """Of each row (customer_id, product_id) the places in the training."""
        products = pd.Index(self.training.products[C.PRODUCT_ID]).get_indexer(frame[C.PRODUCT_ID])
        return self._rows(frame[C.CUSTOMER_ID]), products

    def _named(self, learnt: _Learnt, amounts: npt.NDArray[np.float64]) -> dict[str, float]:
        start = learnt.contributions.start + learnt.left_out if learnt.contributions is not None else 0.0
        named = {_START: start, **dict(zip(learnt.labels, amounts.tolist(), strict=True))}
        return dict(sorted(named.items(), key=lambda part: -abs(part[1])))

    def _explain(self, row: int, column: int) -> Explanation | None:
        kind: Kind = "buy_again" if self.training.held[row, column] else "discover"
        inputs = self._teller.inputs(np.array([row]), (kind,), None)[kind]
        places = np.flatnonzero(inputs.columns == column)
        learnt = self._learnt[kind]
        cold = self.training.bought.indptr[row] == self.training.bought.indptr[row + 1]
        if cold or not len(places) or learnt.contributions is None:
            return None
        values = inputs.values[places]
        parts = self._named(learnt, learnt.contributions.of(values)[0])
        return Explanation(float(learnt.scores(values)[0]), tuple(parts.items()))

    def _best(self, rows: Places, k: int, kind: Kind, allowed: Flags | None) -> tuple[Places, Scores]:
        cold = self.training.bought[rows].getnnz(axis=1) == 0
        if cold.any():  # of who never bought there was nothing to learn from: LightFM knows their features
            places, best = np.zeros((len(rows), k), np.intp), np.full((len(rows), k), -np.inf)
            for some, model in ((cold, self._teller.signals.fitted(Hybrid)), (~cold, self)):
                if some.any():
                    of_some = model._best(rows[some], k, kind, allowed)
                    width = of_some[0].shape[1]
                    places[some, :width], best[some, :width] = of_some
            return places, best
        kinds = LISTS if kind == "any" else (kind,)
        if any(self._learnt[one].model is None for one in kinds):
            stand_in: type[Recommender] = OwnHistory if kind == "buy_again" else Hybrid
            return self._fits.of(stand_in, self.training)._best(rows, k, kind, allowed)
        found = [self._scored(rows, one, allowed) for one in kinds]
        row, column, score = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.lexsort((column, -score, row))
        rank = place_among_equals(row[order])
        places = np.zeros((len(rows), k), np.intp)
        best = np.full((len(rows), k), -np.inf)
        kept = order[rank < k]
        at = row[kept], rank[rank < k]
        places[at], best[at] = column[kept], score[kept]
        return places, best

    def _scores(self, rows: Places) -> Scores:
        places, best = self._best(rows, len(self.training.products), "any", None)
        scores = np.full((len(rows), len(self.training.products)), -np.inf)
        row, rank = np.isfinite(best).nonzero()
        scores[row, places[row, rank]] = best[row, rank]
        return scores

    def _similarities(self, columns: Places) -> Scores:
        return self._teller.signals.fitted(Hybrid)._similarities(columns)

    def _reasons(self, rows: Places, columns: Places) -> list[str]:
        return self._teller.signals.fitted(Ease)._reasons(rows, columns)


def _bought_since(earlier: Training, later: Training) -> Mapping[str, Places]:
    """Pairs (places in the earlier training) bought between the two moments, of what was known then."""
    bought = later.since(earlier)
    rows = pd.Index(earlier.customers[C.CUSTOMER_ID]).get_indexer(bought[C.CUSTOMER_ID])
    columns = pd.Index(earlier.products[C.PRODUCT_ID]).get_indexer(bought[C.PRODUCT_ID])
    known = (rows >= 0) & (columns >= 0)
    return {CUSTOMER: rows[known], PRODUCT: columns[known]}


def _examples(
    teller: Teller, since: Mapping[str, Places], seed: int
) -> dict[Kind, tuple[Inputs, npt.NDArray[np.bool_]]]:
    """Of each kind the candidates of customers who bought one, and which were; of very many customers a sample."""
    training = teller.training
    pairs = pd.DataFrame(since)
    wanted = training.matrix(pairs, np.ones(len(pairs), dtype=bool))
    rows = np.unique(since[CUSTOMER])
    if len(rows) > _LEARNERS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _LEARNERS, replace=False))
    found: dict[Kind, tuple[Inputs, npt.NDArray[np.bool_]]] = {}
    for kind, inputs in teller.inputs(rows, LISTS, None).items():
        own = training.bought if kind == "buy_again" else training.held
        had = np.asarray(own[since[CUSTOMER], since[PRODUCT]]).ravel() if len(pairs) else np.zeros(0, bool)
        learners = np.isin(rows, since[CUSTOMER][had if kind == "buy_again" else ~had])[inputs.rows]
        bought = wanted[rows[inputs.rows], inputs.columns] if len(inputs.rows) else np.zeros(0, bool)
        found[kind] = inputs.of(learners), np.asarray(bought).ravel()[learners]
    return found
