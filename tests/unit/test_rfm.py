"""RFM and its scores: what holds for any shop, and an independent computation of the quintiles."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.configuration import read_plan
from models.rfm import SCORED, cut_points, in_id_order, rfm, scored

AS_OF = pd.Timestamp("2011-12-10 12:50")
FIFTHS = read_plan(None).scores

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
            C.FIRST_ORDERED_AT: [AS_OF - timedelta(minutes=2 * minutes) for minutes, _, _ in rows],
            C.LAST_ORDERED_AT: [AS_OF - timedelta(minutes=minutes) for minutes, _, _ in rows],
            C.FREQUENCY: [orders for _, orders, _ in rows],
            C.MONETARY: [spent for _, _, spent in rows],
        }
    )
)


@given(histories)
def test_scores_run_from_1_to_5_and_rise_with_what_is_good(shop: pd.DataFrame) -> None:
    values = rfm(shop, AS_OF)
    result = scored(values, cut_points(values, FIFTHS))
    for score, column in SCORED.items():
        assert result[score].between(1, 5).all()
        best_first = result.sort_values(column, ascending=column == C.RECENCY)
        assert best_first[score].is_monotonic_decreasing
        assert (result.groupby(column)[score].nunique() == 1).all(), "equal values, equal scores"


@given(histories)
def test_a_score_is_the_fifth_of_the_shop_a_value_lies_in(shop: pd.DataFrame) -> None:
    values = rfm(shop, AS_OF)
    result = scored(values, cut_points(values, FIFTHS))
    for column, score in ((C.FREQUENCY, C.F_SCORE), (C.MONETARY, C.M_SCORE)):
        cuts = [values[column].quantile(fifth) for fifth in (0.2, 0.4, 0.6, 0.8)]
        expected = [1 + sum(value > cut for cut in cuts) for value in values[column]]
        assert result[score].tolist() == expected


def test_a_hundred_different_customers_fall_into_fifths_of_twenty() -> None:
    shop = pd.DataFrame(
        {
            C.CUSTOMER_ID: [str(number) for number in range(100)],
            C.FIRST_ORDERED_AT: AS_OF - timedelta(days=365),
            C.LAST_ORDERED_AT: [AS_OF - timedelta(days=number) for number in range(100)],
            C.FREQUENCY: range(1, 101),
            C.MONETARY: np.linspace(0.01, 10_000, 100),
        }
    )
    result = scored(values := rfm(shop, AS_OF), cut_points(values, FIFTHS))
    for score in SCORED:
        assert result[score].value_counts().to_dict() == {1: 20, 2: 20, 3: 20, 4: 20, 5: 20}
    assert result.loc[0, C.R_SCORE] == 5
    assert result.loc[99, C.R_SCORE] == 1


def history(first: list[float], last: list[float], orders: list[int]) -> pd.DataFrame:
    """First and last in days before AS_OF."""
    return pd.DataFrame(
        {
            C.CUSTOMER_ID: [str(number) for number in range(len(last))],
            C.FIRST_ORDERED_AT: [AS_OF - timedelta(days=days) for days in first],
            C.LAST_ORDERED_AT: [AS_OF - timedelta(days=days) for days in last],
            C.FREQUENCY: orders,
            C.MONETARY: 1.0,
        }
    )


def test_recency_is_whole_days() -> None:
    last = [0, 0.999, 1, 1.99]
    assert rfm(history(last, last, [1] * 4), AS_OF)[C.RECENCY].tolist() == [0, 0, 1, 1]


def test_silence_counts_the_usual_gaps_since_the_last_order() -> None:
    # 4 orders over 30 days: one every 10; 2 orders over 40 days; one order: the shop's median gap, 25
    values = rfm(history([50, 60, 50], [20, 20, 50], [4, 2, 1]), AS_OF)
    assert values[C.SILENCE].tolist() == [20 / 10, 20 / 40, 50 / 25]
    several_a_day = rfm(history([3], [3], [5]), AS_OF)
    assert several_a_day[C.SILENCE].tolist() == [3], "a gap is at least a day"


def test_without_repeat_customers_nobody_is_silent() -> None:
    assert rfm(history([300, 2], [300, 2], [1, 1]), AS_OF)[C.SILENCE].tolist() == [0, 0]


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
    with pytest.raises(NotEnoughDataError, match="at least one customer with a purchase before 2011-12-10"):
        rfm(history([], [], []), AS_OF)
