"""make bench-visitors: many people at once before a dashboard that is served as users serve it.

Each visitor opens a page, waits until all of its parts are there, reads for some seconds, and goes on to another page
or other filters. As in a browser the parts of a page are asked for at once, over at most six connections. Visitors look
at a shop's usual views: the filters are drawn from a number of them, so that people see what others have seen, as they
do. This script takes its share of the same processors.
"""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from benchmarks import shop
from benchmarks.asking import Asker, path_of
from benchmarks.dashboard import made_filters
from benchmarks.serving import reply, served
from console import console
from dashboard.pages import PAGES
from dashboard.shell import SHELL_SLOTS
from db import snapshot

_CONNECTIONS = 6
_PAGES = ("/", "/segments", "/value", "/movement", "/customers")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass
class Seen:
    """Seconds of each answer and of each whole page, and what went wrong."""

    answers: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@app.command()
def visitors(
    place: Annotated[Path | None, typer.Option(help="A folder to keep the shop in, and to find it in again.")] = None,
    customers: Annotated[int, typer.Option(help="Customers of the shop, where it is made.")] = 1_000_000,
    people: Annotated[int, typer.Option(min=1)] = 30,
    seconds: Annotated[int, typer.Option(min=10)] = 120,
    views: Annotated[int, typer.Option(min=1, help="So many different filters.")] = 40,
    reading: Annotated[
        float, typer.Option(help="Seconds that a visitor looks at a page, at most twice and at least half.")
    ] = 15,
    seed: Annotated[int, typer.Option()] = 42,
) -> None:
    """Print what they saw; exits with 1 where anything went wrong."""
    seen = Seen()
    with shop.standing(place, customers) as (settings, _), served(settings) as (_, port):
        data = snapshot.open_newest(settings.data_dir)
        queries = [filters.query() for filters in made_filters(data, views, random.Random(seed))]
        someone = str(data.scalar("SELECT min(customer_id) FROM known"))
        until = time.monotonic() + seconds
        crowd = [
            threading.Thread(
                target=_visit, args=(port, until, queries, someone, reading, random.Random(seed + number), seen)
            )
            for number in range(people)
        ]
        for visitor in crowd:
            visitor.start()
        for visitor in crowd:
            visitor.join()
    table = Table("", "number", "median, s", "95%, s", title=f"{people} visitors at once, {seconds} s")
    for name, took in (("answers", seen.answers), ("whole pages", seen.pages)):
        table.add_row(name, f"{len(took):,}", f"{median(took):.2f}", f"{np.percentile(took, 95):.2f}")
    console.print(table)
    console.print(f"Errors: {len(seen.errors)}" + (f", the first: {seen.errors[0]}" if seen.errors else ""))
    raise typer.Exit(bool(seen.errors))


def _visit(
    port: int, until: float, queries: list[str], someone: str, reading: float, rng: random.Random, seen: Seen
) -> None:
    def timed(path: str, body: bytes | None = None) -> bytes:
        began = time.monotonic()
        answer = _ask(port, path, body)
        seen.answers.append(time.monotonic() - began)
        return answer

    time.sleep(rng.uniform(0, reading))
    with ThreadPoolExecutor(_CONNECTIONS) as connections:
        try:
            asker = Asker(timed, timed)
            while time.monotonic() < until:
                goal = rng.choice(_PAGES)
                page = next(page for page in PAGES if page.path == goal)
                path, query = path_of(page, someone), rng.choice(queries)
                began = time.monotonic()
                asker.page(query, path)
                asked = [connections.submit(asker.slot, query, name, path) for name in (*SHELL_SLOTS, *page.slots)]
                asked += [connections.submit(asker.picture, query, name, path) for name in page.pictures]
                for answer in asked:
                    answer.result()
                seen.pages.append(time.monotonic() - began)
                time.sleep(reading * rng.uniform(0.5, 2))
        except Exception as error:  # whatever it is, it is what the script looks for
            seen.errors.append(f"{type(error).__name__}: {error}")


def _ask(port: int, path: str, body: bytes | None = None) -> bytes:
    answer = reply(port, path, body)
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} was answered with {answer.status}: {content[:200]!r}")
    return content


if __name__ == "__main__":
    app()
