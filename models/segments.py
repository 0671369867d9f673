"""KMeans on transformed, standardised RFM; the number of clusters by silhouette (Rousseeuw 1987) or as asked."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.wording import counted

Transform = Literal["log", "none"]

MAX_CLUSTERS = 20
"""More than anybody can treat differently."""

_CLUSTERS = range(3, 9)
_SILHOUETTE_SAMPLE = 5_000


@dataclass(frozen=True)
class Segmentation:
    """A label from 0 to k-1 for each row, and why k is what it is."""

    labels: npt.NDArray[np.int32]
    k: int
    inertia: float
    silhouettes: dict[int, float]
    reason: str


def segmentation(
    rfm: pd.DataFrame, *, transform: Transform, clusters: int | None, n_init: int, seed: int
) -> Segmentation:
    """Cluster the rows of an RFM frame; `clusters=None` chooses k from 3 to 8 by the best silhouette.

    Fewer than three different histories make one or two clusters. Raises NotEnoughDataError where a given number of
    clusters exceeds the number of different histories.
    """
    points = _points(rfm, transform)
    different = len(np.unique(points, axis=0))
    if clusters is not None:
        if clusters > different:
            raise NotEnoughDataError(
                f"{clusters} segments need at least {clusters} customers with different histories, "
                f"and {different} were found; ask for fewer with --clusters."
            )
        return _segmentation(points, clusters, n_init, seed, {}, f"{counted(clusters, 'segment')}, as asked.")
    fits = {k: _fit(points, k, n_init, seed) for k in _CLUSTERS if k <= min(different, len(points) - 1)}
    if not fits:
        k = min(different, 2)
        reason = f"{counted(k, 'segment')}: {counted(different, 'different history', 'different histories')} found."
        return _segmentation(points, k, n_init, seed, {}, reason)
    curve = {k: _silhouette(points, fit.labels_, seed) for k, fit in fits.items()}
    best = max(curve, key=lambda k: (curve[k], -k))
    reason = f"{best} segments: the best silhouette ({curve[best]:.3f}) of {min(curve)} to {max(curve)}."
    return Segmentation(fits[best].labels_, best, float(fits[best].inertia_), curve, reason)


def _points(rfm: pd.DataFrame, transform: Transform) -> npt.NDArray[np.float64]:
    values = rfm[[C.RECENCY, C.FREQUENCY, C.MONETARY]].to_numpy(dtype=np.float64)
    if transform == "log":
        values = np.log1p(values.clip(min=0))
    standardised: npt.NDArray[np.float64] = StandardScaler().fit_transform(values)
    return standardised


def _segmentation(
    points: npt.NDArray[np.float64], k: int, n_init: int, seed: int, curve: dict[int, float], reason: str
) -> Segmentation:
    fit = _fit(points, k, n_init, seed)
    return Segmentation(fit.labels_, k, float(fit.inertia_), curve, reason)


def _fit(points: npt.NDArray[np.float64], k: int, n_init: int, seed: int) -> KMeans:
    with threadpool_limits(1):  # threads would add up the centres in any order, and the last digits would vary
        return KMeans(k, n_init=n_init, random_state=seed).fit(points)


def _silhouette(points: npt.NDArray[np.float64], labels: npt.NDArray[np.int32], seed: int) -> float:
    """The mean silhouette, over a seeded sample where there are many rows; -1 where the sample sees one cluster."""
    if len(points) > _SILHOUETTE_SAMPLE:
        chosen = np.random.default_rng(seed).choice(len(points), _SILHOUETTE_SAMPLE, replace=False)
        points, labels = points[chosen], labels[chosen]
    if len(np.unique(labels)) < 2:
        return -1.0
    with threadpool_limits(1):
        return float(silhouette_score(points, labels))
