"""What customers did as points that can be clustered: missing filled, outliers capped, logged, standardised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.preprocessing import StandardScaler

from db.columns import Columns as C

Transform = Literal["log", "none"]
Floats = npt.NDArray[np.float64]

SHARES = (C.DISCOUNT_SHARE, C.RETURN_RATE)
"""Never logged: they run from 0 to 1."""


@dataclass(frozen=True)
class Capped:
    """A feature whose outliers were drawn in to `low` and `high`, and how many customers lay beyond each."""

    feature: str
    low: float
    high: float
    below: int
    above: int


@dataclass(frozen=True)
class Scale:
    """How features become points, learned once and applicable to the customers of any moment.

    A value is filled in where missing (see `learned`), drawn in to between `low` and `high`, logged as log(1 + value)
    with what is below 0 taken as 0 (transform "log"; shares stay as they are), less `mean`, over `spread`.
    """

    features: tuple[str, ...]
    transform: Transform
    winsorise: float
    fill: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]

    def points(self, features: pd.DataFrame) -> Floats:
        """customers x features, in standard deviations from the mean of those it was learned from."""
        capped = np.clip(_filled(features, self.features, self.fill), self.low, self.high)
        return self.standardised(_transformed(capped, self.features, self.transform))

    def standardised(self, values: Floats) -> Floats:
        """Transformed values (rows x features) in standard deviations from the mean."""
        return np.asarray((values - np.asarray(self.mean)) / np.asarray(self.spread))

    def restored(self, points: Floats) -> Floats:
        """Points (rows x features) as transformed values again: the unit in which two scales can be compared."""
        return np.asarray(points * np.asarray(self.spread) + np.asarray(self.mean))

    def capped(self, features: pd.DataFrame) -> list[Capped]:
        """The features in which any customer lies beyond the bounds."""
        values = _filled(features, self.features, self.fill)
        below, above = (values < self.low).sum(axis=0).tolist(), (values > self.high).sum(axis=0).tolist()
        found = map(Capped, self.features, self.low, self.high, below, above)
        return [capped for capped in found if capped.below or capped.above]

    def as_json(self) -> dict[str, Any]:
        """Plain values that `from_json` takes; a bound that does not exist is null."""
        bounds = {name: [_bound(value) for value in getattr(self, name)] for name in ("low", "high")}
        rest = {name: list(getattr(self, name)) for name in ("features", "fill", "mean", "spread")}
        return {"transform": self.transform, "winsorise": self.winsorise, **rest, **bounds}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Scale":
        """The scale that gave `as_json`, to the last digit."""
        numbers = {name: tuple(map(float, stored[name])) for name in ("fill", "mean", "spread")}
        low = tuple(-np.inf if value is None else float(value) for value in stored["low"])
        high = tuple(np.inf if value is None else float(value) for value in stored["high"])
        names, winsorise = tuple(stored["features"]), float(stored["winsorise"])
        return cls(names, stored["transform"], winsorise, low=low, high=high, **numbers)


def learned(features: pd.DataFrame, names: Sequence[str], transform: Transform, winsorise: float) -> Scale:
    """The scale of these customers (at least one) in the features `names`.

    At most the share `winsorise` of customers is drawn in at each end, and none where that is less than one customer;
    transform "none" takes the values as they are: neither logged nor drawn in. A missing value is the shop's median,
    and the days between the orders of who ordered once are at least the days since then: so long they have been
    waiting. A feature equal for everybody tells nobody apart: its spread is 1.
    """
    columns = (features[name].to_numpy(np.float64) for name in names)
    fill = tuple(float(np.median(known)) if len(known := column[np.isfinite(column)]) else 0.0 for column in columns)
    values = _filled(features, tuple(names), fill)
    if transform == "none" or winsorise == 0:
        low, high = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    else:
        low = np.quantile(values, winsorise, axis=0, method="lower")
        high = np.quantile(values, 1 - winsorise, axis=0, method="higher")
    scaler = StandardScaler().fit(_transformed(np.clip(values, low, high), tuple(names), transform))
    bounds_and_units = (tuple(numbers.tolist()) for numbers in (low, high, scaler.mean_, scaler.scale_))
    return Scale(tuple(names), transform, winsorise, fill, *bounds_and_units)


def _filled(features: pd.DataFrame, names: tuple[str, ...], fill: tuple[float, ...]) -> Floats:
    values = features[list(names)].to_numpy(np.float64)
    filled = np.where(np.isfinite(values), values, fill)
    if C.GAP in names:
        at = names.index(C.GAP)
        waiting = np.maximum(fill[at], features[C.TENURE].to_numpy(np.float64))
        filled[:, at] = np.where(np.isfinite(values[:, at]), values[:, at], waiting)
    return filled


def _transformed(values: Floats, names: tuple[str, ...], transform: Transform) -> Floats:
    if transform == "none":
        return values
    logged = np.array([name not in SHARES for name in names])
    return np.where(logged, np.log1p(values.clip(min=0)), values)


def _bound(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
