"""RFM and its scores: what holds for any shop, and an independent computation of the quintiles."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.rfm import SCORED, cut_points, in_id_order, rfm, scored

AS_OF = pd.Timestamp("2011-12-10 12:50")

histories = st.lists(
    st.tuples(
        st.integers(0, 2_000_000),
        st.integers(1, 40),
        st.decimals(-500, 10_000, places=2, allow_nan=False).map(float),
    ),
    min_size=1,
    max_size=60,
).map(
    lambda rows: pd.DataFrame(
        {
            C.CUSTOMER_ID: [str(number) for number in range(1, len(rows) + 1)],
            C.LAST_ORDERED_AT: [AS_OF - timedelta(minutes=minutes) for minutes, _, _ in rows],
            C.FREQUENCY: [orders for _, orders, _ in rows],
            C.MONETARY: [spent for _, _, spent in rows],
        }
    )
)


@given(histories)
def test_scores_run_from_1_to_5_and_rise_with_what_is_good(history: pd.DataFrame) -> None:
    values = rfm(history, AS_OF)
    result = scored(values, cut_points(values))
    for score, column in SCORED.items():
        assert result[score].between(1, 5).all()
        best_first = result.sort_values(column, ascending=column == C.RECENCY)
        assert best_first[score].is_monotonic_decreasing
        assert (result.groupby(column)[score].nunique() == 1).all(), "equal values, equal scores"


@given(histories)
def test_a_score_is_the_fifth_of_the_shop_a_value_lies_in(history: pd.DataFrame) -> None:
    values = rfm(history, AS_OF)
    result = scored(values, cut_points(values))
    for column, score in ((C.FREQUENCY, C.F_SCORE), (C.MONETARY, C.M_SCORE)):
        cuts = [values[column].quantile(fifth) for fifth in (0.2, 0.4, 0.6, 0.8)]
        expected = [1 + sum(value > cut for cut in cuts) for value in values[column]]
        assert result[score].tolist() == expected


def test_a_hundred_different_customers_fall_into_fifths_of_twenty() -> None:
    history = pd.DataFrame(
        {
            C.CUSTOMER_ID: [str(number) for number in range(100)],
            C.LAST_ORDERED_AT: [AS_OF - timedelta(days=number) for number in range(100)],
            C.FREQUENCY: range(1, 101),
            C.MONETARY: np.linspace(0.01, 10_000, 100),
        }
    )
    result = scored(values := rfm(history, AS_OF), cut_points(values))
    for score in SCORED:
        assert result[score].value_counts().to_dict() == {1: 20, 2: 20, 3: 20, 4: 20, 5: 20}
    assert result.loc[0, C.R_SCORE] == 5
    assert result.loc[99, C.R_SCORE] == 1


def test_recency_is_whole_days() -> None:
    last = [AS_OF, AS_OF - timedelta(hours=23, minutes=59), AS_OF - timedelta(days=1), AS_OF - timedelta(days=1.99)]
    history = pd.DataFrame({C.CUSTOMER_ID: list("abcd"), C.LAST_ORDERED_AT: last, C.FREQUENCY: 1, C.MONETARY: 1.0})
    assert rfm(history, AS_OF)[C.RECENCY].tolist() == [0, 0, 1, 1]


def test_the_cuts_of_one_day_score_another() -> None:
    cuts = {C.RECENCY: [10, 20, 30, 40], C.FREQUENCY: [1, 2, 3, 4], C.MONETARY: [10, 20, 30, 40]}
    values = pd.DataFrame({C.RECENCY: [0, 10, 11, 99], C.FREQUENCY: [1, 2, 5, 9], C.MONETARY: [-5.0, 10.5, 30, 41]})
    result = scored(values, cuts)
    assert result[C.R_SCORE].tolist() == [5, 5, 4, 1]
    assert result[C.F_SCORE].tolist() == [1, 2, 5, 5]
    assert result[C.M_SCORE].tolist() == [1, 2, 3, 5]


def test_ids_order_as_numbers_only_where_all_are() -> None:
    numbers = pd.DataFrame({C.CUSTOMER_ID: ["10", "9", "100"]})
    assert in_id_order(numbers)[C.CUSTOMER_ID].tolist() == ["9", "10", "100"]
    mixed = pd.DataFrame({C.CUSTOMER_ID: ["10", "9", "C1"]})
    assert in_id_order(mixed)[C.CUSTOMER_ID].tolist() == ["10", "9", "C1"]


def test_no_customers_is_a_sentence() -> None:
    nothing = pd.DataFrame({C.CUSTOMER_ID: [], C.LAST_ORDERED_AT: [], C.FREQUENCY: [], C.MONETARY: []})
    with pytest.raises(NotEnoughDataError, match="at least one customer with a purchase before 2011-12-10"):
        rfm(nothing, AS_OF)
