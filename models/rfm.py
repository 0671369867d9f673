"""Recency, frequency, monetary, and their scores.

After Hughes, Strategic Database Marketing (1994): recency is the whole days from the last purchase to `as_of`,
frequency the distinct orders, monetary the net revenue.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.configuration import Scores

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


def cut_points(features: pd.DataFrame, by: Scores) -> dict[str, list[float]]:
    """Column -> the four rising cut points of recency_days, frequency and monetary: as given, or the quantiles.

    A quantile is interpolated between the two nearest customers (Hyndman and Fan 1996, type 7), so the fifths of a
    shop without equal values are equal in size. Raises NotEnoughDataError where there is no customer.
    """
    if features.empty:
        raise NotEnoughDataError(
            "Scores need at least one customer with a purchase, and none was found; "
            "load transactions that carry a customer id."
        )
    given = {C.RECENCY: by.recency, C.FREQUENCY: by.frequency, C.MONETARY: by.monetary}
    return {
        column: np.quantile(features[column], by.quantiles).tolist() if cuts == "quantiles" else list(cuts)
        for column, cuts in given.items()
    }


def scores(features: pd.DataFrame, cuts: Cuts) -> dict[str, npt.NDArray[np.int16]]:
    """r_score, f_score and m_score of each row, from 1 (worst) to 5 (best), and fm_score; equal values score equally.

    A score counts the cuts a value lies above; few days since the last purchase are good, so recency counts down.
    fm_score is the mean of f_score and m_score, a half rounded up.
    """
    above = {
        score: np.searchsorted(np.asarray(cuts[column]), features[column].to_numpy(), side="left").astype(np.int16)
        for score, column in SCORED.items()
    }
    f, m = above[C.F_SCORE] + 1, above[C.M_SCORE] + 1
    return {C.R_SCORE: 5 - above[C.R_SCORE], C.F_SCORE: f, C.M_SCORE: m, C.FM_SCORE: (f + m + 1) // 2}


def scored(features: pd.DataFrame, cuts: Cuts) -> pd.DataFrame:
    """The frame with its `scores`."""
    return features.assign(**scores(features, cuts))
