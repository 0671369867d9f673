"""make bench-dashboard: how long each part of each page takes in a large shop, called as the browser calls it.

The shop is generated (`shop`), loaded as a user would, and its segments are computed; recommendations are not, so that
their pages answer that there are none. Each part is then asked for with
other filters each time, by a seed, so that nothing that was answered before helps. What the totals of the Overview
rest on is asked of Postgres too, with the same filters.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from benchmarks import shop
from benchmarks.asking import Asker, parts
from benchmarks.memory import peak
from console import console
from dashboard import ids
from db import snapshot
from db.filters import Filters, Period
from db.queries import customers as customer_queries
from db.queries import shop as shop_queries
from db.remembered import forget
from db.snapshot import Snapshot
from tests.clients import operator

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
    with shop.standing(place, customers) as (settings, engine):
        data = snapshot.open_newest(settings.data_dir)
        client = operator(settings)
        asker = Asker(
            lambda path: _sent(client.get(path)),
            lambda path, body: _sent(client.post(path, data=body, content_type="application/json")),
        )
        queries = [filters.query() for filters in made_filters(data, calls, random.Random(seed))]
        lines = data.scalar("SELECT count(*) FROM transaction_line")
        title = f"{customers:,} customers, {lines:,} lines: {calls} calls each, other filters each time"
        table = Table("part", "median, ms", "95%, ms", "largest, kB", title=title)
        someone = str(data.scalar("SELECT min(customer_id) FROM known"))
        asked: list[tuple[str, Call]] = [(part, partial(call, asker)) for part, call in parts(someone)]
        for part, call in [*asked, ("customers.grid", _grid(asker))]:
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
    """Each view asked for once, when nothing of it is remembered."""
    seconds, largest = [], 0
    for query in queries:
        forget()
        began = time.perf_counter()
        answer = call(query)
        seconds.append(time.perf_counter() - began)
        largest = max(largest, len(answer))
    return Took(seconds, largest)


def _grid(asker: Asker) -> Call:
    """A page of rows somewhere in the first thousand, sorted by another column each time."""
    rng = random.Random(7)

    def call(query: str) -> bytes:
        first = rng.randrange(10) * _ROWS
        sort = [{"colId": rng.choice(list(customer_queries.COLUMNS)), "sort": rng.choice(["asc", "desc"])}]
        request = {"startRow": first, "endRow": first + _ROWS, "sortModel": sort, "filterModel": {}}
        return asker.rows(ids.GRID, request, "/customers", query)

    return call


def _sent(reply: TestResponse) -> bytes:
    if reply.status_code != 200:
        raise SystemExit(f"The application answered {reply.status_code}: {reply.get_data()[:300]!r}")
    return reply.get_data()


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


if __name__ == "__main__":
    app()
