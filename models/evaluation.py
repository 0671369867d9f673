"""Every recommender, fitted on what was known before the split, against what customers then bought."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.metrics import by_customer, intervals
from models.recommenders import RECOMMENDERS
from models.recommenders.base import Recommender, Tick
from models.recommenders.training import CUSTOMER, Kind, Training

SLICES: tuple[Kind, ...] = ("discover", "any")
KS = (5, 10)


@dataclass(frozen=True)
class Evaluation:
    """`rows` is the table `evaluation`; `by_customer` the values behind it, (model, slice) -> a frame."""

    rows: pd.DataFrame
    by_customer: dict[tuple[str, str], pd.DataFrame]


def evaluation(training: Training, after: pd.DataFrame, seed: int, tick: Tick = lambda: None) -> Evaluation:
    """Fit each recommender on `training` and judge its lists by the purchases `after` it (customer_id, product_id).

    Only customers with a purchase in the training and candidate products count. In the slice `discover` the relevant
    products are those new to the customer and nothing else is recommended; in `any` they are any. A model without
    opinion in a slice has no rows in it. Raises NotEnoughDataError where a slice has no customer.
    """
    relevant: dict[Kind, pd.DataFrame] = {
        slice_: _relevant(training, after, discover=slice_ == "discover") for slice_ in SLICES
    }
    values: dict[tuple[str, str], pd.DataFrame] = {}
    rows = []
    for model in (recommender(seed).fit(training, tick) for recommender in RECOMMENDERS):
        for slice_, wanted in relevant.items():
            recommended = _recommended(model, wanted, slice_)
            if recommended.empty:
                continue
            judged = by_customer(recommended, wanted, KS)
            values[model.name, slice_] = judged
            means = intervals(judged, seed).rename_axis([C.METRIC, C.K]).reset_index()
            rows.append(means.assign(**{C.MODEL: model.name, C.SLICE: slice_}))
    return Evaluation(pd.concat(rows, ignore_index=True), values)


def _recommended(model: Recommender, wanted: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    return model.recommend(sorted(wanted[C.CUSTOMER_ID].unique()), max(KS), kind)


def _relevant(training: Training, after: pd.DataFrame, *, discover: bool) -> pd.DataFrame:
    """Customer x product bought after, of customers and products known before."""
    active = training.customers[C.CUSTOMER_ID].iloc[training.purchases[CUSTOMER].unique()]
    pairs = after[[C.CUSTOMER_ID, C.PRODUCT_ID]].drop_duplicates()
    pairs = pairs[pairs[C.CUSTOMER_ID].isin(active) & pairs[C.PRODUCT_ID].isin(training.products[C.PRODUCT_ID])]
    if discover and not pairs.empty:  # of no places scipy would give a matrix, not flags
        rows = pd.Index(training.customers[C.CUSTOMER_ID]).get_indexer(pairs[C.CUSTOMER_ID])
        columns = pd.Index(training.products[C.PRODUCT_ID]).get_indexer(pairs[C.PRODUCT_ID])
        pairs = pairs[~np.asarray(training.bought[rows, columns]).ravel()]
    if pairs.empty:
        raise NotEnoughDataError(
            "Recommendations need customers who bought something " + ("new to them " if discover else "") + "in the "
            "days held out to test them, and none was found; load a longer history or hold out more with "
            "--holdout-days."
        )
    return pairs.astype({C.CUSTOMER_ID: str, C.PRODUCT_ID: str})
