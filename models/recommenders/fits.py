"""What is fitted on a training is fitted once: who asks again for the same gets the same."""

from collections.abc import Callable, Mapping
from threading import Lock
from time import perf_counter
from typing import Any, TypeVar

from models.recommenders.base import Recommender, Tick
from models.recommenders.training import Training

Model = TypeVar("Model", bound=Recommender)
Made = TypeVar("Made")


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
        self._made: dict[tuple[str, int], tuple[Lock, list[Any], Training]] = {}

    def of(self, recommender: type[Model], training: Training, tick: Tick = lambda: None) -> Model:
        """The model fitted on a training; ticks only where it has to be fitted."""

        return self.fitted(recommender(self.seed, **self.settings.get(recommender.name, {})), training, tick)

    def fitted(self, model: Model, training: Training, tick: Tick = lambda: None) -> Model:
        """This model fitted on a training, or the one of its name that was before; how long it took is kept."""

        def fit() -> Model:
            began = perf_counter()
            model.fit(training, tick)
            self.seconds[model.name] = perf_counter() - began
            return model

        return self.once(model.name, training, fit)

    def once(self, name: str, training: Training, make: Callable[[], Made]) -> Made:
        """What `make` gives, made once for a name and a training."""
        with self._lock:
            key = (name, id(training))  # the training is kept with it, so that no other takes its id
            own, made, _ = self._made.setdefault(key, (Lock(), [], training))
        with own:
            if not made:
                made.append(make())
            only: Made = made[0]
            return only

    def forget(self, training: Training) -> None:
        """Let go of all that was fitted on a training: factors of thousands of products are large."""
        with self._lock:
            self._made = {key: made for key, made in self._made.items() if made[2] is not training}
