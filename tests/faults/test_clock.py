"""The clock moved by years, both ways: newest is what has the highest number, whatever the time of day says.

Postgres' own clock cannot be moved from here, so a trigger moves what it writes of moments; that of Python is moved
where the product reads it.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import text

from dashboard import jobs
from dashboard.view import Views
from db import accounts, runs, snapshot
from db.queries import quality, state
from tests.clients import take_token
from tests.faults import apart, asking, content
from tests.faults.conftest import Copy, Tried, lines

YEARS = {"a year back": -365, "a year ahead": 365, "thirty years back": -10_957}
MOVED = """
CREATE FUNCTION moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN NEW.started_at := NEW.started_at + interval '{days} days'; END IF;
    NEW.finished_at := NEW.finished_at + interval '{days} days';
    RETURN NEW;
END $$;
CREATE TRIGGER moved BEFORE INSERT OR UPDATE ON load FOR EACH ROW EXECUTE FUNCTION moved();
CREATE TRIGGER moved BEFORE INSERT OR UPDATE ON model_run FOR EACH ROW EXECUTE FUNCTION moved();
"""


@pytest.mark.parametrize("moved", YEARS)
def test_the_newest_is_newest_by_its_number(shop: Copy, tried: Tried, tmp_path: Path, moved: str) -> None:
    settings, engine = shop.settings, shop.engine
    before, version = content.published(engine), snapshot.newest_version(settings.data_dir)
    with engine.begin() as connection:
        connection.execute(text(MOVED.format(days=YEARS[moved])))
    lines(300, seed=9).to_csv(tmp_path / "later.csv", index=False)
    apart.done(apart.load_file, settings, tmp_path / "later.csv")
    apart.done(apart.run_models, settings, 5)
    tried("the clock moved", moved)

    first, second = reversed(accounts.all_loads(engine))
    assert abs((second.started_at - first.started_at).days) > 300, "the clock was moved"
    assert second.name == "later.csv"
    after = content.published(engine)
    assert all(after[kind] == max(after[kind], before[kind] + 1) for kind in before)
    newest = snapshot.newest_version(settings.data_dir)
    assert version is not None
    assert newest is not None
    assert newest > version
    shown = snapshot.open_newest(settings.data_dir)
    assert shown.manifest.runs == after
    content.must_be_settled(engine, settings.data_dir)

    assert state.state(shown).loaded_at == moment(engine, "load", second.load_id)
    told = [decision.run_id for decision in quality.decisions(shown)]
    assert told == sorted(told, reverse=True)
    assert Views(settings).snapshot().version == newest
    pages = asking.pages(asking.client(settings))
    assert len(pages) > 10
    apart.done(apart.publish, settings)
    assert runs.prune(engine, runs.SEGMENTS, keep=1) == 1
    assert content.published(engine)["segments"] > after["segments"]
    with engine.connect() as connection:
        left = connection.execute(text("SELECT run_id FROM model_run WHERE kind = 'segments' ORDER BY 1")).scalars()
        assert next(iter(left)) == after["segments"], "the oldest by number goes"


def moment(engine: Any, table: str, number: int) -> datetime:
    with engine.connect() as connection:
        found: datetime = connection.execute(
            text(f"SELECT finished_at FROM {table} WHERE load_id = :number"), {"number": number}
        ).scalar_one()
    return found


@pytest.mark.parametrize("days", [-365, 365])
def test_a_moved_clock_of_the_server_loses_no_running_load_and_leaves_pages_as_they_are(
    shop: Copy, tried: Tried, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    visitor = asking.client(shop.settings)
    before = asking.pages(visitor)
    upload = jobs.new(shop.settings, "orders.csv")
    now = pd.Timestamp.now().timestamp() + timedelta(days=days).total_seconds()
    monkeypatch.setattr("dashboard.jobs.time.time", lambda: now)
    tried("the clock moved", f"the dashboard's by {days} days")
    kept = jobs.new(shop.settings, "others.csv")
    assert kept.folder.exists()
    assert upload.folder.exists() is (days < 0), "what waits for longer than a day goes"
    take_token(visitor)  # sessions of another time are over
    assert asking.pages(visitor) == before
