"""make bench-dashboard: how long each part of each page takes in a large shop, called as the browser calls it.

The shop is generated (`shop`), loaded as a user would, and its segments are computed; recommendations are not, so that
their pages answer that there are none. Each part is then asked for with
other filters each time, by a seed, so that nothing that was answered before helps. What the totals of the Overview
rest on is asked of Postgres too, with the same filters.
"""

import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import typer
from flask.testing import FlaskClient
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import Engine, text

from benchmarks import shop
from benchmarks.memory import peak
from console import console
from dashboard import ids
from dashboard.app import create_app
from dashboard.pages import PAGES
from dashboard.shell import SHELL_SLOTS
from dashboard.view import Page
from db import snapshot
from db.embedded import stop
from db.engine import make_engine
from db.filters import Filters, Period
from db.queries import customers as customer_queries
from db.queries import shop as shop_queries
from db.queries.features import last_ordered_at
from db.snapshot import Snapshot
from models.pipeline import Options
from models.pipeline.segments import publish_segments
from settings import Settings

_CLUSTERS = 5
_ROWS = 100
_TOTALS = """
SELECT sum(amount), count(DISTINCT order_id) FILTER (WHERE NOT is_return),
    count(DISTINCT customer_id) FILTER (WHERE NOT is_return)
FROM transaction_line WHERE {where}
"""
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Call = Callable[[str], bytes]
"""The address of a view -> what the server answers."""


@dataclass(frozen=True)
class Took:
    """Seconds of each call, and the largest answer."""

    seconds: list[float]
    largest: int

    @property
    def cells(self) -> tuple[str, str, str]:
        """Median and 95th percentile in milliseconds, and kilobytes."""
        of_twenty = float(np.percentile(self.seconds, 95))
        return f"{1000 * median(self.seconds):,.0f}", f"{1000 * of_twenty:,.0f}", f"{self.largest / 1000:,.0f}"


@app.command()
def pages(
    customers: Annotated[int, typer.Option(help="Customers of the generated shop.")] = 1_000_000,
    calls: Annotated[int, typer.Option(min=1, help="How often each part is asked for.")] = 50,
    place: Annotated[Path | None, typer.Option(help="A folder to keep the shop in, and to find it in again.")] = None,
    only: Annotated[str, typer.Option(help="Only parts whose name begins so.")] = "",
    seed: Annotated[int, typer.Option()] = 42,
) -> None:
    """Print the table."""
    with _shop(place, customers) as (settings, engine):
        data = snapshot.open_newest(settings.data_dir)
        client: FlaskClient = create_app(settings).server.test_client()
        client.get("/_dash-layout")
        queries = [filters.query() for filters in made_filters(data, calls, random.Random(seed))]
        lines = data.scalar("SELECT count(*) FROM transaction_line")
        title = f"{customers:,} customers, {lines:,} lines: {calls} calls each, other filters each time"
        table = Table("part", "median, ms", "95%, ms", "largest, kB", title=title)
        for part, call in _parts(client, data):
            if part.startswith(only):
                table.add_row(part, *took(call, queries).cells)
        console.print(table)
        if not only:
            seconds = [_asked_of_postgres(engine, Filters.from_query(query), data) for query in queries[:5]]
            console.print(f"The totals of the Overview asked of Postgres: median {1000 * median(seconds):,.0f} ms of 5")
        console.print(f"Peak memory of the server and of this script: {peak():,.0f} MB")


