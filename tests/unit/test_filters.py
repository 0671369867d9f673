"""The address is the only state of a view: it must survive the round trip, and anything typed by hand."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from db.filters import Filters, Period

SPAN = Period(date(2017, 1, 1), date(2017, 12, 31))
days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
words = st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=40), max_size=4)


@st.composite
def any_filters(draw: st.DrawFn) -> Filters:
    start, end = sorted([draw(days), draw(days)])
    lists = {name: tuple(sorted(set(draw(words)))) for name in ("countries", "departments", "categories", "segments")}
    return Filters(start=start if draw(st.booleans()) else None, end=end if draw(st.booleans()) else None, **lists)


@given(any_filters())
def test_a_link_shows_a_colleague_the_same_view(filters: Filters) -> None:
    assert Filters.from_query(filters.query()) == filters


@given(st.text())
def test_any_hand_made_query_gives_filters_and_one_canonical_form(query: str) -> None:
    canonical = Filters.from_query(query).query()
    assert Filters.from_query(canonical).query() == canonical


@given(any_filters())
def test_values_are_bound_and_never_part_of_the_sql(filters: Filters) -> None:
    for condition in (filters.on_lines(filters.period(SPAN)), filters.on_customers()):
        assert condition.sql.count("?") == len(condition.values)
        longer = (value for field in filters.active().values() if isinstance(field, tuple) for value in field)
        assert not any(len(value) > 12 and value in condition.sql for value in longer)


def test_without_dates_the_period_is_the_last_thirteen_whole_weeks() -> None:
    period = Filters().period(SPAN)
    assert (period.start, period.end) == (date(2017, 10, 2), date(2017, 12, 31))
    assert period.days == 13 * 7
    assert period.previous() == Period(date(2017, 7, 3), date(2017, 10, 1))


def test_a_period_stays_within_the_data_where_the_two_meet() -> None:
    assert Filters.from_query("?from=2017-10-01&to=2018-06-30").period(SPAN).end == SPAN.end
    assert Filters.from_query("?from=2015-01-01").period(SPAN) == SPAN
    assert Filters.from_query("?to=2017-01-31").period(SPAN).start == SPAN.start
    assert Filters().period(Period(SPAN.start, date(2017, 1, 30))) == Period(SPAN.start, date(2017, 1, 30))
    assert Filters.from_query("?from=2031-01-01").period(SPAN).days == 1
    assert Filters.from_query("?from=2031-01-01&to=2031-02-01").period(SPAN).days == 32


def test_dates_the_wrong_way_round_are_turned() -> None:
    filters = Filters.from_query("?from=2017-05-09&to=2017-05-01")
    assert (filters.start, filters.end) == (date(2017, 5, 1), date(2017, 5, 9))


@given(any_filters())
def test_every_period_has_a_previous_one_of_the_same_length_that_ends_the_day_before(filters: Filters) -> None:
    period = filters.period(SPAN)
    before = period.previous()
    assert period.days >= 1
    assert before.days == period.days
    assert (period.start - before.end).days == 1
