"""BG/NBD: the published figures, simulated customers, and what must hold of any probability."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import NotEnoughDataError
from models.value import Beliefs, BgNbd, Histories, bg_nbd, histories

CDNOW = BgNbd(0.243, 4.414, 0.793, 2.426, -9582.4)
GROCER = BgNbd(1.17, 6.5, 6e-6, 1e5, 0.0)

positive = st.floats(0.1, 50)
models = st.one_of(
    st.sampled_from([CDNOW, GROCER]),
    st.builds(BgNbd, positive, positive, positive, positive, st.just(0.0)),
)


@st.composite
def lives(draw: st.DrawFn) -> tuple[float, float, float]:
    """x, t_x and age of a customer, in days."""
    x, age = draw(st.integers(0, 300)), draw(st.integers(0, 1000))
    return x, draw(st.integers(0, age)) if x else 0, age


def history(x: float, t_x: float, age: float) -> Histories:
    return histories(*(np.array([float(value)]) for value in (x, t_x, age)))


@pytest.fixture(scope="module")
def cdnow(shared_data: Path) -> pd.DataFrame:
    return pd.read_csv(shared_data / "cdnow_summary.csv")


def test_cdnow_gives_the_published_parameters(cdnow: pd.DataFrame) -> None:
    """Fader, Hardie, Lee (2005), table 2."""
    model = bg_nbd(histories(*(cdnow[name].to_numpy(np.float64) for name in ("frequency", "recency", "T"))))
    assert model.r == pytest.approx(0.243, abs=0.0005)
    assert model.alpha == pytest.approx(4.414, abs=0.0005)
    assert model.a == pytest.approx(0.793, abs=0.0005)
    assert model.b == pytest.approx(2.426, abs=0.0005)
    assert model.log_likelihood == pytest.approx(-9582.4, abs=0.05)


def test_the_unit_of_time_does_not_matter(cdnow: pd.DataFrame) -> None:
    x, t_x, age = (cdnow[name].to_numpy(np.float64) for name in ("frequency", "recency", "T"))
    weeks, days = bg_nbd(histories(x, t_x, age)), bg_nbd(histories(x, t_x * 7, age * 7))
    assert (days.r, days.alpha / 7, days.a, days.b) == pytest.approx((weeks.r, weeks.alpha, weeks.a, weeks.b), rel=1e-3)
    by_week = weeks.beliefs(history(2, 30.43, 38.86)).expected_orders(39)
    by_day = days.beliefs(history(2, 30.43 * 7, 38.86 * 7)).expected_orders(39 * 7)
    assert by_week == pytest.approx(by_day, rel=1e-3)


def test_the_customer_of_the_notes_on_cdnow() -> None:
    """1.226 purchases in the next 39 weeks: Fader, Hardie, Lee, Implementing the BG/NBD model in Excel (2005)."""
    beliefs = CDNOW.beliefs(history(2, 30.43, 38.86))
    assert beliefs.expected_orders(39)[0] == pytest.approx(1.226, abs=0.001)


def test_too_few_who_came_back_are_told_so() -> None:
    once = np.zeros(60)
    with pytest.raises(NotEnoughDataError, match="at least 50 customers with a second order, and 0 were found"):
        bg_nbd(histories(once, once, once + 30))


def test_simulated_customers_are_recovered() -> None:
    """Bought and left as the model says, then told x, t_x and age alone."""
    random = np.random.default_rng(3)
    count = 20_000
    age, rate, leaves = random.uniform(100, 700, count), random.gamma(0.8, 1 / 30, count), random.beta(0.9, 3, count)
    stays = random.geometric(leaves)
    x, t_x, now = np.zeros(count), np.zeros(count), np.zeros(count)
    going = np.ones(count, dtype=bool)
    while going.any():
        now += random.exponential(1 / rate)
        going &= (now <= age) & (x < stays)
        x, t_x = np.where(going, x + 1, x), np.where(going, now, t_x)
    model = bg_nbd(histories(x, t_x, age))
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.8, 30, 0.9, 3), rel=0.1)


@pytest.mark.parametrize("life", [(2, 30.43, 38.86), (7, 12, 38), (1, 2, 30), (0, 0, 20)])
def test_p_alive_and_the_orders_to_come_are_those_of_bayes(life: tuple[float, float, float]) -> None:
    """Rates and probabilities of leaving drawn from the shop's, weighted by how likely they make the history."""
    x, t_x, age = life
    random = np.random.default_rng(11)
    rate, leaves = random.gamma(CDNOW.r, 1 / CDNOW.alpha, 4_000_000), random.beta(CDNOW.a, CDNOW.b, 4_000_000)
    active = rate**x * (1 - leaves) ** x * np.exp(-rate * age)
    left = rate**x * leaves * (1 - leaves) ** (x - 1) * np.exp(-rate * t_x) if x else np.zeros(len(rate))
    beliefs = CDNOW.beliefs(history(*life))
    assert beliefs.p_alive[0] == pytest.approx(active.sum() / (active + left).sum(), abs=0.005)
    orders = (active * -np.expm1(-rate * leaves * 39) / leaves).sum() / (active + left).sum()
    assert beliefs.expected_orders(39)[0] == pytest.approx(orders, rel=0.01)
    none = 1 - (active * -np.expm1(-rate * 39)).sum() / (active + left).sum()
    assert 1 - beliefs.at_least(np.array([1.0]), 39)[0] == pytest.approx(none, abs=0.005)


