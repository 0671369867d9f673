"""Facts about a load that is killed, cut off or out of room: the database is as before, and the next call works."""

import errno
import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from db import accounts, known, loads, schema
from db.engine import make_engine
from etl.__main__ import app
from etl.load import load
from etl.readers import open_source
from settings import Settings

LINES = 200_000
KILLS = 20
PROCESSES = get_context("forkserver")
TABLES = (*schema.RECORD_TABLES, schema.rejected_row, schema.load)


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    """Many lines, some of them of no pieces."""
    rng = np.random.default_rng(7)
    quantity = rng.integers(0, 30, LINES)
    pd.DataFrame(
        {
            "order_id": rng.integers(0, LINES // 5, LINES),
            "customer_id": rng.integers(0, 3_000, LINES),
            "product_id": rng.integers(0, 500, LINES),
            "ordered_at": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300 * 86_400, LINES), "s"),
            "quantity": quantity,
            "unit_price": rng.integers(1, 9_999, LINES) / 100,
            "country": rng.choice(["France", "Spain"], LINES),
        }
    ).to_csv(tmp_path / "sales.csv", index=False)
    return tmp_path / "sales.csv"


@pytest.fixture
def before(engine: Engine, tmp_path: Path) -> dict[str, str]:
    """What a shop with one small load holds."""
    (tmp_path / "first.csv").write_text(
        "order_id,customer_id,product_id,ordered_at,quantity,unit_price\n1,1,1,2024-01-01,3,1.50\n2,1,1,2024-01-02,-3,1.50\n"
    )
    load(engine, open_source(str(tmp_path / "first.csv")))
    return digests(engine)


def digests(engine: Engine) -> dict[str, str]:
    """Table -> checksum of its rows in any order, once no load is under way."""
    rows = "SELECT coalesce(md5(string_agg(kept::text, ';' ORDER BY kept::text)), '') FROM {} AS kept"
    with loads.transaction(engine, "a look") as connection:
        return {table.name: connection.execute(text(rows.format(table.name))).scalar_one() for table in TABLES}


def load_apart(address: str, directory: str, path: str) -> None:
    engine = make_engine(Settings.model_validate({"DATABASE_URL": address, "data_dir": directory}))
    load(engine, open_source(path))


@pytest.fixture
def apart(settings: Settings, sales: Path) -> Iterator[Any]:
    """Starts a load of the sales in a process of its own."""
    PROCESSES.set_forkserver_preload(["tests.integration.test_kill"])
    address = settings.database_url.get_secret_value() if settings.database_url else ""
    started: list[BaseProcess] = []

    def start() -> BaseProcess:
        process = PROCESSES.Process(target=load_apart, args=(address, str(settings.data_dir), str(sales)))
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.join()


def test_a_load_killed_at_any_moment_leaves_all_or_nothing(
    engine: Engine, sales: Path, before: dict[str, str], apart: Any
) -> None:
    apart().join()  # the first one waits for the imports
    loads.undo(engine, 2)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM load WHERE status = 'undone'"))
    assert digests(engine) == before
    start = time.monotonic()
    apart().join()
    whole = time.monotonic() - start
    rng = np.random.default_rng(KILLS)
    for moment in rng.uniform(0.05, 1, KILLS) * whole:
        newest = accounts.all_loads(engine)[0]
        if newest.load_id != 1:
            loads.undo(engine, newest.load_id)
            with engine.begin() as connection:
                connection.execute(text("DELETE FROM load WHERE status = 'undone'"))
        process = apart()
        time.sleep(moment)
        process.kill()
        process.join()
        after = digests(engine)
        standing = accounts.all_loads(engine)
        if len(standing) == 1:
            assert after == before, f"killed after {moment:.2f} s"
        else:
            assert (standing[0].status, standing[0].rows_read) == ("done", LINES), f"killed after {moment:.2f} s"
    outcome = load(engine, open_source(str(sales)))
    assert outcome.load.rows_accepted + outcome.load.rows_rejected == LINES


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr("etl.__main__.load_settings", lambda: settings)
    return CliRunner()


@pytest.mark.parametrize("where", ["loads.lines_of", "known.stage_products", "loads.finish"])
def test_a_connection_lost_half_way_is_one_sentence(
    engine: Engine, command: CliRunner, sales: Path, before: dict[str, str], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    module, name = where.split(".")
    step = getattr({"loads": loads, "known": known}[module], name)
    cut: list[bool] = []

    def cut_off(*args: Any) -> Any:
        if not cut:
            cut.append(True)
            with engine.connect() as other:
                other.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )
        return step(*args)

    monkeypatch.setattr(f"etl.load.{where}", cut_off)
    said = command.invoke(app, ["load", str(sales)])
    *noise, sentence = said.stderr.splitlines()
    assert (said.exit_code, sentence.startswith("error: The database failed while sales.csv was loaded")) == (2, True)
    assert sentence.endswith("nothing was changed.")
    assert noise == []
    engine.dispose()
    assert digests(engine) == before
    assert command.invoke(app, ["load", str(sales)]).exit_code == 0


def test_a_full_disk_is_one_sentence(
    engine: Engine, command: CliRunner, sales: Path, before: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        """A temporary file on a disk without room."""

        def __init__(self) -> None:
            self._file: IO[bytes] = TemporaryFile()  # noqa: SIM115 (closed by __exit__)

        def write(self, content: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *reason: object) -> None:
            self._file.close()

    monkeypatch.setattr("etl.load.TemporaryFile", Full)
    said = command.invoke(app, ["load", str(sales)])
    assert (said.exit_code, said.stderr.count("\n")) == (2, 1)
    assert "(No space left on device) and nothing was changed; see that there is room in" in said.stderr
    assert digests(engine) == before
    monkeypatch.undo()
