"""Two ways to part points into clusters, in one contract: KMeans and a mixture of Gaussians.

KMeans after Lloyd (1982) with the starts of k-means++ (Arthur, Vassilvitskii 2007); the mixture by expectation
maximisation (Dempster, Laird, Rubin 1977) with full covariances. Both are fitted by scikit-learn.
"""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from models.configuration import Method
from models.points import Floats, Scale

Labels = npt.NDArray[np.intp]

STARTS_SAMPLE: dict[Method, int] = {"kmeans": 50_000, "mixture": 20_000}
"""Of more points than these a seeded sample tries the starts, and the best goes on with more."""
MIXTURE_SAMPLE = 100_000
"""A mixture is fitted on no more points: so large a sample knows its parameters to the second digit and better."""
NARROWEST = 0.01
"""Added to each variance of a mixture: no component is narrower than a tenth of a standard deviation.

Orders are whole numbers: without it a component would shrink onto all who ordered once, and win by that alone.
"""

_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, eq=False)
class Fitted(ABC):
    """Fitted clusters: `centres` (clusters x features) in the order of their coordinates, whatever they began from."""

    centres: Floats
    method: ClassVar[Method]

    @abstractmethod
    def clearly_better(self, other: "Fitted", points: Floats) -> bool:
        """Whether these part the points so much better than `other` that customers may have to change cluster."""

    @abstractmethod
    def rescaled(self, before: Scale, now: Scale) -> "Fitted":
        """The same clusters in the standard deviations of another scale of the same features."""

    @abstractmethod
    def some(self, chosen: Labels) -> "Fitted":
        """Those clusters alone, in that order."""

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """Plain values that `from_json` takes."""

    @abstractmethod
    def _costs(self, columns: Floats) -> Floats:
        """clusters x points: how badly each cluster fits each point (features x points), value by value.

        No matrix product: its last digits depend on which other points come along.
        """

    def labels(self, points: Floats) -> Labels:
        """Each point's cluster, a row of `centres`; the point alone decides."""
        parts = [np.argmin(self._costs(columns), axis=0) for columns in _parts(points)]
        return np.concatenate(parts) if parts else np.empty(0, np.intp)


@dataclass(frozen=True, eq=False)
class Centres(Fitted):
    """KMeans: a point belongs to the nearest centre."""

    method = "kmeans"

    def clearly_better(self, other: Fitted, points: Floats) -> bool:
        """By more than 1% of the other's inertia."""
        return self.inertia(points) < 0.99 * Centres(other.centres).inertia(points)

    def inertia(self, points: Floats) -> float:
        """The sum of squared distances to the nearest centre."""
        return float(sum(self._costs(columns).min(axis=0).sum() for columns in _parts(points)))

    def rescaled(self, before: Scale, now: Scale) -> "Centres":
        """The same centres on another scale."""
        return Centres(now.standardised(before.restored(self.centres)))

    def some(self, chosen: Labels) -> "Centres":
        """Those centres alone."""
        return Centres(self.centres[chosen])

    def as_json(self) -> dict[str, Any]:
        """The method and the centres."""
        return {"method": self.method, "centres": self.centres.tolist()}

    def _costs(self, columns: Floats) -> Floats:
        return np.stack([_squares(columns, centre) for centre in self.centres])


