"""What a change of revenue comes from: facts that hold whatever the numbers."""

from math import e, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.drivers import drivers

Totals = dict[str, float]


def made(customers: float, often: float, average: float, guests: float = 0.0) -> Totals:
    """The totals of a period in which so many customers ordered so often, at such an average."""
    orders = customers * often
    of_customers = orders * average
    return {
        "customers": customers,
        "customer_orders": orders,
        "customer_revenue": of_customers,
        "orders": orders + guests / 10,
        "revenue": of_customers + guests,
    }


FACTOR = st.floats(0.01, 10_000)
PERIOD = st.builds(made, FACTOR, FACTOR, FACTOR, st.floats(0, 1e6))


def amounts(now: Totals, before: Totals) -> dict[str, float]:
    return {driver.more: driver.amount for driver in drivers(now, before)}


@given(PERIOD, PERIOD)
def test_the_parts_add_up_to_the_change_and_turn_their_sign_with_time(now: Totals, before: Totals) -> None:
    there, back = amounts(now, before), amounts(before, now)
    change = now["revenue"] - before["revenue"]
    scale = max(now["revenue"], before["revenue"])
    assert sum(there.values()) == pytest.approx(change, abs=1e-7 * scale)
    assert there == pytest.approx({name: -amount for name, amount in back.items()}, abs=1e-7 * scale)


@given(PERIOD, st.floats(1.1, 5))
def test_a_factor_that_moves_alone_is_all_of_the_change(before: Totals, times: float) -> None:
    busier = {**before, "customers": before["customers"] * times}
    busier |= {name: before[name] * times for name in ("customer_orders", "customer_revenue")}
    busier["revenue"] = before["revenue"] + busier["customer_revenue"] - before["customer_revenue"]
    scale = busier["revenue"]
    found = amounts(busier, before)
    assert found.pop("more customers") == pytest.approx(busier["revenue"] - before["revenue"], abs=1e-7 * scale)
    assert found == pytest.approx(dict.fromkeys(found, 0.0), abs=1e-7 * scale)


def test_parts_by_hand() -> None:
    """Revenue rises e-fold from 100; customers double, they order as often, and the average rises by e / 2."""
    before = made(10, 2, 5)
    now = made(20, 2, 5 * e / 2)
    mean = 100 * (e - 1)  # the logarithmic mean of 100 e and 100: the logarithm of e is 1
    found = drivers(now, before)
    assert [driver.words for driver in found[:2]] == ["more customers", "larger orders"]
    assert [driver.amount for driver in found[:2]] == pytest.approx([mean * log(2), mean * (1 - log(2))])
    assert [driver.words for driver in drivers(before, now)[:2]] == ["fewer customers", "smaller orders"]


def test_what_guests_brought_is_a_part_of_its_own_and_their_shop_has_two() -> None:
    before, now = made(10, 2, 5), made(10, 2, 5, guests=40)
    first = drivers(now, before)[0]
    assert (first.words, first.amount) == ("more from guests", 40)
    alone = {"customers": 0, "customer_orders": 0, "customer_revenue": 0}
    found = amounts({**alone, "orders": 8, "revenue": 80}, {**alone, "orders": 4, "revenue": 40})
    assert found == pytest.approx({"more orders": 40, "larger orders": 0})


@pytest.mark.parametrize("name", ["customer_revenue", "customer_orders"])
def test_without_revenue_on_one_side_there_is_no_change_to_divide(name: str) -> None:
    assert drivers({**made(1, 1, 1), name: -1}, made(1, 1, 1)) == ()
