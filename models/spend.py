"""What an order is worth: the Gamma-Gamma model, fitted by maximum likelihood.

Fader, Hardie, The Gamma-Gamma model of monetary value (2013). A customer's orders vary about a mean of their own: each
is gamma distributed (shape p, rate nu), and nu is gamma distributed over customers (shape q, rate v).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from errors import NotEnoughDataError
from models.likelihood import Numbers, likeliest
from models.wording import counted

FEWEST_SPENDERS = 50


@dataclass(frozen=True)
class GammaGamma:
    """A fitted model; v is in the money of the orders."""

    p: float
    q: float
    v: float
    log_likelihood: float

    def mean_order(self, orders: Numbers, mean: Numbers) -> Numbers:
        """What an order of such a customer is worth on average (formula 5 of the note): drawn from the customer's own
        mean towards the shop's, the less the fewer `orders` it is the mean of."""
        return self.p * self._rate(orders, mean) / (self._shape(orders) - 1)

    def mean_square(self, orders: Numbers, mean: Numbers) -> Numbers:
        """The expected square of the customer's own mean order: `mean_order` squared, and what is not known of it."""
        return self.mean_order(orders, mean) ** 2 * (self._shape(orders) - 1) / (self._shape(orders) - 2)

    def _shape(self, orders: Numbers) -> Numbers:
        """Shape of nu given the orders; above 2, or the money would have no variance."""
        return np.maximum(self.q + self.p * orders, 2.1)

    def _rate(self, orders: Numbers, mean: Numbers) -> Numbers:
        return self.v + orders * mean


def gamma_gamma(orders: Numbers, mean: Numbers) -> GammaGamma:
    """The model under which these mean orders are the likeliest, each the mean of so many orders.

    Customers whose mean order is not positive are left out. Raises NotEnoughDataError where too few are left.
    """
    spent = (mean > 0) & (orders > 0)
    if spent.sum() < FEWEST_SPENDERS:
        raise NotEnoughDataError(
            f"A forecast of revenue needs at least {FEWEST_SPENDERS} customers who came back and spent, and "
            f"{counted(int(spent.sum()), 'was', 'were')} found; load orders with prices."
        )
    unit = float(mean[spent].mean())
    x, z = orders[spent], mean[spent] / unit
    distinct, place, counts = np.unique(x, return_inverse=True, return_counts=True)
    share = counts / len(x)
    log_z, spent_in_all = float((x * np.log(z)).mean()), x * z
    constant = float((x * np.log(x)).mean())

    def cost(logs: Numbers) -> tuple[float, Numbers]:
        p, q, v = np.exp(logs)
        shape = p * distinct + q
        by_x = gammaln(shape) - gammaln(p * distinct) - gammaln(q) + q * np.log(v)
        log_rate, inverse = np.log(v + spent_in_all), 1 / (v + spent_in_all)
        rate_of_x = np.bincount(place, weights=log_rate) / len(x)
        value = share @ by_x + p * (log_z + constant) - shape @ rate_of_x
        rate_p = share @ (distinct * (digamma(shape) - digamma(p * distinct))) + log_z + constant - distinct @ rate_of_x
        rate_q = share @ (digamma(shape) - digamma(q)) + np.log(v) - rate_of_x.sum()
        rate_v = q / v - shape @ (np.bincount(place, weights=inverse) / len(x))
        return -float(value), -np.array([rate_p * p, rate_q * q, rate_v * v])

    best = likeliest(cost, [(1, 1, 1), (6, 4, 0.5)])
    if best is None:
        raise NotEnoughDataError(
            "A forecast of revenue could not be fitted: no mean order explains what was spent; load orders with prices."
        )
    (p, q, v), least = best
    jacobian = float(np.log(z).sum()) + len(x) * float(np.log(unit))
    return GammaGamma(p, q, v * unit, -least * len(x) - jacobian)
