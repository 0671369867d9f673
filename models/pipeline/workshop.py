"""The models of one run: which are needed where, fitted once, two at a time."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd

from models.evaluation import Fold
from models.lists import Lists, lists
from models.pipeline.history import History
from models.pipeline.options import Options
from models.recommenders import RECOMMENDERS
from models.recommenders.als import Als
from models.recommenders.base import Recommender, Tick
from models.recommenders.ease import Ease
from models.recommenders.fits import Fits
from models.recommenders.hybrid import Hybrid
from models.recommenders.item_knn import ItemKNN
from models.recommenders.own_history import OwnHistory
from models.recommenders.popular import Popular
from models.recommenders.ranker import Ranker
from models.recommenders.signals import Signals
from models.recommenders.training import Kind, Training
from models.tuning import tried, tuned, windows_before

_QUICK: tuple[type[Recommender], ...] = (Popular, OwnHistory, ItemKNN, Ease, Als, Hybrid)
_QUICK_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    Hybrid.name: {"quick": True},
    Ranker.name: {"iterations": 100, "kept": 0.1},
}
_TUNED: tuple[type[Recommender], ...] = (Popular, ItemKNN, Ease, Als, OwnHistory)
_SLOWEST_FIRST = (Hybrid.name, "lightfm_ids", Ease.name)


class Workshop:
    """Fits what a run needs. Without a history that the ranker could learn from, LightFM and own history stand in."""

    def __init__(self, past: History, options: Options, pool: ThreadPoolExecutor, tick: Tick) -> None:
        self.past = past
        self.rules = options.rules
        self._pool, self._tick = pool, tick
        self.can_rank = past.oldest.training.before is not None
        judged = _QUICK if options.quick else RECOMMENDERS
        self._judged = [model for model in judged if model is not Ranker or self.can_rank]
        self.chosen: type[Recommender] = Ranker if self.can_rank else Hybrid
        self.again: type[Recommender] = Ranker if self.can_rank else OwnHistory
        settings: dict[str, Mapping[str, Any]] = dict(_QUICK_SETTINGS) if options.quick else {}
        self.fits = Fits(options.seed, settings)
        self._tuned = self._baselines(options)

    @property
    def steps(self) -> int:
        """How often everything together ticks."""
        fitted = sum(model.steps for model, _ in self._needed())
        rankers = Ranker.steps * (len(self.past.folds) + 1) * self.can_rank
        tuned = sum(model.steps for model in _TUNED if model in self._judged) * len(self._tuned)
        return fitted + tuned + rankers + len(self._judged) * len(self.past.folds) + 5

    def fit(self) -> None:
        """Fit all that is needed, the slowest first."""
        fits = [self._pool.submit(self.fits.of, model, known, self._tick) for model, known in self._needed()]
        for fit in fits:
            fit.result()
        if self.can_rank:
            known = [self.past.now, *(fold.training for fold in self.past.folds)]
            for ranked in [self._pool.submit(self._ranker, training) for training in known]:
                ranked.result()
            for training in self.past.trainings[len(known) :]:
                self.fits.forget(training)  # what it taught is learnt

    def models(self, training: Training) -> Iterator[Recommender]:
        """The models that are judged, fitted on a training; the baselines as they were tuned before it."""
        for model in self._judged:
            fits = self._tuned.get(id(training)) if model in _TUNED else None
            yield self.of(model, training) if fits is None else fits.of(model, training, self._tick)

    def seconds(self, model: Recommender) -> float | None:
        """How long the latest fit of a judged model took."""
        fits = self._tuned.get(id(model.training)) if type(model) in _TUNED else None
        return (fits or self.fits).seconds.get(model.name)

    def of(self, model: type[Recommender], training: Training) -> Recommender:
        """One model, fitted on a training."""
        return self._ranker(training) if model is Ranker else self.fits.of(model, training, self._tick)

    def candidates(self, training: Training) -> list[str]:
        """The products that the rules let stand on a list."""
        return self.rules.candidates(training.products, training.buyers())

    def lists(self, training: Training, kind: Kind, model: type[Recommender] | None = None) -> Lists:
        """The lists of a kind as all customers would get them."""
        return self._lists(training, kind, model, self.candidates(training))

    def published(self, fold: Fold, kind: Kind, customers: Sequence[str], k: int) -> pd.DataFrame:
        """The lists of a fold as customers would have got them: customer_id, product_id, score, rank."""
        candidates = self.candidates(fold.training) if fold.candidates is None else fold.candidates
        return self._lists(fold.training, kind, None, candidates).of(customers, k)

    def _lists(
        self, training: Training, kind: Kind, model: type[Recommender] | None, candidates: Sequence[str]
    ) -> Lists:
        model = model or (self.chosen if kind == "discover" else self.again)
        return lists(self.of(model, training), kind, self.rules, candidates)

    def _ranker(self, training: Training) -> Ranker:
        ranker = Ranker(self.fits.seed, self.fits, **self.fits.settings.get(Ranker.name, {}))
        return self.fits.fitted(ranker, training, self._tick)

    def _needed(self) -> list[tuple[type[Recommender], Training]]:
        below = Signals.models if self.can_rank else (Hybrid, OwnHistory)
        tested = [fold.training for fold in self.past.folds]
        wanted: dict[tuple[str, int], tuple[type[Recommender], Training]] = {}
        for training in self.past.trainings:
            own = self._judged if any(training is known for known in tested) else []
            now = (Popular, OwnHistory, Hybrid) if training is self.past.now else ()
            for model in (*below, *own, *now):
                if model is not Ranker:
                    wanted[model.name, id(training)] = (model, training)
        slowest = {name: place for place, name in enumerate(_SLOWEST_FIRST)}
        return sorted(wanted.values(), key=lambda one: slowest.get(one[0].name, len(slowest)))

    def _baselines(self, options: Options) -> dict[int, Fits]:
        """Window of the test (the id of its training) -> its baselines, each with the settings that did best before.

        The ranker learns from them with their own settings, the same at every moment.
        """
        tests = [fold.training for fold in self.past.folds] if options.tune else []
        windows = {id(before): (before, after) for test in tests for before, after in windows_before(test)}
        tries = {
            (model, window): self._pool.submit(tried, model, before, after.since(before), options.seed)
            for model in _TUNED
            for window, (before, after) in windows.items()
        }
        found = {}
        for test in tests:
            of_test = [id(before) for before, _ in windows_before(test)]
            best = {model.name: tuned(model, [tries[model, window].result() for window in of_test]) for model in _TUNED}
            found[id(test)] = Fits(options.seed, best)
        return found
