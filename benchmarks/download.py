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
from http.client import HTTPConnection
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from benchmarks import shop
from benchmarks.asking import Asker
from benchmarks.serving import reply, served
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
        _visit(port)
        table = Table("list", "rows", "MB", "first byte, s", "last byte, s", "over idle, MB", "checksum, manifest")
        for name, path in _LISTS.items():
            got = _downloaded(process, port, path)
            size, agrees = f"{got.size / 1e6:,.0f}", "agree" if got.agrees else "DIFFER"
            times = f"{got.first:.2f}", f"{got.last:.1f}"
            table.add_row(name, f"{got.rows:,}", size, *times, f"{got.over_idle:,.0f}", agrees)
        console.print(table)
        told = _cut_off(port, _LISTS["by id"])
        console.print(f"Cut off in the middle: {told['state']}, {told['delivered']:,} of {told['rows']:,} rows")


def _visit(port: int) -> None:
    """See the Overview and the list in the grid, as whoever downloads it does before."""
    asker = Asker(lambda path: reply(port, path).read(), lambda path, body: reply(port, path, body).read())
    for page in (overview.PAGE, customers.PAGE):
        for name in page.slots:
            asker.slot("", name, page.path)
    asker.rows(ids.GRID, {"startRow": 0, "endRow": 100, "sortModel": [], "filterModel": {}}, customers.PAGE.path, "")
    _json(port, "/download/customers.csv?ask=1")


def _downloaded(process: int, port: int, path: str) -> Got:
    asked = _json(port, path + ("&" if "?" in path else "?") + "ask=1")
    idle, most, done = _memory(process), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], _memory(process))

    watcher = threading.Thread(target=watch)
    watcher.start()
    began, digest, size, rows, first = time.perf_counter(), sha256(), 0, 0, 0.0
    answer = reply(port, path + ("&" if "?" in path else "?") + f"list={asked['list']}")
    while piece := answer.read1(_PIECE):
        first = first or time.perf_counter() - began
        digest.update(piece)
        size += len(piece)
        rows += piece.count(b"\n")
    last = time.perf_counter() - began
    answer.close()
    done.set()
    watcher.join()
    told = _ended(port, asked["list"])
    agrees = told.get("sha256") == digest.hexdigest() and told["rows"] == rows - 1
    return Got(rows - 1, size, first, last, most[0] - idle, told, agrees)


def _cut_off(port: int, path: str) -> dict[str, Any]:
    """Read some megabytes, hang up, and ask what is said of it."""
    asked = _json(port, f"{path}?ask=1")
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"{path}?list={asked['list']}")
    connection.getresponse().read(20_000_000)
    connection.close()
    return _ended(port, asked["list"])


def _ended(port: int, name: str) -> dict[str, Any]:
    for _ in range(600):
        told = _json(port, f"/download/progress/{name}")
        if told["state"] in ("complete", "broken"):
            return told
        time.sleep(0.1)
    raise SystemExit("The dashboard did not say how the download ended.")


def _json(port: int, path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(reply(port, path).read())
    return found


def _memory(process: int) -> float:
    """Of the server and the processes it started, in MB."""
    return sum(_resident(pid) for pid in (process, *_children(process)))


def _children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(pid) for pid in listed]


def _resident(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024


if __name__ == "__main__":
    app()
