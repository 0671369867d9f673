"""How good the forecast was: made at a past moment, judged by what customers then did, beside two naive forecasts.

The naive ones: each customer does the same as in the last period of equal length; each does what the customers of their
segment did in it on average. The same procedure as `models.forecast.forecast`, with nothing of the holdout in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from models.behaviour import Known
from models.forecast import COVERED, Outlook, orders_since, outlook, parameters, revenue_since
from models.likelihood import Numbers

FORECASTS = ("forecast", "last_period", "segment_mean")

_ROUNDS = 1_000
_MOST_GROUPS = 1_000
_BINS = 10


@dataclass(frozen=True)
class Difference:
    """By how much the forecast is better than a naive one (negative: worse), with its 95% bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """A measure of the three forecasts: errors of orders a customer, or the rank correlation of revenue.

    measure: mae and rmse (orders a customer; the first of the forecast's median, the second of its mean), total (orders
    of all customers, with `actual`, the truth), spearman (expected against actual net revenue). better_than has a
    Difference for each naive forecast; none for total.
    """

    measure: str
    forecast: float
    last_period: float
    segment_mean: float
    actual: float | None
    better_than: Mapping[str, Difference]


@dataclass(frozen=True)
class Bin:
    """Customers with about the same forecast: its mean and the mean of what came."""

    expected: float
    actual: float
    customers: int


@dataclass(frozen=True)
class Coverage:
    """The shares of customers inside, below and above the interval, which should hold `nominal` of them.

    Numbers of orders are whole, and many are expected to place none: then no interval can leave out as many as asked.
    """

    nominal: float
    inside: float
    below: float
    above: float


@dataclass(frozen=True)
class Report:
    """The report card. `dataclasses.asdict` of it is plain JSON, without NaN.

    days held out from `split` to `end` (ISO dates), customers known at the split. `orders` and `risk` are the
    calibration curves: orders a customer, and the share that placed none. beats: better than both naive forecasts in
    mae and in spearman; surely: and each interval of the difference lies above 0.
    """

    days: int
    split: str
    end: str
    customers: int
    parameters: Mapping[str, float]
    measures: Sequence[Row]
    orders: Sequence[Bin]
    risk: Sequence[Bin]
    coverage: Mapping[str, Coverage]
    beats: bool
    surely: bool
    sentence: str


def report(known: Sequence[Known], segments: npt.NDArray[np.generic], seed: int) -> Report:
    """Judge the forecast made at the last moment but one by what was known at the last.

    `known` is of `models.forecast.moments` and as_of; `segments` is a label for each customer of the last moment but
    one. Raises NotEnoughDataError where no forecast could be made then.
    """
    before, then, now = known[-3:]
    days = (now.as_of - then.as_of).days
    ahead = outlook(known[:-1])
    actual, revenue = orders_since(then, now, then), revenue_since(then, now, then)
    last, last_revenue = orders_since(before, then, then), revenue_since(before, then, then)
    mean = ahead.expected_orders(days)
    by_median = (ahead.quantile(0.5, days), last, _means(last, segments))
    by_mean = (mean, *by_median[1:])
    worth = (ahead.expected_revenue(days), last_revenue, _means(last_revenue, segments))
    measures = _measures(by_median, by_mean, worth, actual, revenue, seed)
    judged = [one for row in measures if row.measure in ("mae", "spearman") for one in row.better_than.values()]
    beats, surely = all(one.value > 0 for one in judged), all(one.low > 0 for one in judged)
    risk = ahead.risk(days)
    return Report(
        days,
        then.as_of.date().isoformat(),
        now.as_of.date().isoformat(),
        len(actual),
        parameters(ahead),
        measures,
        _bins(mean, actual),
        _bins(risk, (actual == 0).astype(np.float64)),
        _coverage(ahead, actual, revenue, days),
        beats,
        surely,
        _sentence(measures, days, then, beats=beats, surely=surely),
    )


def _means(values: Numbers, segments: npt.NDArray[np.generic]) -> Numbers:
    """The mean of each customer's segment."""
    _, place = np.unique(segments, return_inverse=True)
    return (np.bincount(place, weights=values) / np.bincount(place))[place]


