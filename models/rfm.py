"""Recency, frequency, monetary, and their quintile scores.

After Hughes, Strategic Database Marketing (1994): recency is the whole days from the last purchase to `as_of`,
frequency the distinct orders, monetary the net revenue.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from db.columns import Columns as C
from errors import NotEnoughDataError

SCORED = {C.R_SCORE: C.RECENCY, C.F_SCORE: C.FREQUENCY, C.M_SCORE: C.MONETARY}

Cuts = Mapping[str, Sequence[float]]


def rfm(history: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """One row a customer: customer_id, last_ordered_at, recency_days, frequency (orders), monetary (currency), silence.

    `history` has one row a customer (customer_id, first_ordered_at, last_ordered_at, frequency, monetary), none later
    than `as_of`. Silence is recency in the customer's usual gaps between orders: 2 says that two orders are missing.
    Rows come in ascending id, as numbers where all ids are numbers. Raises NotEnoughDataError where it is empty.
    """
    if history.empty:
        raise NotEnoughDataError(
            f"Segments need at least one customer with a purchase before {as_of:%Y-%m-%d %H:%M}, and none was found; "
            "load transactions that carry a customer id."
        )
    days = (pd.Timestamp(as_of) - history[C.LAST_ORDERED_AT]).dt.days
    columns = [C.CUSTOMER_ID, C.LAST_ORDERED_AT, C.RECENCY, C.FREQUENCY, C.MONETARY, C.SILENCE]
    return in_id_order(history.assign(**{C.RECENCY: days, C.SILENCE: days / _usual_gap(history)})[columns])


def _usual_gap(history: pd.DataFrame) -> pd.Series:
    """Days from order to order, at least one: the customer's mean; the shop's median for who ordered once.

    Infinite where nobody ever came back: a shop without a rhythm has no silence.
    """
    span = (history[C.LAST_ORDERED_AT] - history[C.FIRST_ORDERED_AT]).dt.total_seconds() / 86_400
    repeats = history[C.FREQUENCY] > 1
    own = (span / (history[C.FREQUENCY] - 1).where(repeats)).clip(lower=1)
    return own.fillna(own.median()).fillna(np.inf)


def in_id_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows in ascending customer_id, as numbers where all ids are numbers, else as text."""
    numbers = pd.to_numeric(frame[C.CUSTOMER_ID], errors="coerce")
    keys = [C.CUSTOMER_ID] if numbers.isna().any() else ["number", C.CUSTOMER_ID]
    return frame.assign(number=numbers).sort_values(keys, ignore_index=True).drop(columns="number")


def cut_points(values: pd.DataFrame) -> dict[str, list[float]]:
    """Column -> the four quintile cuts of recency_days, frequency and monetary, for `scored`."""
    return {column: np.quantile(values[column], (0.2, 0.4, 0.6, 0.8)).tolist() for column in SCORED.values()}


def scored(values: pd.DataFrame, cuts: Cuts) -> pd.DataFrame:
    """The frame with r_score, f_score, m_score from 1 (worst) to 5 (best); equal values get equal scores.

    A score counts the cuts a value lies above; few days since the last purchase are good, so recency counts down.
    """
    above = {score: np.searchsorted(cuts[column], values[column], side="left") for score, column in SCORED.items()}
    return values.assign(
        **{C.R_SCORE: 5 - above[C.R_SCORE], C.F_SCORE: 1 + above[C.F_SCORE], C.M_SCORE: 1 + above[C.M_SCORE]}
    )
