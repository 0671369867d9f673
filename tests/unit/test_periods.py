"""Periods by name are the days that a calendar shows, counted from the data's last day and never beyond the data."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.periods import ALL, NAMES, OTHER, last_quarter, name_of, presets
from db.filters import Filters, Period

days = st.dates(date(1990, 1, 1), date(2100, 12, 31))
spans = st.tuples(days, days).map(lambda ends: Period(min(ends), max(ends)))


def test_a_calendar_by_hand() -> None:
    found = presets(Period(date(2010, 12, 1), date(2011, 12, 9)))
    assert found["month"] == Period(date(2011, 12, 1), date(2011, 12, 9))
    assert found["last-month"] == Period(date(2011, 11, 1), date(2011, 11, 30))
    assert found["last-quarter"] == Period(date(2011, 7, 1), date(2011, 9, 30))
    assert found["year"] == Period(date(2011, 1, 1), date(2011, 12, 9))
    assert found["28"] == Period(date(2011, 11, 12), date(2011, 12, 9))
    assert found[ALL] == Period(date(2010, 12, 1), date(2011, 12, 9))


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2018, 1, 1), date(2017, 10, 1), date(2017, 12, 31)),
        (date(2024, 3, 31), date(2023, 10, 1), date(2023, 12, 31)),
        (date(2024, 4, 1), date(2024, 1, 1), date(2024, 3, 31)),
        (date(2024, 12, 31), date(2024, 7, 1), date(2024, 9, 30)),
    ],
)
def test_the_quarter_before_that_of_a_day(day: date, first: date, last: date) -> None:
    assert last_quarter(day) == Period(first, last)


def test_what_lies_before_the_data_is_not_offered_and_what_begins_before_it_is_cut() -> None:
    found = presets(Period(date(2024, 5, 10), date(2024, 5, 20)))
    assert set(found) == set(NAMES) - {"last-month", "last-quarter", OTHER}
    assert found["364"] == found["month"] == found["year"] == found[ALL]


@given(spans)
def test_every_period_lies_within_the_data_and_has_a_name(span: Period) -> None:
    for name, period in presets(span).items():
        assert span.covers(period)
        assert period.days >= 1
        assert Filters(start=period.start, end=period.end).period(span) == period
        assert name_of(period, span, name) == name
        assert presets(span)[name_of(period, span, None)] == period
    assert name_of(Period(span.start - timedelta(days=1), span.end), span, ALL) == OTHER


@given(spans)
def test_a_year_before_has_the_same_weekdays_and_as_many(period: Period) -> None:
    before = period.year_before()
    assert before.days == period.days
    assert before.start.weekday() == period.start.weekday()
    assert abs((period.start - before.start).days - 365.25) < 2


def test_the_comparison_is_told_by_the_address() -> None:
    span, november = Period(date(2010, 1, 1), date(2011, 12, 9)), "?from=2011-11-01&to=2011-11-30"
    assert Filters.from_query(november).compared(span) == Period(date(2011, 10, 2), date(2011, 10, 31))
    filters = Filters.from_query(f"{november}&against=year")
    assert filters.compared(span) == Period(date(2010, 11, 2), date(2010, 12, 1))
    assert filters.query() == f"{november}&against=year"
    assert Filters.from_query(f"{november}&against=decade").query() == november
    assert set(filters.active()) - set(Filters.from_query(november).active()) == {"against"}