def _measures(
    by_median: Sequence[Numbers],
    by_mean: Sequence[Numbers],
    worth: Sequence[Numbers],
    actual: Numbers,
    revenue: Numbers,
    seed: int,
) -> list[Row]:
    """Every measure is a function of sums over customers, so that the bootstrap resamples sums.

    Customers are put at random into at most _MOST_GROUPS groups, which are resampled whole (random groups: Wolter,
    Introduction to Variance Estimation, 2007, chapter 2), by Efron's percentile method; ranks are those of all.
    """
    ranks = [_ranks(one) for one in (*worth, revenue)]
    columns = [np.ones(len(actual)), actual]
    columns += [np.abs(one - actual) for one in by_median] + [(one - actual) ** 2 for one in by_mean] + list(by_mean)
    columns += [*ranks, *(one * one for one in ranks), *(one * ranks[-1] for one in ranks[:-1])]
    random = np.random.default_rng(seed)
    groups = min(len(actual), _MOST_GROUPS)
    group = random.permutation(len(actual)) % groups
    sums = np.column_stack([np.bincount(group, weights=column, minlength=groups) for column in columns])
    with threadpool_limits(1):  # sums in one order
        drawn = random.multinomial(groups, np.full(groups, 1 / groups), _ROUNDS).astype(np.float64) @ sums
    all_sums, names = sums.sum(axis=0)[None, :], ("mae", "rmse", "total", "spearman")
    rows = []
    for name, point, rounds in zip(names, _values(all_sums), _values(drawn), strict=True):
        forecast, last_period, segment_mean = point[0].tolist()
        if name == "total":
            rows.append(Row(name, forecast, last_period, segment_mean, float(actual.sum()), {}))
            continue
        gain = (rounds[:, :1] - rounds[:, 1:]) * (1 if name == "spearman" else -1)
        gains = (point[0, 0] - point[0, 1:]) * (1 if name == "spearman" else -1)
        low, high = np.quantile(gain, (0.025, 0.975), axis=0)
        better = map(Difference, gains.tolist(), low.tolist(), high.tolist())
        rows.append(Row(name, forecast, last_period, segment_mean, None, dict(zip(FORECASTS[1:], better, strict=True))))
    return rows


def _values(sums: Numbers) -> list[Numbers]:
    """mae, rmse, total, spearman from rows of sums: each rows x forecasts."""
    n = sums[:, :1]
    absolute, square, total = sums[:, 2:5] / n, np.sqrt(sums[:, 5:8] / n), sums[:, 8:11]
    mean, squares, products = sums[:, 11:15] / n, sums[:, 15:19] / n, sums[:, 19:22] / n
    spread = np.maximum(squares - mean * mean, 0)
    covariance = products - mean[:, :3] * mean[:, 3:]
    scale = np.sqrt(spread[:, :3] * spread[:, 3:])
    flat = scale <= 1e-12  # a forecast of one and the same ranks nobody
    return [absolute, square, total, np.where(flat, 0, covariance / np.where(flat, 1, scale))]


def _ranks(values: Numbers) -> Numbers:
    """Ranks between -0.5 and 0.5, so that their products keep all digits; equal values rank equally."""
    return np.asarray(pd.Series(values).rank(pct=True), dtype=np.float64) - 0.5


def _bins(expected: Numbers, actual: Numbers) -> list[Bin]:
    """Tenths of the customers by forecast, lowest first; equal forecasts are in one bin."""
    edges = np.unique(np.quantile(expected, np.arange(1, _BINS) / _BINS))
    place = np.searchsorted(edges, expected, side="left")
    customers = np.bincount(place)
    sums = zip(np.bincount(place, weights=expected), np.bincount(place, weights=actual), customers, strict=True)
    return [Bin(float(e / n), float(a / n), int(n)) for e, a, n in sums if n]


def _coverage(ahead: Outlook, actual: Numbers, revenue: Numbers, days: int) -> dict[str, Coverage]:
    tail = (1 - COVERED) / 2
    intervals = {
        "orders": (actual, ahead.quantile(tail, days), ahead.quantile(1 - tail, days)),
        "revenue": (revenue, *ahead.revenue_interval(days)),
    }
    return {name: _covered(*of) for name, of in intervals.items()}


def _covered(actual: Numbers, low: Numbers, high: Numbers) -> Coverage:
    """Below and above are counted beyond half a cent, which no sum of amounts is exact to."""
    below, above = float((actual < low - 0.005).mean()), float((actual > high + 0.005).mean())
    return Coverage(COVERED, 1 - below - above, below, above)


def _sentence(measures: Sequence[Row], days: int, then: Known, *, beats: bool, surely: bool) -> str:
    by_name = {row.measure: row for row in measures}
    orders, ranks = by_name["mae"], by_name["spearman"]
    judged = "in mean error of orders and in ranking revenue"
    if surely:
        finding = f"beats both naive forecasts {judged}"
    elif beats:
        finding = f"is better than both naive forecasts {judged}, but not distinguishable from each in both"
    else:
        finding = f"does not beat both naive forecasts {judged}"
    return (
        f"Made on {then.as_of.day} {then.as_of:%b %Y} for the {days} days after, the forecast {finding}: it is wrong "
        f"by {orders.forecast:.2f} orders a customer (same as last period {orders.last_period:.2f}, mean of the "
        f"segment {orders.segment_mean:.2f}), and its rank correlation with revenue is {ranks.forecast:.3f} "
        f"({ranks.last_period:.3f} and {ranks.segment_mean:.3f})."
    )