@given(models, lives(), st.floats(1, 400), st.floats(0.05, 1), st.floats(0.05, 1))
def test_no_history_gives_impossible_numbers(
    model: BgNbd, life: tuple[float, float, float], time: float, memory: float, steadiness: float
) -> None:
    beliefs = model.beliefs(history(*life), memory, 90).widened(steadiness)
    assert 0 <= beliefs.p_alive[0] <= 1
    orders, more = beliefs.expected_orders(time)[0], beliefs.expected_orders(2 * time)[0]
    assert 0 <= orders <= more * (1 + 1e-9) < np.inf
    one, two = (beliefs.at_least(np.array([n]), time)[0] for n in (1.0, 2.0))
    assert 0 <= two <= one <= beliefs.p_alive[0]
    assert beliefs.mean_square(time)[0] >= orders**2 * (1 - 1e-3) - 1e-3
    assert beliefs.median_wait()[0] > 0


@given(models, lives(), st.integers(1, 100))
def test_the_longer_the_silence_the_less_likely_active(
    model: BgNbd, life: tuple[float, float, float], longer: int
) -> None:
    x, t_x, age = life
    before, after = (model.beliefs(history(x, t_x, at)).p_alive[0] for at in (age, age + longer))
    assert after <= before
    assert x > 0 or before == after == 1


@given(models, lives(), st.sampled_from([30.0, 90.0, 365.0]))
def test_the_mean_is_the_sum_over_counts(model: BgNbd, life: tuple[float, float, float], time: float) -> None:
    """Formula 10 of the paper against the distribution of counts, which shares none of its terms."""
    beliefs = model.beliefs(history(*life))
    n = np.arange(1, 20_000.0)
    alive, shape, rate, stayed = (
        np.full(len(n), part[0]) for part in (beliefs.p_alive, beliefs.shape, beliefs.rate, beliefs.stayed)
    )
    reached = Beliefs(alive, shape, rate, beliefs.left, stayed).at_least(n, time)
    if reached[-1] < 1e-9:
        assert beliefs.expected_orders(time)[0] == pytest.approx(reached.sum(), rel=1e-4, abs=1e-6)
        assert beliefs.mean_square(time)[0] == pytest.approx(((2 * n - 1) * reached).sum(), rel=0.01, abs=1e-5)
        middle = beliefs.quantile(0.5, time)[0]
        assert middle == (reached > 0.5).sum()
