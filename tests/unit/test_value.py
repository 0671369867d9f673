"""BG/NBD: the published figures, simulated customers, and what must hold of any probability."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from models.value import BgNbd, Histories, bg_nbd, histories

CDNOW = BgNbd(0.243, 4.414, 0.793, 2.426, -9582.4)
numbers = st.integers(0, 400)
times = st.floats(0, 500)
rates = st.floats(0.05, 20)


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
