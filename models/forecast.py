"""What each customer will do next: orders, revenue, the next order's date, and the risk that there is none.

BG/NBD and Gamma-Gamma (models/value.py, models/spend.py) with two corrections, both learned on a period that had
already passed at the moment of the forecast; docs/value.md tells all of it from the beginning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import gammaincinv

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.behaviour import Known
from models.likelihood import Numbers
from models.spend import GammaGamma, gamma_gamma
from models.value import Beliefs, BgNbd, Histories, bg_nbd, histories

HOLDOUT_DAYS = 90
"""The period that the report card holds out, and over which the corrections are learned; shorter in a young shop."""
FEWEST_HOLDOUT_DAYS = 7
RISK_DAYS = 90
VALUE_DAYS = 365
COVERED = 0.8
"""The share of customers whose revenue lies in its interval."""

_PERIODS = 4
_GRID = (1.0, 0.8, 0.6, 0.45, 0.3, 0.2, 0.1, 0.05)
_ENOUGH_TO_FIT, _ENOUGH_TO_LEARN = 200_000, 20_000
"""Of more customers every second, third, ... tells the parameters, or the corrections: enough to know them by."""
_GAIN = 2.0
"""What two parameters must add to a log-likelihood to be worth their while (Akaike 1974)."""


@dataclass(frozen=True)
class Corrections:
    """What BG/NBD, in which rates never change, is told of a shop in which they do; 1 and 1 leave it as published.

    memory: what an order, and a day, from before the last `days` weighs against one since. steadiness: how much of what
    is known of a rate holds for the next period.
    """

    memory: float
    steadiness: float
    days: int


@dataclass(frozen=True)
class Outlook:
    """A fitted forecast of the customers known at a moment; what it gives has an entry a customer, times in days."""

    orders: BgNbd
    money: GammaGamma
    corrections: Corrections
    beliefs: Beliefs
    place: npt.NDArray[np.intp]
    mean_order: Numbers
    mean_order_square: Numbers

    def expected_orders(self, days: float) -> Numbers:
        """The mean number of orders."""
        return self.beliefs.expected_orders(days)[self.place]

    def expected_revenue(self, days: float) -> Numbers:
        """The mean net revenue."""
        return self.expected_orders(days) * self.mean_order

    def quantile(self, share: float, days: float) -> Numbers:
        """The number of orders that is not exceeded with this probability."""
        return self.beliefs.quantile(share, days)[self.place]

    def risk(self, days: float) -> Numbers:
        """The probability of no order."""
        return 1 - self.beliefs.at_least(np.ones(len(self.beliefs.rate)), days)[self.place]

    def revenue_interval(self, days: float) -> tuple[Numbers, Numbers]:
        """Net revenue between which COVERED of such customers lie, as many below as above, and never below the mean.

        Nothing is spent with the probability of no order; else a gamma distribution with the mean and variance of a
        sum of orders, both the number of which and the worth of which are uncertain.
        """
        mean = self.expected_orders(days)
        buys = np.maximum(1 - self.risk(days), 1e-12)
        square = self.mean_order_square * (self.beliefs.mean_square(days)[self.place] + mean / self.money.p)
        revenue = mean * self.mean_order
        if_any, square = revenue / buys, square / buys
        shape = np.clip(if_any**2 / np.maximum(square - if_any**2, 1e-12 * square + 1e-300), 1e-3, 1e9)

        def at(share: float) -> Numbers:
            beyond = np.clip(1 - (1 - share) / buys, 0, 1)
            return np.asarray(gammaincinv(shape, beyond) * if_any / shape, dtype=np.float64)

        return at((1 - COVERED) / 2), np.maximum(at((1 + COVERED) / 2), revenue)


@dataclass(frozen=True)
class Forecast:
    """One row a customer of the moment, in columns of customer_segment; the parameters; a sentence on both."""

    frame: pd.DataFrame
    parameters: dict[str, float]
    sentence: str


def moments(first: datetime, as_of: datetime) -> list[datetime]:
    """The three moments before `as_of` at which a forecast and its report card want to know customers, ascending.

    They lie HOLDOUT_DAYS apart, or a quarter of the days since the `first` purchase where that is less. Raises
    NotEnoughDataError where it is less than FEWEST_HOLDOUT_DAYS.
    """
    days = min(HOLDOUT_DAYS, (as_of - first).days // _PERIODS)
    if days < FEWEST_HOLDOUT_DAYS:
        raise NotEnoughDataError(
            f"A forecast of customer value needs {_PERIODS * FEWEST_HOLDOUT_DAYS} days of history, and "
            f"{max((as_of - first).days, 0)} were found; load a longer history."
        )
    return [as_of - timedelta(days=days * back) for back in range(_PERIODS - 1, 0, -1)]


def forecast(known: Sequence[Known]) -> Forecast:
    """What the customers of the last moment will do, from what was known then and at the moments before.

    `known` is of `moments` and as_of; the frame is indexed like the last features. Raises NotEnoughDataError.

    - p_alive, churn_risk: the probabilities of being active, and of no order within RISK_DAYS
    - next_order_at: by when half of such customers, if active, have ordered again; NaT where an order within a year is
      less likely than not
    - orders_30, orders_90, orders_365: means
    - clv: mean net revenue of the next VALUE_DAYS, COVERED between clv_low and clv_high; value_decile: 10 is best
    """
    now = known[-1]
    ahead = outlook(known)
    frame = pd.DataFrame(index=now.features.index)
    frame[C.P_ALIVE] = ahead.beliefs.p_alive[ahead.place]
    frame[C.CHURN_RISK] = ahead.risk(RISK_DAYS)
    wait = np.where(ahead.risk(VALUE_DAYS) <= 0.5, ahead.beliefs.median_wait()[ahead.place], np.nan)
    frame[C.NEXT_ORDER_AT] = pd.Timestamp(now.as_of) + pd.to_timedelta(pd.Series(wait, frame.index).round(), unit="D")
    for column, days in ((C.ORDERS_30, 30), (C.ORDERS_90, 90), (C.ORDERS_365, 365)):
        frame[column] = ahead.expected_orders(days)
    frame[C.CLV] = frame[C.ORDERS_365] * ahead.mean_order
    frame[C.CLV_LOW], frame[C.CLV_HIGH] = ahead.revenue_interval(VALUE_DAYS)
    frame[C.VALUE_DECILE] = np.ceil(10 * frame[C.CLV].rank(pct=True)).astype(np.int16)
    return Forecast(frame, parameters(ahead), _sentence(frame, ahead))


def outlook(known: Sequence[Known]) -> Outlook:
    """The forecast fitted at the last moment; the moments before it, where there are any, correct it."""
    now = known[-1]
    corrections = _corrections(known)
    before = known[-2] if len(known) > 1 else None
    of = _histories(now, before)
    orders = _fitted(of)
    number = now.features[C.FREQUENCY].to_numpy(np.float64)
    mean = np.maximum(now.features[C.AVERAGE_ORDER].to_numpy(np.float64), 0)
    money = gamma_gamma(number, mean)
    return Outlook(
        orders,
        money,
        corrections,
        _beliefs(orders, of, corrections),
        of.place,
        money.mean_order(number, mean),
        money.mean_square(number, mean),
    )


def orders_since(then: Known, now: Known, of: Known) -> Numbers:
    """Orders between two moments of each customer of a third."""
    return _total(now, C.FREQUENCY, of) - _total(then, C.FREQUENCY, of)


def revenue_since(then: Known, now: Known, of: Known) -> Numbers:
    """Net revenue between two moments of each customer of a third."""
    return _total(now, C.MONETARY, of) - _total(then, C.MONETARY, of)


def _total(at: Known, column: str, of: Known) -> Numbers:
    return at.features[column].reindex(of.features.index, fill_value=0).to_numpy(np.float64)


def _histories(now: Known, before: Known | None) -> Histories:
    """Orders after a customer's first, in whole days; those since the moment before are recent."""
    features = now.features
    x = features[C.FREQUENCY].to_numpy(np.float64) - 1
    age = features[C.TENURE].to_numpy(np.float64)
    old = np.zeros(len(x)) if before is None else np.maximum(_total(before, C.FREQUENCY, now) - 1, 0)
    return histories(x, age - features[C.RECENCY].to_numpy(np.float64), age, x - old)


