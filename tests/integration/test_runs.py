"""Facts about runs: a reader sees the last published run whole, whatever happens to the next one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pandas as pd
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from db import runs
from db.columns import Columns as C
from db.result_schema import customer_segment, evaluation, recommendation
from errors import DatabaseError

AS_OF = datetime.fromisoformat("2011-12-10")
CUSTOMERS = 1_000


def opened(engine: Engine, kind: str = runs.SEGMENTS) -> int:
    return runs.open_run(engine, kind, AS_OF, {"clusters": 4}, "data-1")


def segments(name: str, customers: int = CUSTOMERS) -> pd.DataFrame:
    """One row a customer, all in the segment `name`."""
    return pd.DataFrame(
        {
            C.CUSTOMER_ID: [str(number) for number in range(customers)],
            C.LAST_ORDERED_AT: AS_OF,
            C.RECENCY: 1,
            C.FREQUENCY: 1,
            C.MONETARY: 0.1,
            C.R_SCORE: 5,
            C.F_SCORE: 5,
            C.M_SCORE: 5,
            C.CLUSTER: 0,
            C.SEGMENT: name,
        }
    )


def published_segments(engine: Engine) -> list[tuple[str, int]]:
    """What a reader of the view sees: (segment, customers)."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT segment, count(*) FROM current_customer_segment GROUP BY 1 ORDER BY 1"))
        return [(row[0], row[1]) for row in rows]


def statuses(engine: Engine, kind: str = runs.SEGMENTS) -> list[str]:
    with engine.connect() as connection:
        query = text("SELECT status FROM model_run WHERE kind = :kind ORDER BY run_id")
        return list(connection.execute(query, {"kind": kind}).scalars())


def test_before_the_first_run_there_is_none(engine: Engine) -> None:
    assert runs.published(engine, runs.SEGMENTS) is None
    assert runs.latest(engine, runs.SEGMENTS) is None
    assert published_segments(engine) == []


def test_a_run_tells_what_it_was_made_from(engine: Engine) -> None:
    run_id = opened(engine)
    runs.publish(engine, run_id, {customer_segment: segments("loyal")}, {"silhouette": 0.4}, "message")
    run = runs.published(engine, runs.SEGMENTS)
    assert run == runs.Run(
        run_id=run_id,
        kind=runs.SEGMENTS,
        status="published",
        as_of=AS_OF,
        parameters={"clusters": 4},
        data_version="data-1",
        metrics={"silhouette": 0.4},
        message="message",
    )
    assert runs.latest(engine, runs.SEGMENTS) == run


def test_a_run_in_progress_shows_nothing_and_hides_nothing(engine: Engine) -> None:
    runs.publish(engine, opened(engine), {customer_segment: segments("old")}, {})
    building = opened(engine)
    assert published_segments(engine) == [("old", CUSTOMERS)]
    latest = runs.latest(engine, runs.SEGMENTS)
    assert latest is not None
    assert (latest.run_id, latest.status) == (building, "building")


def test_readers_see_one_whole_run_at_every_moment(engine: Engine) -> None:
    runs.publish(engine, opened(engine), {customer_segment: segments("run 0")}, {})
    seen: set[tuple[str, int]] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            (only,) = published_segments(engine)
            seen.add(only)

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for number in range(1, 11):
                runs.publish(engine, opened(engine), {customer_segment: segments(f"run {number}")}, {})
        finally:
            done.set()
        for reader in readers:
            reader.result()
    assert len(seen) > 3
    assert {count for _, count in seen} == {CUSTOMERS}


def test_publishing_at_once_leaves_exactly_one_published(engine: Engine) -> None:
    ids = [opened(engine) for _ in range(6)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda run: runs.publish(engine, run, {customer_segment: segments(f"{run}", 50)}, {}), ids))
    assert sorted(statuses(engine)) == ["published"] + ["superseded"] * 5
    run = runs.published(engine, runs.SEGMENTS)
    assert run is not None
    assert published_segments(engine) == [(str(run.run_id), 50)]


def test_an_older_run_does_not_replace_a_newer_one(engine: Engine) -> None:
    older, newer = opened(engine), opened(engine)
    assert runs.publish(engine, newer, {customer_segment: segments("newer")}, {})
    assert not runs.publish(engine, older, {customer_segment: segments("older")}, {}, "message")
    assert statuses(engine) == ["superseded", "published"]
    assert published_segments(engine) == [("newer", CUSTOMERS)]
    with engine.connect() as connection:
        said = connection.execute(text("SELECT message FROM model_run WHERE run_id = :id"), {"id": older}).scalar_one()
    assert said == f"The newer run {newer} was published before this one."


def test_what_is_closed_stays_as_it_is(engine: Engine) -> None:
    refused, superseded, published = (opened(engine) for _ in range(3))
    runs.refuse(engine, refused, "It is worse.")
    runs.publish(engine, superseded, {customer_segment: segments("old")}, {})
    runs.publish(engine, published, {customer_segment: segments("new")}, {})
    before = statuses(engine)
    for run_id in (published, refused, superseded, 10**6):
        with pytest.raises(DatabaseError, match=f"Run {run_id} is closed already"):
            runs.refuse(engine, run_id, "Broken off.")
        with pytest.raises(DatabaseError, match=f"Run {run_id} is closed already"):
            runs.publish(engine, run_id, {customer_segment: segments("again")}, {})
    assert statuses(engine) == before
    assert published_segments(engine) == [("new", CUSTOMERS)]


