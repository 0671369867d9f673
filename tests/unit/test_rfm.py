"""Scores: what holds for any shop, and an independent computation of the quintiles."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from db.columns import Columns as C
from models.configuration import read_plan
from models.rfm import SCORED, Cuts, cut_points, scores

FIFTHS = read_plan(None).scores

shops = st.lists(
    st.tuples(
        st.integers(0, 1_400),
        st.integers(1, 40),
        st.decimals(-500, 10_000, places=2, allow_nan=False).map(float),
    ),
    min_size=1,
    max_size=60,
).map(
    lambda rows: pd.DataFrame(
        {
            C.RECENCY: [days for days, _, _ in rows],
            C.FREQUENCY: [orders for _, orders, _ in rows],
            C.MONETARY: [spent for _, _, spent in rows],
        }
    )
)


def scored(shop: pd.DataFrame, cuts: Cuts) -> pd.DataFrame:
    return shop.assign(**scores(shop, cuts))


@given(shops)
def test_scores_run_from_1_to_5_and_rise_with_what_is_good(shop: pd.DataFrame) -> None:
    result = scored(shop, cut_points(shop, FIFTHS))
    for score, column in SCORED.items():
        assert result[score].between(1, 5).all()
        best_first = result.sort_values(column, ascending=column == C.RECENCY)
        assert best_first[score].is_monotonic_decreasing
        assert (result.groupby(column)[score].nunique() == 1).all(), "equal values, equal scores"


@given(shops)
def test_a_score_is_the_fifth_of_the_shop_a_value_lies_in(shop: pd.DataFrame) -> None:
    result = scored(shop, cut_points(shop, FIFTHS))
    for column, score in ((C.FREQUENCY, C.F_SCORE), (C.MONETARY, C.M_SCORE)):
        cuts = [shop[column].quantile(fifth) for fifth in (0.2, 0.4, 0.6, 0.8)]
        expected = [1 + sum(value > cut for cut in cuts) for value in shop[column]]
        assert result[score].tolist() == expected


def test_a_hundred_different_customers_fall_into_fifths_of_twenty() -> None:
    shop = pd.DataFrame(
        {
            C.RECENCY: range(100),
            C.FREQUENCY: range(1, 101),
            C.MONETARY: np.linspace(0.01, 10_000, 100),
        }
    )
    result = scored(shop, cut_points(shop, FIFTHS))
    for score in SCORED:
        assert result[score].value_counts().to_dict() == {1: 20, 2: 20, 3: 20, 4: 20, 5: 20}
    assert result.loc[0, C.R_SCORE] == 5
    assert result.loc[99, C.R_SCORE] == 1


def test_the_cuts_of_one_day_score_another() -> None:
    cuts = {C.RECENCY: [10, 20, 30, 40], C.FREQUENCY: [1, 2, 3, 4], C.MONETARY: [10, 20, 30, 40]}
    values = pd.DataFrame({C.RECENCY: [0, 10, 11, 99], C.FREQUENCY: [1, 2, 5, 9], C.MONETARY: [-5.0, 10.5, 30, 41]})
    result = scored(values, cuts)
    assert result[C.R_SCORE].tolist() == [5, 5, 4, 1]
    assert result[C.F_SCORE].tolist() == [1, 2, 5, 5]
    assert result[C.M_SCORE].tolist() == [1, 2, 3, 5]
