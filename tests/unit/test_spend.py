"""Gamma-Gamma: the published figures, and the likelihood summed term by term."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import gamma

from errors import NotEnoughDataError
from models.likelihood import Numbers
from models.spend import GammaGamma, gamma_gamma


@pytest.fixture(scope="module")
def repeaters(shared_data: Path) -> tuple[Numbers, Numbers]:
    frame = pd.read_csv(shared_data / "cdnow_summary_with_spend.csv")
    again = frame[frame["x"] > 0]
    assert len(again) == 946
    return again["x"].to_numpy(np.float64), again["zbar"].to_numpy(np.float64)


def test_cdnow_gives_the_published_parameters(repeaters: tuple[Numbers, Numbers]) -> None:
    """Fader, Hardie (2013), section 5."""
    model = gamma_gamma(*repeaters)
    assert (model.p, model.q, model.v) == pytest.approx((6.25, 3.74, 15.45), rel=0.01)


def test_the_likelihood_is_that_of_the_two_gammas() -> None:
    """Orders given nu and nu over customers, integrated numerically for one customer of three orders."""
    model = GammaGamma(6.25, 3.74, 15.45, 0.0)
    nu = np.linspace(1e-4, 3, 200_001)
    weight = gamma.pdf(25.0, a=3 * model.p, scale=1 / (3 * nu)) * gamma.pdf(nu, a=model.q, scale=1 / model.v)
    posterior = weight / weight.sum()
    three, mean = np.array([3.0]), np.array([25.0])
    assert model.mean_order(three, mean)[0] == pytest.approx((posterior * model.p / nu).sum(), rel=1e-4)
    assert model.mean_square(three, mean)[0] == pytest.approx((posterior * (model.p / nu) ** 2).sum(), rel=1e-4)


def test_simulated_spending_is_recovered() -> None:
    random = np.random.default_rng(7)
    orders = random.integers(1, 9, 20_000).astype(np.float64)
    nu = random.gamma(4, 1 / 60, len(orders))
    model = gamma_gamma(orders, random.gamma(3 * orders, 1 / nu) / orders)
    assert (model.p, model.q, model.v) == pytest.approx((3, 4, 60), rel=0.15)
    assert model.p * model.v / (model.q - 1) == pytest.approx(60, rel=0.01), "the mean order of the shop"


@pytest.mark.parametrize("mean", [0.0, -5.0])
def test_a_shop_without_spend_is_told_so(mean: float) -> None:
    with pytest.raises(NotEnoughDataError, match=r"at least 50 customers .* and 0 were found"):
        gamma_gamma(np.full(60, 2.0), np.full(60, mean))


def test_equal_orders_are_expected_again() -> None:
    model = gamma_gamma(np.full(60, 2.0), np.full(60, 20.0))
    assert model.mean_order(np.array([1.0, 2.0]), np.array([20.0, 20.0])) == pytest.approx(20, rel=0.01)
