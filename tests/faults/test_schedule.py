"""Facts about scheduled refreshes: one at a time, none missed, none that fails takes what is published away."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from datetime import time as day_time
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL
from typer.testing import CliRunner, Result

from db import loads, refreshes, runs
from db.engine import make_engine
from db.refreshes import Refresh
from errors import RefreshError
from models.__main__ import app
from models.pipeline import schedule
from settings import Settings
from tests.integration.test_models_command import shop_of

AT = day_time(4)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_POLL_SECONDS", 0.02)
    monkeypatch.setattr(schedule, "_PATIENCE_SECONDS", 0.5)


def all_of(engine: Engine) -> list[tuple[str, str | None]]:
    with engine.connect() as connection:
        query = text("SELECT status, message FROM refresh ORDER BY refresh_id")
        return [(row.status, row.message) for row in connection.execute(query)]


def newest(engine: Engine) -> Refresh:
    found = refreshes.last(engine)
    assert found is not None
    return found


def kept_for(seconds: float, engine: Engine, work: schedule.Work) -> list[str]:
    """What the schedule tells while it is kept so long."""
    stop, told = threading.Event(), list[str]()
    keeping = threading.Thread(target=schedule.keep, args=(engine, AT, work, stop, told.append))
    keeping.start()
    time.sleep(seconds)
    stop.set()
    keeping.join()
    return told


def days_ago(engine: Engine, days: float) -> datetime:
    with refreshes.alone(engine) as moment:
        assert moment is not None
        return moment - timedelta(days=days)


def test_the_first_is_due_at_once_and_then_no_other(engine: Engine) -> None:
    done: list[int] = []
    told = kept_for(0.5, engine, lambda: done.append(1))
    assert done == [1]
    assert all_of(engine) == [("done", None)]
    due = schedule.next_time(newest(engine).started_at, AT)
    assert told == ["The refresh is done.", f"The next refresh is at {due:%Y-%m-%d %H:%M %Z}."]


def test_one_that_was_missed_is_made_up_for_once(engine: Engine) -> None:
    refreshes.record(engine, days_ago(engine, 3), None)
    done: list[int] = []
    kept_for(0.5, engine, lambda: done.append(1))
    assert done == [1]


def test_a_failed_one_is_told_and_waits_for_the_next_time(engine: Engine) -> None:
    refreshes.record(engine, days_ago(engine, 2), None)
    tried: list[int] = []

    def fail() -> None:
        tried.append(1)
        raise RefreshError("It failed.")

    assert kept_for(0.5, engine, fail)[0] == "It failed."
    assert (tried, all_of(engine)) == ([1], [("done", None), ("failed", "It failed.")])
    with engine.begin() as connection:  # a day passes
        connection.execute(text("UPDATE refresh SET started_at = started_at - interval '1 day'"))
    done: list[int] = []
    kept_for(0.3, engine, lambda: done.append(1))
    assert done == [1]


def test_one_that_was_broken_off_is_made_up_for(engine: Engine) -> None:
    refreshes.record(engine, days_ago(engine, 2), None)

    def stopped() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        schedule.once(engine, stopped)
    done: list[int] = []
    kept_for(0.3, engine, lambda: done.append(1))
    assert done == [1]


def test_two_schedules_at_once_refresh_once(engine: Engine, settings: Settings) -> None:
    refreshes.record(engine, days_ago(engine, 2), None)
    stop, together = threading.Event(), threading.Barrier(2)
    done: list[int] = []

    def slowly() -> None:
        done.append(1)
        time.sleep(0.5)

    def machine() -> None:
        own = make_engine(settings)
        together.wait()
        schedule.keep(own, AT, slowly, stop, lambda sentence: None)
        own.dispose()

    machines = [threading.Thread(target=machine) for _ in range(2)]
    for each in machines:
        each.start()
    time.sleep(1.5)
    stop.set()
    for each in machines:
        each.join()
    assert (done, len(all_of(engine))) == ([1], 2)


def test_what_another_did_while_one_waited_for_the_lock_is_not_done_again(engine: Engine) -> None:
    refreshes.record(engine, days_ago(engine, 0), None)
    done: list[int] = []
    assert not schedule.once(engine, lambda: done.append(1), AT)
    assert (done, len(all_of(engine))) == ([], 1)


def test_while_one_goes_on_another_is_refused(engine: Engine, settings: Settings) -> None:
    with refreshes.alone(engine) as free:
        assert free
        said = command(settings, "--once")
    assert (said.exit_code, said.stderr.count("\n")) == (2, 1)
    assert "Another refresh is going on" in said.stderr
    assert all_of(engine) == []


def test_a_database_that_is_away_for_a_while_is_waited_for(engine: Engine, server: URL) -> None:
    name = engine.url.database
    admin = create_engine(server.set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT")
    done: list[int] = []
    with admin.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        gone = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name"
        connection.execute(text(gone), {"name": name})
        back = threading.Timer(
            0.3, lambda: connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")) and None
        )
        back.start()
        told = kept_for(1.0, engine, lambda: done.append(1))
        back.join()
    admin.dispose()
    assert done == [1]
    assert told[0].startswith("The database failed while the refreshes were read")
    assert told[1] == "The refresh is done.", "not every attempt is told"


def command(settings: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["schedule", *arguments], env=settings.environment())


@pytest.fixture
def folder(engine: Engine, settings: Settings, tmp_path: Path) -> Path:
    """A folder with the export of a young shop."""
    shop_of(40, engine, tmp_path / "young.csv")
    loads.undo(engine, 1)
    (tmp_path / "exports").mkdir()
    (tmp_path / "young.csv").rename(tmp_path / "exports" / "young.csv")
    return tmp_path / "exports"


def test_new_files_are_loaded_and_what_comes_of_them_is_published(
    engine: Engine, settings: Settings, folder: Path
) -> None:
    first = command(settings, str(folder), "--once")
    assert first.exit_code == 0, first.output
    published = runs.published(engine, runs.SEGMENTS)
    assert published is not None
    assert all_of(engine) == [("done", None)]
    (folder / "broken.csv").write_text("neither,nor\n1,2\n")
    second = command(settings, str(folder), "--once")
    assert (second.exit_code, second.stderr.count("1 of 2 files could not be loaded")) == (2, 2), "as it was, and again"
    assert "broken.csv" in second.stderr
    assert runs.published(engine, runs.SEGMENTS) == published
    assert runs.latest(engine, runs.SEGMENTS) == published, "the models were not run"
    status, message = all_of(engine)[-1]
    assert status == "failed"
    assert message is not None
    assert message.startswith(f"The refresh failed at `python -m etl load {folder}` (1 of 2 files could not be loaded")


def test_a_folder_without_files_or_none_has_nothing_to_load(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[str, ...]] = []
    monkeypatch.setattr(schedule, "_run", lambda settings, stop, *arguments: called.append(arguments))
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / ".hidden").touch()
    models = ("models", "run", "--if-changed")
    for what in (None, str(exports)):
        schedule.refresh(settings, what, threading.Event())
    assert called == [models, models]
    (exports / "new.csv").touch()
    schedule.refresh(settings, str(exports), threading.Event())
    assert called[2:] == [("etl", "load", "--", str(exports)), models]


@pytest.fixture
def started(settings: Settings, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """The command as it is started by hand."""
    call = [sys.executable, "-m", "models", "schedule", str(folder)]
    with subprocess.Popen(
        call, env=settings.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def test_a_schedule_that_waits_ends_when_it_is_told_to(engine: Engine, started: "subprocess.Popen[str]") -> None:
    refreshes.record(engine, days_ago(engine, 0), None)
    assert started.stdout is not None
    assert started.stdout.readline().startswith("The next refresh is at ")
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=10)
    assert (started.returncode, said) == (0, "")


def test_a_refresh_is_broken_off_when_it_is_told_to(engine: Engine, started: "subprocess.Popen[str]") -> None:
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with loads.transaction(engine, "another"), engine.connect() as connection:  # for which its load has to wait
        until = time.monotonic() + 60
        while connection.execute(text(query)).first() is None:
            connection.rollback()
            assert time.monotonic() < until
            time.sleep(0.05)
        children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()
        assert len(children) == 1
        started.send_signal(signal.SIGTERM)
        _, said = started.communicate(timeout=20)
    assert (started.returncode, said) == (130, "Stopped; what was not finished is as before.\n")
    assert not Path(f"/proc/{children[0]}").exists()
    assert all_of(engine) == []
    with refreshes.alone(engine) as free:
        assert free, "its lock went with it"


def test_the_environment_says_when(settings: Settings) -> None:
    said = CliRunner().invoke(app, ["schedule"], env={**settings.environment(), "SPECTRUM_REFRESH_AT": "24:00"})
    assert said.exit_code == 2
    assert "SPECTRUM_REFRESH_AT" in said.stderr
    assert Settings().refresh_at == "04:00"


def test_who_is_kept_for_too_long_is_erased_before_the_models_run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(schedule, "_run", lambda _settings, _stop, *words: asked.append(words))
    schedule.refresh(settings, None, threading.Event())
    schedule.refresh(settings.model_copy(update={"retention_months": 24}), None, threading.Event())
    run = ("models", "run", "--if-changed")
    assert asked == [run, ("db", "retain"), run]
