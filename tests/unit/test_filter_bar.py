"""The controls and the filters say the same: what is shown of filters asks for those filters again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.filter_bar import LIST_FIELDS, NUMBERS, asked, shown
from db.drill import Range, Trait
from db.filters import Filters
from db.queries.shop import by_size
from tests.any_filters import any_filters

ENDS = [(column, end) for column in NUMBERS for end in ("low", "high")]


def said(filters: Filters) -> dict[str, Any]:
    """What the controls say when they show filters, those of half the attributes among them."""
    names = sorted({trait.name for trait in filters.traits})[::2]
    return {
        "lists": {field: list(getattr(filters, field)) for field in LIST_FIELDS},
        "traits": {name: [trait.value for trait in filters.traits if trait.name == name] for name in names},
        "numbers": {(column, end): shown(filters, column)[end] for column, end in ENDS},
        "against": filters.against,
    }


@given(any_filters())
def test_controls_that_show_filters_ask_for_them(filters: Filters) -> None:
    assert asked(filters, **said(filters)) == filters


@given(any_filters())
def test_cleared_controls_leave_what_has_none(filters: Filters) -> None:
    names = {trait.name for trait in filters.traits}
    cleared = asked(
        filters,
        {field: [] for field in LIST_FIELDS},
        dict.fromkeys(names),
        dict.fromkeys(ENDS),
        "previous",
    )
    expected = filters.but(
        **dict.fromkeys(LIST_FIELDS, ()),
        traits=(),
        ranges=tuple(kept for kept in filters.ranges if kept.column not in NUMBERS),
        against="previous",
    )
    assert cleared == expected


def test_what_is_typed_into_the_numbers() -> None:
    numbers: dict[tuple[str, str], Any] = dict.fromkeys(ENDS)
    numbers |= {("frequency", "low"): 7, ("frequency", "high"): 3, ("churn_risk", "high"): 29, ("monetary", "low"): 0.5}
    found = asked(Filters(), {}, {}, numbers, None)
    assert found.ranges == (
        Range("frequency", 3, 7),
        Range("monetary", 0.5, None),
        Range("churn_risk", None, 0.29),
    )
    assert shown(found, "churn_risk") == {"low": None, "high": 29}
    assert shown(found, "clv") == {"low": None, "high": None}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(st.data())
def test_whatever_a_browser_sends_gives_filters_in_canonical_form(data: st.DataObject) -> None:
    found = asked(
        Filters(traits=(Trait("age", "45"),)),
        data.draw(st.dictionaries(st.sampled_from([*LIST_FIELDS, "run"]), anything, max_size=3)),
        data.draw(st.dictionaries(st.sampled_from(["age", "", "a:b"]), anything, max_size=2)),
        data.draw(st.dictionaries(st.sampled_from([*ENDS, ("run_id", "low")]), anything, max_size=4)),
        data.draw(anything),
    )
    assert Filters.from_query(found.query()) == found


@pytest.mark.parametrize(
    "values",
    [
        ["Under 15K", "15-24K", "25-34K", "100-124K", "250K+"],
        ["19-24", "25-34", "65+"],
        ["0", "1", "2", "3+", "None/Unknown"],
        ["Homeowner", "Renter"],
        ["1.5 l", "2 l", "10 l"],
    ],
)
def test_values_stand_in_the_order_of_their_numbers(values: list[str]) -> None:
    assert sorted(set(values), key=by_size) == values
