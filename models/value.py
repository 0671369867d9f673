"""How often customers will buy, and who has gone: the BG/NBD model, fitted by maximum likelihood.

Fader, Hardie, Lee, "Counting your customers" the easy way: an alternative to the Pareto/NBD model, Marketing Science 24
(2005). While active a customer buys at random at a rate of their own (gamma over customers: r, alpha), and after each
purchase leaves for good with a probability of their own (beta over customers: a, b). A history is three numbers: x, the
repeat purchases; t_x, the time from the first purchase to the last; and T (here age), the time from the first to now.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaln, digamma, expit, gammaln, hyp2f1

from errors import NotEnoughDataError
from models.likelihood import Numbers, likeliest
from models.wording import counted

FEWEST_REPEATERS = 50
"""Repeat customers without which four parameters are guesswork."""


_NODES = 12
"""Of the integral of `mean_square`: enough for half a percent of customers who buy a thousand times a year."""


@dataclass(frozen=True)
class Histories:
    """Equal histories together: x, t_x, age of each, how many of x are `recent`, and how many customers have it.

    `place` leads from each customer to their history.
    """

    x: Numbers
    t_x: Numbers
    age: Numbers
    recent: Numbers
    customers: Numbers
    place: npt.NDArray[np.intp]


@dataclass(frozen=True)
class Beliefs:
    """What is known of customers with each history: arrays, one entry a history; times in the unit of the fit.

    The rate of buying is gamma distributed (shape, rate), the probability of leaving after a purchase beta (left,
    stayed), independent of it where the customer is active, which is so with probability p_alive.
    """

    p_alive: Numbers
    shape: Numbers
    rate: Numbers
    left: float
    stayed: Numbers

    def widened(self, steadiness: float) -> "Beliefs":
        """The same mean rates, less sure: 1 leaves them as they are, 0.5 says that half of what is known holds on.

        The power steady model of Smith (1979) and Harvey, Fernandes (1989): rates wander, so the past tells less.
        """
        return replace(self, shape=self.shape * steadiness, rate=self.rate * steadiness)

    def expected_orders(self, time: float) -> Numbers:
        """Mean number of purchases in the next `time` (formula 10 of Fader, Hardie, Lee 2005).

        Gauss's function by Euler's transformation, which keeps its terms small however many purchases there were. Where
        it is beyond the numbers of a computer, the mean of a customer who never leaves, which is its upper bound.
        """
        a = self.left + (1e-6 if abs(self.left - 1) < 1e-6 else 0.0)  # at 1 the formula is a limit
        z = time / (self.rate + time)
        top = a + self.stayed - 1
        top = np.where(np.abs(top) < 1e-9, 1e-9, top)
        with np.errstate(all="ignore"):
            series = (1 - z) ** (a - 1) * _gauss(top - self.shape, a - 1, top, z)
        most = self.shape / self.rate * time
        mean = np.clip(np.nan_to_num(top / (a - 1) * (1 - series), nan=np.inf), 0, most)
        return np.asarray(mean * self.p_alive, dtype=np.float64)

    def at_least(self, n: Numbers, time: float) -> Numbers:
        """Probability of n or more purchases (n at least 1) in the next `time`.

        An active customer makes an n-th purchase where a negative binomial count reaches n and they stayed after each
        of the n - 1 before it.
        """
        bought = betainc(n, self.shape, time / (self.rate + time))
        stayed = np.exp(np.subtract(betaln(self.left, self.stayed + n - 1), betaln(self.left, self.stayed)))
        return np.asarray(bought * np.minimum(stayed, 1) * self.p_alive, dtype=np.float64)

    def exactly(self, n: Numbers, time: float) -> Numbers:
        """Probability of n purchases in the next `time`, n from 0 on."""
        reached = np.where(n > 0, self.at_least(np.maximum(n, 1), time), 1.0)
        return np.maximum(reached - self.at_least(n + 1, time), 0)

    def quantile(self, share: float, time: float) -> Numbers:
        """The smallest number of purchases in the next `time` that is not exceeded with this probability."""
        low, high = np.full(len(self.rate), -1.0), np.ceil(2 * self.expected_orders(time))
        while (short := self.at_least(high + 1, time) > 1 - share).any():
            low, high = np.where(short, high, low), np.where(short, 2 * high + 1, high)
        while len(wide := np.flatnonzero(high - low > 1)):
            middle = np.floor((low[wide] + high[wide]) / 2)
            short = self._of(wide).at_least(middle + 1, time) > 1 - share
            low[wide], high[wide] = np.where(short, middle, low[wide]), np.where(short, high[wide], middle)
        return high

    def mean_square(self, time: float) -> Numbers:
        """Mean of the squared number of purchases in the next `time`.

        A purchase at any time before u and one at u come at the rate of rate^2 (1 - p) exp(-rate p u): its mean over
        both unknowns is Gauss's function again, integrated over u by Gauss and Legendre's rule. Twice those pairs, and
        the mean, are the mean square.
        """
        top = self.left + self.stayed
        pairs, longest = np.zeros(len(self.rate)), np.log1p(time / self.rate)
        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
        with np.errstate(all="ignore"):
            for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
                log = node * longest  # of 1 + u / rate: what falls as a power of it is smooth in its logarithm
                series = np.exp(-self.left * log) * _gauss(top - 1 - self.shape, self.left, top + 1, -np.expm1(-log))
                bounded = np.nan_to_num(series, nan=1.0, posinf=1.0).clip(0, 1)
                pairs += weight * longest * np.expm1(log) * np.exp(log) * bounded
        twice = 2 * pairs * self.shape * (self.shape + 1) * self.stayed / top
        mean = self.expected_orders(time)
        return np.asarray(np.maximum(twice * self.p_alive + mean, mean**2), dtype=np.float64)

    def median_wait(self) -> Numbers:
        """The time within which half of such customers, if active, have bought again; infinite where beyond reach."""
        with np.errstate(over="ignore"):
            return np.asarray(self.rate * np.expm1(np.log(2) / self.shape), dtype=np.float64)

    def _of(self, some: npt.NDArray[np.intp]) -> "Beliefs":
        return Beliefs(self.p_alive[some], self.shape[some], self.rate[some], self.left, self.stayed[some])


@dataclass(frozen=True)
class BgNbd:
    """A fitted model."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float

    def beliefs(self, of: Histories, memory: float = 1.0, window: float = np.inf) -> Beliefs:
        """What each history tells. With `memory` below 1, purchases and time before the last `window` count by so much.

        P(alive) is formula 2 of Fader, Hardie, Computing P(alive) using the BG/NBD model (2008); it is 1 where x is 0,
        for the model lets go after a repeat purchase only.
        """
        gone = np.log(self.a) - np.log(self.b + np.maximum(of.x, 1) - 1)
        gone = gone + (self.r + of.x) * (np.log(self.alpha + of.age) - np.log(self.alpha + of.t_x))
        p_alive = np.where(of.x > 0, expit(-gone), 1.0)
        recent_time = np.minimum(of.age, window)
        shape = self.r + of.recent + memory * (of.x - of.recent)
        rate = self.alpha + recent_time + memory * (of.age - recent_time)
        return Beliefs(p_alive, shape, rate, self.a, self.b + of.x)


