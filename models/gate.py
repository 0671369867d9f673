"""A recommender that does not beat the popularity baseline is not published."""

from dataclasses import dataclass

import pandas as pd

from models.metrics import intervals
from models.recommenders.hybrid import Hybrid
from models.recommenders.popular import Popular

_METRIC = ("ndcg", 10)


@dataclass(frozen=True)
class Verdict:
    """Whether to publish, the mean paired difference with its 95% interval, and a sentence that says so."""

    passed: bool
    difference: float
    low: float
    high: float
    sentence: str


def verdict(candidate: pd.DataFrame, baseline: pd.DataFrame, seed: int) -> Verdict:
    """Compare two frames of `metrics.by_customer` over the same customers by NDCG@10, customer by customer."""
    difference = (candidate[_METRIC] - baseline[_METRIC]).to_frame()
    mean, low, high = intervals(difference, seed).iloc[0].tolist()
    passed = mean > 0
    sentence = (
        f"{Hybrid.name} {_finding(mean, low)}: NDCG@10 {candidate[_METRIC].mean():.4f} against "
        f"{baseline[_METRIC].mean():.4f} (difference {mean:+.4f}, 95% interval {low:+.4f} to {high:+.4f}, "
        f"{len(difference):,} customers)."
    )
    return Verdict(passed, mean, low, high, sentence)


def _finding(mean: float, low: float) -> str:
    on = f"{Popular.name} on products new to the customer"
    if low > 0:
        return f"beats {on}"
    return f"is above {on}, but not distinguishable from it" if mean > 0 else f"does not beat {on}"