def _fitted(of: Histories) -> BgNbd:
    some = of.place[_every(len(of.place), _ENOUGH_TO_FIT)]
    return bg_nbd(histories(of.x[some], of.t_x[some], of.age[some]))


def _every(customers: int, enough: int) -> slice:
    return slice(None, None, -(-customers // enough) or 1)


def _beliefs(orders: BgNbd, of: Histories, corrections: Corrections) -> Beliefs:
    return orders.beliefs(of, corrections.memory, corrections.days).widened(corrections.steadiness)


def _corrections(known: Sequence[Known]) -> Corrections:
    """Those under which the orders of the last period were the likeliest, forecast at its beginning.

    None are made where the shop was too young by then, or where they would gain next to nothing.
    """
    none = Corrections(1.0, 1.0, (known[-1].as_of - known[-2].as_of).days if len(known) > 1 else HOLDOUT_DAYS)
    if len(known) < 3:
        return none
    before, then, now = known[-3:]
    try:
        of = _histories(then, before)
        orders = _fitted(of)
    except NotEnoughDataError:
        return none
    some = _every(len(of.place), _ENOUGH_TO_LEARN)
    bought = orders_since(then, now, then)[some]
    pairs, counts = np.unique(np.column_stack([of.place[some], bought]), axis=0, return_counts=True)
    place, n, times = pairs[:, 0].astype(np.intp), pairs[:, 1], counts.astype(np.float64)
    some_of = Histories(of.x[place], of.t_x[place], of.age[place], of.recent[place], times, np.arange(len(place)))

    def gain(memory: float, steadiness: float) -> float:
        probability = _beliefs(orders, some_of, Corrections(memory, steadiness, none.days)).exactly(n, none.days)
        return float((times * np.log(np.maximum(probability, 1e-12))).sum())

    gains = {pair: gain(*pair) for pair in product(_GRID, _GRID)}
    best = max(gains, key=lambda pair: gains[pair])
    return Corrections(*best, none.days) if gains[best] > gains[1.0, 1.0] + _GAIN else none


def parameters(ahead: Outlook) -> dict[str, float]:
    """The fitted numbers by the names that the papers give them, and those of `Corrections`."""
    orders, money, corrections = ahead.orders, ahead.money, ahead.corrections
    return {
        "r": orders.r,
        "alpha": orders.alpha,
        "a": orders.a,
        "b": orders.b,
        "log_likelihood": orders.log_likelihood,
        "p": money.p,
        "q": money.q,
        "v": money.v,
        "log_likelihood_of_spend": money.log_likelihood,
        "memory": corrections.memory,
        "steadiness": corrections.steadiness,
    }


def _sentence(frame: pd.DataFrame, ahead: Outlook) -> str:
    return (
        f"{frame[C.P_ALIVE].sum():,.0f} of {len(frame):,} customers are expected to be active; they should place "
        f"{frame[C.ORDERS_90].sum():,.0f} orders in the next 90 days and {frame[C.ORDERS_365].sum():,.0f} in a year."
    )
