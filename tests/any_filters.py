"""Any filters a program could make, for tests that hold for all of them."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from db.drill import CAUSES, RANGES, Bridge, Cohort, Move, Range, Trait
from db.filters import GROUPING_FIELDS, PICTURES, Filters, Period
from db.judged import DEPTHS, SLICES, Judged
from db.offer_rules import LIST_LENGTH, OfferRules
from db.standing import STANDINGS

SPAN = Period(date(2017, 1, 1), date(2017, 12, 31))
days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
word = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=40)
words = st.lists(word, max_size=4)
LISTS = ("countries", "departments", "categories", "products", "segments", "groups", "alternatives")
NAMES = (
    *(
        "from",
        "to",
        "against",
        "country",
        "segment",
        "group",
        "alternative",
        "product",
        "trait",
        "move",
        "cohort",
        "bridge",
    ),
    *("run", "by", "picture", "since", "until", *RANGES),
    *("without", "price", "buyers", "per_category", "support", "lift"),
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


amounts = st.floats(0, 1e9).map(lambda n: n + 0.0)


@st.composite
def rules(draw: st.DrawFn) -> OfferRules:
    low, high = sorted([draw(amounts), draw(amounts)])
    low_end, high_end = draw(st.sampled_from([(low, high), (low, None), (None, high), (None, None)]))
    return OfferRules(
        without=tuple(sorted(set(draw(words)))),
        low=low_end,
        high=high_end,
        buyers=draw(st.integers(0, 999_999_999)),
        per_category=draw(st.integers(0, LIST_LENGTH - 1)),
        support=draw(st.floats(0, 1).map(lambda n: n + 0.0)),
        lift=draw(amounts),
    )


judged = st.builds(
    Judged,
    st.sampled_from(SLICES),
    st.integers(0, 99),
    st.sampled_from(DEPTHS),
    st.none() | st.integers(1, 999_999_999),
)
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
        against=draw(st.sampled_from(["previous", "year"])),
        traits=tuple(sorted(set(draw(st.lists(st.builds(Trait, word, word), max_size=3))))),
        move=draw(st.none() | moves()),
        cohort=draw(st.none() | st.builds(Cohort, months, st.none() | st.integers(0, 9999))),
        bridge=draw(st.none() | st.builds(Bridge, st.sampled_from(STANDINGS), st.none() | periods)),
        run=draw(st.none() | st.integers(1, 2**31 - 1)),
        by=draw(st.sampled_from(list(GROUPING_FIELDS))),
        picture=draw(st.sampled_from(PICTURES)),
        since=since if draw(st.booleans()) else None,
        until=until if draw(st.booleans()) else None,
        judged=draw(judged),
        rules=draw(rules()),
        **lists,
    ).within(*[draw(ranges(column)) for column in columns])
