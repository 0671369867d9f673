"""What live hit rates are worth: their intervals, and whether the lists still help.

A customer counts once in every week in which they bought something the list could have held; weeks are pooled as if
they were of different customers.
"""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Literal

import pandas as pd

from dashboard import format as fmt

_Z = NormalDist().inv_cdf(0.975)
RECENT = 4
"""Full weeks that are held against those before."""
ENOUGH = 100
"""Customers, a week each, below which nothing is said of decay."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval, and the customers it rests on."""

    value: float
    low: float
    high: float
    customers: int


@dataclass(frozen=True)
class Decay:
    """Whether past lists still help: `early` where too few customers tell, else `decayed` or `well`; in a sentence."""

    state: Literal["early", "decayed", "well"]
    sentence: str


def share(hits: int, customers: int) -> Estimate:
    """hits / customers with the score interval of Wilson (1927), JASA 22, 209-212; nothing known is 0 to 1."""
    if customers == 0:
        return Estimate(float("nan"), 0.0, 1.0, 0)
    of = hits / customers
    middle = of + _Z**2 / (2 * customers)
    half = _Z * sqrt(of * (1 - of) / customers + _Z**2 / (4 * customers**2))
    scale = 1 + _Z**2 / customers
    return Estimate(of, max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale), customers)


def difference(of: Estimate, than: Estimate) -> Estimate:
    """Of two shares of different customers: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10."""
    value = of.value - than.value
    low = sqrt((of.value - of.low) ** 2 + (than.high - than.value) ** 2)
    high = sqrt((of.high - of.value) ** 2 + (than.value - than.low) ** 2)
    return Estimate(value, value - low, value + high, min(of.customers, than.customers))


def paired(only: int, only_other: int, customers: int) -> Estimate:
    """Of two shares of the same customers, `only` and `only_other` of whom are in one share and not in the other.

    The interval of Agresti and Min (2005), Statistics in Medicine 24, 729-740: half a customer is added to each of the
    four cells. Of no customers nothing is known: -1 to 1.
    """
    if customers == 0:
        return Estimate(float("nan"), -1.0, 1.0, 0)
    total = customers + 2
    middle = (only - only_other) / total
    half = _Z * sqrt((only + only_other + 1) - (only - only_other) ** 2 / total) / total
    return Estimate((only - only_other) / customers, max(-1.0, middle - half), min(1.0, middle + half), customers)


def decay(weeks: pd.DataFrame) -> Decay:
    """Of one list of one run: week, is_full, customers, hits, and only, only_popular, paired (see `db.queries.live`).

    Only full weeks count. The lists have decayed where the last `RECENT` weeks (half of all, where there are fewer than
    twice as many) are clearly below those before, or are not clearly above popularity frozen with the run, customer by
    customer.
    """
    full = weeks[weeks["is_full"].astype(bool)]
    sums = full.groupby("week")[["customers", "hits", "only", "only_popular", "paired"]].sum()
    recent = sums.tail(min(RECENT, max(1, len(sums) // 2)))
    before = sums.iloc[: len(sums) - len(recent)]
    now, then = (share(int(of["hits"].sum()), int(of["customers"].sum())) for of in (recent, before))
    span = "the last full week" if len(recent) == 1 else f"the last {len(recent)} full weeks"
    if now.customers < ENOUGH:
        rests = f"{span} have" if len(recent) > 1 else f"{span} has"
        known = f"{rests} {fmt.plural(now.customers, 'customer')} to tell by" if len(recent) else "no full week is over"
        return Decay("early", f"It is too early to tell whether these lists decay: {known}, and {ENOUGH} are needed.")
    rate = f"In {span} {fmt.percent(now.value)} of {fmt.plural(now.customers, 'customer-week')} had a hit"
    against = paired(*(int(recent[name].sum()) for name in ("only", "only_popular", "paired")))
    if then.customers >= ENOUGH and difference(now, then).high < 0:
        return Decay(
            "decayed",
            f"{rate}, clearly fewer than the {fmt.percent(then.value)} of the weeks before: these lists are ageing.",
        )
    if against.customers >= ENOUGH and against.low <= 0:
        how, so = "not surely more than", "nothing shows that these lists still help"
        if against.high < 0:
            how, so = "fewer than", "these lists do not help any more"
        frozen = f"with popularity frozen at the same time (in points: {points(against)})"
        return Decay("decayed", f"{rate}, {how} {frozen}: {so}.")
    compared = ""
    if against.customers >= ENOUGH:
        compared = f", and surely more than with popularity frozen at the same time (in points: {points(against)})"
    course = f", about as many as before ({fmt.percent(then.value)})" if then.customers >= ENOUGH else ""
    if then.customers >= ENOUGH and difference(now, then).low > 0:
        course = f", more than before ({fmt.percent(then.value)})"
    return Decay("well", f"{rate}{course}{compared}: no sign of decay.")


def points(of: Estimate) -> str:
    """+3.1, 1.2 to 5.0."""
    value, low, high = (fmt.number(100 * number, 1) for number in (of.value, of.low, of.high))
    return f"{'+' if of.value > 0 else ''}{value}, {low} to {high}"
