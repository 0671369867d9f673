"""What models, slices and measures of recommendations are called, and what the measures mean."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard import format as fmt
from db.judged import BASELINES, Judged, Slice

MODELS = {
    "published": "Published lists",
    "ranker": "Ranker",
    "hybrid": "LightFM hybrid",
    "lightfm_ids": "LightFM without features",
    "ease": "EASE",
    "als": "ALS",
    "item_knn": "Item neighbours",
    "user_knn": "Customer neighbours",
    "own_history": "Own history",
    "popular_segment": "Popularity in the segment",
    "popular": "Popularity",
}
SLICES: dict[Slice, str] = {
    "discover": "products new to the customer",
    "buy_again": "products bought before",
    "any": "all products",
}
SHORT: dict[Slice, str] = {"discover": "New to them", "buy_again": "Buy again", "any": "All"}


@dataclass(frozen=True)
class Measure:
    """What a measure is called and what it means."""

    label: str
    means: str


RANKING = {
    "ndcg": Measure(
        "NDCG",
        "How many products that were then bought stand on the list, those further up counting more; 1 is the best list "
        "there could have been. The gate goes by it.",
    ),
    "hit_rate": Measure("Hit rate", "The share of customers with at least one product on the list that they bought."),
    "precision": Measure("Precision", "The share of the list's places whose product was bought."),
    "recall": Measure("Recall", "The share of the products a customer bought that stood on the list."),
    "map": Measure(
        "MAP",
        "The precision down to each place with a product that was bought, added up and divided by how many products "
        "the customer bought.",
    ),
    "mrr": Measure("MRR", "One divided by the place of the first product that was bought: 1 if it led the list."),
}
"""Each from 0 to 1, averaged over customers; more is better."""
BEYOND = {
    "coverage": Measure("Coverage", "The share of the candidate products that stand on at least one customer's list."),
    "novelty": Measure(
        "Novelty", "How surprising the products are, in bits: 1 is what every second customer bought, 10 one in 1,000."
    ),
    "diversity": Measure(
        "Diversity", "How unlike each other the products of a list are by who buys them: 0 alike, 1 nothing in common."
    ),
    "popularity": Measure("Popularity", "The share of all customers who bought a listed product, averaged."),
}
"""What the lists are like beside being right; more is not always better."""


MEANS = {
    "NDCG": RANKING["ndcg"].means,
    "EASE": "A linear model of which products go with which, solved in one step (Steck 2019).",
    "ALS": "Customers and products as vectors of numbers, found by alternating least squares (Hu and others 2008).",
}
"""What the terms in sentences mean."""


def model_name(model: str) -> str:
    """What people call a model."""
    return MODELS.get(model, model)


def naming(metrics: Mapping[str, Any], of: Slice) -> Callable[[str], str]:
    """The names of a run's models: the published lists with the model behind them, such as (the ranker)."""
    published = metrics.get("published") or {}
    behind = published.get(of) or published.get("discover")
    by = {None: "", "ranker": " (the ranker)"}.get(behind, f" ({model_name(str(behind))})")
    return lambda model: MODELS["published"] + by if model == "published" else model_name(model)


def among(metrics: Mapping[str, Any]) -> str:
    """Among which products figures are; empty where the run does not tell."""
    products = metrics.get("candidate_products")
    return f", among the {fmt.number(products)} most bought products" if products else ""


def figure(value: Any) -> str:
    """0.1312 -> 0.131."""
    return fmt.number(value, 3)


def signed(value: float) -> str:
    """0.0243 -> +0.024."""
    return ("+" if value > 0 else "") + figure(value)


def said(sentence: str) -> str:
    """A sentence of a run, with true minus signs."""
    return re.sub(r"(?<=[ (])-(?=\d)", "−", sentence)


def interval(row: Mapping[str, Any] | pd.Series) -> str:
    """0.120 to 0.142; nothing where there is none."""
    if fmt.missing(row["ci_low"]) or fmt.missing(row["ci_high"]):
        return ""
    return f"{figure(row['ci_low'])} to {figure(row['ci_high'])}"


def subset_name(subset: str) -> str:
    """`segment:Loyal` -> Loyal; `customers:few` -> Fewer than 3 orders."""
    kind, _, name = subset.partition(":")
    if kind == "segment":
        return name
    known = {
        "all": "All customers",
        "customers:few": "Fewer than 3 orders",
        "customers:regular": "3 orders or more",
        "products:new": "Products that are new",
    }
    return known.get(subset, subset)


def ours(models: Sequence[str], of: Slice, metrics: Mapping[str, Any]) -> str | None:
    """The model whose lists customers get, or would: as published, else the chosen one, else the best that is no
    baseline. `models` is best first; None where there is none."""
    chosen = (metrics.get("published") or {}).get(of)
    for name in ("published", chosen):
        if name in models:
            return str(name)
    return next((model for model in models if model not in BASELINES[of]), None)


def best_baseline(models: Sequence[str], of: Slice) -> str | None:
    """The best of the baselines; `models` is best first."""
    return next((model for model in models if model in BASELINES[of]), None)


def windows(metrics: Mapping[str, Any]) -> dict[int, str]:
    """Window -> its days in words; empty where the run does not tell."""
    found = {}
    for fold in metrics.get("folds") or ():
        start = pd.Timestamp(fold["at"])
        found[int(fold["fold"])] = fmt.days(start.date(), (start + pd.Timedelta(days=int(fold["days"]) - 1)).date())
    return found


def tested_on(metrics: Mapping[str, Any], judged: Judged, customers: int | None) -> str:
    """1,060 customers in the window 10 Oct – 8 Dec 2011, which the models had not seen."""
    known_customers = customers or metrics.get("customers_tested")
    who = fmt.plural(int(known_customers), "customer") if known_customers else "the customers"
    known = windows(metrics)
    days = metrics.get("holdout_days")
    when = f"{f'the last {days} days' if days else 'days'}"
    if judged.fold in known:
        when = f"the window {known[judged.fold]},"
    elif len(known) > 1:
        when = f"{len(known)} windows,"
    return f"{who} in {when} which the models had not seen{among(metrics)}"