@dataclass(frozen=True, eq=False)
class Mixture(Fitted):
    """A mixture of Gaussians: a point belongs to the component that most likely made it."""

    weights: Floats
    covariances: Floats
    method = "mixture"

    def clearly_better(self, other: Fitted, points: Floats) -> bool:
        """By more than 0.05 in the mean log-likelihood of a point."""
        if not isinstance(other, Mixture):
            return True
        return self.log_likelihood(points) > other.log_likelihood(points) + 0.05

    def log_likelihood(self, points: Floats) -> float:
        """The mean over points of the logarithm of the mixture's density."""
        return float(sum(logsumexp(-self._costs(columns), axis=0).sum() for columns in _parts(points)) / len(points))

    def rescaled(self, before: Scale, now: Scale) -> "Mixture":
        """The same components on another scale."""
        ratio = np.asarray(before.spread) / np.asarray(now.spread)
        centres = now.standardised(before.restored(self.centres))
        return Mixture(centres, self.weights, self.covariances * np.outer(ratio, ratio))

    def some(self, chosen: Labels) -> "Mixture":
        """Those components alone; their weights stay, for the others' were never the greatest anywhere."""
        return Mixture(self.centres[chosen], self.weights[chosen], self.covariances[chosen])

    def as_json(self) -> dict[str, Any]:
        """The method and the parameters."""
        return {
            "method": self.method,
            "centres": self.centres.tolist(),
            "weights": self.weights.tolist(),
            "covariances": self.covariances.tolist(),
        }

    @cached_property
    def _whitening(self) -> Floats:
        """clusters x features x features: W with W' W the inverse of each covariance; lower triangles."""
        return np.linalg.inv(np.linalg.cholesky(self.covariances))

    def _costs(self, columns: Floats) -> Floats:
        """Minus the logarithm of weight times density."""
        features = len(columns)
        costs = np.empty((len(self.centres), columns.shape[1]))
        for at, (centre, weight, whitening) in enumerate(zip(self.centres, self.weights, self._whitening, strict=True)):
            away = columns - centre[:, None]
            costs[at] = features / 2 * np.log(2 * np.pi) - np.log(weight) - np.log(np.diag(whitening)).sum()
            for row in range(features):
                white = whitening[row, 0] * away[0]
                for column in range(1, row + 1):
                    white += whitening[row, column] * away[column]
                costs[at] += white * white / 2
        return costs


def fit(method: Method, points: Floats, k: int, *, seed: int, n_init: int, start: Fitted | None = None) -> Fitted:
    """The best of `n_init` seeded starts for k clusters, or those that `start` (k of the same method) leads to.

    There must be k different points. Up to STARTS_SAMPLE points it is what scikit-learn alone would find.
    A cluster that is nowhere the best has no members and is left out: there may be fewer than k.
    """
    with threadpool_limits(1), warnings.catch_warnings():  # threads would add up in any order, and digits would vary
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = (
            _centres(points, k, seed, n_init, start) if method == "kmeans" else _mixture(points, k, seed, n_init, start)
        )
        members = np.bincount(found.labels(points), minlength=len(found.centres))
    in_order = np.lexsort(found.centres.T[::-1])
    return found.some(in_order[members[in_order] > 0])


def from_json(stored: Mapping[str, Any]) -> Fitted:
    """The clusters that gave `as_json`, to the last digit."""
    centres = np.asarray(stored["centres"], np.float64)
    if stored["method"] == "kmeans":
        return Centres(centres)
    return Mixture(centres, np.asarray(stored["weights"], np.float64), np.asarray(stored["covariances"], np.float64))


def sample(points: Floats, size: int, seed: int) -> Floats:
    """At most `size` of the points, chosen by the seed."""
    if len(points) <= size:
        return points
    return points[np.random.default_rng(seed).choice(len(points), size, replace=False)]


def _centres(points: Floats, k: int, seed: int, n_init: int, start: Fitted | None) -> Centres:
    tried = sample(points, STARTS_SAMPLE["kmeans"], seed)
    if start is None:
        start = Centres(KMeans(k, n_init=n_init, random_state=seed).fit(tried).cluster_centers_)
        if tried is points:
            return start
    return Centres(KMeans(k, init=start.centres, n_init=1, random_state=seed).fit(points).cluster_centers_)


def _mixture(points: Floats, k: int, seed: int, n_init: int, start: Fitted | None) -> Mixture:
    points = np.repeat(points, 2, axis=0) if len(points) == 1 else sample(points, MIXTURE_SAMPLE, seed)
    tried = sample(points, STARTS_SAMPLE["mixture"], seed)

    def fitted(points: Floats, n_init: int, **begun: Floats) -> Mixture:
        found = GaussianMixture(k, reg_covar=NARROWEST, n_init=n_init, random_state=seed, **begun).fit(points)
        return Mixture(found.means_, found.weights_, found.covariances_)

    if not isinstance(start, Mixture):
        start = fitted(tried, n_init)
        if tried is points:
            return start
    begun = {"weights_init": start.weights / start.weights.sum(), "means_init": start.centres}
    return fitted(points, 1, precisions_init=np.linalg.inv(start.covariances), **begun)


def _parts(points: Floats) -> list[Floats]:
    return [np.ascontiguousarray(points[at : at + _ROWS_AT_ONCE].T) for at in range(0, len(points), _ROWS_AT_ONCE)]


def _squares(columns: Floats, centre: Floats) -> Floats:
    total = np.zeros(columns.shape[1])
    for column, value in zip(columns, centre, strict=True):
        total += (column - value) ** 2
    return total
