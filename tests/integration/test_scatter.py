"""The scatter of the Segments page, however many there are: nobody is lost, and marks lead to whom they count."""

from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import plotly.graph_objects as go
import pytest
from sqlalchemy.engine import URL

from dashboard.pages.segment_cells import twin
from dashboard.pages.segment_scatter import MOST_POINTS, around, scatter, shown
from dashboard.view import Views
from db.bins import AXES
from db.drill import Range
from db.filters import GROUPING_FIELDS, Filters
from db.queries import scatter as queries
from db.queries import segments
from db.snapshot import Snapshot
from settings import Settings
from tests.conftest import shop_made
from tests.integration.test_marks import behind, links
from tests.small_shop import Shop, made


@pytest.fixture(scope="module")
def shop(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop_made(server, tmp_path_factory.mktemp("scatter"), made) as shop:
        yield shop


def made_filters(snapshot: Snapshot, number: int) -> list[Filters]:
    """Views narrowed at random by a segment of some grouping, goods, and ranges of the three numbers."""
    rng = Random(number)
    categories = list(snapshot.frame("SELECT DISTINCT category FROM product ORDER BY 1")["category"].dropna())
    ends = {
        "recency_days": (1, 5, 30, 31, 90),
        "frequency": (1, 2, 3, 8, 20),
        "monetary": (-5.0, 10.0, 99.99, 400.0, 1e3),
    }
    found = []
    for _ in range(number):
        by = rng.choice(list(GROUPING_FIELDS))
        names = list(snapshot.frame(f"SELECT DISTINCT {by} AS name FROM customer_segment ORDER BY 1")["name"].dropna())
        ranges = []
        for axis in rng.sample(AXES, rng.randint(0, 3)):
            low, high = sorted(rng.sample(ends[axis], 2))
            ranges.append(Range(axis, *rng.choice([(low, high), (low, None), (None, high), (low, low)])))
        chosen = {GROUPING_FIELDS[by]: tuple(sorted(rng.sample(names, min(len(names), rng.randint(0, 2)))))}
        goods = tuple(rng.sample(categories, rng.randint(0, 1)))
        found.append(Filters(by=by, categories=goods).but(**chosen).within(*ranges))
    return [Filters(), *found]


def followed(mark: str, query: str) -> Filters:
    """Where the browser goes from a mark on a page with a query: see addressOf in app.js."""
    path, changes = mark.split("?+")
    assert path == "/customers"
    pairs = dict(parse_qsl(changes, keep_blank_values=True))
    kept = [(name, value) for name, value in parse_qsl(query.lstrip("?")) if name not in pairs]
    return Filters.from_query(urlencode([*kept, *((name, value) for name, value in pairs.items() if value)]))


def marks(drawn: go.Figure) -> list[tuple[str, int]]:
    """Where each mark leads, and how many customers it says are there."""
    said = [
        (mark, words) for trace in drawn.data for mark, words in zip(trace.customdata, trace.hovertext, strict=True)
    ]
    return [(mark, int(words.split("<br>")[-1].split(" customer")[0].replace(",", ""))) for mark, words in said]


def drawn_points(drawn: go.Figure) -> set[str]:
    return {row[0][1:] for trace in drawn.data for row in trace.customdata}


def check_cells(views: Views, tries: int) -> None:
    """In so many views the cells count everybody, and some of them lead to as many as they count."""
    rng, tried, span = Random(3), 0, views.view("").span
    for filters in made_filters(views.snapshot(), tries):
        everyone = behind(views.snapshot(), filters)
        if not everyone:
            continue
        for picture, panels in (("space", 1), ("flat", 3)):
            view = views.view(filters.but(start=span.start, end=span.end, picture=picture).query())
            found = marks(scatter(view, most=0))
            assert sum(count for _, count in found) == panels * everyone, filters
            for mark, count in rng.sample(found, min(3, len(found))):
                tried += 1
                assert behind(view.snapshot, followed(mark, view.filters.query())) == count, (filters, mark)
    assert tried > 2 * tries


def test_cells_count_every_customer_and_lead_to_them(shop: Shop) -> None:
    check_cells(shop.views, 9)


def test_cells_of_the_sample_count_every_customer_and_lead_to_them(sample_shop: Settings) -> None:
    check_cells(Views(sample_shop), 5)


def test_spend_below_one_stands_at_one(shop: Shop) -> None:
    less = shop.ask("monetary < 1")
    assert less
    view = shop.view(Filters().within(Range("monetary", None, 1.0)).query())
    assert drawn_points(scatter(view)) == less
    cells = scatter(shop.view("?"), most=0)
    low = [mark for trace in cells.data for mark, z in zip(trace.customdata, trace.z, strict=True) if z == 1]
    assert {who for mark in low for who in shop.found(followed(mark, "").query())} == less


def test_the_last_customer_that_is_a_point(shop: Shop) -> None:
    everyone = shop.ask("true")
    view = shop.view("?")
    assert drawn_points(scatter(view, most=len(everyone))) == everyone
    assert f"{len(everyone)} of" in str(shown(view, most=len(everyone)))
    assert all("?+" in mark for mark, _ in marks(scatter(view, most=len(everyone) - 1)))
    assert "counted" in str(shown(view, most=len(everyone) - 1))
    assert "sample" not in str(around(view, most=len(everyone)))
    assert MOST_POINTS == 30_000


def test_a_sample_is_always_of_the_same_customers_of_every_segment(shop: Shop) -> None:
    view = shop.view("?picture=sample")
    first = drawn_points(scatter(view, most=30))
    assert len(first) == 30
    assert first < shop.ask("true")
    assert drawn_points(scatter(Views(shop.settings).view("?picture=sample"), most=30)) == first
    chosen = queries.sample(view.snapshot, Filters(by="rfm_group"), 30, 10)
    sizes = queries.points(view.snapshot, Filters(by="rfm_group"))["segment"].value_counts()
    taken = chosen["segment"].value_counts()
    assert (taken >= sizes.clip(upper=10)).all()
    assert taken.sum() == 30
    assert "30 of" in str(shown(view, most=30))


def test_each_row_of_the_table_leads_to_its_customers_and_to_their_points(sample_shop: Settings) -> None:
    view = Views(sample_shop).view("?frequency=10..200")
    found = links(twin(view))
    counts, nearer = found[0::2], found[1::2]
    for link, zoom in list(zip(counts, nearer, strict=True))[::15]:
        number = int(link.children.replace(",", ""))
        assert behind(view.snapshot, Filters.from_query(urlsplit(link.href).query)) == number
        zoomed = Views(sample_shop).view(urlsplit(zoom.href).query)
        assert len(drawn_points(scatter(zoomed))) == number


def test_the_controls_zoom_and_keep_the_rest(shop: Shop) -> None:
    view = shop.view("?segment=Loyal&frequency=5..7&picture=flat")
    addresses: list[Any] = [link.href for link in links(around(view))]
    zoomed_out = Filters.from_query(urlsplit(addresses[-1]).query)
    assert (zoomed_out.segments, zoomed_out.ranges, zoomed_out.picture) == (("Loyal",), (), "flat")
    assert "5 to 7" in str(around(view))
    assert segments.groupings(view.snapshot) == []


@pytest.mark.parametrize(
    "query",
    [
        "?picture=cube&frequency=9..2&monetary=..-1e9&recency_days=x",
        "?picture=flat&monetary=-5..-5&segment=%3Cb%3E",
        "?picture=sample&recency_days=..0&frequency=1..1&by=alternative&run=999",
        "?picture=flat&frequency=1..1&monetary=17.25..17.25&by=rfm_group",
    ],
)
def test_any_address_gives_a_picture_its_controls_and_its_table(shop: Shop, query: str) -> None:
    view = shop.view(query)
    for most in (0, 5, MOST_POINTS):
        scatter(view, most=most).to_json()
        assert "Zoom out" in str(around(view, most=most)) or not view.filters.ranges
    twin(view)
