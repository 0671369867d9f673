"""What a view is restricted to reads as one would say it; the ends of a range are said with whether they count."""

from datetime import date

import pandas as pd
import pytest

from dashboard.chips import first_bought, moved, stands
from dashboard.components.course import finding
from dashboard.measures import MEASURES, in_words
from db.drill import RANGES, Bridge, Cohort, Move, Range
from db.filters import Period
from db.queries.customers import COLUMNS
from db.standing import STANDINGS

NOV, DEC = date(2011, 11, 1), date(2011, 12, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("frequency=3..4", "3 to 4"),
        ("frequency=7", "7"),
        ("recency_days=30..", "30 or more"),
        ("recency_days=..6", "at most 6"),
        ("p_alive=0.2..0.4", "20% to under 40%"),
        ("p_alive=0.125..", "12.5% or more"),
        ("p_alive=..0.5", "under 50%"),
        ("p_alive=0..0", "exactly 0%"),
        ("clv=1000..2500", "£1,000 to under £2,500"),
        ("monetary=-12.5..0", "−£12.50 to under £0"),
    ],
)
def test_a_range_says_its_ends(text: str, words: str) -> None:
    column, _, ends = text.partition("=")
    found = Range.parse(column, ends)
    assert found is not None
    assert in_words(found, "£") == words


def test_every_number_that_an_address_may_restrict_has_a_name_and_is_on_the_list() -> None:
    assert set(MEASURES) == set(RANGES) == {name for name, kind in COLUMNS.items() if kind == "number"}


@pytest.mark.parametrize(
    ("move", "words"),
    [
        (Move("segment", NOV, DEC, "A", "At risk", "quiet"), "Moved from A to At risk, 1 Nov – 1 Dec 2011, went quiet"),
        (Move("segment", NOV, DEC, "Loyal", "Loyal", "stayed"), "Stayed Loyal, 1 Nov – 1 Dec 2011"),
        (Move("segment", NOV, DEC, "", "New", "new"), "Moved to New, 1 Nov – 1 Dec 2011, first order since"),
        (Move("segment", NOV, DEC, "A", "", "bought"), "Moved from A, 1 Nov – 1 Dec 2011, bought in between"),
        (Move("segment", NOV, DEC), "Customers known on 1 Dec 2011"),
        (Move("segment", NOV, DEC, cause="quiet"), "Moved, 1 Nov – 1 Dec 2011, went quiet"),
        (Move("segment", NOV, DEC, cause="stayed"), "Stayed, 1 Nov – 1 Dec 2011"),
        (Move("segment", NOV, DEC, cause="new"), "New, 1 Nov – 1 Dec 2011, first order since"),
    ],
)
def test_a_move_is_told_with_its_days_and_its_cause(move: Move, words: str) -> None:
    assert moved(move) == words


def test_a_cohort_and_the_months_since() -> None:
    assert first_bought(Cohort(NOV)) == "First order in Nov 2011"
    assert first_bought(Cohort(NOV, 0)) == "First order in Nov 2011, bought that month"
    assert first_bought(Cohort(NOV, 1)) == "First order in Nov 2011, bought 1 month later"


def test_a_bar_of_the_bridge_names_both_periods() -> None:
    period = Period(date(2011, 9, 10), date(2011, 12, 9))
    words = [stands(Bridge(standing, period), period) for standing in STANDINGS]
    assert words[3] == "Lapsed: bought 11 Jun – 9 Sep 2011, not 10 Sep – 9 Dec 2011"
    assert len(set(words)) == len(STANDINGS)


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ([None, "A", "A"], "A since 1 Nov 2011"),
        (["A", "A", "A"], "A since at least 1 Oct 2011"),
        (["A", "B", "A"], "A since 1 Dec 2011, before that B"),
        ([None, None, "B"], "B since 1 Dec 2011"),
    ],
)
def test_since_when_a_customer_stands_there(way: list[str | None], words: str) -> None:
    moments = pd.to_datetime(["2011-10-01", "2011-11-01", "2011-12-01"])
    assert finding(pd.DataFrame({"as_of": moments, "segment": way})) == words
