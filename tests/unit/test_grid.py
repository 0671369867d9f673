"""A grid's request comes from a browser, so from anybody: it gives rows or nothing, never an error, never other SQL."""

from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.grid import ColumnKind, GridRequest, Tested

COLUMNS: dict[str, ColumnKind] = {"name": "text", "orders": "number", "seen": "date"}
ROWS = [
    ("Anna", 3, "2017-03-01 10:00"),
    ("bert", 10, "2017-03-02 23:59"),
    ("Carl", None, None),
    (None, 7, "2017-04-01"),
]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(list(COLUMNS)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=12,
)
tests = st.fixed_dictionaries(
    {"type": st.sampled_from(["contains", "equals", "inRange", "greaterThan", "blank", "notBlank"]) | anything},
    optional=dict.fromkeys(("filter", "filterTo", "dateFrom", "dateTo", "operator", "conditions"), anything),
)
requests = st.fixed_dictionaries(
    {},
    optional={
        "startRow": anything,
        "endRow": anything,
        "sortModel": anything | st.lists(st.fixed_dictionaries({"colId": anything, "sort": anything}), max_size=4),
        "filterModel": anything | st.dictionaries(st.sampled_from(list(COLUMNS)), tests, max_size=3),
    },
)


def names(request: Any) -> list[str | None]:
    """The names the database gives for a request, by a connection of this call alone."""
    asked = GridRequest.parse(request, COLUMNS)
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE person (name VARCHAR, orders INTEGER, seen TIMESTAMP)")
        connection.executemany("INSERT INTO person VALUES (?, ?, ?)", ROWS)
        count = connection.execute(asked.count_sql("FROM person"), list(asked.where.values)).fetchall()
        rows = connection.execute(asked.sql("FROM person", "name"), list(asked.where.values)).fetchall()
    assert len(rows) <= count[0][0]
    return [row[0] for row in rows]


@given(request=requests)
def test_whatever_a_browser_sends_the_database_answers(request: Any) -> None:
    names(request)


@pytest.mark.parametrize(
    ("column", "test", "expected"),
    [
        ("name", {"type": "contains", "filter": "ER"}, ["bert"]),
        ("name", {"type": "startsWith", "filter": "a"}, ["Anna"]),
        ("name", {"type": "blank"}, [None]),
        ("orders", {"type": "greaterThan", "filter": 3}, ["bert", None]),
        ("orders", {"type": "inRange", "filter": 3, "filterTo": 7}, ["Anna", None]),
        ("orders", {"type": "lessThan", "filter": "7 OR true"}, ["Anna", "Carl", "bert", None]),
        ("seen", {"type": "equals", "dateFrom": "2017-03-02 00:00:00"}, ["bert"]),
        (
            "seen",
            {"type": "inRange", "dateFrom": "2017-03-01 00:00:00", "dateTo": "2017-03-02 00:00:00"},
            ["Anna", "bert"],
        ),
        ("name", {"type": "notContains", "filter": "a"}, ["bert", None]),
        ("orders", {"type": "equals", "filter": 10**400}, ["Anna", "Carl", "bert", None]),
        ("seen", {"type": "lessThan", "dateFrom": "2017-03-02 00:00:00"}, ["Anna"]),
        (
            "name",
            {
                "operator": "OR",
                "conditions": [{"type": "equals", "filter": "anna"}, {"type": "equals", "filter": "CARL"}],
            },
            ["Anna", "Carl"],
        ),
    ],
)
def test_filters_mean_what_the_grid_shows(column: str, test: dict[str, Any], expected: list[str | None]) -> None:
    assert names({"filterModel": {column: test}}) == expected


def test_unknown_columns_and_directions_are_left_out() -> None:
    asked = GridRequest.parse(
        {"sortModel": [{"colId": "name; DROP TABLE person", "sort": "asc"}, {"colId": "orders", "sort": "sideways"}]},
        COLUMNS,
    )
    assert asked.order == '"orders" ASC NULLS LAST'


def test_the_context_names_columns_and_what_is_searched_for() -> None:
    context = {"columns": ["seen", "name", 7, "seen", "x; --", None], "search": "  an\tn "}
    asked = GridRequest.parse({"context": context}, COLUMNS)
    assert asked.columns == ("seen", "name")
    assert asked.search == "an\tn"
    oddities: list[Any] = [None, [], "x", {"columns": "name", "search": 7}, {"columns": {}, "search": "\ud800"}]
    for odd in oddities:
        asked = GridRequest.parse({"context": odd}, COLUMNS)
        assert (asked.columns, asked.search) == ((), "")


def test_what_was_kept_of_the_tests_is_told() -> None:
    model = {
        "name": {"operator": "OR", "conditions": [{"type": "equals", "filter": "a"}, {"type": "blank"}]},
        "orders": {"type": "inRange", "filter": 1, "filterTo": 2},
        "seen": {"type": "equals", "dateFrom": "no day"},
        "other": {"type": "blank"},
    }
    tested = GridRequest.parse({"filterModel": model}, COLUMNS).tested
    assert tested == (
        Tested("name", (("equals", ("a",)), ("blank", ())), either=True),
        Tested("orders", (("inRange", (1.0, 2.0)),)),
    )


def test_a_page_is_never_longer_than_a_thousand_rows() -> None:
    assert GridRequest.parse({"startRow": 0, "endRow": 10**9}, COLUMNS).rows == 1000
