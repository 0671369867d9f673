"""Customers parted into clusters whose numbers stay from run to run, and the yardstick that does it at any moment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from errors import ConfigurationError, NotEnoughDataError
from models import configuration
from models.configuration import Method
from models.matching import numbered
from models.methods import Centres, Fitted, fit, from_json
from models.number_of_clusters import Curves, curves
from models.points import Capped, Floats, Scale, Transform, learned
from models.wording import counted

Numbers = npt.NDArray[np.int16]

MAX_CLUSTERS = 20
"""More than anybody can treat differently."""


@dataclass(frozen=True)
class ClusterYardstick:
    """What gives a customer a cluster: a scale, fitted clusters, and the number of each that stays from run to run.

    `k` is how many clusters were fitted, of which a mixture may have left some without members; `used` is the largest
    number ever given, so that none is given again to another cluster.
    """

    scale: Scale
    fitted: Fitted
    numbers: tuple[int, ...]
    k: int
    used: int

    def labels(self, features: pd.DataFrame) -> Numbers:
        """The number of each customer's cluster; it depends on the customer's own features alone."""
        return np.asarray(self.numbers, np.int16)[self.fitted.labels(self.scale.points(features))]

    def comparable(self, scale: Scale, method: Method) -> bool:
        """Whether clusters of this scale and method can be matched to these."""
        mine = (self.scale.features, self.scale.transform, self.fitted.method)
        return mine == (scale.features, scale.transform, method)

    def as_json(self) -> dict[str, Any]:
        """Plain values that `from_json` takes."""
        numbers = {"numbers": list(self.numbers), "k": self.k, "used": self.used}
        return {"scale": self.scale.as_json(), "clusters": self.fitted.as_json(), **numbers}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "ClusterYardstick":
        """The yardstick that gave `as_json`: it labels every customer the same."""
        scale, fitted, numbers = Scale.from_json(stored["scale"]), from_json(stored["clusters"]), stored["numbers"]
        return cls(scale, fitted, tuple(map(int, numbers)), int(stored.get("k", len(numbers))), int(stored["used"]))


@dataclass(frozen=True)
class Segmentation:
    """The cluster number of each row, what gave it, and why there are k.

    `inertia` is the sum of squared distances to the nearest centre, in standard deviations; `curves` what each k from 3
    to 8 scored (None where they were not wanted or the customers do not bear 3 clusters); `capped` the features whose
    outliers were drawn in; `new` the numbers that the run before did not have (none in a first run).
    """

    labels: Numbers
    yardstick: ClusterYardstick
    k: int
    inertia: float
    curves: Curves | None
    reason: str
    capped: list[Capped]
    new: tuple[int, ...]


def segmentation(
    features: pd.DataFrame,
    plan: configuration.Clusters,
    *,
    transform: Transform,
    clusters: int | None,
    n_init: int,
    seed: int,
    before: ClusterYardstick | None = None,
    compare: bool = True,
) -> Segmentation:
    """Part the customers (one row each, at least one) by the features of the plan that the data have.

    `clusters=None` chooses k from 3 to 8 by the votes of four criteria; fewer than three different histories make one
    or two clusters. A given number is kept, and the criteria are computed for comparison where `compare`. Where
    `before` has the same features, transform and method, its clusters are one more start, which stands unless a fresh
    one is clearly better (KMeans: 1% less inertia; mixture: 0.05 more log-likelihood a customer), and centres matched
    to its own keep their numbers. Raises NotEnoughDataError where a given number exceeds the number of different
    histories, ConfigurationError where the data have none of the features.
    """
    scale = learned(features, _present(plan, features), transform, plan.winsorise)
    points = scale.points(features)
    different = _different(points)
    if clusters is not None and clusters > different:
        raise NotEnoughDataError(
            f"{clusters} segments need at least {clusters} customers with different histories, "
            f"and {different} were found; ask for fewer with --clusters."
        )
    alike = before if before is not None and before.comparable(scale, plan.method) else None
    judged = curves(plan.method, points, seed=seed) if clusters is None or compare else None
    k = clusters or (judged.best(alike.k if alike else None) if judged else min(different, 2))
    fitted = _fitted(points, scale, plan.method, k, n_init, seed, alike)
    yardstick = _yardstick(scale, fitted, k, before)
    return Segmentation(
        labels=yardstick.labels(features),
        yardstick=yardstick,
        k=len(yardstick.numbers),
        inertia=Centres(fitted.centres).inertia(points),
        curves=judged,
        reason=" ".join([_why(k, clusters, different, judged, alike), *_remarks(k, plan, yardstick, before, alike)]),
        capped=scale.capped(features),
        new=() if before is None else tuple(n for n in yardstick.numbers if alike is None or n not in alike.numbers),
    )


def earlier(later: ClusterYardstick, features: pd.DataFrame, *, seed: int) -> ClusterYardstick:
    """The yardstick of an earlier moment: the same rules learned from its customers, begun at the later one's centres.

    Clusters matched to the later ones have their numbers, others new ones. Without customers it is the later one.
    """
    if features.empty:
        return later
    scale = learned(features, later.scale.features, later.scale.transform, later.scale.winsorise)
    points, k, method = scale.points(features), len(later.numbers), later.fitted.method
    start = later.fitted.rescaled(later.scale, scale)
    borne = min(k, _different(points))
    fitted = fit(method, points, borne, seed=seed, n_init=1, start=start if borne == k else None)
    return _yardstick(scale, fitted, borne, later)


def _present(plan: configuration.Clusters, features: pd.DataFrame) -> list[str]:
    present = [name for name in plan.features if name in features]
    if not present:
        raise ConfigurationError(
            f"Clusters are wanted by {', '.join(plan.features)}, which these data do not have; choose other features."
        )
    return present


def _different(points: Floats) -> int:
    return len(pd.DataFrame(points).drop_duplicates())


def _fitted(
    points: Floats, scale: Scale, method: Method, k: int, n_init: int, seed: int, before: ClusterYardstick | None
) -> Fitted:
    fresh = fit(method, points, k, seed=seed, n_init=n_init)
    if before is None or before.k != k:
        return fresh
    if before.scale == scale:  # the same customers: their clusters are as good as they were
        kept = before.fitted
    else:
        start = before.fitted.rescaled(before.scale, scale)
        kept = fit(method, points, len(start.centres), seed=seed, n_init=1, start=start)
    return fresh if fresh.clearly_better(kept, points) else kept


def _yardstick(scale: Scale, fitted: Fitted, k: int, before: ClusterYardstick | None) -> ClusterYardstick:
    if before is None:
        numbers = tuple(range(len(fitted.centres)))
        return ClusterYardstick(scale, fitted, numbers, k, numbers[-1])
    old, known = fitted.centres[:0], before.numbers[:0]
    if before.comparable(scale, fitted.method):
        old, known = before.fitted.rescaled(before.scale, scale).centres, before.numbers
    numbers = numbered(fitted.centres, old, known, before.used)
    return ClusterYardstick(scale, fitted, numbers, k, max(before.used, *numbers))


def _why(k: int, asked: int | None, different: int, judged: Curves | None, before: ClusterYardstick | None) -> str:
    clauses = [judged.sentence(k)] if judged else []
    if asked is None and not judged:
        clauses = [f"{counted(different, 'different history', 'different histories')} found"]
    if asked is None and judged and before and judged.best() != k:
        clauses.append("the run before had as many, which decided")
    told = f"{counted(k, 'segment')}{'' if asked is None else ', as asked'}"
    return f"{': '.join([told, '; '.join(clauses)]) if clauses else told}."


def _remarks(
    wanted: int,
    plan: configuration.Clusters,
    yardstick: ClusterYardstick,
    before: ClusterYardstick | None,
    alike: ClusterYardstick | None,
) -> Iterator[str]:
    """What else must be known of the number of clusters and of the numbers they have."""
    if len(yardstick.numbers) < wanted:
        yield f"Only {len(yardstick.numbers)} have members: the mixture needs no more."
    missing = [name for name in plan.features if name not in yardstick.scale.features]
    if missing:
        yield f"Without {', '.join(missing)}, which the data do not have."
    if before is not None and alike is None:
        yield "All are new: the run before had other features, another transform or another method."
