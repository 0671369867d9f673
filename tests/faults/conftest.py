"""Shops to be ill-treated: copies of one that was loaded and modelled once; and what the suite tells in the end."""

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL

from db.engine import make_engine
from settings import Settings
from tests.conftest import empty_shop
from tests.faults import apart, content

LINES = 30_000
_PROPERTY = "fault"

Tried = Callable[[str, str], None]


@dataclass(frozen=True)
class Base:
    """A shop that is never changed, and how others are made like it."""

    server: URL
    settings: Settings
    files: Path

    @property
    def more(self) -> Path:
        """A file that is not loaded yet."""
        return self.files / "more.csv"

    @contextmanager
    def copy(self) -> Iterator["Copy"]:
        """A shop like it, which is gone afterwards."""
        with self._like(_database(self.settings)) as copy:
            shutil.copytree(self.settings.data_dir / "snapshots", copy.settings.data_dir / "snapshots")
            yield copy

    @contextmanager
    def bare(self) -> Iterator["Copy"]:
        """A shop whose database has no tables yet."""
        with self._like("template0") as copy:
            yield copy

    @contextmanager
    def _like(self, template: str) -> Iterator["Copy"]:
        name, data_dir = f"test_{uuid4().hex[:12]}", Path(mkdtemp(dir=self.files))
        _execute(self.server, f"CREATE DATABASE {name} TEMPLATE {template}")
        url = self.server.set(database=name, drivername="postgresql+psycopg2")
        address = url.render_as_string(hide_password=False)
        engine = create_engine(url, connect_args={"options": "-c timezone=UTC"})
        yield Copy(Settings.model_validate({"DATABASE_URL": address, "data_dir": data_dir}), engine)
        engine.dispose()
        _execute(self.server, f"DROP DATABASE {name} WITH (FORCE)")
        shutil.rmtree(data_dir)


@dataclass(frozen=True)
class Copy:
    """A shop to be ill-treated."""

    settings: Settings
    engine: Engine


@pytest.fixture(scope="session")
def base(server: URL, run_root: Path) -> Iterator[Base]:
    """The shop of all: one file loaded, a run of segments and one of recommendations published, a snapshot."""
    _execute(server, "ALTER SYSTEM SET fsync = off")  # nobody cuts the power, and what a killed one wrote is written
    _execute(server, "SELECT pg_reload_conf()")
    files = Path(mkdtemp(prefix="faults-", dir=run_root))
    files.chmod(0o755)
    lines(900, seed=3).to_csv(files / "first.csv", index=False)
    lines(LINES, seed=4).to_csv(files / "more.csv", index=False)
    (files / "data").mkdir()
    with empty_shop(server, files / "data") as settings:
        apart.done(apart.load_file, settings, files / "first.csv")
        apart.done(apart.run_models, settings, 1)
        engine = make_engine(settings)
        assert set(content.published(engine)) == {"segments", "recommendations"}
        assert content.differences(engine, settings.data_dir) == []
        engine.dispose()
        yield Base(server, settings, files)


@pytest.fixture
def shop(base: Base) -> Iterator[Copy]:
    """A shop of the test's own."""
    with base.copy() as copy:
        yield copy


def lines(number: int, seed: int) -> pd.DataFrame:
    """Lines of a year of some dozens of customers with a taste each; guests, returns and odd rows among them."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, 40, number)
    product = np.where(rng.random(number) < 0.8, 4 * rng.integers(0, 8, number) + who % 4, rng.integers(0, 32, number))
    frame = pd.DataFrame(
        {
            "order_id": [f"{seed}-{order}" for order in rng.integers(0, number // 3, number)],
            "customer_id": np.where(rng.random(number) < 0.95, np.char.add("c", who.astype(str)), ""),
            "product_id": np.char.add("p", product.astype(str)),
            "product_name": np.char.add("thing ", product.astype(str)),
            "ordered_at": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300 * 86_400, number), "s"),
            "quantity": rng.integers(-1, 12, number),
            "unit_price": rng.integers(1, 9_999, number) / 100,
        }
    )
    return frame.sort_values("ordered_at", ignore_index=True)


@pytest.fixture
def tried(record_property: Callable[[str, Any], None]) -> Tried:
    """Note a run of a failure at a moment, for the table in the end."""
    return lambda failure, moment: record_property(_PROPERTY, (failure, moment))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table: failure, moments, runs, whether all was right after each."""
    moments: dict[str, list[str]] = defaultdict(list)
    wrong: set[str] = set()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in report.user_properties if report.when == "call" else ():
                if name == _PROPERTY:
                    moments[value[0]].append(value[1])
                    wrong |= {value[0]} if outcome == "failed" else set()
    terminalreporter.section("faults")
    terminalreporter.line(f"{'failure':<52} moments  runs  all right")
    for failure, at in sorted(moments.items()):
        right = "no" if failure in wrong else "yes"
        terminalreporter.line(f"{failure:<52} {len(set(at)):>7} {len(at):>5}  {right}")
    all_runs = sum(map(len, moments.values()))
    terminalreporter.line(f"{'all':<52} {'':>7} {all_runs:>5}  {'no' if wrong else 'yes'}")


def _database(settings: Settings) -> str:
    assert settings.database_url is not None
    return str(settings.database_url.get_secret_value().split("?")[0].rsplit("/", 1)[-1])


def _execute(url: URL, statement: str) -> None:
    engine = create_engine(url.set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
