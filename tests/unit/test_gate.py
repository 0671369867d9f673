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
    assert "beats popular" in result.sentence


@pytest.mark.parametrize("candidate", [(0.1, 0.2, 0.4), (0.0, 0.2, 0.4)])
def test_an_equal_or_worse_mean_does_not(candidate: tuple[float, ...]) -> None:
    result = verdict(judged(*candidate), judged(0.1, 0.2, 0.4), 42)
    assert not result.passed
    assert "does not beat popular" in result.sentence


def test_customers_are_paired_by_id_not_by_place() -> None:
    baseline = judged(0.1, 0.2, 0.3)
    result = verdict(judged(0.2, 0.3, 0.4).iloc[::-1], baseline, 42)
    assert [result.low, result.high] == pytest.approx([0.1, 0.1])
