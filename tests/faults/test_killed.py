"""Killed at any moment: the record is that of before or of after, the snapshot too, and the next call goes through."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from db import runs, snapshot
from db.runs import INTERRUPTED
from tests.faults import apart, content
from tests.faults.conftest import Base, Copy, Tried
from tests.faults.content import Content


@dataclass(frozen=True)
class Work:
    """What is killed: how it is begun, how it is prepared, and the steps at which it is."""

    do: Callable[..., None]
    steps: tuple[str, ...]
    random: int
    with_file: bool = False
    prepared: Callable[[Copy, Base], None] = lambda copy, base: None

    def arguments(self, copy: Copy, base: Base) -> tuple[Any, ...]:
        return (copy.settings, base.more) if self.with_file else (copy.settings,)


def loaded_unseen(copy: Copy, base: Base) -> None:
    apart.done(apart.load_only, copy.settings, base.more)


SNAPSHOT_STEPS = (
    "db.version:write_months",
    "db.version:write_table#3",
    "db.version:findings.write+",
    "db.version:sales.write_sales",
    "db.version:described#2",
    "db.snapshot:Path.rename",
    "db.snapshot:Path.rename+",
)
WORKS = {
    "load": Work(
        apart.load_file,
        (
            "etl.load:loads.begin+",
            "etl.load:loads.lines_of#2",
            "etl.load:loads.add_rejected+",
            "etl.load:known.merge_products",
            "etl.load:loads.finish",
            "etl.load:loads.explain+",
            "tests.faults.apart:snapshot.refresh",
        ),
        random=6,
        with_file=True,
    ),
    "snapshot refresh": Work(apart.refresh, SNAPSHOT_STEPS, random=4, prepared=loaded_unseen),
    "publish": Work(
        apart.publish,
        (
            "db.runs:open_run+",
            "db.runs:copy_in",
            "db.runs:copy_in+",
            "db.runs:run_checksums.of_run",
            "db.runs:_close+",
            "tests.faults.apart:snapshot.refresh",
        ),
        random=4,
    ),
    "model run": Work(
        apart.run_models,
        (
            "models.pipeline.segments:_history+",
            "models.pipeline.segments:_parted",
            "models.pipeline.segments:runs.publish+",
            "models.pipeline.recommendations:advice",
            "models.pipeline.recommendations:evaluation+",
            "models.pipeline.recommendations:verdict",
            "models.pipeline.recommendations:runs.publish+",
            "models.pipeline.building:runs.prune",
        ),
        random=4,
    ),
}


@dataclass(frozen=True)
class States:
    """What may be found: of the record and of the snapshot, before, after, and at commits between."""

    records: tuple[Content, ...]
    snapshots: tuple[Content, ...]
    seconds: float


@pytest.fixture(scope="module")
def known() -> dict[str, States]:
    return {}


def states(work: Work, base: Base) -> States:
    """Found by work that nobody disturbs, and by work that ends of itself at each of its commits."""
    records, snapshots = [], []
    with base.copy() as copy:
        work.prepared(copy, base)
        records.append(content.record(copy.engine))
        snapshots.append(content.shown(copy.settings.data_dir))
        begun = time.monotonic()
        apart.done(work.do, *work.arguments(copy, base))
        seconds = time.monotonic() - begun
        records.append(content.record(copy.engine))
        snapshots.append(content.shown(copy.settings.data_dir))
    if work.do is apart.run_models:  # which publishes twice
        with base.copy() as copy:
            step = "models.pipeline.run:publish_recommendations"
            apart.killed_at(work.do, *work.arguments(copy, base), step=step)
            records.append(content.record(copy.engine))
            snapshots.append(content.shown(copy.settings.data_dir))
    return States(tuple(records), tuple(snapshots), seconds)


def moments() -> Iterator[Any]:
    for name, work in WORKS.items():
        for step in work.steps:
            yield pytest.param(name, step, id=f"{name}-{step.rpartition(':')[2]}")
        rng = np.random.default_rng(len(name))
        for share in np.sort(rng.uniform(0.02, 1, work.random)):
            yield pytest.param(name, float(share), id=f"{name}-{share:.2f}")


@pytest.mark.parametrize(("name", "moment"), [*moments()])
def test_killed_it_leaves_all_or_nothing(
    base: Base, known: dict[str, States], tried: Tried, name: str, moment: str | float
) -> None:
    work = WORKS[name]
    if name not in known:
        known[name] = states(work, base)
    may = known[name]
    with base.copy() as copy:
        work.prepared(copy, base)
        if isinstance(moment, str):
            apart.killed_at(work.do, *work.arguments(copy, base), step=moment)
        else:
            process = apart.start(work.do, *work.arguments(copy, base))
            time.sleep(moment * may.seconds)
            process.kill()
            process.join()
        tried(f"killed: {name}", str(moment))
        is_as_before_or_after(copy, may)
        apart.done(work.do, *work.arguments(copy, base))
        assert content.record(copy.engine) == may.records[1]
        content.must_be_settled(copy.engine, copy.settings.data_dir)


def is_as_before_or_after(copy: Copy, may: States) -> None:
    assert content.half_there(copy.engine) == []
    found = content.record(copy.engine)
    assert found in may.records
    assert content.shown(copy.settings.data_dir) in may.snapshots
    building = snapshot.open_newest(copy.settings.data_dir)
    assert building.scalar("SELECT count(*) FROM model_run WHERE status = 'building'") == 0, "no page shows it"


def test_a_run_that_was_killed_is_closed_by_the_next_and_says_so(shop: Copy, tried: Tried) -> None:
    apart.killed_at(apart.run_models, shop.settings, step="models.pipeline.segments:_parted")
    tried("killed: model run", "then closed")
    killed = runs.latest(shop.engine, runs.SEGMENTS)
    assert killed is not None
    assert killed.status == "building"
    apart.done(apart.run_models, shop.settings)
    with shop.engine.connect() as connection:
        told = connection.execute(
            text("SELECT status, message FROM model_run WHERE run_id = :run_id"), {"run_id": killed.run_id}
        ).one()
    assert tuple(told) == ("refused", INTERRUPTED)


def test_a_run_under_way_is_not_taken_for_one_that_was_killed(shop: Copy, tried: Tried) -> None:
    with runs.one_at_a_time(shop.engine):
        other = apart.start(apart.run_models, shop.settings)
        run_id = runs.open_run(shop.engine, runs.SEGMENTS, apart.AS_OF, {}, "x")
        time.sleep(2)
        assert other.is_alive(), "it waits for its turn"
        latest = runs.latest(shop.engine, runs.SEGMENTS)
        assert latest is not None
        assert (latest.run_id, latest.status) == (run_id, "building")
        runs.refuse(shop.engine, run_id, "of the test")
    other.join(60)
    tried("two at once: runs", "one waits")
    assert other.exitcode == 0
    content.must_be_settled(shop.engine, shop.settings.data_dir)


@pytest.mark.parametrize(
    "step", ["alembic.runtime.migration:HeadMaintainer.update_to_step#3", "db.revisions:command.upgrade+"]
)
def test_migrations_that_are_killed_have_changed_nothing(base: Base, tried: Tried, step: str) -> None:
    with base.bare() as bare:
        apart.killed_at(apart.migrate, bare.settings, step=step)
        tried("killed: migrations", step)
        assert content.columns(bare.engine) == []
        apart.done(apart.migrate, bare.settings)
        with base.copy() as migrated:
            assert content.columns(bare.engine) == content.columns(migrated.engine)