def histories(x: Numbers, t_x: Numbers, age: Numbers, recent: Numbers | None = None) -> Histories:
    """Customers with equal histories together; in whole days they are few. `recent` None: all purchases are."""
    rows = (x, t_x, age, x if recent is None else recent)
    order = np.lexsort(rows if recent is not None else rows[:3])
    is_first = np.ones(len(x), dtype=bool)
    is_first[1:] = np.any([row[order[1:]] != row[order[:-1]] for row in rows], axis=0)
    place = np.empty(len(x), dtype=np.intp)
    place[order] = np.cumsum(is_first) - 1
    x, t_x, age, recent = (row[order[is_first]] for row in rows)
    return Histories(x, t_x, age, recent, np.bincount(place).astype(np.float64), place)


def bg_nbd(of: Histories) -> BgNbd:
    """The model under which these histories are the likeliest. Raises NotEnoughDataError where they do not tell it."""
    repeaters = int(of.customers[of.x > 0].sum())
    if repeaters < FEWEST_REPEATERS:
        raise NotEnoughDataError(
            f"A forecast of orders needs at least {FEWEST_REPEATERS} customers with a second order, and "
            f"{counted(repeaters, 'was', 'were')} found; load a longer history."
        )
    unit = float(np.average(of.age, weights=of.customers)) or 1.0
    x, t_x, age = of.x, of.t_x / unit, of.age / unit
    distinct, place = np.unique(x, return_inverse=True)
    weight = of.customers / of.customers.sum()
    of_x = np.bincount(place, weights=weight)
    again = x > 0

    def cost(logs: Numbers) -> tuple[float, Numbers]:
        """Minus the mean log-likelihood, in the stable form of the paper's appendix, and its gradient in the logs."""
        r, alpha, a, b = np.exp(logs)
        by_x = gammaln(r + distinct) - gammaln(r) + r * np.log(alpha) + betaln(a, b + distinct) - betaln(a, b)
        active = -(r + x) * np.log(alpha + age)
        left = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + t_x)
        left[~again] = -np.inf
        value = of_x @ by_x + weight @ np.logaddexp(active, left)
        gone = weight * expit(left - active)
        here = weight - gone
        rate_r = of_x @ (digamma(r + distinct) - digamma(r) + np.log(alpha))
        rate_r -= here @ np.log(alpha + age) + gone @ np.log(alpha + t_x)
        rate_alpha = r / alpha - here @ ((r + x) / (alpha + age)) - gone @ ((r + x) / (alpha + t_x))
        total = digamma(a + b) - digamma(a + b + distinct)
        rate_a = of_x @ total + gone.sum() / a
        rate_b = of_x @ (total + digamma(b + distinct) - digamma(b)) - gone @ (1 / (b + np.maximum(x, 1) - 1))
        return -float(value), -np.array([rate_r * r, rate_alpha * alpha, rate_a * a, rate_b * b])

    best = likeliest(cost, [(1, 1, 1, 1), (0.5, 0.5, 0.2, 2)])
    if best is None:
        raise NotEnoughDataError(
            "A forecast of orders could not be fitted: no rates of buying and leaving explain these histories; "
            "load a longer history."
        )
    (r, alpha, a, b), least = best
    total = float(of.customers.sum())
    scale = float((of.customers * x).sum() * np.log(unit))  # densities of times are in the caller's unit
    return BgNbd(r, alpha * unit, a, b, -least * total - scale)


def _gauss(first: Numbers, second: float, third: Numbers, z: Numbers) -> Numbers:
    """The hypergeometric function, beside whole numbers: at some of them scipy's is infinite."""
    return np.asarray(hyp2f1(first + 1e-9, second, third, z), dtype=np.float64)
