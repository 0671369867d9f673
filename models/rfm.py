"""Scores of recency, frequency and monetary, after Hughes, Strategic Database Marketing (1994)."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.configuration import Scores

SCORED = {C.R_SCORE: C.RECENCY, C.F_SCORE: C.FREQUENCY, C.M_SCORE: C.MONETARY}

Cuts = Mapping[str, Sequence[float]]


def cut_points(features: pd.DataFrame, by: Scores) -> dict[str, list[float]]:
    """Column -> the four rising cut points of recency_days, frequency and monetary: as given, or the quantiles.

    A quantile is interpolated between the two nearest customers (Hyndman and Fan 1996, type 7), so the fifths of a
    shop without equal values are equal in size. Raises NotEnoughDataError where there is no customer.
    """
    if features.empty:
        raise NotEnoughDataError(
            "Scores need at least one customer with a purchase, and none was found; "
            "load purchases that carry a customer id."
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
