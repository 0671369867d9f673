"""make bench-visitors: many people at once before a dashboard that is served as users serve it.

Each visitor opens a page, waits until all of its parts are there, reads for some seconds, and goes on to another page
or other filters. As in a browser the parts of a page are asked for at once, over at most six connections. Visitors look
at a shop's usual views: the filters are drawn from a number of them, so that people see what others have seen, as they
do. This script takes its share of the same processors.
"""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from benchmarks import shop
from benchmarks.asking import Asker, path_of
from benchmarks.dashboard import made_filters
from benchmarks.memory import resident
from benchmarks.serving import Visitor, served
from console import console
from dashboard.pages import PAGES
from db import snapshot
from permissions import Role
from settings import Settings

_CONNECTIONS = 6
_PAGES = ("/", "/segments", "/value", "/movement", "/customers")
_ROLES = (Role.MARKETER, Role.ANALYST, Role.ADMIN)
_TRIES = 4
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass
class Seen:
    """Seconds of each answer and of each whole page, and what went wrong."""

    answers: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    moments: set[str] = field(default_factory=set)
    """What the answers said they are of."""
    anew: int = 0
    held: list[float] = field(default_factory=list)
    """Memory of the server, twenty times over the whole time."""
    done: list[str] = field(default_factory=list)


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
    busy: Annotated[bool, typer.Option("--busy", help="Load files and run the models meanwhile.")] = False,
) -> None:
    """Print what they saw; exits with 1 where anything went wrong."""
    seen = Seen()
    with shop.standing(place, customers) as (settings, _), served(settings) as (process, port):
        data = snapshot.open_newest(settings.data_dir)
        queries = [filters.query() for filters in made_filters(data, views, random.Random(seed))]
        someone = str(data.scalar("SELECT min(customer_id) FROM known"))
        until = time.monotonic() + seconds
        crowd = [
            threading.Thread(
                target=_visit,
                args=(Visitor(settings, port, role), until, queries, someone, reading, random.Random(seed + n), seen),
            )
            for n, role in zip(range(people), cycle(_ROLES))
        ]
        crowd.append(threading.Thread(target=_watch, args=(process, until, seen)))
        crowd += [threading.Thread(target=_work, args=(settings, until, seen))] if busy else []
        for each in crowd:
            each.start()
        for each in crowd:
            each.join()
    table = Table("", "number", "median, s", "95%, s", title=f"{people} visitors at once, {seconds} s")
    for name, took in (("answers", seen.answers), ("whole pages", seen.pages)):
        table.add_row(name, f"{len(took):,}", f"{median(took):.2f}", f"{np.percentile(took, 95):.2f}")
    console.print(table)
    console.print(f"Answers were of {len(seen.moments)} snapshots; {seen.anew} pages were asked for anew to be of one.")
    console.print("Memory of the server, MB: " + ", ".join(f"{held:,.0f}" for held in seen.held))
    for done in seen.done:
        console.print(done)
    console.print(f"Errors: {len(seen.errors)}" + (f", the first: {seen.errors[0]}" if seen.errors else ""))
    raise typer.Exit(bool(seen.errors))


def _visit(
    visitor: Visitor, until: float, queries: list[str], someone: str, reading: float, rng: random.Random, seen: Seen
) -> None:
    of = threading.local()

    def timed(path: str, body: bytes | None = None) -> bytes:
        began = time.monotonic()
        answer, moment = _ask(visitor, path, body)
        seen.answers.append(time.monotonic() - began)
        of.moment = moment
        return answer

    def told(ask: Callable[..., bytes], *what: str) -> str:
        """What a part of a page says that it is of."""
        ask(*what)
        return str(of.moment)

    time.sleep(rng.uniform(0, reading))
    with ThreadPoolExecutor(_CONNECTIONS) as connections:
        try:
            visitor.come_in()
            asker = Asker(timed, timed)
            while time.monotonic() < until:
                goal = rng.choice(_PAGES)
                page = next(page for page in PAGES if page.path == goal)
                path, query = path_of(page, someone), rng.choice(queries)
                began = time.monotonic()
                asker.page(query, path)
                for again in range(_TRIES):
                    asked = [connections.submit(told, asker.slot, query, name, path) for name in page.slots]
                    asked += [connections.submit(told, asker.picture, query, name, path) for name in page.pictures]
                    moments = {answer.result() for answer in asked} - {""}
                    seen.moments |= moments
                    if len(moments) < 2:
                        break
                    seen.anew += 1  # as the browser does, see assets/app.js
                    if again == _TRIES - 1:
                        seen.errors.append(f"{path} stayed of {moments}")
                seen.pages.append(time.monotonic() - began)
                time.sleep(reading * rng.uniform(0.5, 2))
        except Exception as error:  # whatever it is, it is what the script looks for
            seen.errors.append(f"{type(error).__name__}: {error}")


def _ask(visitor: Visitor, path: str, body: bytes | None = None) -> tuple[bytes, str]:
    answer = visitor.reply(path, body)
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} was answered with {answer.status}: {content[:200]!r}")
    return content, answer.headers.get("X-Spectrum-Seen", "")


def _watch(process: int, until: float, seen: Seen) -> None:
    pause = (until - time.monotonic()) / 20
    while time.monotonic() < until:
        seen.held.append(resident(process))
        time.sleep(pause)


def _work(settings: Settings, until: float, seen: Seen) -> None:
    """Load a file of new orders, then run the models, again and again, as the commands that they are."""
    number = 0
    while time.monotonic() < until:
        number += 1
        file = settings.data_dir / f"meanwhile-{time.time_ns()}.parquet"
        shop.write(file, 2_000, seed=int(time.time()))
        for words in (("etl", "load", str(file), "--keep-duplicates"), ("models", "run", "--quick", "--force")):
            began = time.monotonic()
            command = [sys.executable, "-m", *words]
            ended = subprocess.run(command, env=settings.environment(), capture_output=True, text=True, check=False)
            seen.done.append(f"{' '.join(words[:2])}: {time.monotonic() - began:.0f} s, exit code {ended.returncode}")
            if ended.returncode:
                seen.errors.append(ended.stderr[-300:])
        file.unlink()


if __name__ == "__main__":
    app()
