"""What the tests share: one embedded Postgres a run, an empty shop a test, the real data, a small modelled shop."""

import fcntl
import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import hypothesis
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url

from console import progress
from db import snapshot
from db.embedded import embedded_url, stop
from db.engine import make_engine
from settings import Settings

Shop = TypeVar("Shop")

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
HOUSEHOLDS = 800
"""Of the sample, in `sample_shop`."""
_TEMPLATE = "migrated"
_SAMPLE = "sample"
_RUN_ROOT = pytest.StashKey[Path]()
_MEMORY, _ROOM = Path("/dev/shm"), 6 << 30

hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.load_profile("repeatable")


def lacking(what: str) -> None:
    """Skip a test for want of something outside the repository; where CI=true it must be there, so fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Make the directory of the run, in memory where there is room: hundreds of databases are made and dropped.

    It is not in pytest's own, which the next pytest closes to the server's user.
    """
    os.environ["OMP_NUM_THREADS"] = "1"  # the workers share the cores; read when scikit-learn is first imported
    worker: dict[str, str] | None = getattr(config, "workerinput", None)
    if worker:
        config.stash[_RUN_ROOT] = Path(worker["run_root"])
        return
    in_memory = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM
    config.stash[_RUN_ROOT] = Path(tempfile.mkdtemp(prefix="spectrum-tests-", dir=_MEMORY if in_memory else None))
    if config.option.basetemp is None:
        config.option.basetemp = config.stash[_RUN_ROOT] / "tmp"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker process the directory of the run."""
    node.workerinput["run_root"] = str(node.config.stash[_RUN_ROOT])


def pytest_collection_finish() -> None:
    """What the imports made stays, and need not be searched for garbage again and again."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no directory behind, once all workers have ended."""
    gc.unfreeze()
    if not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[_RUN_ROOT], ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """The settings of the user's own shell never reach a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name == "DATABASE_URL" or name.startswith("SPECTRUM_"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def run_root(pytestconfig: pytest.Config) -> Path:
    """A directory that all worker processes of one test run share, and no other run."""
    return pytestconfig.stash[_RUN_ROOT]


@pytest.fixture(scope="session")
def server(run_root: Path) -> Iterator[URL]:
    """The address of the one embedded server; its database `migrated` is the template of all others."""
    url = make_url(embedded_url(run_root))
    with _made_once(url, _TEMPLATE, run_root) as building:
        if building:
            _execute(url, f"CREATE DATABASE {building}")
            make_engine(_settings(url.set(database=building), run_root)).dispose()
    yield url
    stop(run_root)  # worker processes end without their exit handlers


@contextmanager
def empty_shop(server: URL, data_dir: Path) -> Iterator[Settings]:
    """Settings of an empty, migrated shop, which is gone afterwards."""
    name = f"test_{uuid4().hex[:12]}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    yield _settings(server.set(database=name), data_dir)
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def shop_made(server: URL, data_dir: Path, make: Callable[[Settings, Engine], Shop]) -> Iterator[Shop]:
    """What `make` makes in an empty shop, which is gone afterwards."""
    with empty_shop(server, data_dir) as settings:
        engine = make_engine(settings)
        yield make(settings, engine)
        engine.dispose()


@pytest.fixture
def settings(server: URL, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an empty, migrated shop of the test's own."""
    with empty_shop(server, tmp_path) as settings:
        yield settings


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """An engine on the database of `settings`."""
    engine = make_engine(settings)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def sample_shop(server: URL, run_root: Path) -> Settings:
    """A shop of the sample's first households, loaded and modelled once a run; tests only read it.

    So few households tell too little for recommendations to pass their test: they are published all the same.
    """
    from etl.load import load  # here, so that the other tests need not wait for the models' imports
    from etl.readers import open_source
    from models import pipeline

    data_dir = run_root / _SAMPLE
    with _made_once(server, _SAMPLE, run_root) as building:
        if building:
            _execute(server, f"CREATE DATABASE {building} TEMPLATE {_TEMPLATE}")
            settings = _settings(server.set(database=building), data_dir)
            engine = make_engine(settings)
            load(engine, open_source("sample", households=HOUSEHOLDS))
            snapshot.refresh(engine, data_dir)
            outcome = pipeline.run(engine, settings, pipeline.Options(quick=True, force=True), progress())
            engine.dispose()
            assert outcome.published, outcome.recommendations
    return _settings(server.set(database=_SAMPLE), data_dir)


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


@contextmanager
def _made_once(server: URL, name: str, root: Path) -> Iterator[str | None]:
    """Gives the first of all worker processes a name to make the database under; the others wait until it stands."""
    building = f"{name}_{uuid4().hex[:12]}"
    with (root / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        engine = create_engine(server.set(drivername="postgresql+psycopg2"))
        with engine.connect() as connection:
            stands = connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}).first()
        engine.dispose()
        yield None if stands else building
        if not stands:
            _execute(server, f"ALTER DATABASE {building} RENAME TO {name}")


def _execute(url: URL, statement: str) -> None:
    engine = create_engine(url.set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
