"""What a change of revenue comes from, in money: the parts add up to the change, without a rest.

Revenue of customers = customers x orders a customer x average order. Each factor's part is the logarithmic mean of the
two revenues times the logarithm of the factor's change (Ang 2005, "The LMDI approach to decomposition analysis: a
practical guide", Energy Policy 33, 867-871, equation 5), which leaves no rest and does not depend on an order of the
factors. What guests brought is a part of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any, TypeAlias

LEAST = 0.0005
"""A cause of less than this share of the revenue before is not worth a word."""
_EQUAL = 1e-9

Totals: TypeAlias = Mapping[Any, float]
"""The totals of a period, by name."""


@dataclass(frozen=True)
class Driver:
    """One cause, as its rise and its fall are called, and the money it brought (below 0: took)."""

    more: str
    fewer: str
    amount: float

    @property
    def words(self) -> str:
        """`more customers` or `fewer customers`."""
        return self.more if self.amount > 0 else self.fewer


def drivers(now: Totals, before: Totals) -> tuple[Driver, ...]:
    """The causes of the change of revenue from one period to another, the largest first; none without a revenue to
    change in both.

    Of each period: revenue, orders, customers, customer_orders, customer_revenue (see `db.queries.overview.totals`).
    A shop of guests alone has orders and the average order for factors.
    """
    guests = "orders", "revenue"
    known = "customer_orders", "customer_revenue"
    orders, revenue = known if min(now["customers"], before["customers"]) > 0 else guests
    if min(of[name] for of in (now, before) for name in (orders, revenue)) <= 0:
        return ()
    mean = _logarithmic_mean(now[revenue], before[revenue])
    found = [
        Driver("larger orders", "smaller orders", mean * (_growth(revenue, now, before) - _growth(orders, now, before)))
    ]
    if orders == "orders":
        found.append(Driver("more orders", "fewer orders", mean * _growth(orders, now, before)))
    else:
        buyers = _growth("customers", now, before)
        often = _growth(orders, now, before) - buyers
        of_guests = (now["revenue"] - now[revenue]) - (before["revenue"] - before[revenue])
        found += [
            Driver("more customers", "fewer customers", mean * buyers),
            Driver("more orders a customer", "fewer orders a customer", mean * often),
            Driver("more from guests", "less from guests", of_guests),
        ]
    return tuple(sorted(found, key=lambda driver: -abs(driver.amount)))


def _growth(name: str, now: Totals, before: Totals) -> float:
    return log(now[name] / before[name])


def _logarithmic_mean(a: float, b: float) -> float:
    """(a - b) / ln(a / b), which for equal ones is both."""
    return a if abs(a / b - 1) < _EQUAL else (a - b) / log(a / b)
