"""Facts about the read side: it equals the record, it costs only what changed, and readers keep what they pinned."""

import hashlib
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from db import result_schema, runs, schema, snapshot, wanted
from db.__main__ import app
from db.bulk import arrow_schema, arrow_table, copy_in
from db.columns import Columns as C
from errors import DatabaseError, SnapshotError
from settings import Settings

TOTALS = (
    "SELECT count(*), count(DISTINCT order_id), count(DISTINCT customer_id), count(*) FILTER (WHERE is_return), "
    "sum(quantity), sum(amount), sum(row_number), min(ordered_at), max(ordered_at) FROM {}"
)


WHOLE = (
    schema.customer,
    schema.product,
    schema.load,
    schema.campaign,
    schema.campaign_member,
    schema.campaign_product,
    schema.interaction_event,
)


DERIVED = {"line_flag.parquet", "sales.duckdb", "known.duckdb"}

TABLES = [
    table.name for table in schema.metadata.sorted_tables if table.name != "audit_event"
]  # it refuses to be emptied


def add_load(engine: Engine, months: Sequence[str], lines: int = 200) -> None:
    """A finished load of seeded lines in the given months: guests, returns and fractions of a cent among them."""
    name = f"{' '.join(months)}, {lines} lines"
    rng = np.random.default_rng(lines)
    days = pd.to_datetime(rng.choice(list(months), lines)) + pd.to_timedelta(rng.integers(0, 28 * 86_400, lines), "s")
    quantity = rng.integers(-3, 10, lines).astype(float)
    price = rng.integers(0, 10**7, lines) / 10**6
    with engine.begin() as connection:
        insert = text(
            "INSERT INTO load (name, sha256, status, months) VALUES (:name, :sha256, 'done', :months) RETURNING load_id"
        )
        values = {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest(), "months": list(months)}
        load_id = connection.execute(insert, values).scalar_one()
        frame = pd.DataFrame(
            {
                C.LOAD_ID: load_id,
                C.ROW_NUMBER: range(1, lines + 1),
                C.ORDER_ID: rng.integers(0, lines, lines).astype(str),
                C.CUSTOMER_ID: pd.Series(rng.integers(0, 20, lines).astype(str)).where(rng.random(lines) < 0.8),
                C.PRODUCT_ID: [f"p{number}" for number in rng.integers(0, 9, lines)],
                C.ORDERED_AT: days,
                C.QUANTITY: quantity,
                C.UNIT_PRICE: price,
                C.DISCOUNT: 0.0,
                C.AMOUNT: quantity * price,
                C.IS_RETURN: quantity < 0,
            }
        )
        copy_in(connection, schema.transaction_line, arrow_table(schema.transaction_line, frame).to_batches())
        connection.execute(
            text(
                "INSERT INTO customer (customer_id) SELECT DISTINCT customer_id FROM transaction_line "
                "WHERE customer_id IS NOT NULL ON CONFLICT DO NOTHING"
            )
        )
        connection.execute(
            text(
                "INSERT INTO product (product_id, name) SELECT DISTINCT product_id, 'a \"nice\", thing' "
                "FROM transaction_line ON CONFLICT DO NOTHING"
            )
        )


def publish_scores(engine: Engine, scores: Sequence[float]) -> None:
    run_id = runs.open_run(engine, runs.RECOMMENDATIONS, datetime.fromisoformat("2011-12-10"), {}, "data-1")
    frame = pd.DataFrame(
        {
            C.CUSTOMER_ID: "1",
            C.KIND: "discover",
            C.RANK: range(1, len(scores) + 1),
            C.PRODUCT_ID: "p1",
            C.SCORE: scores,
            C.REASON: "",
        }
    )
    runs.publish(engine, run_id, {result_schema.recommendation: frame}, {})


