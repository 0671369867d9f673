"""The address is the only state of a view: it must survive the round trip, and anything typed by hand."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from db.drill import CAUSES, RANGES, Bridge, Cohort, Move, Range, Trait
from db.filters import GROUPING_FIELDS, Filters, Period
from db.standing import STANDINGS

SPAN = Period(date(2017, 1, 1), date(2017, 12, 31))
days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
word = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=40)
words = st.lists(word, max_size=4)
LISTS = ("countries", "departments", "categories", "products", "segments", "groups", "alternatives")
NAMES = (
    *("from", "to", "country", "segment", "group", "alternative", "product", "trait", "move", "cohort", "bridge"),
    *("run", "by", "since", "until", *RANGES),
)


@st.composite
def moves(draw: st.DrawFn) -> Move:
    since, until = sorted([draw(days), draw(days)])
    origin, target = draw(st.just("") | word), draw(st.just("") | word)
    return Move(draw(st.sampled_from(["segment", "rfm_group"])), since, until, origin, target, draw(CAUSE))


@st.composite
def ranges(draw: st.DrawFn, column: str) -> Range:
    whole = st.integers(-999_999_999, 999_999_999)
    number = whole if RANGES[column] == "whole" else st.floats(-1e15, 1e15).map(lambda n: n + 0.0)
    low, high = sorted([draw(number), draw(number)])
    return Range(column, *draw(st.sampled_from([(low, high), (low, None), (None, high)])))


CAUSE = st.sampled_from(["", *CAUSES])
months = days.map(lambda day: day.replace(day=1))
periods = st.tuples(days, days).map(lambda ends: Period(min(ends), max(ends)))


@st.composite
def any_filters(draw: st.DrawFn) -> Filters:
    start, end = sorted([draw(days), draw(days)])
    since, until = sorted([draw(days), draw(days)])
    lists: dict[str, Any] = {name: tuple(sorted(set(draw(words)))) for name in LISTS}
    columns = draw(st.lists(st.sampled_from(list(RANGES)), max_size=3, unique=True))
    return Filters(
        start=start if draw(st.booleans()) else None,
        end=end if draw(st.booleans()) else None,
        traits=tuple(sorted(set(draw(st.lists(st.builds(Trait, word, word), max_size=3))))),
        move=draw(st.none() | moves()),
        cohort=draw(st.none() | st.builds(Cohort, months, st.none() | st.integers(0, 9999))),
        bridge=draw(st.none() | st.builds(Bridge, st.sampled_from(STANDINGS), st.none() | periods)),
        run=draw(st.none() | st.integers(1, 2**31 - 1)),
        by=draw(st.sampled_from(list(GROUPING_FIELDS))),
        since=since if draw(st.booleans()) else None,
        until=until if draw(st.booleans()) else None,
        **lists,
    ).within(*[draw(ranges(column)) for column in columns])


@given(any_filters())
def test_a_link_shows_a_colleague_the_same_view(filters: Filters) -> None:
    assert Filters.from_query(filters.query()) == filters


piece = st.text("0123456789.:-+eE%=&;,'\"?/ aZ²٣\0\ud7ff", max_size=24) | word
known = st.sampled_from(
    [*STANDINGS, *CAUSES, *GROUPING_FIELDS, "2017-03-01", "2017-03", "5", "1e400", "nan", "..", ":"]
)
pairs = st.tuples(st.sampled_from(NAMES), st.lists(piece | known, min_size=1, max_size=7).map(":".join))


@given(st.text() | st.lists(pairs, max_size=8).map(urlencode))
@example("?frequency=4..2&frequency=1&p_alive=-0..1e-7&r_score=1.5&clv=..&value_decile=10")
@example("?move=segment:2017-04-01:2017-03-01:%3A::quiet&trait=a%253Ab:c:d&trait=:&cohort=2017-13&bridge=kept:1:2")
def test_any_hand_made_query_gives_filters_and_one_canonical_form(query: str) -> None:
    filters = Filters.from_query(query)
    assert Filters.from_query(filters.query()) == filters
    assert filters.on_customers().sql.count("?") == len(filters.on_customers().values)


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("frequency=4..3", "?frequency=3..4"),
        ("value_decile=10", "?value_decile=10..10"),
        ("p_alive=.20..0.40&recency_days=30..", "?recency_days=30..&p_alive=0.2..0.4"),
        ("r_score=1.5..2&clv=nan&monetary=inf..&churn_risk=..&cluster=3&run_id=1", ""),
        ("move=segment:2017-12-10:2017-11-01:A:B+C:new", "?move=segment%3A2017-11-01%3A2017-12-10%3AA%3AB+C%3Anew"),
        ("move=alternative:2011-12-10:2011-11-01:::quiet&move=x", ""),
        ("move=segment:2011-12-10:2011-11-01:::asleep", ""),
        ("cohort=2011-03:4&bridge=lapsed", "?cohort=2011-03%3A4&bridge=lapsed"),
        ("cohort=2011-3&bridge=guests&by=country&run=-1", ""),
        ("cohort=2011-03:-4&bridge=lapsed:2011-03-01&run=0&run=3", ""),
        ("by=segment&run=007", "?run=7"),
        ("run=99999999999", ""),
        ("trait=age:45-54&trait=age&trait=:x", "?trait=age%3A45-54"),
    ],
)
def test_what_an_address_says_and_how_it_is_written(query: str, canonical: str) -> None:
    assert Filters.from_query(query).query() == canonical


@given(any_filters())
def test_values_are_bound_and_never_part_of_the_sql(filters: Filters) -> None:
    given = [value for name in LISTS for value in getattr(filters, name)] + [trait.value for trait in filters.traits]
    given += [filters.move.origin, filters.move.target] if filters.move else []
    for condition in (filters.on_lines(filters.period(SPAN)), filters.dated(SPAN).on_customers()):
        assert condition.sql.count("?") == len(condition.values)
        assert not any(len(value) > 12 and value in condition.sql for value in given)


def test_a_bar_of_the_bridge_takes_the_days_of_the_view() -> None:
    filters = Filters.from_query("?bridge=lapsed&from=2017-03-01&to=2017-03-31")
    assert filters.dated(SPAN).bridge == Bridge("lapsed", Period(date(2017, 3, 1), date(2017, 3, 31)))
    assert filters.dated(SPAN).dated(Period(SPAN.start, SPAN.start)) == filters.dated(SPAN)
    assert Filters().dated(SPAN) == Filters()


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
