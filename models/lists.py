"""The lists as customers get them: what a model recommends, under the rules of the shop, with something of the long
tail."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from db.columns import Columns as C
from models.recommenders.base import Recommender
from models.recommenders.training import Kind
from models.rules import Rules

LENGTH = 20
"""Of every list that is kept: ten to show, and ten more that are left where something is filtered out."""
SHOWN = 10

_DEPTH = 300
_NEAR = 150
"""Ranks among which a product of the long tail may still come to a customer's list: who has it later would not care."""
_ROUND = "round"


@dataclass(frozen=True)
class Lists:
    """The lists of one kind for every customer: customer_id, product_id, score, rank; up to 20 ranks."""

    kind: Kind
    frame: pd.DataFrame

    def of(self, customers: Sequence[str], k: int) -> pd.DataFrame:
        """The first k of some customers."""
        frame = self.frame
        return frame[(frame[C.RANK] <= k) & frame[C.CUSTOMER_ID].isin(list(customers))]

    def coverage(self, candidates: int) -> float:
        """The share of the candidates that stands on at least one list of ten."""
        shown = self.frame.loc[self.frame[C.RANK] <= SHOWN, C.PRODUCT_ID].nunique()
        return shown / candidates if candidates else 0.0


def lists(model: Recommender, kind: Kind, rules: Rules, candidates: Sequence[str]) -> Lists:
    """The lists of a kind for all customers of the model's training, of these candidates."""
    training = model.training
    deep = model.recommend(training.customers[C.CUSTOMER_ID].tolist(), _DEPTH, kind, candidates)
    category = deep[C.PRODUCT_ID].map(training.products.set_index(C.PRODUCT_ID)[C.CATEGORY])
    ranked = _reranked(deep.assign(**{_ROUND: _rounds(deep, category, rules.per_category)}))
    if kind == "discover" and rules.long_tail:
        ranked = _with_long_tail(ranked, rules.long_tail)
    return Lists(kind, ranked.loc[ranked[C.RANK] <= LENGTH, deep.columns].reset_index(drop=True))


def _rounds(deep: pd.DataFrame, category: pd.Series, most: int) -> pd.Series:
    """At most so many of a category before the next round of each begins: a list that runs out of others stays full.

    What has no category counts as its own; 0 is no cap.
    """
    number = pd.Series(pd.factorize(category)[0], index=deep.index)
    earlier = deep.groupby([deep[C.CUSTOMER_ID], number], sort=False).cumcount()
    return (earlier // most).where(number >= 0, 0) if most else earlier * 0


def _with_long_tail(deep: pd.DataFrame, places: int) -> pd.DataFrame:
    """The last places of each ten go to products on nobody's list, each to the customer on whose list it comes soonest.

    In rounds: every such product asks the customer with its best rank who still has a place; where several ask, the
    best rank is taken. Who is asked by none keeps the list as it was. Only the first round asks: a cap is kept.
    """
    head = deep[C.RANK] <= SHOWN - places
    shown = deep.loc[head, C.PRODUCT_ID].unique()
    near = (deep[C.RANK] <= _NEAR) & (deep[_ROUND] == 0)
    asking = deep[near & ~head & ~deep[C.PRODUCT_ID].isin(shown)]
    asking = asking.sort_values([C.RANK, C.CUSTOMER_ID, C.PRODUCT_ID])[[C.CUSTOMER_ID, C.PRODUCT_ID]]
    taken: list[pd.DataFrame] = []
    left = pd.Series(places, index=asking[C.CUSTOMER_ID].unique())
    while len(asking):
        best = asking.drop_duplicates(C.PRODUCT_ID)
        best = best[best.groupby(C.CUSTOMER_ID).cumcount() < best[C.CUSTOMER_ID].map(left)]
        taken.append(best)
        left = left.sub(best[C.CUSTOMER_ID].value_counts(), fill_value=0)
        open_ = asking[C.CUSTOMER_ID].map(left) > 0
        asking = asking[open_ & ~asking[C.PRODUCT_ID].isin(best[C.PRODUCT_ID])]
    chosen = deep.index.isin(pd.concat(taken).index) if taken else np.zeros(len(deep), dtype=bool)
    of_customer = pd.Series(chosen, index=deep.index).groupby(deep[C.CUSTOMER_ID])
    before = deep[C.RANK] - 1 - of_customer.cumsum()
    places_left = SHOWN - of_customer.transform("sum")
    return _reranked(deep.assign(**{_ROUND: np.where(chosen, 1, np.where(before < places_left, 0, 2))}))


def _reranked(deep: pd.DataFrame) -> pd.DataFrame:
    """The lists round by round, within each as they were; customers stay in their order."""
    order = pd.factorize(deep[C.CUSTOMER_ID])[0]
    places = np.lexsort((deep[C.RANK], deep[_ROUND], order))
    ranked = deep.iloc[places].reset_index(drop=True)
    return ranked.assign(**{C.RANK: ranked.groupby(C.CUSTOMER_ID, sort=False).cumcount() + 1})
