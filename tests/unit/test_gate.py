"""The gate: clearly better than the best simple model, for all and in each segment, or not published."""

import json
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.evaluation import Evaluation
from models.gate import Verdict, verdict

CUSTOMERS = 60
EASY = np.linspace(0, 0.5, CUSTOMERS)
"""A baseline's NDCG@10, customer by customer."""


def evaluated(segments: str = "a", folds: int = 1, **ndcg: np.ndarray) -> Evaluation:
    """An evaluation in which each model has these values in every fold; the letters are the customers' segments."""
    ids = pd.Index([f"c{who:02}" for who in range(len(next(iter(ndcg.values()))))], name=C.CUSTOMER_ID)
    values = {
        (fold, model, "discover"): pd.DataFrame({("ndcg", 10): value}, index=ids)
        for model, value in ndcg.items()
        for fold in range(1, folds + 1)
    }
    for model in ndcg:
        values[0, model, "discover"] = pd.concat([values[fold, model, "discover"] for fold in range(1, folds + 1)])
    letters = [segments[place % len(segments)] for place in range(len(ids))]
    customers = [pd.DataFrame({C.FOLD: fold, C.CUSTOMER_ID: ids, C.SEGMENT: letters}) for fold in range(1, folds + 1)]
    return Evaluation(pd.DataFrame(), values, pd.concat(customers, ignore_index=True))


def judged(of: Evaluation, *baselines: str) -> Verdict:
    return verdict(of, "discover", "ranker", baselines or ("popular",), 42)


def test_clearly_better_passes_and_says_by_how_much() -> None:
    result = judged(evaluated(ranker=EASY + 0.1, popular=EASY, ease=EASY + 0.05), "popular", "ease")
    assert result.passed
    assert result.baseline == "ease", "the best one, not the first"
    assert [result.difference, result.low, result.high] == pytest.approx([0.05, 0.05, 0.05])
    assert result.sentence == (
        "The ranker beats EASE, the best baseline, on products new to the customer: NDCG@10 0.3500 against 0.3000 "
        "(difference +0.0500, 95% interval +0.0500 to +0.0500, 60 customers)."
    )


def test_a_better_mean_that_may_be_chance_does_not_pass() -> None:
    luck = np.random.default_rng(1).normal(0.01, 0.2, CUSTOMERS)
    result = judged(evaluated(ranker=EASY + luck, popular=EASY))
    assert result.low <= 0 < result.difference
    assert not result.passed
    assert "is above popularity on products new to the customer, but that may be chance" in result.sentence
    assert f"95% interval {result.low:+.4f} to {result.high:+.4f}" in result.sentence


@pytest.mark.parametrize("less", [0, 0.1])
def test_an_equal_or_worse_mean_does_not(less: float) -> None:
    result = judged(evaluated(ranker=EASY - less, popular=EASY))
    assert not result.passed
    assert result.sentence.startswith("The ranker does not beat popularity on products new to the customer: ")


def test_a_segment_that_is_clearly_worse_refuses() -> None:
    worse_in_b = np.where(np.arange(CUSTOMERS) % 2, -0.05, 0.3)
    result = judged(evaluated("ab", ranker=EASY + worse_in_b, popular=EASY))
    assert result.low > 0
    assert [(one.segment, one.customers, one.clearly_worse) for one in result.segments] == [
        ("a", 30, False),
        ("b", 30, True),
    ]
    assert not result.passed
    assert "but is clearly worse for b (-0.0500, -0.0500 to -0.0500): NDCG@10" in result.sentence


def test_a_segment_of_fewer_than_30_customers_decides_nothing() -> None:
    worse_in_c = np.where(np.arange(CUSTOMERS) % 3 == 2, -0.05, 0.3)
    result = judged(evaluated("abc", ranker=EASY + worse_in_c, popular=EASY))
    assert [one.customers for one in result.segments] == [20, 20, 20]
    assert result.segments[2].high < 0
    assert result.passed


def test_of_fewer_than_30_customers_in_all_nothing_passes() -> None:
    result = judged(evaluated(ranker=EASY[:29] + 0.1, popular=EASY[:29]))
    assert result.low > 0
    assert not result.passed
    assert "fewer than 30 customers" in result.sentence


def test_the_same_customer_in_three_windows_is_one_customer() -> None:
    luck = np.random.default_rng(2).normal(0.05, 0.2, CUSTOMERS)
    once, thrice = (judged(evaluated(folds=folds, ranker=EASY + luck, popular=EASY)) for folds in (1, 3))
    assert [thrice.difference, thrice.low, thrice.high] == pytest.approx([once.difference, once.low, once.high])
    assert thrice.customers == CUSTOMERS


def test_models_are_compared_on_the_folds_both_have() -> None:
    whole = evaluated(folds=2, ranker=EASY + 0.1, popular=EASY)
    without = {key: value for key, value in whole.by_customer.items() if key != (2, "ranker", "discover")}
    without[0, "ranker", "discover"] = whole.by_customer[1, "ranker", "discover"]
    assert judged(replace(whole, by_customer=without)).difference == pytest.approx(0.1)


def test_customers_are_paired_by_id_not_by_place() -> None:
    whole = evaluated(ranker=EASY + 0.1, popular=EASY)
    whole.by_customer[1, "ranker", "discover"] = whole.by_customer[1, "ranker", "discover"].iloc[::-1]
    result = judged(whole)
    assert [result.low, result.high] == pytest.approx([0.1, 0.1])


def test_equal_baselines_give_the_first_and_missing_ones_are_passed_over() -> None:
    of = evaluated(ranker=EASY + 0.1, ease=EASY, popular=EASY)
    assert judged(of, "als", "popular", "ease").baseline == "popular"
    with pytest.raises(KeyError, match="None of als was evaluated"):
        judged(of, "als")


def test_a_verdict_is_plain_json() -> None:
    result = judged(evaluated("ab", ranker=EASY + 0.1, popular=EASY))
    plain = json.loads(json.dumps(asdict(result)))
    assert plain["passed"] is True
    assert plain["segments"][0]["segment"] == "a"


def test_a_slice_without_customers_is_a_sentence() -> None:
    with pytest.raises(NotEnoughDataError, match=r"products bought before; load a longer history"):
        verdict(evaluated(ranker=EASY, popular=EASY), "buy_again", "ranker", ["popular"], 42)