def made_filters(data: Snapshot, number: int, rng: random.Random) -> list[Filters]:
    """So many different views: days of any length, and half the time each a few countries, categories or segments."""
    span, choices = shop_queries.span(data), shop_queries.choices(data)
    assert span is not None
    of_all: Mapping[str, tuple[str, ...]] = {
        "countries": choices.countries,
        "categories": choices.categories,
        "segments": choices.segments,
    }
    made = []
    for _ in range(number):
        end = span.end - timedelta(days=rng.randrange(span.days // 2))
        start = end - timedelta(days=rng.choice([6, 29, 90, 364, span.days]))
        chosen = {
            field: tuple(sorted(rng.sample(values, min(len(values), rng.randint(1, 3)))))
            for field, values in of_all.items()
            if rng.random() < 0.5
        }
        days = Period(max(start, span.start), end)
        made.append(Filters(start=days.start, end=days.end).but(**chosen))
    return made


def took(call: Call, queries: list[str]) -> Took:
    """Each view asked for once."""
    seconds, largest = [], 0
    for query in queries:
        began = time.perf_counter()
        answer = call(query)
        seconds.append(time.perf_counter() - began)
        largest = max(largest, len(answer))
    return Took(seconds, largest)


def _parts(client: FlaskClient, data: Snapshot) -> Iterator[tuple[str, Call]]:
    """Part and how to ask for it: what every page has, each page's own parts and pictures, the grid."""
    someone = data.scalar("SELECT min(customer_id) FROM customer_segment")
    for name in SHELL_SLOTS:
        yield name, _slot(client, name, "/")
    for page in PAGES:
        path = _path(page, str(someone))
        for name in page.slots:
            yield name, _slot(client, name, path)
        for name in page.pictures:
            yield name, _picture(client, name, path)
    yield "customers.grid", _grid(client)


def _path(page: Page, someone: str) -> str:
    return page.path + someone if page.path.endswith("/") and page.path != "/" else page.path


def _slot(client: FlaskClient, name: str, path: str) -> Call:
    of = ids.slot(name)
    key = '{"name":["MATCH"],"type":"slot"}.children'
    return lambda query: _asked(client, key, of, "children", query, [_value(of, "id", of), _at(path)])


def _picture(client: FlaskClient, name: str, path: str) -> Call:
    of = ids.picture(name)
    key = '{"name":["MATCH"],"type":"picture"}.figure'
    state = [_value(of, "id", of), _value(ids.camera(name), "data", None), _at(path)]
    return lambda query: _asked(client, key, of, "figure", query, state)


def _grid(client: FlaskClient) -> Call:
    """A page of rows somewhere in the first thousand, sorted by another column each time."""
    rng = random.Random(7)
    outputs = [(ids.GRID, "getRowsResponse"), (ids.GRID_COUNT, "children"), (ids.DOWNLOAD, "href")]

    def call(query: str) -> bytes:
        first = rng.randrange(10) * _ROWS
        sort = [{"colId": rng.choice(list(customer_queries.COLUMNS)), "sort": rng.choice(["asc", "desc"])}]
        request = {"startRow": first, "endRow": first + _ROWS, "sortModel": sort, "filterModel": {}}
        body = {
            "output": f"..{'...'.join(f'{of}.{prop}' for of, prop in outputs)}..",
            "outputs": [{"id": of, "property": prop} for of, prop in outputs],
            "inputs": [_value(ids.GRID, "getRowsRequest", request)],
            "state": [_value(ids.URL, "search", query)],
            "changedPropIds": [f"{ids.GRID}.getRowsRequest"],
        }
        return _posted(client, body)

    return call


def _asked(client: FlaskClient, key: str, of: Any, prop: str, query: str, state: list[dict[str, Any]]) -> bytes:
    inputs = [_value(ids.URL, "search", query), _value(ids.THEME, "data", None)]
    output = {"id": of, "property": prop}
    return _posted(client, {"output": key, "outputs": output, "inputs": inputs, "state": state, "changedPropIds": []})


def _posted(client: FlaskClient, body: dict[str, Any]) -> bytes:
    reply = client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
    answer = reply.get_data()
    if reply.status_code != 200 or b"could not be" in answer:
        raise SystemExit(f"{body['output']} failed: {answer[:300]!r}")
    return answer


def _value(of: Any, prop: str, value: Any) -> dict[str, Any]:
    return {"id": of, "property": prop, "value": value}


def _at(path: str) -> dict[str, Any]:
    return _value(ids.URL, "pathname", path)


def _asked_of_postgres(engine: Engine, filters: Filters, data: Snapshot) -> float:
    """Seconds for revenue, orders and customers of a view's days, countries, categories and segments."""
    span = shop_queries.span(data)
    assert span is not None
    period = filters.period(span)
    parts = ["ordered_at >= :start AND ordered_at < :end"]
    values: dict[str, Any] = {"start": period.start, "end": period.end + timedelta(days=1)}
    for name, of, sql in (
        ("countries", filters.countries, "country = ANY(:countries)"),
        (
            "categories",
            filters.categories,
            "product_id IN (SELECT product_id FROM product WHERE category = ANY(:categories))",
        ),
        (
            "segments",
            filters.segments,
            "customer_id IN (SELECT customer_id FROM current_customer_segment WHERE segment = ANY(:segments))",
        ),
    ):
        if of:
            parts.append(sql)
            values[name] = list(of)
    began = time.perf_counter()
    with engine.connect() as connection:
        connection.execute(text(_TOTALS.format(where=" AND ".join(parts))), values).all()
    return time.perf_counter() - began


@contextmanager
def _shop(place: Path | None, customers: int) -> Iterator[tuple[Settings, Engine]]:
    """A shop with segments, made unless it stands in `place`; without one it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="spectrum-bench-") as passing:
        settings = Settings.model_validate({"data_dir": (place or Path(passing)).resolve()})
        if snapshot.newest_version(settings.data_dir) is None:
            settings.data_dir.mkdir(parents=True, exist_ok=True)
            shop.loaded(settings, customers)
            engine = make_engine(settings)
            data = snapshot.open_newest(settings.data_dir)
            last = last_ordered_at(data)
            assert last is not None
            as_of = last + timedelta(days=1)
            publish_segments(engine, settings, Options(clusters=_CLUSTERS), data, as_of, Progress(disable=True))
            snapshot.refresh(engine, settings.data_dir)
            engine.dispose()
        engine = make_engine(settings)
        yield settings, engine
        engine.dispose()
        stop(settings.data_dir)


if __name__ == "__main__":
    app()
