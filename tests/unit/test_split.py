"""The split: by time, without a leak, long enough; and what recommenders learn from stays before it."""

import doctest
from datetime import timedelta
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.columns import Columns as C
from errors import NotEnoughDataError
from models import split as module
from models.recommenders import base
from models.recommenders.training import AGE, PRODUCT, training
from models.split import holdout_days, split, splits

START = pd.Timestamp("2024-01-01 09:00")


def bought(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """(customer, product, days after the start)"""
    frame = pd.DataFrame(rows, columns=[C.CUSTOMER_ID, C.PRODUCT_ID, "days"])
    dated = frame.assign(**{C.ORDERED_AT: START + pd.to_timedelta(frame["days"], unit="D")}).drop(columns="days")
    return dated.assign(**{C.ORDER_ID: range(len(dated))})


def every(days: int, customers: int = 3) -> pd.DataFrame:
    """Customers who buy the same thing every so many days of a year."""
    return bought(*[(f"c{who}", "p", day) for who in range(customers) for day in range(0, 365, days)])


@pytest.mark.parametrize("documented", [module, base])
def test_the_examples_in_the_documentation_hold(documented: object) -> None:
    found = doctest.testmod(documented, extraglobs={"pd": pd})  # type: ignore[arg-type]
    assert found.attempted > 0
    assert found.failed == 0


@given(st.lists(st.floats(0, 300), min_size=1, max_size=40), st.integers(1, 60))
def test_everything_before_is_earlier_than_everything_after(days: list[float], holdout: int) -> None:
    purchases = bought(("a", "p", 0), ("a", "p", 300), *[("a", f"p{day}", day) for day in days])
    halves = split(purchases, holdout)
    assert halves.before[C.ORDERED_AT].max() < halves.at <= halves.after[C.ORDERED_AT].min()
    assert len(halves.before) + len(halves.after) == len(purchases)
    assert purchases[C.ORDERED_AT].max() - halves.at == timedelta(days=holdout)


def test_a_daily_shop_holds_out_four_weeks_and_a_slow_one_sixty_days() -> None:
    assert holdout_days(every(3)) == 28
    assert holdout_days(every(14)) == 28
    assert holdout_days(every(15)) == 60
    assert holdout_days(bought(("a", "p", 0), ("b", "p", 90))) == 60, "nobody came back"
    assert split(every(3)).days == 28


def test_several_purchases_on_a_day_are_one_visit() -> None:
    visits = bought(*[("a", f"p{minute}", day + minute / 1440) for day in range(0, 300, 30) for minute in range(9)])
    assert holdout_days(visits) == 60


def test_windows_follow_one_another_back_in_time() -> None:
    windows = splits(every(3), 28, 3)
    assert [window.days for window in windows] == [28, 28, 28]
    for newer, older in pairwise(windows):
        assert newer.at - older.at == timedelta(days=28)
        pd.testing.assert_frame_equal(pd.concat([older.before, older.after]).sort_index(), newer.before)
    newest = split(every(3), 28)
    pd.testing.assert_frame_equal(windows[0].after, newest.after)


@given(st.lists(st.floats(0, 300), min_size=1, max_size=40), st.integers(1, 60), st.integers(1, 5))
def test_each_window_tests_only_what_came_later_than_it_trains(days: list[float], holdout: int, windows: int) -> None:
    purchases = bought(("a", "p", 0), ("a", "p", 300), *[("a", f"p{day}", day) for day in days])
    found = splits(purchases, holdout, windows)
    assert 1 <= len(found) <= windows
    for window in found:
        assert window.before[C.ORDERED_AT].max() < window.at <= window.after[C.ORDERED_AT].min()
        assert window.after[C.ORDERED_AT].max() <= window.at + timedelta(days=holdout)
    assert not pd.concat([window.after for window in found]).index.duplicated().any(), "no purchase is tested twice"


@pytest.mark.parametrize(("days", "windows"), [(2 * 28, 1), (4 * 28 - 1, 1), (4 * 28, 2), (5 * 28 - 1, 2), (5 * 28, 3)])
def test_an_earlier_window_needs_two_holdouts_before_it(days: int, windows: int) -> None:
    purchases = bought(*[(f"c{who}", "p", day) for who in range(3) for day in (*range(0, days, 7), days)])
    assert len(splits(purchases, 28, 3)) == windows


def test_a_window_without_returning_customers_ends_the_row() -> None:
    purchases = bought(("a", "p", 0), ("b", "p", 250), ("b", "p", 290), ("b", "p", 299), ("a", "p", 300))
    assert len(splits(purchases, 28, 3)) == 1


def test_too_short_a_history_is_a_sentence() -> None:
    with pytest.raises(NotEnoughDataError, match=r"at least 120 days, twice the 60 held out .* and 100 were found"):
        split(bought(("a", "p", 0), ("a", "p", 100)))


def test_nobody_on_both_sides_is_a_sentence() -> None:
    with pytest.raises(NotEnoughDataError, match="bought both before and after"):
        split(bought(("a", "p", 0), ("b", "p", 200)))


def test_no_purchases_is_a_sentence() -> None:
    with pytest.raises(NotEnoughDataError, match="none was found"):
        split(bought())


def test_training_knows_nothing_later_than_its_moment() -> None:
    purchases = bought(*[(f"c{who}", f"p{day}", day) for who in range(6) for day in range(10)])
    products = pd.DataFrame({C.PRODUCT_ID: [f"p{day}" for day in range(10)]})
    customers = pd.DataFrame({C.CUSTOMER_ID: [f"c{who}" for who in range(6)]})
    known = training(purchases, products, customers, START + timedelta(days=5))
    assert known.products[C.PRODUCT_ID].tolist() == ["p0", "p1", "p2", "p3", "p4"]
    assert known.purchases[AGE].min() == 1, "p5 is bought at the very moment, and p4 a day before"
    assert sorted(known.purchases[PRODUCT].unique()) == [0, 1, 2, 3, 4]


def test_candidates_are_bought_by_five_customers_of_the_training() -> None:
    rows = [(f"c{who}", "five", 1) for who in range(5)] + [("c0", "one", day) for day in range(9)]
    rows += [(f"stranger{who}", "strange", 1) for who in range(9)]
    products = pd.DataFrame({C.PRODUCT_ID: ["one", "five", "strange"]})
    customers = pd.DataFrame({C.CUSTOMER_ID: [f"c{who}" for who in range(5)]})
    known = training(bought(*rows), products, customers, START + timedelta(days=30))
    assert known.products[C.PRODUCT_ID].tolist() == ["five"]
    with pytest.raises(NotEnoughDataError, match="products that at least 5 customers bought"):
        training(bought(*rows), products.iloc[:1], customers, START + timedelta(days=30))
