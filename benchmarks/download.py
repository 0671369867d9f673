"""make bench-download: the list of a million customers as CSV from a served dashboard.

The shop is that of `benchmarks.dashboard`; the dashboard is a process of its own, as a user starts it. Printed are the
seconds to the first byte and to the last, the most memory the process had over what it had once its pages were seen,
whether the checksum of what arrived is the manifest's, and what is said of a download that is cut off in the middle.
"""

import json
import threading
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from benchmarks import shop
from benchmarks.asking import Asker
from benchmarks.memory import resident
from benchmarks.serving import Visitor, served
from console import console
from dashboard import ids
from dashboard.pages import customers, overview

_PIECE = 1 << 16
_SORTED = quote(json.dumps({"sortModel": [{"colId": "monetary", "sort": "desc"}]}))
_LISTS = {"by id": "/download/customers.csv", "by spend": f"/download/customers.csv?grid={_SORTED}"}
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Got:
    """One download: how it went, and what the server says of it."""

    rows: int
    size: int
    first: float
    last: float
    over_idle: float
    told: dict[str, Any]
    agrees: bool


@app.command()
def compare(
    customers: Annotated[int, typer.Option(help="Customers of the shop.")] = 1_000_000,
    place: Annotated[
        Path | None, typer.Option(help="A folder to keep the shop in, or to find it in; without it one that goes.")
    ] = None,
) -> None:
    """Print the table."""
    with shop.standing(place, customers) as (settings, _), served(settings) as (process, port):
        visitor = Visitor(settings, port).come_in()
        _visit(visitor)
        table = Table("list", "rows", "MB", "first byte, s", "last byte, s", "over idle, MB", "checksum, manifest")
        for name, path in _LISTS.items():
            got = _downloaded(process, visitor, path)
            size, agrees = f"{got.size / 1e6:,.0f}", "agree" if got.agrees else "DIFFER"
            times = f"{got.first:.2f}", f"{got.last:.1f}"
            table.add_row(name, f"{got.rows:,}", size, *times, f"{got.over_idle:,.0f}", agrees)
        console.print(table)
        told = _cut_off(visitor, _LISTS["by id"])
        console.print(f"Cut off in the middle: {told['state']}, {told['delivered']:,} of {told['rows']:,} rows")


def _visit(visitor: Visitor) -> None:
    """See the Overview and the list in the grid, as whoever downloads it does before."""
    asker = Asker(lambda path: visitor.reply(path).read(), lambda path, body: visitor.reply(path, body).read())
    for page in (overview.PAGE, customers.PAGE):
        for name in page.slots:
            asker.slot("", name, page.path)
    asker.rows(ids.GRID, {"startRow": 0, "endRow": 100, "sortModel": [], "filterModel": {}}, customers.PAGE.path, "")
    _json(visitor, "/download/customers.csv?ask=1")


def _downloaded(process: int, visitor: Visitor, path: str) -> Got:
    asked = _json(visitor, path + ("&" if "?" in path else "?") + "ask=1")
    idle, most, done = resident(process), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], resident(process))

    watcher = threading.Thread(target=watch)
    watcher.start()
    began, digest, size, rows, first = time.perf_counter(), sha256(), 0, 0, 0.0
    answer = visitor.reply(path + ("&" if "?" in path else "?") + f"list={asked['list']}")
    while piece := answer.read1(_PIECE):
        first = first or time.perf_counter() - began
        digest.update(piece)
        size += len(piece)
        rows += piece.count(b"\n")
    last = time.perf_counter() - began
    answer.close()
    done.set()
    watcher.join()
    told = _ended(visitor, asked["list"])
    agrees = told.get("sha256") == digest.hexdigest() and told["rows"] == rows - 1
    return Got(rows - 1, size, first, last, most[0] - idle, told, agrees)


def _cut_off(visitor: Visitor, path: str) -> dict[str, Any]:
    """Read some megabytes, hang up, and ask what is said of it."""
    asked = _json(visitor, f"{path}?ask=1")
    answer = visitor.reply(f"{path}?list={asked['list']}")
    answer.read(20_000_000)
    answer.close()
    return _ended(visitor, asked["list"])


def _ended(visitor: Visitor, name: str) -> dict[str, Any]:
    for _ in range(600):
        told = _json(visitor, f"/download/progress/{name}")
        if told["state"] in ("complete", "broken"):
            return told
        time.sleep(0.1)
    raise SystemExit("The dashboard did not say how the download ended.")


def _json(visitor: Visitor, path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(visitor.reply(path).read())
    return found


if __name__ == "__main__":
    app()
