"""How many clusters: silhouette, elbow, gap statistic and stability together, and who of them spoke for what.

Silhouette: Rousseeuw (1987), the mean over points. Elbow: the k whose inertia lies farthest below the chord between the
ends of the curve (Satopaa, Albrecht, Irwin, Raghavan 2011). Gap: Tibshirani, Walther, Hastie (2001), with reference
points uniform in the box of the principal components, and their rule: the smallest k whose gap is at least that of
k + 1 less its standard error. Stability: the mean adjusted Rand index (Hubert, Arabie 1985) between the clusters found
in all points and those found in bootstrap samples, both labelling all points.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import adjusted_rand_score, pairwise_distances, silhouette_score
from threadpoolctl import threadpool_limits

from models.configuration import Method
from models.methods import Labels, fit, sample
from models.points import Floats

CANDIDATES = range(3, 9)
FEWEST = 20
"""Customers a cluster without which a criterion would praise the separation of a handful."""

_SAMPLE: Mapping[Method, int] = {"kmeans": 5_000, "mixture": 2_000}
_SILHOUETTE_SAMPLE = 2_000
_STARTS: Mapping[Method, int] = {"kmeans": 3, "mixture": 1}
_REFERENCES, _BOOTSTRAPS = 10, 10
_AS_GOOD, _AS_STABLE = 0.01, 0.05  # about two standard errors: of a mean over the sample, and over the bootstraps
_NAMES = {"silhouette": "silhouette", "elbow": "the elbow", "gap": "the gap statistic", "stability": "stability"}


@dataclass(frozen=True)
class Curves:
    """What each k scored (lists of equal length, by rising k), and the k that each criterion speaks for.

    A criterion speaks for several k that are as good as its best (silhouettes within 0.01, stabilities within 0.05),
    and for none where it cannot tell.
    """

    k: list[int]
    silhouette: list[float]
    inertia: list[float]
    gap: list[float]
    gap_se: list[float]
    stability: list[float]
    votes: dict[str, list[int]]

    def best(self, before: int | None = None) -> int:
        """The k with most votes; of several the number there was `before`, else the most stable, else the smallest.

        The number there was before has a vote of its own: another number would part customers anew and lose names.
        """
        count: Counter[int | None] = Counter(k for voted in self.votes.values() for k in voted)
        count[before] += 1
        return max(self.k, key=lambda k: (count[k], k == before, self.stability[self.k.index(k)], -k))

    def sentence(self, k: int) -> str:
        """Which criteria speak for k and what the others say: a clause without a full stop."""
        figures = {}
        if k in self.k:
            at = self.k.index(k)
            silhouette, stability = f"{self.silhouette[at]:.3f}", f"{self.stability[at]:.2f}"
            figures = {
                "silhouette": f" ({silhouette}{_beside(self.silhouette, at)})",
                "stability": f" ({stability}{_beside(self.stability, at)})",
            }
        for_it = [_NAMES[name] + figures.get(name, "") for name, voted in self.votes.items() if k in voted]
        others: dict[str, list[str]] = {}
        for name, voted in self.votes.items():
            if k not in voted:
                others.setdefault(_listed(voted), []).append(_NAMES[name])
        clauses = [f"{_listed(for_it) or 'no criterion'} {'speak' if len(for_it) > 1 else 'speaks'} for it"]
        for place, names in others.items():
            plural = "" if len(names) > 1 else "s"
            clauses.append(f"{_listed(names)} {f'point{plural} to {place}' if place else 'cannot tell'}")
        return "; ".join(clauses)


def curves(method: Method, points: Floats, *, seed: int) -> Curves | None:
    """The criteria for each k from 3 to 8 that the points bear, on a seeded sample; None where they do not bear 3.

    k is at most the number of different points, and less than the number of points; and above 3 only where there are
    FEWEST points for each.
    """
    borne = max(CANDIDATES.start, len(points) // FEWEST)
    points = sample(points, _SAMPLE[method], seed)
    most = min(borne, len(np.unique(points, axis=0)), len(points) - 1)
    if most < CANDIDATES.start:
        return None
    tried = range(CANDIDATES.start - 1, min(CANDIDATES.stop, most) + 1)  # an elbow and a gap need the neighbours too
    judged = [k for k in tried if k in CANDIDATES]
    random = np.random.default_rng(seed)

    def found(among: Floats, k: int, labelled: Floats) -> Labels:
        return fit(method, among, k, seed=seed, n_init=_STARTS[method]).labels(labelled)

    labels = {k: found(points, k, points) for k in tried}
    inertia = {k: _inertia(points, labels[k]) for k in tried}
    silhouette = _silhouettes(points, {k: labels[k] for k in judged}, random)

    references = [_reference(points, random) for _ in range(_REFERENCES)]
    logs = {k: [_log(_inertia(uniform, found(uniform, k, uniform))) for uniform in references] for k in tried}
    gap = {k: float(np.mean(logs[k])) - _log(inertia[k]) for k in tried}
    gap_se = {k: float(np.std(logs[k])) * (1 + 1 / _REFERENCES) ** 0.5 for k in tried}

    resampled = [points[random.integers(0, len(points), len(points))] for _ in range(_BOOTSTRAPS)]
    agreement = {k: [adjusted_rand_score(labels[k], found(again, k, points)) for again in resampled] for k in judged}
    stability = {k: float(np.mean(agreement[k])) for k in judged}

    return Curves(
        k=judged,
        silhouette=[silhouette[k] for k in judged],
        inertia=[inertia[k] for k in judged],
        gap=[gap[k] for k in judged],
        gap_se=[gap_se[k] for k in judged],
        stability=[stability[k] for k in judged],
        votes={
            "silhouette": _within(silhouette, _AS_GOOD),
            "elbow": [k for k in elbow(inertia) if k in judged],
            "gap": [k for k in first_without_gain(gap, gap_se) if k in judged],
            "stability": _within(stability, _AS_STABLE),
        },
    )


def elbow(inertia: Mapping[int, float]) -> list[int]:
    """The k farthest below the chord between the ends of the curve, both axes from 0 to 1; none where none is below."""
    ks, values = np.array(sorted(inertia)), np.array([inertia[k] for k in sorted(inertia)])
    if len(ks) < 3 or values[0] <= values[-1]:
        return []
    below = (ks[-1] - ks) / (ks[-1] - ks[0]) - (values - values[-1]) / (values[0] - values[-1])
    return [int(ks[below.argmax()])] if below.max() > 1e-9 else []


def first_without_gain(gap: Mapping[int, float], gap_se: Mapping[int, float]) -> list[int]:
    """The smallest k from 3 on whose gap is at least that of k + 1 less its standard error; none where it but rises."""
    held = [k for k in CANDIDATES if k in gap and k + 1 in gap and gap[k] >= gap[k + 1] - gap_se[k + 1]]
    return held[:1]


def _beside(scores: Sequence[float], at: int) -> str:
    return "" if scores[at] == max(scores) else ", as good as the best"


def _within(score: Mapping[int, float], margin: float) -> list[int]:
    return [k for k, value in score.items() if value >= max(score.values()) - margin]


def _inertia(points: Floats, labels: Labels) -> float:
    """The sum of squared distances to the mean of the own cluster."""
    members = np.bincount(labels)
    means = np.stack([np.bincount(labels, column) for column in points.T], axis=1) / np.maximum(members, 1)[:, None]
    return float(((points - means[labels]) ** 2).sum())


def _log(inertia: float) -> float:
    return float(np.log(max(inertia, 1e-9)))  # as many clusters as different points leave nothing


def _silhouettes(points: Floats, labels: Mapping[int, Labels], random: np.random.Generator) -> dict[int, float]:
    """The mean silhouette by k; -1 where the sample sees one cluster."""
    chosen = random.permutation(len(points))[:_SILHOUETTE_SAMPLE]
    with threadpool_limits(1):
        distances = pairwise_distances(points[chosen])
        return {
            k: float(silhouette_score(distances, of[chosen], metric="precomputed"))
            if 1 < len(np.unique(of[chosen])) < len(chosen)
            else -1.0
            for k, of in labels.items()
        }


def _reference(points: Floats, random: np.random.Generator) -> Floats:
    """As many points, uniform in the box that encloses the given ones along their principal components."""
    centre = points.mean(axis=0)
    with threadpool_limits(1):
        axes = np.linalg.eigh((points - centre).T @ (points - centre))[1]
        along = (points - centre) @ axes
        return centre + random.uniform(along.min(axis=0), along.max(axis=0), points.shape) @ axes.T


def _listed(words: Sequence[object]) -> str:
    texts = [str(word) for word in words]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
