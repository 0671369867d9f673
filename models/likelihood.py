"""The parameters, all positive, under which data are the likeliest: one search for every model that is fitted so."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

Numbers = npt.NDArray[np.float64]

_WIDEST = 12.0
"""Bound of the logarithm of each parameter: with data near 1, whoever is beyond e^12 is at infinity."""


def likeliest(
    cost: Callable[[Numbers], tuple[float, Numbers]], starts: Sequence[Sequence[float]]
) -> tuple[list[float], float] | None:
    """The parameters of the least `cost` found from any start, and that cost; None where it is nowhere finite.

    `cost` takes the logarithms of the parameters and gives minus a mean log-likelihood and its gradient in them. The
    search is L-BFGS-B (Byrd, Lu, Nocedal, Zhu 1995), in the logarithms, within bounds.
    """
    bounds = [(-_WIDEST, _WIDEST)] * len(starts[0])
    best: tuple[list[float], float] | None = None
    for start in starts:
        with threadpool_limits(1):  # sums in one order; and more threads wait for each other longer than they add
            found = minimize(
                cost,
                np.log(np.array(start)),
                method="L-BFGS-B",
                jac=True,
                bounds=bounds,
                options={"ftol": 1e-14, "gtol": 1e-8, "maxiter": 1_000},
            )
        if np.isfinite(found.fun) and (best is None or found.fun < best[1]):
            best = np.exp(found.x).tolist(), float(found.fun)
    return best