def totals_of_the_record(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        row = connection.execute(text(TOTALS.format("transaction_line"))).one()
    return [float(value) if not isinstance(value, datetime) else value for value in row]


def totals_of(shop: snapshot.Snapshot) -> list[object]:
    row = shop.frame(TOTALS.format("transaction_line")).iloc[0]
    return [value.to_pydatetime() if isinstance(value, pd.Timestamp) else float(value) for value in row]


def inodes(directory: Path) -> dict[str, int]:
    files = (path for end in ("parquet", "duckdb") for path in directory.rglob(f"*.{end}"))
    return {str(path.relative_to(directory)): path.stat().st_ino for path in files}


def versions(data_dir: Path) -> list[str]:
    return sorted(path.name for path in (data_dir / "snapshots").iterdir() if path.is_dir())


def test_before_the_first_load_there_is_nothing_and_the_error_says_what_to_do(settings: Settings) -> None:
    assert snapshot.newest_version(settings.data_dir) is None
    with pytest.raises(SnapshotError, match="python -m etl load"):
        snapshot.open_newest(settings.data_dir)


def test_an_empty_record_gives_a_snapshot_with_every_table(engine: Engine, settings: Settings) -> None:
    snapshot.refresh(engine, settings.data_dir)
    shop = snapshot.open_newest(settings.data_dir)
    for table in (schema.transaction_line, *WHOLE, result_schema.model_run, *result_schema.RESULT_TABLES):
        frame = shop.frame(f"SELECT * FROM {table.name}")
        assert list(frame.columns) == list(table.columns.keys())
        assert frame.empty


def test_it_equals_the_record(engine: Engine, settings: Settings) -> None:
    add_load(engine, ["2011-01", "2011-02", "2011-04"])
    add_load(engine, ["2011-04", "2012-01"], lines=300)
    publish_scores(engine, [0.1 + 0.2, -1e-300, 3.0])
    snapshot.refresh(engine, settings.data_dir)
    shop = snapshot.open_newest(settings.data_dir)
    assert totals_of(shop) == totals_of_the_record(engine)
    assert shop.frame("SELECT score FROM recommendation ORDER BY rank")["score"].tolist() == [0.1 + 0.2, -1e-300, 3.0]
    with engine.connect() as connection:
        for table in ("customer", "product", "model_run", "load"):
            count = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            assert shop.frame(f"SELECT count(*) FROM {table}").iloc[0, 0] == count > 0
    assert set(shop.frame("SELECT name FROM product")["name"]) == {'a "nice", thing'}


def test_the_manifest_gives_the_rows_and_checksum_of_each_file(engine: Engine, settings: Settings) -> None:
    add_load(engine, ["2011-01", "2011-02"])
    place = snapshot.refresh(engine, settings.data_dir)
    manifest = snapshot.open_newest(settings.data_dir).manifest
    parts = [part for parts in manifest.tables.values() for part in parts]
    assert {part.file for part in parts} == set(inodes(place))
    for part in parts:
        assert hashlib.sha256((place / part.file).read_bytes()).hexdigest() == part.sha256
    assert sum(part.rows for part in manifest.tables["transaction_line"]) == 200


def test_each_month_has_its_file_and_holds_that_month_alone(engine: Engine, settings: Settings) -> None:
    add_load(engine, ["2011-01", "2011-02", "2011-12"])
    place = snapshot.refresh(engine, settings.data_dir)
    for path in (place / "transaction_line").iterdir():
        months = pd.read_parquet(path)["ordered_at"].dt.strftime("%Y-%m")
        assert months.unique().tolist() == [path.stem]


def test_only_the_months_a_load_touched_are_written_anew(engine: Engine, settings: Settings) -> None:
    add_load(engine, ["2011-01", "2011-02", "2011-03"])
    before = inodes(snapshot.refresh(engine, settings.data_dir))
    add_load(engine, ["2011-03", "2011-04"], lines=100)
    after = inodes(snapshot.refresh(engine, settings.data_dir))
    fresh = {file for file, inode in after.items() if before.get(file) != inode}
    touched = {"transaction_line/2011-03.parquet", "transaction_line/2011-04.parquet"}
    assert fresh == touched | {f"{table.name}.parquet" for table in WHOLE} | DERIVED
    assert totals_of(snapshot.open_newest(settings.data_dir)) == totals_of_the_record(engine)


def test_a_published_run_writes_its_own_tables_alone(engine: Engine, settings: Settings) -> None:
    add_load(engine, ["2011-01"])
    before = inodes(snapshot.refresh(engine, settings.data_dir))
    publish_scores(engine, [0.5])
    after = inodes(snapshot.refresh(engine, settings.data_dir))
    fresh = {file for file, inode in after.items() if before.get(file) != inode}
    assert fresh == {"model_run.parquet", *(f"{table.name}/1.parquet" for table in result_schema.RECOMMENDATION_TABLES)}


def publish_segments(engine: Engine, names: Sequence[str]) -> int:
    run_id = runs.open_run(engine, runs.SEGMENTS, datetime.fromisoformat("2012-01-01"), {}, "data")
    ids = [str(number) for number in range(len(names))]
    last = pd.Timestamp("2011-12-01")
    known: dict[str, Any] = {C.LAST_ORDERED_AT: last, C.RECENCY: 31, C.FREQUENCY: 1, C.MONETARY: 1.0, C.CLUSTER: 0}
    scores = dict.fromkeys((C.R_SCORE, C.F_SCORE, C.M_SCORE), 3)
    frame = pd.DataFrame({C.CUSTOMER_ID: ids, C.SEGMENT: names}).assign(**known, **scores)
    runs.publish(engine, run_id, {result_schema.customer_segment: frame}, {})
    return run_id


def test_an_earlier_run_can_be_seen_in_the_same_version(engine: Engine, settings: Settings) -> None:
    first = publish_segments(engine, ["loyal", "lost", "lost"])
    written = inodes(snapshot.refresh(engine, settings.data_dir))
    second = publish_segments(engine, ["loyal"])
    linked = inodes(snapshot.refresh(engine, settings.data_dir))
    assert linked[f"customer_segment/{first}.parquet"] == written[f"customer_segment/{first}.parquet"]
    newest = snapshot.open_newest(settings.data_dir)
    earlier = newest.of_run(first)
    assert earlier is not None
    del newest
    publish_segments(engine, [])
    snapshot.refresh(engine, settings.data_dir)  # what is pinned by the earlier run alone stays
    count = "SELECT segment, count(*) AS customers FROM customer_segment GROUP BY 1 ORDER BY 1"
    assert earlier.frame(count).to_numpy().tolist() == [["lost", 2], ["loyal", 1]]
    assert earlier.scalar("SELECT status FROM model_run WHERE run_id = ?", [second]) == "published"
    assert snapshot.open_newest(settings.data_dir).of_run(10_000) is None


def test_nothing_new_means_no_new_version(engine: Engine, settings: Settings) -> None:
    add_load(engine, ["2011-01"])
    assert snapshot.refresh(engine, settings.data_dir) == snapshot.refresh(engine, settings.data_dir)
    runs.open_run(engine, runs.SEGMENTS, datetime.fromisoformat("2011-12-10"), {}, "data-1")
    snapshot.refresh(engine, settings.data_dir)
    assert versions(settings.data_dir) == ["00000001"]


def test_the_data_version_is_of_the_data_and_not_of_the_runs_or_the_order(engine: Engine, settings: Settings) -> None:
    add_load(engine, ["2011-01"])
    snapshot.refresh(engine, settings.data_dir)
    first = snapshot.open_newest(settings.data_dir).manifest
    publish_scores(engine, [0.5])
    snapshot.refresh(engine, settings.data_dir)
    second = snapshot.open_newest(settings.data_dir).manifest
    assert second.version == first.version + 1
    assert second.data_version == first.data_version
    add_load(engine, ["2011-02"])
    snapshot.refresh(engine, settings.data_dir)
    assert snapshot.open_newest(settings.data_dir).manifest.data_version != first.data_version


def test_a_pinned_version_survives_a_refresh_and_goes_once_released(engine: Engine, settings: Settings) -> None:
    add_load(engine, ["2011-01"])
    snapshot.refresh(engine, settings.data_dir)
    pinned = snapshot.open_newest(settings.data_dir)
    then = totals_of(pinned)
    add_load(engine, ["2011-01", "2011-02"], lines=100)
    snapshot.refresh(engine, settings.data_dir)
    assert versions(settings.data_dir) == ["00000001", "00000002"]
    assert totals_of(pinned) == then
    assert totals_of(snapshot.open_newest(settings.data_dir)) == totals_of_the_record(engine) != then
    del pinned
    publish_scores(engine, [0.5])
    snapshot.refresh(engine, settings.data_dir)
    assert versions(settings.data_dir) == ["00000003"]


def test_a_reader_killed_in_another_process_holds_nothing(engine: Engine, settings: Settings) -> None:
    add_load(engine, ["2011-01"])
    snapshot.refresh(engine, settings.data_dir)
    code = (
        "import sys, pathlib, db.snapshot as s; p = s.open_newest(pathlib.Path(sys.argv[1])); print(p.version); input()"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", code, str(settings.data_dir)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "1\n"
        publish_scores(engine, [0.5])
        snapshot.refresh(engine, settings.data_dir)
        assert versions(settings.data_dir) == ["00000001", "00000002"]
        os.kill(reader.pid, signal.SIGKILL)
    publish_scores(engine, [0.6])
    snapshot.refresh(engine, settings.data_dir)
    assert versions(settings.data_dir) == ["00000003"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1}', '{"tables": {"load": [{}]}}'])
def test_a_damaged_manifest_is_said_in_a_sentence(engine: Engine, settings: Settings, content: str) -> None:
    place = snapshot.refresh(engine, settings.data_dir)
    (place / "manifest.json").write_text(content)
    with pytest.raises(SnapshotError, match=f"{place} is damaged"):
        snapshot.open_newest(settings.data_dir)
    anew = snapshot.refresh(engine, settings.data_dir)
    assert int(anew.name) > int(place.name)
    assert snapshot.open_newest(settings.data_dir).path == anew


def test_a_number_is_never_given_twice(engine: Engine, settings: Settings) -> None:
    """A server that still holds a removed version would else take another's content for it."""
    removed = snapshot.refresh(engine, settings.data_dir)
    shutil.rmtree(removed)
    assert snapshot.refresh(engine, settings.data_dir).name > removed.name


def test_a_table_whose_columns_changed_is_written_anew(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot.refresh(engine, settings.data_dir)
    inodes = {name: (before / f"{name}.parquet").stat().st_ino for name in ("customer", "product")}
    layout = arrow_schema
    monkeypatch.setattr(wanted, "arrow_schema", lambda t: f"wider {layout(t)}" if t.name == "customer" else layout(t))
    after = snapshot.refresh(engine, settings.data_dir)
    assert (after / "customer.parquet").stat().st_ino != inodes["customer"]
    assert (after / "product.parquet").stat().st_ino == inodes["product"]


@pytest.mark.parametrize("file", ["manifest.json", "customer.parquet"])
def test_a_missing_file_is_said_in_a_sentence(engine: Engine, settings: Settings, file: str) -> None:
    place = snapshot.refresh(engine, settings.data_dir)
    (place / file).unlink()
    with pytest.raises(SnapshotError, match=f"{place} is damaged"):
        snapshot.open_newest(settings.data_dir)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def overwritten(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def shifted(path: Path) -> None:
    """One byte more near the beginning: the metadata at the end still reads, its offsets point beside the pages."""
    path.write_bytes(path.read_bytes()[:4] + b"x" + path.read_bytes()[4:])


@pytest.mark.parametrize("damage", [Path.unlink, cut_short, overwritten, shifted])
@pytest.mark.parametrize("file", ["transaction_line/2011-01.parquet", "customer.parquet", "recommendation/1.parquet"])
def test_a_damaged_part_is_written_anew_by_the_next_refresh(
    engine: Engine, settings: Settings, file: str, damage: Callable[[Path], None]
) -> None:
    add_load(engine, ["2011-01", "2011-02"])
    publish_scores(engine, [0.5])
    before = snapshot.refresh(engine, settings.data_dir)
    sound = inodes(before)
    os.link(before / file, settings.data_dir / "kept")  # so that no new file is given the number of a removed one
    damage(before / file)
    after = snapshot.refresh(engine, settings.data_dir)
    assert {name for name, inode in inodes(after).items() if sound[name] != inode} == {file}
    assert totals_of(snapshot.open_newest(settings.data_dir)) == totals_of_the_record(engine)


def test_the_command_finds_a_damage_that_only_the_checksum_shows(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_load(engine, ["2011-01", "2011-02"])
    place = snapshot.refresh(engine, settings.data_dir)
    path = place / "transaction_line" / "2011-01.parquet"
    content = bytearray(path.read_bytes())
    content[100] ^= 1  # within the first page: size and metadata stay
    path.write_bytes(content)
    assert snapshot.refresh(engine, settings.data_dir) == place
    monkeypatch.setattr("db.__main__.load_settings", lambda: settings)
    said = CliRunner().invoke(app, ["snapshot"])
    assert (said.exit_code, "00000002" in said.output) == (0, True)
    assert totals_of(snapshot.open_newest(settings.data_dir)) == totals_of_the_record(engine)
    assert CliRunner().invoke(app, ["snapshot"]).output == said.output


def test_all_of_it_is_on_the_disk_before_it_is_in_place(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk: set[int] = set()
    sync, place = os.fsync, settings.data_dir / "snapshots" / "00000001"

    def spied(handle: int) -> None:
        if not place.exists():
            on_disk.add(os.fstat(handle).st_ino)
        sync(handle)

    monkeypatch.setattr("db.parts.os.fsync", spied)
    add_load(engine, ["2011-01", "2011-02"])
    snapshot.refresh(engine, settings.data_dir)
    assert {path.stat().st_ino for path in (place, *place.rglob("*"))} == on_disk


def test_another_database_with_the_same_numbers_is_another_content(engine: Engine, settings: Settings) -> None:
    add_load(engine, ["2011-01"], lines=200)
    publish_scores(engine, [0.5])
    snapshot.refresh(engine, settings.data_dir)
    with engine.begin() as connection:
        tables = ", ".join(TABLES)
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
    add_load(engine, ["2011-01"], lines=100)
    publish_scores(engine, [0.7])
    snapshot.refresh(engine, settings.data_dir)
    shop = snapshot.open_newest(settings.data_dir)
    assert (shop.manifest.loads, shop.manifest.runs) == ([1], {runs.RECOMMENDATIONS: 1})
    assert totals_of(shop) == totals_of_the_record(engine)
    assert shop.frame("SELECT score FROM recommendation")["score"].tolist() == [0.7]


def test_the_data_version_is_of_content_and_options_alone(engine: Engine, settings: Settings) -> None:
    def version_of(options: str, *loads: int) -> str:
        with engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {', '.join(TABLES)}"))
        for lines in loads:
            add_load(engine, ["2011-01"], lines)
        with engine.begin() as connection:
            connection.execute(text("UPDATE load SET options = CAST(:options AS jsonb)"), {"options": options})
        snapshot.refresh(engine, settings.data_dir)
        return snapshot.open_newest(settings.data_dir).manifest.data_version

    dropped, kept = '{"keep_duplicates": false}', '{"keep_duplicates": true}'
    assert version_of(dropped, 100, 200) == version_of(dropped, 200, 100)
    assert version_of(dropped, 100) != version_of(kept, 100)
    assert version_of(dropped, 100) != version_of(dropped, 200)


def test_more_months_than_a_process_may_open_files(engine: Engine, settings: Settings) -> None:
    months = [str(month) for month in pd.period_range("1990-01", periods=150, freq="M")]
    add_load(engine, months, lines=600)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    already = len(os.listdir("/dev/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (already + 100, hard))
    try:
        snapshot.refresh(engine, settings.data_dir)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert totals_of(snapshot.open_newest(settings.data_dir)) == totals_of_the_record(engine)


def test_what_hinders_a_refresh_is_one_sentence_and_the_snapshot_before_stays(
    engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SnapshotError, match=r"cannot be written \(Not a directory\); .*`python -m db snapshot`"):
        snapshot.refresh(engine, tmp_path / "file" / "data")
    add_load(engine, ["2011-01"])
    place = snapshot.refresh(engine, settings.data_dir)
    add_load(engine, ["2011-02"])
    with monkeypatch.context() as patch:
        patch.setattr("db.findings._MOST_MEMORY", "1KB")
        with pytest.raises(SnapshotError, match=r"written \(Out of Memory.*\); .*`python"):
            snapshot.refresh(engine, settings.data_dir)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE transaction_line RENAME TO gone"))
    with pytest.raises(DatabaseError, match=r"while the snapshot was written .*`python -m db snapshot`"):
        snapshot.refresh(engine, settings.data_dir)
    assert snapshot.open_newest(settings.data_dir).path == place


def test_a_directory_may_have_any_name(engine: Engine, settings: Settings) -> None:
    data_dir = settings.data_dir / "o'brien's [best] shop"
    add_load(engine, ["2011-01"])
    snapshot.refresh(engine, data_dir)
    assert totals_of(snapshot.open_newest(data_dir)) == totals_of_the_record(engine)


def test_a_query_reads_the_snapshot_and_no_other_file(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    snapshot.refresh(engine, settings.data_dir)
    shop = snapshot.open_newest(settings.data_dir)
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    for statement in (f"SELECT * FROM '{secret}'", "SET enable_external_access = true", f"COPY load TO '{tmp_path}/x'"):
        with pytest.raises(Exception, match=r"(?i)permission|disabled|locked|cannot"):
            shop.frame(statement)


def test_batches_are_the_frame_in_pieces(engine: Engine, settings: Settings) -> None:
    add_load(engine, ["2011-01"])
    snapshot.refresh(engine, settings.data_dir)
    shop = snapshot.open_newest(settings.data_dir)
    query = "SELECT row_number, amount FROM transaction_line WHERE amount > ? ORDER BY row_number"
    batches = list(shop.batches(query, [5], rows=50))
    whole = shop.frame(query, [5])
    assert pd.concat([batch.to_pandas() for batch in batches])["row_number"].tolist() == whole["row_number"].tolist()
