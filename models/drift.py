"""How far the customers have drifted from those of the run before: the population stability index.

PSI = sum over bins of (now - before) ln(now / before), shares of customers (Siddiqi, Credit Risk Scorecards, 2006):
below 0.1 nothing to speak of, above 0.25 a large change. Between samples of one population it is distributed about as
(1/n + 1/m) times a chi-square with bins - 1 degrees of freedom (Yurdakul 2018, Statistical properties of the population
stability index), so that in a small shop chance alone can pass 0.25: only what it rarely passes is called large.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2

from db.columns import Columns as C

NOTABLE, LARGE = 0.1, 0.25
SEGMENTS = "segments"
"""What the shares of the segments are called among the features."""

_EMPTY = 1e-4  # the share put where nobody is: the logarithm of none does not exist
_CHANCE = 0.99
_BINS = 10


@dataclass(frozen=True)
class Index:
    """The index of one feature (or of the segments' shares), and what chance alone stays below 99 times in 100."""

    name: str
    psi: float
    chance: float

    @property
    def large(self) -> bool:
        """Above 0.25, and above chance."""
        return self.psi > max(LARGE, self.chance)


@dataclass(frozen=True)
class Drift:
    """The indices, the farthest first, and a sentence about them."""

    indices: list[Index]
    sentence: str

    @property
    def large(self) -> bool:
        """Whether anything drifted far: then names and figures compare badly with those before."""
        return any(index.large for index in self.indices)

    def as_json(self) -> dict[str, Any]:
        """Plain values: indices (name, psi, chance, large), large, sentence."""
        indices = [{**asdict(index), "large": index.large} for index in self.indices]
        return {"indices": indices, "large": self.large, "sentence": self.sentence}


def drift(
    before: pd.DataFrame,
    now: pd.DataFrame,
    features: Sequence[str],
    segments: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
) -> Drift:
    """The drift of each feature that both frames have (one row a customer) and of the segments' shares.

    Tenure is left out: it grows by itself, and would be a large drift of every young shop in every month.
    A feature's bins are the deciles of those before, equal values in one bin, and one more for missing values; a
    segment is a bin. `segments` has the segments before and now, both by the yardstick of the run before, or where
    that cannot part the customers of now, nothing.
    """
    binned = {} if segments is None else {SEGMENTS: (np.asarray(segments[0]), np.asarray(segments[1]))}
    for name in features:
        if name in before and name in now and name != C.TENURE:
            edges = deciles(before[name])
            binned[name] = (bins(before[name], edges), bins(now[name], edges))
    indices = [_index(name, *pair) for name, pair in binned.items()]
    ordered = sorted(indices, key=lambda index: (-index.psi, index.name))
    return Drift(ordered, _sentence(ordered))


def deciles(values: pd.Series) -> npt.NDArray[np.float64]:
    """The edges between ten bins of equal shares, as far as equal values allow: each is a value, and ends its bin."""
    known = values.to_numpy(np.float64)
    known = known[~np.isnan(known)]
    if not len(known):
        return np.empty(0)
    return np.unique(np.quantile(known, np.arange(1, _BINS) / _BINS, method="inverted_cdf"))


def bins(values: pd.Series, edges: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """The bin of each value, from 0 up; a missing value's is -1."""
    numbers = values.to_numpy(np.float64)
    return np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers, side="left"))


def stability_index(before: npt.NDArray[np.float64], now: npt.NDArray[np.float64]) -> float:
    """The index of two lists of shares (each 0 to 1) of the same bins; a share below 0.0001 is taken for that."""
    before, now = np.maximum(before, _EMPTY), np.maximum(now, _EMPTY)
    return float(((now - before) * np.log(now / before)).sum())


def _index(name: str, before: npt.NDArray[np.generic], now: npt.NDArray[np.generic]) -> Index:
    if not len(before) or not len(now):
        return Index(name, 0.0, 0.0)
    codes, found = pd.factorize(np.concatenate([before, now]))
    counts = [np.bincount(part, minlength=len(found)) for part in (codes[: len(before)], codes[len(before) :])]
    psi = stability_index(counts[0] / len(before), counts[1] / len(now))
    chance = float(chi2.ppf(_CHANCE, len(found) - 1)) * (1 / len(before) + 1 / len(now)) if len(found) > 1 else 0.0
    return Index(name, psi, chance)


def _sentence(indices: Sequence[Index]) -> str:
    if not indices:
        return "Nothing of the run before can be compared with."
    far = [index for index in indices if index.large]
    told = ", ".join(f"{index.name.replace('_', ' ')} (PSI {index.psi:.2f})" for index in far or indices[:1])
    if far:
        return (
            f"The customers differ much from those of the run before in {told}: "
            "compare segments across the two runs with care."
        )
    if indices[0].psi > max(NOTABLE, indices[0].chance):
        return f"The customers differ a little from those of the run before, most in {told}."
    return f"The customers are as in the run before, save for chance; the largest difference is in {told}."
