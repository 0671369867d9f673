"""The gate: recommendations that do not clearly beat the best simple model, for all and in each segment, stay in."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.evaluation import JUDGED, POOLED, Evaluation
from models.metrics import intervals
from models.recommenders.training import Kind
from models.wording import counted

MIN_CUSTOMERS = 30
"""Of fewer an interval says too little: they decide nothing."""

MODELS = {
    "popular": "popularity",
    "popular_segment": "popularity in the segment",
    "own_history": "the customer's own history",
    "item_knn": "the item-neighbour model",
    "ease": "EASE",
    "als": "ALS",
    "user_knn": "the customer-neighbour model",
    "lightfm_ids": "LightFM without features",
    "hybrid": "the LightFM hybrid",
    "ranker": "the ranker",
    "published": "what customers get",
}
"""Model -> how a sentence calls it."""
SLICES: dict[Kind, str] = {
    "discover": "on products new to the customer",
    "buy_again": "on products bought before",
    "any": "on all products",
}


@dataclass(frozen=True)
class InSegment:
    """The mean paired difference within one segment, with its 95% interval."""

    segment: str
    difference: float
    low: float
    high: float
    customers: int
    clearly_worse: bool


@dataclass(frozen=True)
class Verdict:
    """Whether to publish; the paired difference to the best baseline with its 95% interval; a sentence that says so.

    `dataclasses.asdict` gives it as plain JSON.
    """

    passed: bool
    slice: Kind
    model: str
    baseline: str
    value: float
    baseline_value: float
    difference: float
    low: float
    high: float
    customers: int
    segments: tuple[InSegment, ...]
    sentence: str


def verdict(
    evaluation: Evaluation, slice_: Kind, model: str, baselines: Sequence[str], seed: int, called: str | None = None
) -> Verdict:
    """Judge a model by NDCG@10 of a slice over all folds, customer by customer, against the best of the baselines.

    It passes where the 95% interval of the mean difference lies over 0, and no segment is clearly worse: its own
    interval entirely under 0, with at least 30 customers. With fewer than 30 customers in all nothing passes. Both
    models are judged on the folds both have. The sentence calls the model by its name, or by that of `called`. Raises
    NotEnoughDataError where the slice has no customer, and KeyError where none of the baselines was evaluated.
    """
    values = evaluation.by_customer
    if not any(name == slice_ for _, _, name in values):
        raise NotEnoughDataError(
            f"Nobody bought anything in the days held out to test recommendations {SLICES[slice_]}; load a longer "
            "history or hold out more with --holdout-days."
        )
    means = {
        name: values[POOLED, name, slice_][JUDGED].mean() for name in baselines if (POOLED, name, slice_) in values
    }
    if not means:
        raise KeyError(f"None of {', '.join(baselines)} was evaluated on {slice_}.")
    baseline = max(means, key=lambda name: means[name])
    paired = _paired(evaluation, slice_, model, baseline)
    mean, low, high, customers = _interval(paired["difference"], seed)
    segments = tuple(_in_segment(str(name), rows["difference"], seed) for name, rows in paired.groupby(C.SEGMENT))
    worse = [one for one in segments if one.clearly_worse]
    value, other = float(paired["candidate"].mean()), float(paired["baseline"].mean())
    passed = low > 0 and not worse and customers >= MIN_CUSTOMERS
    best = f"{_called(baseline)}, the best baseline," if len(means) > 1 else _called(baseline)
    finding = _finding(_called(called or model), f"{best} {SLICES[slice_]}", mean, low, customers, worse)
    sentence = (
        f"{finding}: NDCG@10 {value:.4f} against {other:.4f} (difference {mean:+.4f}, 95% interval "
        f"{low:+.4f} to {high:+.4f}, {counted(customers, 'customer')})."
    )
    return Verdict(passed, slice_, model, baseline, value, other, mean, low, high, customers, segments, sentence)


def _paired(evaluation: Evaluation, slice_: Kind, model: str, baseline: str) -> pd.DataFrame:
    """Customer (in each fold both have) -> candidate, baseline, difference, segment."""
    about = evaluation.customers.set_index([C.FOLD, C.CUSTOMER_ID])[C.SEGMENT]
    values, folds = evaluation.by_customer, []
    for fold in evaluation.customers[C.FOLD].unique():
        if (fold, model, slice_) in values and (fold, baseline, slice_) in values:
            own, theirs = values[fold, model, slice_][JUDGED], values[fold, baseline, slice_][JUDGED]
            frame = pd.DataFrame({"candidate": own, "baseline": theirs, "difference": own - theirs})
            folds.append(frame.join(about.loc[fold]))
    if not folds:
        raise KeyError(f"{model} and {baseline} were evaluated on no fold together on {slice_}.")
    return pd.concat(folds)


def _interval(differences: pd.Series, seed: int) -> tuple[float, float, float, int]:
    """The mean, its 95% interval, and of how many customers."""
    found = intervals(differences.to_frame(), seed)
    mean, low, high = found[[C.VALUE, C.CI_LOW, C.CI_HIGH]].to_numpy()[0].tolist()
    return mean, low, high, int(found[C.CUSTOMERS].to_numpy()[0])


def _in_segment(name: str, differences: pd.Series, seed: int) -> InSegment:
    mean, low, high, customers = _interval(differences, seed)
    return InSegment(name, mean, low, high, customers, clearly_worse=high < 0 and customers >= MIN_CUSTOMERS)


def _finding(model: str, on: str, mean: float, low: float, customers: int, worse: Sequence[InSegment]) -> str:
    own = model[0].upper() + model[1:]
    if customers < MIN_CUSTOMERS:
        return f"{own} cannot be told apart from {on}, by fewer than {MIN_CUSTOMERS} customers"
    if mean <= 0:
        return f"{own} does not beat {on}"
    if low <= 0:
        return f"{own} is above {on}, but that may be chance"
    if not worse:
        return f"{own} beats {on}"
    names = ", ".join(f"{one.segment} ({one.difference:+.4f}, {one.low:+.4f} to {one.high:+.4f})" for one in worse)
    return f"{own} beats {on}, but is clearly worse for {names}"


def _called(model: str) -> str:
    return MODELS.get(model, model.replace("_", " "))
