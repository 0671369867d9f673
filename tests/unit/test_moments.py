"""The moments of the past: months' starts, in order, none too early and none next to the last."""

import doctest
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import ConfigurationError
from models import moments as module
from models.moments import moments

DAYS = st.datetimes(datetime.fromisoformat("2005-01-01"), datetime.fromisoformat("2030-12-31"))


def test_the_example_in_the_documentation_holds() -> None:
    found = doctest.testmod(module)
    assert (found.attempted > 0, found.failed) == (True, 0)


def test_a_year_of_months() -> None:
    found = moments(datetime.fromisoformat("2009-12-01"), datetime.fromisoformat("2011-12-10T12:50"), 12)
    assert [f"{moment:%Y-%m-%d}" for moment in found] == [
        *(f"2011-{month:02}-01" for month in range(1, 13)),
        "2011-12-10",
    ]


def test_any_day_in_between_can_be_asked_for_and_no_other() -> None:
    first, as_of, day = (datetime.fromisoformat(f"2011-{one}") for one in ("01-01", "12-10", "02-03"))
    assert moments(first, as_of, 0, [day]) == [day, as_of]
    for outside in (first, as_of, as_of + timedelta(days=1)):
        with pytest.raises(ConfigurationError, match="is no day between the first order"):
            moments(first, as_of, 0, [outside])


@given(DAYS, st.integers(0, 2_000), st.integers(0, 36))
def test_months_start_within_the_settled_past(first: datetime, days: int, months: int) -> None:
    as_of = first + timedelta(days=days, hours=5)
    *past, last = moments(first, as_of, months)
    assert last == as_of
    assert len(past) <= months
    assert past == sorted(set(past))
    for moment in past:
        assert (moment.day, moment.hour, moment.minute) == (1, 0, 0)
        assert moment <= as_of - timedelta(days=7)
        assert (moment.date() - first.date()).days >= min(90, days // 4)
