"""What the tests share: one embedded Postgres a run, an empty shop a test, the real data, a small modelled shop."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url

from db.embedded import embedded_url
from db.engine import make_engine
from settings import Settings

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
_TEMPLATE = "migrated"

hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.load_profile("repeatable")


def lacking(what: str) -> None:
    """Skip a test for want of something outside the repository; where CI=true it must be there, so fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """The settings of the user's own shell never reach a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name == "DATABASE_URL" or name.startswith("SPECTRUM_"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def run_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that all worker processes of one test run share, and no other run."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def server(run_root: Path) -> URL:
    """The address of the one embedded server; its database `migrated` is the template of all others."""
    url = make_url(embedded_url(run_root))
    with _one_at_a_time(run_root):
        if not _databases(url, _TEMPLATE):
            _execute(url, f"CREATE DATABASE {_TEMPLATE}_building")
            make_engine(_settings(url.set(database=f"{_TEMPLATE}_building"), run_root)).dispose()
            _execute(url, f"ALTER DATABASE {_TEMPLATE}_building RENAME TO {_TEMPLATE}")
    return url


@pytest.fixture
def settings(server: URL, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an empty, migrated shop of the test's own."""
    name = f"test_{uuid4().hex[:12]}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    yield _settings(server.set(database=name), tmp_path)
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """An engine on the database of `settings`."""
    engine = make_engine(settings)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets beside the repository."""
    if not SHARED_DATA.is_dir():
        lacking("The data sets in ../shared/data are not here; CONTRIBUTING.md says where to get them.")
    return SHARED_DATA


@pytest.fixture(scope="session")
def retail_path(shared_data: Path) -> Path:
    """The complete UCI Online Retail data set."""
    path = shared_data / "online_retail.parquet"
    if not path.exists():
        lacking("../shared/data/online_retail.parquet (UCI Online Retail) is not here; CONTRIBUTING.md says more.")
    return path


def _settings(url: URL, data_dir: Path) -> Settings:
    address = url.render_as_string(hide_password=False)
    return Settings.model_validate({"DATABASE_URL": address, "data_dir": data_dir})


def _databases(url: URL, name: str) -> int:
    engine = create_engine(url.set(drivername="postgresql+psycopg2"))
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM pg_database WHERE datname = :name")
        found = int(connection.execute(query, {"name": name}).scalar_one())
    engine.dispose()
    return found


def _execute(url: URL, statement: str) -> None:
    engine = create_engine(url.set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    with (root / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
