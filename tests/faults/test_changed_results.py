"""Results that somebody changed in the record: found, told in a sentence, kept from the pages, computed anew."""

import shutil

import pytest
from sqlalchemy import text

from db import run_checksums, runs, snapshot
from tests.faults import apart, content
from tests.faults.conftest import Copy, Tried

CHANGES = {
    "a number": "UPDATE customer_segment SET monetary = monetary + 0.01 WHERE customer_id = 'c3'",
    "two numbers swapped": "UPDATE customer_segment AS one SET monetary = two.monetary FROM customer_segment AS two "
    "WHERE one.run_id = two.run_id AND (one.customer_id, two.customer_id) IN (('c1', 'c2'), ('c2', 'c1'))",
    "a word": "UPDATE segment_profile SET persona = persona || ' ' WHERE position = 1",
    "null for nothing": "UPDATE movement_letter SET position = 0 WHERE ctid = (SELECT min(ctid) FROM movement_letter)",
    "a row gone": "DELETE FROM recommendation WHERE customer_id = 'c5' AND rank = 1",
    "a row more": "INSERT INTO segment_trait SELECT run_id, grouping, segment, 'new', 'new', 1, 1, 1, 1, 1, 1 "
    "FROM segment_profile LIMIT 1",
    "a whole table": "DELETE FROM product_pair",
    "a bit": "UPDATE evaluation SET value = value + 1e-15 WHERE fold = 0 AND k = 10 AND value > 0.1",
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_results_are_found_and_never_shown(shop: Copy, tried: Tried, change: str) -> None:
    settings, engine = shop.settings, shop.engine
    before, shown = content.published(engine), content.shown(settings.data_dir)
    code, said = apart.command(settings, "db", "check")
    assert (code, said) == (0, "")
    with engine.begin() as connection:
        assert connection.execute(text(CHANGES[change])).rowcount, "something is changed"
    tried("results changed in the record", change)

    code, said = apart.command(settings, "db", "check")
    assert code == 2
    assert said.startswith(tuple(f"error: The results of run {run_id} in " for run_id in before.values()))
    assert (said.count("\n"), said.count("Traceback")) == (1, 0)
    code, _ = apart.command(settings, "db", "snapshot")
    assert (code, content.shown(settings.data_dir)) == (0, shown), "what is shown was written before"

    (kept,) = (path for path in (settings.data_dir / "snapshots").iterdir() if path.is_dir())
    for path in kept.glob("*/*.parquet"):
        path.write_bytes(b"")  # so that results are taken from the record anew
    code, said = apart.command(settings, "db", "snapshot")
    assert (code, said.count("\n")) == (2, 1)
    assert "the snapshot stays as it is, and `python -m models run` computes them anew." in said
    assert [path.name for path in (settings.data_dir / "snapshots").iterdir() if path.is_dir()] == [kept.name]

    apart.done(apart.run_models, settings, 1)
    after = content.published(engine)
    assert all(after[kind] > before[kind] for kind in after)
    assert apart.command(settings, "db", "check") == (0, "")
    content.must_be_settled(engine, settings.data_dir)


@pytest.mark.parametrize("change", ["a number", "a row gone", "a whole table"])
def test_who_is_erased_meanwhile_hides_nothing(shop: Copy, tried: Tried, change: str) -> None:
    forget = ("db", "forget", "c9", "--yes")
    assert apart.command(shop.settings, *forget)[0] == 0
    assert apart.command(shop.settings, "db", "check") == (0, "")
    with shop.engine.begin() as connection:
        assert connection.execute(text(CHANGES[change])).rowcount, "something is changed"
    tried("results changed in the record", f"{change}, then somebody is erased")
    code, said = apart.command(shop.settings, "db", "forget", "c10", "c12", "--yes")
    assert (code, "the snapshot stays as it is" in said) == (2, True), "the record is done, the snapshot cannot be"
    with shop.engine.connect() as connection:
        left = text("SELECT count(*) FROM customer_segment WHERE customer_id IN ('c9', 'c10', 'c12')")
        assert connection.execute(left).scalar_one() == 0
    assert apart.command(shop.settings, "db", "check")[0] == 2


def test_a_run_that_is_withdrawn_gives_way_to_the_one_before(shop: Copy, tried: Tried) -> None:
    settings, engine = shop.settings, shop.engine
    first = content.record(engine)
    was = content.published(engine)[runs.SEGMENTS]
    apart.done(apart.publish, settings)
    now = content.published(engine)[runs.SEGMENTS]
    with engine.begin() as connection:
        connection.execute(text("UPDATE customer_segment SET segment = 'Y' WHERE customer_id = 'm7'"))
    shutil.rmtree(settings.data_dir / "snapshots")
    tried("results changed in the record", "before the first snapshot")
    assert apart.command(settings, "db", "snapshot")[0] == 2
    assert snapshot.newest_version(settings.data_dir) is None
    runs.withdraw(engine, now, "changed")
    assert content.published(engine)[runs.SEGMENTS] == was
    assert content.record(engine) == first
    snapshot.refresh(engine, settings.data_dir)
    content.must_be_settled(engine, settings.data_dir)


def test_the_same_results_have_the_same_checksum_and_one_is_kept_for_every_table_with_rows(shop: Copy) -> None:
    apart.done(apart.run_models, shop.settings, 1)
    with shop.engine.connect() as connection:
        kept = connection.execute(text("SELECT checksums FROM model_run WHERE kind = 'segments' ORDER BY run_id"))
        first, second = kept.scalars()
        counted = {
            name: connection.execute(text(f"SELECT count(*) FROM current_{name}")).scalar_one() for name in first
        }
    assert first == second
    assert {name: told["rows"] for name, told in first.items()} == counted
    assert set(run_checksums.check(shop.engine)) == set(content.published(shop.engine).values())
