"""Drift: the index by hand, its distribution without drift (Yurdakul 2018), and shops too small to tell."""

from math import log

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.drift import LARGE, SEGMENTS, Drift, bins, deciles, drift, stability_index

values = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")), st.just(float("inf"))), min_size=1)


def of(before: list[float], now: list[float]) -> Drift:
    """The drift of one feature in a shop with one segment."""
    then, since = (pd.DataFrame({"frequency": numbers}, dtype=float) for numbers in (before, now))
    return drift(then, since, ["frequency"], (["all"] * len(before), ["all"] * len(now)))


def psi(found: Drift, name: str = "frequency") -> float:
    return next(index.psi for index in found.indices if index.name == name)


def test_the_index_by_hand() -> None:
    """Halves become three fifths and two fifths: 0.1 ln(6/5) - 0.1 ln(4/5)."""
    assert stability_index(np.array([0.5, 0.5]), np.array([0.6, 0.4])) == pytest.approx(
        0.1 * log(6 / 5) - 0.1 * log(4 / 5)
    )
    assert stability_index(np.array([0.6, 0.4]), np.array([0.5, 0.5])) == pytest.approx(0.1 * log(3 / 2))


def test_the_index_of_a_feature_by_hand() -> None:
    """Ten values, a decile each; then two of the first and none of the last, whose share is taken as 0.0001."""
    found = of([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [1, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert psi(found) == pytest.approx((0.2 - 0.1) * log(2) + (0.0001 - 0.1) * log(0.001))


def test_equal_values_share_a_bin() -> None:
    edges = deciles(pd.Series([1.0] * 60 + [2.0] * 25 + [3.0] * 15))
    assert edges.tolist() == [1, 2, 3]
    assert bins(pd.Series([0.5, 1, 1.5, 2, 3, 99, np.nan]), edges).tolist() == [0, 0, 1, 1, 2, 3, -1]


def test_without_drift_the_index_is_as_large_as_chance_makes_it() -> None:
    """Its mean is (bins - 1)(1/n + 1/m), and it passes the limit of chance once in a hundred times."""
    random = np.random.default_rng(1)
    n, m, times = 1_000, 2_000, 400
    samples = [random.gamma(2, 100, n + m) for _ in range(times)]
    found = [of(sample[:n].tolist(), sample[n:].tolist()) for sample in samples]
    assert np.mean([psi(one) for one in found]) == pytest.approx(9 * (1 / n + 1 / m), rel=0.1)
    passed = np.mean([one.indices[0].psi > one.indices[0].chance for one in found])
    assert 0 < passed <= 0.03


def test_a_large_drift_is_said() -> None:
    before, now = np.arange(1_000.0), np.arange(1_000.0) + 500
    then, since = (pd.DataFrame({"recency_days": numbers, "frequency": before}) for numbers in (before, now))
    wanted = ["recency_days", "frequency", "absent"]
    found = drift(then, since, wanted, (["A"] * 1_000, ["A"] * 500 + ["B"] * 500))
    assert found.large
    assert {index.name for index in found.indices if index.large} == {"recency_days", SEGMENTS}
    assert "differ much" in found.sentence
    assert "recency days (PSI" in found.sentence
    assert "frequency" not in found.sentence


def test_that_time_passes_is_no_drift() -> None:
    then, since = (pd.DataFrame({"tenure_days": np.arange(1_000) + days}) for days in (0, 300))
    found = drift(then, since, ["tenure_days"], (["A"] * 1_000, ["A"] * 1_000))
    assert [index.name for index in found.indices] == [SEGMENTS]
    assert not found.large


def test_a_few_customers_prove_no_drift() -> None:
    found = of([1, 5, 9], [2, 6, 30])
    assert psi(found) > LARGE
    assert not found.large
    assert "save for chance" in found.sentence


@given(values, values)
def test_no_shop_breaks_it(before: list[float], now: list[float]) -> None:
    found, back = of(before, now), of(before, before)
    assert psi(found) >= 0
    assert np.isfinite([number for index in found.indices for number in (index.psi, index.chance)]).all()
    assert found.sentence.endswith(".")
    assert (psi(back), back.large) == (0, False)


def test_nobody_before_is_no_drift() -> None:
    assert not of([], [1, 2]).large
