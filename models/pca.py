"""The picture of the clusters: points seen from the side on which they differ most (principal components)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from models.points import Floats


@dataclass(frozen=True, eq=False)
class Components:
    """The two axes along which points vary most (2 x features, unit length), and the share of all variance of each.

    An axis points to where its largest loading is positive, so that the picture is not mirrored from run to run. With
    one feature, or where all points lie on a line, the second axis explains nothing.
    """

    features: tuple[str, ...]
    centre: Floats
    loadings: Floats
    explained: tuple[float, float]

    def coordinates(self, points: Floats) -> Floats:
        """points x 2: where each lies in the picture, in the unit of the points."""
        return np.stack([((points - self.centre) * axis).sum(axis=1) for axis in self.loadings], axis=1)

    def as_json(self) -> dict[str, Any]:
        """Plain values: features, loadings (a list of features an axis), explained (a share an axis)."""
        loadings = self.loadings.tolist()
        return {"features": list(self.features), "loadings": loadings, "explained": list(self.explained)}


def pca(points: Floats, features: Sequence[str]) -> Components:
    """The components of points (at least one; customers x features), after Hotelling (1933)."""
    centre = points.mean(axis=0)
    with threadpool_limits(1):  # the order of sums decides the last digits
        variances, axes = np.linalg.eigh((points - centre).T @ (points - centre) / len(points))
    chosen = np.zeros((2, points.shape[1]))
    chosen[: len(variances)] = axes.T[::-1][:2]
    largest = chosen[np.arange(2), np.abs(chosen).argmax(axis=1)]
    chosen *= np.where(largest < 0, -1.0, 1.0)[:, None]
    explained = np.zeros(2)
    if variances.sum() > 0:
        explained[: len(variances)] = variances[::-1][:2].clip(min=0) / variances.sum()
    return Components(tuple(features), centre, chosen, (float(explained[0]), float(explained[1])))
