"""Models fitted once each: who asks again for the same model on the same training gets the same one."""

from collections.abc import Mapping
from threading import Lock
from time import perf_counter
from typing import Any, TypeVar

from models.recommenders.base import Recommender, Tick
from models.recommenders.training import Training

Model = TypeVar("Model", bound=Recommender)


class Fits:
    """Fits by model and training. Threads may ask for different ones at once; each waits only for its own.

    `settings` are those of a model by its name, where others than its default were chosen.
    """

    def __init__(self, seed: int, settings: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.seed = seed
        self.settings = settings or {}
        self.seconds: dict[str, float] = {}
        """Model -> how long its latest fit took."""
        self._lock = Lock()
        self._fits: dict[tuple[str, int], tuple[Lock, list[Recommender], Training]] = {}

    def of(self, recommender: type[Model], training: Training, tick: Tick = lambda: None) -> Model:
        """The model fitted on a training; ticks only where it has to be fitted."""
        with self._lock:
            key = (recommender.name, id(training))  # the training is kept with its fit, so no other takes its id
            own, fitted, _ = self._fits.setdefault(key, (Lock(), [], training))
        with own:
            if not fitted:
                began = perf_counter()
                fitted.append(self._new(recommender).fit(training, tick))
                self.seconds[recommender.name] = perf_counter() - began
            model = fitted[0]
        if not isinstance(model, recommender):
            raise TypeError(f"Two recommenders are called {recommender.name}.")
        return model

    def forget(self, training: Training) -> None:
        """Let go of all that was fitted on a training: factors of thousands of products are large."""
        with self._lock:
            self._fits = {key: fit for key, fit in self._fits.items() if fit[2] is not training}

    def _new(self, recommender: type[Model]) -> Model:
        return recommender(self.seed, **self.settings.get(recommender.name, {}))