def test_a_database_that_fails_is_one_sentence_without_values(engine: Engine) -> None:
    run_id = opened(engine)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE customer_segment ADD CONSTRAINT never CHECK (customer_id = 'nobody')"))
    with pytest.raises(DatabaseError) as failed:
        runs.publish(engine, run_id, {customer_segment: segments("a secret segment")}, {})
    assert str(failed.value).startswith(f"The database failed while run {run_id} was published (")
    assert str(failed.value).endswith("); nothing was changed.")
    assert "never" in str(failed.value)
    assert "\n" not in str(failed.value)
    assert "a secret segment" not in str(failed.value)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE model_run CASCADE"))
    for act in (
        lambda: opened(engine),
        lambda: runs.publish(engine, run_id, {}, {}),
        lambda: runs.refuse(engine, run_id, "a secret message"),
        lambda: runs.published(engine, runs.SEGMENTS),
        lambda: runs.latest(engine, runs.SEGMENTS),
        lambda: runs.prune(engine, runs.SEGMENTS),
    ):
        with pytest.raises(
            DatabaseError, match=r'^The database failed while .* \(relation "model_run" does not exist\)'
        ):
            act()


def test_the_record_itself_refuses_a_second_published_run_of_a_kind(engine: Engine) -> None:
    runs.publish(engine, opened(engine), {}, {})
    second = opened(engine)
    with pytest.raises(IntegrityError, match="uq_model_run_published_kind"), engine.begin() as connection:
        connection.execute(text("UPDATE model_run SET status = 'published' WHERE run_id = :id"), {"id": second})


def test_kinds_do_not_replace_each_other(engine: Engine) -> None:
    runs.publish(engine, opened(engine), {customer_segment: segments("loyal")}, {})
    advice = pd.DataFrame(
        {C.CUSTOMER_ID: ["1"], C.KIND: "discover", C.RANK: 1, C.PRODUCT_ID: "p", C.SCORE: 0.5, C.REASON: "why"}
    )
    runs.publish(engine, opened(engine, runs.RECOMMENDATIONS), {recommendation: advice}, {})
    assert statuses(engine) == statuses(engine, runs.RECOMMENDATIONS) == ["published"]
    assert published_segments(engine) == [("loyal", CUSTOMERS)]


def test_a_publish_that_fails_leaves_the_old_run_and_nothing_of_the_new(engine: Engine) -> None:
    runs.publish(engine, opened(engine), {customer_segment: segments("old")}, {})
    broken = segments("new")
    broken.loc[CUSTOMERS - 1, C.CUSTOMER_ID] = "0"  # twice the same customer, found only at the last row
    run_id = opened(engine)
    with pytest.raises(Exception, match="pk_customer_segment"):
        runs.publish(engine, run_id, {customer_segment: broken}, {})
    assert published_segments(engine) == [("old", CUSTOMERS)]
    assert statuses(engine) == ["published", "building"]
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM customer_segment WHERE run_id = :id")
        assert connection.execute(query, {"id": run_id}).scalar_one() == 0


def test_a_refused_run_keeps_its_evidence_and_shows_nothing(engine: Engine) -> None:
    worse = pd.DataFrame({C.MODEL: ["hybrid"], C.SLICE: "all", C.METRIC: "ndcg", C.K: 10, C.VALUE: 0.01})
    run_id = opened(engine, runs.RECOMMENDATIONS)
    runs.refuse(engine, run_id, "It is worse than popularity.", {evaluation: worse}, {"ndcg": 0.01})
    latest = runs.latest(engine, runs.RECOMMENDATIONS)
    assert latest is not None
    assert (latest.status, latest.message, latest.metrics) == (
        "refused",
        "It is worse than popularity.",
        {"ndcg": 0.01},
    )
    assert runs.published(engine, runs.RECOMMENDATIONS) is None
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM current_evaluation")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM evaluation")).scalar_one() == 1


def test_prune_keeps_the_newest_old_runs_and_never_touches_the_published_or_the_building(engine: Engine) -> None:
    for number in range(5):
        runs.publish(engine, opened(engine), {customer_segment: segments(f"run {number}", 3)}, {})
    runs.refuse(engine, opened(engine), "refused")
    opened(engine)
    other = opened(engine, runs.RECOMMENDATIONS)
    runs.refuse(engine, other, "refused")
    # in order: four superseded, one published, one refused, one building
    assert runs.prune(engine, runs.SEGMENTS, keep=1, keep_refused=1) == 3
    assert statuses(engine) == ["superseded", "published", "refused", "building"]
    assert statuses(engine, runs.RECOMMENDATIONS) == ["refused"]
    assert published_segments(engine) == [("run 4", 3)]
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT DISTINCT segment FROM customer_segment ORDER BY 1")).scalars()
        assert list(kept) == ["run 3", "run 4"]
    assert runs.prune(engine, runs.SEGMENTS, keep=1, keep_refused=1) == 0
    assert runs.prune(engine, runs.SEGMENTS, keep=1, keep_refused=0) == 1
