"""A part of a page obeys every filter that it does not say it leaves out, and says what it leaves out on the spot."""

import json
from typing import Any

import duckdb
import pytest
from plotly.utils import PlotlyJSONEncoder

from dashboard import scope
from dashboard.pages import PAGES
from dashboard.view import CONTROL, RESTRICTIONS, Ignores, Page, View, Views
from db.filters import GROUPING_FIELDS
from settings import Settings

ONE = {
    "days": "from=2017-09-01&to=2017-10-15",
    "countries": "country=Nowhere",
    "departments": "department=Floral",
    "categories": "category=Beef",
    "products": "product=1082185",
    "segments": "segment=Drifting+away",
    "groups": "group=Lost",
    "alternatives": "alternative=Nobody",
    "traits": "trait=age:45-54",
    "ranges": "monetary=..200",
    "move": "move=segment:2017-11-01:2018-01-02:::stayed",
    "cohort": "cohort=2017-02",
    "bridge": "bridge=lapsed",
}
"""Each field -> a filter under which the sample's numbers are others."""
WEEK = "from=2017-12-25&to=2017-12-31&"
"""The days of pages that show some days: few, so that it is quick."""
SUBJECTS = {"/customers/": "17", "/recommendations/customers/": "17", "/recommendations/products/": "1082185"}
UNTRIED = {("quality.live", "segments")}
"""The sample has no purchase after its run; test_live tries this."""
LINKS = ("href", "customdata", "options", "value")
"""What carries the filters on to other pages, whether the numbers obey them or not."""


@pytest.fixture(scope="module")
def views(sample_shop: Settings) -> Views:
    """Read by one thread, so that a sum is the same to the last bit each time."""
    connect = duckdb.connect
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duckdb, "connect", lambda config: connect(config=config | {"threads": "1"}))
        views = Views(sample_shop)
        views.snapshot()
    return views


def seen(views: Views, page: Page, name: str, query: str) -> Any:
    """What a slot or picture shows, without its links."""
    usual = "" if page.whole_history or "from=" in query else WEEK
    view = views.view(f"?{usual}{query}", subject=SUBJECTS.get(page.path, ""), path=page.path)
    shown = {**page.slots, **page.pictures}[name](view)
    return without_links(json.loads(json.dumps(shown, cls=PlotlyJSONEncoder)))


def without_links(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: without_links(value) for key, value in part.items() if key not in LINKS}
    return [without_links(one) for one in part] if isinstance(part, list) else part


@pytest.mark.parametrize("page", [page for page in PAGES if page.slots], ids=lambda page: page.path)
def test_each_part_obeys_the_filters_but_those_it_names(views: Views, page: Page) -> None:
    assert set(ONE) == RESTRICTIONS
    assert set(page.ignoring) <= {*page.slots, *page.pictures}
    for name in (*page.slots, *page.pictures):
        usual = seen(views, page, name, "")
        ignores = page.ignoring.get(name, Ignores(frozenset()))
        ignored = ignores.within(views.view("").filters)
        together = "&".join(ONE[field] for field in ONE if field in ignored)
        assert seen(views, page, name, together) == usual, f"{name} obeys one of {set(ignored)}"
        for field in ONE:
            if field not in ignored and (name, field) not in UNTRIED:
                assert seen(views, page, name, ONE[field]) != usual, f"{name} must say that it ignores {field}"


def test_the_grouping_that_is_shown_decides_which_segments_are_left(views: Views) -> None:
    page = next(page for page in PAGES if page.path == "/segments")
    for by, field in (("rfm_group", "groups"), ("segment", "segments")):
        ignored = page.ignoring["segments.cards"].within(views.view(f"?by={by}").filters)
        assert set(GROUPING_FIELDS.values()) - ignored == {field}
        assert seen(views, page, "segments.cards", f"by={by}&{ONE[field]}") != seen(
            views, page, "segments.cards", f"by={by}"
        )


def test_the_bridge_keeps_to_the_days_before(views: Views) -> None:
    page = next(page for page in PAGES if page.path == "/movement")
    days = "from=2017-12-31&to=2017-12-31"
    assert seen(views, page, "movement.bridge", f"{days}&against=year") == seen(views, page, "movement.bridge", days)
    assert "against" in page.ignoring["movement.bridge"].fields


def words(views: Views, path: str, name: str, query: str) -> tuple[str, str]:
    """What is said on the page as a whole, and on one part of it."""
    page = next(page for page in PAGES if page.path == path)
    view: View = views.view(query, subject=SUBJECTS.get(path, ""), path=path)
    noted = scope.noted(view, page, name, page.slots[name](view))
    on_page, on_part = (
        " ".join(part["props"]["children"] for part in _notes(json.loads(json.dumps(shown, cls=PlotlyJSONEncoder))))
        for shown in (scope.of_page(view, page), noted)
    )
    return on_page, on_part


def _notes(part: Any) -> list[Any]:
    if isinstance(part, dict):
        here = [part] if part.get("props", {}).get("role") == "note" else []
        return here + [note for value in part.values() for note in _notes(value)]
    return [note for one in part for note in _notes(one)] if isinstance(part, list) else []


HISTORY = ", which is over the whole history."


@pytest.mark.parametrize(
    ("path", "name", "query", "page_says", "part_says"),
    [
        ("/segments", "segments.profile", "", "", ""),
        ("/segments", "segments.profile", "?segment=Champions&by=segment", "", ""),
        ("/segments", "segments.sentence", "?country=France", "", "The whole shop: the country filter does not apply"),
        (
            "/segments",
            "segments.cards",
            "?from=2017-05-01&trait=age:45-54&trait=home_ownership:Renter&r_score=5&group=Lost",
            f"The period does not apply on this page{HISTORY}",
            "The whole of each segment: the RFM group, age, home ownership and R score filters do not apply",
        ),
        (
            "/customers/",
            "customer.orders",
            "?from=2017-05-01&department=Produce",
            f"All of one customer: the period and the department filter do not apply on this page{HISTORY}",
            "",
        ),
        ("/movement", "movement.bridge", "?against=year&from=2017-05-01", "", "the comparison with a year before does"),
        ("/movement", "movement.months", "?from=2017-05-01", "", "All months: the period does not apply here."),
    ],
)
def test_what_is_left_out_is_said_while_it_is_active(
    views: Views, path: str, name: str, query: str, page_says: str, part_says: str
) -> None:
    of_page, of_part = words(views, path, name, query)
    assert of_page == page_says
    assert part_says in of_part
    assert bool(of_part) == bool(part_says)


def test_controls_and_empty_states_have_nothing_to_say(views: Views) -> None:
    page = next(page for page in PAGES if page.path == "/segments")
    assert page.ignoring["segments.choices"] is CONTROL
    assert words(views, "/segments", "segments.choices", "?country=France") == ("", "")
    assert scope.noted(views.view("?country=France"), page, "segments.cards", []) == []
