"""The address is the only state of a view: it must survive the round trip, and anything typed by hand."""

from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from db.drill import CAUSES, Bridge
from db.filters import GROUPING_FIELDS, Condition, Filters, Period
from db.standing import STANDINGS
from tests.any_filters import LISTS, NAMES, SPAN, any_filters, word


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
    """With any other values the SQL is letter by letter the same."""
    others: dict[str, Any] = {name: tuple(f"{value}!" for value in getattr(filters, name)) for name in LISTS}
    others["traits"] = tuple(replace(trait, value=f"{trait.value}!") for trait in filters.traits)
    if filters.move:
        ends: Any = {name: f"{value}!" for name in ("origin", "target") if (value := getattr(filters.move, name))}
        others["move"] = replace(filters.move, **ends)
    for on, same in zip(_conditions(filters), _conditions(filters.but(**others)), strict=True):
        assert on.sql.count("?") == len(on.values)
        assert on.sql == same.sql


def _conditions(filters: Filters) -> tuple[Condition, Condition]:
    return filters.orders(filters.period(SPAN)), filters.dated(SPAN).on_customers()


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
