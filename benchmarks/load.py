"""make bench-load: a full load against a raw COPY of the same accepted rows, and its memory as the file grows.

The files multiply the sample (`generate`). A load is all that `python -m etl load` does before it writes the snapshot:
read, clean, write, index. The raw COPY streams the accepted rows, written out as CSV before, into a table without an
index. Both go to one server by turns, each time into a database of their own, and the median of the runs counts.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from benchmarks import generate
from benchmarks.memory import peak
from console import console
from db.embedded import embedded_url, stop
from db.engine import make_engine
from etl.load import load
from etl.readers import open_source
from settings import Settings

_PIECE = 1 << 18
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def compare(
    rows: Annotated[int, typer.Option(help="Lines of the file that is timed.")] = 5_000_000,
    small: Annotated[int, typer.Option(help="Lines of the file whose memory is the measure.")] = 2_000_000,
    large: Annotated[int, typer.Option(help="Lines of the file whose memory is compared with it.")] = 20_000_000,
    runs: Annotated[int, typer.Option(help="How often each is timed.")] = 3,
    suffix: Annotated[str, typer.Option(help="csv or parquet.")] = "csv",
) -> None:
    """Print the two tables."""
    with tempfile.TemporaryDirectory(prefix="spectrum-bench-") as place:
        root = Path(place)
        server = make_url(embedded_url(root / "server"))
        try:
            _speed(server, root, rows, runs, suffix)
            _memory(server, root, (small, large), suffix)
        finally:
            stop(root / "server")


@app.command(hidden=True)
def once(file: Path, url: str) -> None:
    """Load one file, and say how long it took and the most memory the process had."""
    engine = make_engine(Settings.model_validate({"DATABASE_URL": url}))
    start = time.perf_counter()
    done = load(engine, open_source(str(file))).load
    took = time.perf_counter() - start
    print(json.dumps({"rows": done.rows_read, "accepted": done.rows_accepted, "seconds": took, "peak": peak()}))


def _speed(server: URL, root: Path, rows: int, runs: int, suffix: str) -> None:
    table = Table("", "rows", "seconds", "rows a second", "ratio", title=f"{suffix.upper()}, median of {runs}")
    for words, name in ((False, "full load"), (True, "full load, with product names and categories")):
        file, accepted = _generated(root, rows, suffix, words=words), root / "accepted.csv"
        loads, copies = [], []
        for _ in range(runs):
            with _database(server, "loaded") as url:
                loads.append(_loaded(file, url))
                if not accepted.exists():
                    _write_accepted(url, accepted)
            with _database(server, "bare") as url:
                copies.append(_copied(url, accepted))
        took, raw = median(run["seconds"] for run in loads), median(copies)
        _add(table, "raw COPY of its accepted rows", loads[0]["accepted"], raw, raw)
        _add(table, name, rows, took, raw)
        file.unlink()
        accepted.unlink()
    console.print(table)


def _add(table: Table, name: str, rows: float, seconds: float, raw: float) -> None:
    table.add_row(name, f"{rows:,}", f"{seconds:.2f}", f"{rows / seconds:,.0f}", f"{seconds / raw:.2f}")


def _memory(server: URL, root: Path, sizes: tuple[int, ...], suffix: str) -> None:
    table = Table("rows", "seconds", "rows a second", "peak memory, MB", "ratio", title="Memory of the loading process")
    first = None
    for rows in sizes:
        file = _generated(root, rows, suffix)
        with _database(server, "loaded") as url:
            run = _loaded(file, url)
        first = first or run["peak"]
        speed = f"{rows / run['seconds']:,.0f}"
        table.add_row(f"{rows:,}", f"{run['seconds']:.1f}", speed, f"{run['peak']:.0f}", f"{run['peak'] / first:.2f}")
        file.unlink()
    console.print(table)


def _generated(root: Path, rows: int, suffix: str, *, words: bool = False) -> Path:
    file = root / f"sales.{suffix}"
    generate.write(file, rows, words=words)
    return file


def _loaded(file: Path, url: URL) -> dict[str, float]:
    address = url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "benchmarks.load", "once", str(file), address]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(said.stdout)
    return found


def _write_accepted(url: URL, path: Path) -> None:
    with _cursor(url) as cursor, path.open("wb") as out:
        cursor.copy_expert("COPY transaction_line TO STDOUT (FORMAT csv)", out)


def _copied(url: URL, path: Path) -> float:
    make_engine(Settings.model_validate({"DATABASE_URL": url.render_as_string(hide_password=False)})).dispose()
    with _cursor(url) as cursor:
        cursor.execute("CREATE TABLE bare (LIKE transaction_line)")
        cursor.connection.commit()
        start = time.perf_counter()
        with path.open("rb") as rows:
            cursor.copy_expert("COPY bare FROM STDIN (FORMAT csv)", rows, _PIECE)
        cursor.connection.commit()
        return time.perf_counter() - start


@contextmanager
def _database(server: URL, name: str) -> Iterator[URL]:
    """A new, empty database on the server."""
    engine = create_engine(server.set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
        connection.execute(text("CHECKPOINT"))  # so that neither pays for what was before
        yield server.set(database=name)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@contextmanager
def _cursor(url: URL):  # type: ignore[no-untyped-def]
    engine = create_engine(url.set(drivername="postgresql+psycopg2"))
    raw = engine.raw_connection()
    try:
        yield raw.cursor()
    finally:
        raw.close()
        engine.dispose()


if __name__ == "__main__":
    app()
