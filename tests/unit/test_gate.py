"""The gate: better than popularity or not published, customer by customer."""

import pandas as pd
import pytest

from models.gate import verdict


def judged(*ndcg: float) -> pd.DataFrame:
    return pd.DataFrame({("ndcg", 10): ndcg}, index=[f"c{number}" for number in range(len(ndcg))])


def test_a_better_mean_passes() -> None:
    result = verdict(judged(0.5, 0.2, 0.3), judged(0.1, 0.2, 0.4), 42)
    assert result.passed
    assert result.difference == pytest.approx(1 / 10)


def test_only_a_difference_without_zero_in_its_interval_is_said_to_beat() -> None:
    clear = verdict(judged(0.5, 0.4, 0.6), judged(0.1, 0.2, 0.4), 42)
    assert clear.low > 0
    assert "beats popular" in clear.sentence
    chance = verdict(judged(0.5, 0.2, 0.3), judged(0.1, 0.2, 0.4), 42)
    assert chance.low <= 0 < chance.difference
    assert "beats" not in chance.sentence
    assert "is above popular on products new to the customer, but not distinguishable from it" in chance.sentence
    assert f"95% interval {chance.low:+.4f} to {chance.high:+.4f}" in chance.sentence


@pytest.mark.parametrize("candidate", [(0.1, 0.2, 0.4), (0.0, 0.2, 0.4)])
def test_an_equal_or_worse_mean_does_not(candidate: tuple[float, ...]) -> None:
    result = verdict(judged(*candidate), judged(0.1, 0.2, 0.4), 42)
    assert not result.passed
    assert "does not beat popular" in result.sentence


def test_customers_are_paired_by_id_not_by_place() -> None:
    baseline = judged(0.1, 0.2, 0.3)
    result = verdict(judged(0.2, 0.3, 0.4).iloc[::-1], baseline, 42)
    assert [result.low, result.high] == pytest.approx([0.1, 0.1])
