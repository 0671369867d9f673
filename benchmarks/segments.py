"""make bench-segments: all that a run of segments computes and writes, its time by step and its memory as a shop grows.

Each size is a generated shop (`shop`), loaded as a user would into a database of its own. What is timed is a process
of its own from the snapshot to the published run: RFM, clusters by both methods at a fixed number, groups, value,
profiles, movement over twelve months back, and the writing. The load and the snapshot that follows are not part of it.
"""

import json
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, TaskID
from rich.table import Table

from benchmarks import shop
from benchmarks.memory import peak
from console import console
from db import snapshot
from db.embedded import stop
from db.engine import make_engine
from db.queries.features import last_ordered_at
from models.pipeline import Options
from models.pipeline.segments import STEPS, publish_segments
from settings import Settings

_CLUSTERS = 5
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class _Clock(Progress):
    """Notes when each step was done."""

    def __init__(self) -> None:
        super().__init__(disable=True)
        self.laps = [time.perf_counter()]

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        self.laps.append(time.perf_counter())


@app.command()
def compare(
    small: Annotated[int, typer.Option(help="Customers of the shop that growth is measured from.")] = 100_000,
    large: Annotated[int, typer.Option(help="Customers of the shop that is the measure.")] = 1_000_000,
    runs: Annotated[int, typer.Option(help="How often each is timed; the middle one counts.")] = 1,
) -> None:
    """Print the table."""
    found = {}
    for customers in (small, large):
        with tempfile.TemporaryDirectory(prefix="spectrum-bench-") as place:
            lines = shop.loaded(_settings(Path(place)), customers)
            timed = sorted((_timed(Path(place)) for _ in range(runs)), key=lambda run: float(run["seconds"]))
            found[customers] = {"lines": lines, **timed[len(timed) // 2]}
            stop(Path(place))
    table = Table("", *(f"{customers:,} customers" for customers in found), "ratio", title="A run of segments")
    rows: dict[str, list[float]] = {"lines": [run["lines"] for run in found.values()]}
    rows |= {f"{step}, s": [run["steps"][step] for run in found.values()] for step in STEPS}
    rows |= {"all, s": [run["seconds"] for run in found.values()]}
    rows |= {"peak memory, MB": [run["peak"] for run in found.values()]}
    for name, (first, second) in rows.items():
        shown = [f"{value:,.1f}" if name.endswith(", s") else f"{value:,.0f}" for value in (first, second)]
        table.add_row(name, *shown, f"{second / first:.1f}" if first else "")
    console.print(table)


@app.command(hidden=True)
def once(place: Path) -> None:
    """Run once, and say how long each step took and the most memory the process had."""
    settings = _settings(place)
    engine = make_engine(settings)
    data = snapshot.open_newest(place)
    last = last_ordered_at(data)
    assert last is not None
    clock = _Clock()
    publish_segments(engine, settings, Options(clusters=_CLUSTERS), data, last + timedelta(days=1), clock)
    steps = {step: after - before for step, before, after in zip(STEPS, clock.laps, clock.laps[1:], strict=False)}
    print(json.dumps({"steps": steps, "seconds": clock.laps[-1] - clock.laps[0], "peak": peak()}))


def _timed(place: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.segments", "once", str(place)]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def _settings(place: Path) -> Settings:
    return Settings.model_validate({"data_dir": place})


if __name__ == "__main__":
    app()
