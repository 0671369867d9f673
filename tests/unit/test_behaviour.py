"""What was known of customers at a moment: whole days, usual gaps, and sums of money to the cent."""

from datetime import datetime, timedelta
from itertools import accumulate

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from db.columns import Columns as C
from db.queries.features import in_id_order
from models.behaviour import known

AS_OF = datetime.fromisoformat("2011-12-10T12:50")


def features(first: list[float], last: list[float], orders: list[int]) -> pd.DataFrame:
    """First and last order in days before AS_OF."""
    alike = dict.fromkeys(("amount", "sold"), 1) | dict.fromkeys(("on_discount", "returned", "categories"), 0)
    periods = pd.DataFrame(
        {
            "customer": range(len(last)),
            "period": 0,
            "orders": orders,
            "first_at": pd.to_datetime([AS_OF - timedelta(days=days) for days in first]),
            "last_at": pd.to_datetime([AS_OF - timedelta(days=days) for days in last]),
            **alike,
        }
    )
    (now,) = known(np.array([f"c{number}" for number in range(len(last))], object), periods, [AS_OF])
    return now.features


def test_recency_is_whole_days() -> None:
    last = [0, 0.999, 1, 1.99]
    assert features(last, last, [1] * 4)[C.RECENCY].tolist() == [0, 0, 1, 1]


def test_silence_counts_the_usual_gaps_since_the_last_order() -> None:
    # 4 orders over 30 days: one every 10; 2 orders over 40 days; one order: the shop's median gap, 25
    assert features([50, 60, 50], [20, 20, 50], [4, 2, 1])[C.SILENCE].tolist() == [20 / 10, 20 / 40, 50 / 25]
    assert features([3], [3], [5])[C.SILENCE].tolist() == [3], "a gap is at least a day"


def test_without_repeat_customers_nobody_is_silent() -> None:
    assert features([300, 2], [300, 2], [1, 1])[C.SILENCE].tolist() == [0, 0]


@given(st.lists(st.integers(-1_000_000, 1_000_000), min_size=1, max_size=12))
def test_money_is_what_the_cents_add_up_to_however_many_moments_part_it(cents: list[int]) -> None:
    """What all came back is nothing spent, not a trillionth of a cent."""
    moments = [AS_OF + timedelta(days=30 * at) for at in range(len(cents))]
    bought = pd.to_datetime([moment - timedelta(days=1) for moment in moments])
    amount = np.array(cents) / 100
    periods = pd.DataFrame(
        {
            "customer": 0,
            "period": range(len(cents)),
            "first_at": bought,
            "last_at": bought,
            "orders": 1,
            "amount": amount,
            "sold": amount.clip(min=0),
            "returned": (-amount).clip(min=0),
            **dict.fromkeys(("on_discount", "categories"), 0),
        }
    )
    found = [one.features[C.MONETARY].iloc[0] for one in known(np.array(["a"], object), periods, moments)]
    assert found == [total / 100 for total in accumulate(cents)]


def test_ids_order_as_numbers_only_where_all_are() -> None:
    numbers = pd.DataFrame({C.CUSTOMER_ID: ["10", "9", "100"]})
    assert in_id_order(numbers)[C.CUSTOMER_ID].tolist() == ["9", "10", "100"]
    mixed = pd.DataFrame({C.CUSTOMER_ID: ["10", "9", "C1"]})
    assert in_id_order(mixed)[C.CUSTOMER_ID].tolist() == ["10", "9", "C1"]
