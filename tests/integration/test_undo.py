"""Facts about taking a load out again: it is as if the load had never been, or nothing is changed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Event

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from alembic.command import upgrade
from alembic.config import Config
from sqlalchemy import Engine, event, inspect, text
from typer.testing import CliRunner

from db import loads, runs, schema, snapshot
from db.engine import migrate
from errors import ConfigurationError, DatabaseError
from etl.__main__ import app
from etl.load import load
from etl.readers import open_source
from etl.readers.base import Source
from settings import Settings

TABLES = [
    table.name for table in schema.metadata.sorted_tables if table.name != "audit_event"
]  # it refuses to be emptied


def source(directory: Path, number: int, months: Sequence[str] = ("2024-01", "2024-02")) -> Source:
    """A seeded file that shares customers and products with all others, and differs in what it says of them."""
    rng = np.random.default_rng(number)
    rows = 60
    frame = pd.DataFrame(
        {
            "order_id": rng.integers(0, 30, rows).astype(str),
            "customer_id": rng.choice(["ann", "bob", "cid", "dot", f"only {number}", None], rows),
            "product_id": rng.choice(["A", "B", "C", "POST", f"only {number}"], rows),
            "product_name": rng.choice(["Lamp", "Chair", "Postage", None], rows),
            "category": rng.choice(["Home", "Garden", None, None], rows),
            "brand": rng.choice(["Own", None], rows),
            "ordered_at": pd.to_datetime(rng.choice(months, rows)) + pd.to_timedelta(rng.integers(0, 600, rows), "h"),
            "quantity": rng.integers(0, 4, rows),
            "unit_price": rng.integers(0, 9999, rows) / 100,
            "country": rng.choice(["France", "Spain", None], rows),
        }
    )
    path = directory / f"{number}.csv"
    frame.to_csv(path, index=False)
    described = {
        "customer_id": ["ann", "bob"],
        "attributes": [f'{{"age": {number}}}', f'{{"told by {number}": "yes"}}'],
    }
    return replace(open_source(str(path)), customers=pa.table(described))


def checksums(engine: Engine, *, without_load: int = 0) -> dict[str, str]:
    """Table -> checksum of its rows in any order; of `load` without one row."""
    with engine.connect() as connection:
        return {
            table: connection.execute(
                text(
                    f"SELECT coalesce(md5(string_agg(kept::text, ';' ORDER BY kept::text)), '') FROM {table} AS kept"
                    + (f" WHERE load_id <> {without_load}" if table == "load" else "")
                )
            ).scalar_one()
            for table in TABLES
        }


def content(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """The lines, rejected rows, customers and products, whatever the numbers of their loads."""
    queries = {
        "line": "SELECT name, row_number, order_id, customer_id, product_id, ordered_at, quantity, unit_price, amount, "
        "transaction_line.country FROM transaction_line JOIN load USING (load_id) ORDER BY 1, 2",
        "rejected": "SELECT name, row_number, reason, amount, raw FROM rejected_row JOIN load USING (load_id) "
        "ORDER BY 1, 2",
        "customer": "SELECT * FROM customer ORDER BY 1",
        "product": "SELECT * FROM product ORDER BY 1",
    }
    with engine.connect() as connection:
        return {name: [tuple(row) for row in connection.execute(text(query))] for name, query in queries.items()}


def truncate(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(TABLES)}"))


def publish_nothing_much(engine: Engine) -> None:
    run_id = runs.open_run(engine, runs.RECOMMENDATIONS, datetime.fromisoformat("2024-03-01"), {}, "data")
    runs.publish(engine, run_id, {}, {})


def test_a_load_and_its_undoing_leave_every_table_as_it_was(engine: Engine, tmp_path: Path) -> None:
    load(engine, source(tmp_path, 1))
    publish_nothing_much(engine)
    before = checksums(engine)
    second = load(engine, source(tmp_path, 2)).load
    assert {table for table, mark in checksums(engine).items() if mark != before[table]} == {
        "load",
        "transaction_line",
        "rejected_row",
        "customer",
        "product",
        "load_customer",
        "load_product",
    }
    undone = loads.undo(engine, second.load_id)
    assert checksums(engine, without_load=second.load_id) == before
    assert undone.account.load == replace(second, status="undone")
    assert (undone.customers, undone.products) == (1, 1)


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_without_one_of_three_loads_the_others_are_as_if_alone(engine: Engine, tmp_path: Path, gone: int) -> None:
    sources = [source(tmp_path, number) for number in (11, 12, 13)]
    loaded = [load(engine, each).load.load_id for each in sources]
    with_all = content(engine)
    loads.undo(engine, loaded[gone])
    left = content(engine)
    truncate(engine)
    for place, each in enumerate(sources):
        if place != gone:
            load(engine, each)
    assert left == content(engine)
    assert left["customer"] != with_all["customer"]
    assert left["product"] != with_all["product"]


def test_the_latest_word_that_stands_goes(engine: Engine, tmp_path: Path) -> None:
    def say(number: int, country: str, name: str, brand: str, attributes: str) -> int:
        path = tmp_path / f"{number}.csv"
        path.write_text(
            "order_id,customer_id,product_id,ordered_at,quantity,unit_price,country,product_name,brand\n"
            f"{number},ann,A,2024-01-01,1,1.00,{country},{name},{brand}\n"
        )
        people = pa.table({"customer_id": ["ann"], "attributes": [attributes]})
        return load(engine, replace(open_source(str(path)), customers=people)).load.load_id

    def known() -> list[tuple[object, ...]]:
        query = "SELECT customer.country, attributes, name, brand, is_service FROM customer, product"
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    first = say(1, "France", "Postage", "Own", '{"age": 30, "own": "house"}')
    second = say(2, "Spain", "Lamp", "", '{"age": 40}')
    third = say(3, "", "", "Best", "{}")
    assert known() == [("Spain", {"age": 40, "own": "house"}, "Lamp", "Best", False)]
    loads.undo(engine, second)
    assert known() == [("France", {"age": 30, "own": "house"}, "Postage", "Best", True)]
    loads.undo(engine, first)
    assert known() == [(None, {}, None, "Best", False)]
    loads.undo(engine, third)
    assert known() == []


def test_the_sample_can_be_taken_out_from_under_a_larger_cut_of_it(engine: Engine) -> None:
    small = load(engine, open_source("sample", households=5)).load.load_id
    load(engine, open_source("sample", households=8))
    loads.undo(engine, small)
    left = content(engine)
    truncate(engine)
    load(engine, open_source("sample", households=8))
    assert left == content(engine)


def test_what_was_taken_out_can_be_loaded_again(engine: Engine, tmp_path: Path) -> None:
    each = source(tmp_path, 1)
    first = load(engine, each).load
    before = content(engine)
    loads.undo(engine, first.load_id)
    assert set(map(len, content(engine).values())) == {0}
    again = load(engine, each)
    assert (again.fresh, again.load.load_id > first.load_id) == (True, True)
    assert content(engine) == before
    with pytest.raises(ConfigurationError, match="undone already"):
        loads.undo(engine, first.load_id)
    loads.undo(engine, again.load.load_id)


@pytest.mark.parametrize(
    "statement", ["INSERT INTO customer", "DELETE FROM product", "DELETE FROM rejected_row", "UPDATE load", "ANALYZE"]
)
def test_a_database_that_fails_anywhere_leaves_all(engine: Engine, tmp_path: Path, statement: str) -> None:
    load(engine, source(tmp_path, 1))
    second = load(engine, source(tmp_path, 2)).load
    before = checksums(engine)

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def fail(*args: object) -> tuple[object, object]:
        said, values = args[2], args[3]
        return ("SELECT 1 / 0" if str(said).strip().startswith(statement) else said), values

    with pytest.raises(DatabaseError, match=r"load \d+ was undone .*; nothing was changed"):
        loads.undo(engine, second.load_id)
    assert checksums(engine) == before


def test_two_undos_at_once_take_it_out_once_and_wait_for_a_load(engine: Engine, tmp_path: Path) -> None:
    first = load(engine, source(tmp_path, 1)).load
    finished = Event()

    def undo() -> bool:
        try:
            loads.undo(engine, first.load_id)
        except ConfigurationError:
            return False
        finally:
            finished.set()
        return True

    with ThreadPoolExecutor(2) as both:
        with loads.transaction(engine, "another file"):
            undos = [both.submit(undo) for _ in range(2)]
            assert not finished.wait(0.5)
        assert sorted(each.result(timeout=30) for each in undos) == [False, True]


def test_the_snapshot_loses_the_empty_months_and_keeps_the_untouched_files(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    load(engine, source(tmp_path, 1, ["2024-01", "2024-02"]))
    second = load(engine, source(tmp_path, 2, ["2024-02", "2024-03"])).load
    before = snapshot.refresh(engine, settings.data_dir)
    held = snapshot.open_newest(settings.data_dir)
    loads.undo(engine, second.load_id)
    after = snapshot.refresh(engine, settings.data_dir)
    files = sorted(path.name for path in (after / "transaction_line").iterdir())
    assert files == ["2024-01.parquet", "2024-02.parquet"]
    january = "transaction_line/2024-01.parquet"
    assert (before / january).stat().st_ino == (after / january).stat().st_ino
    shop = snapshot.open_newest(settings.data_dir)
    assert shop.manifest.loads == [second.load_id - 1]
    left = content(engine)
    for table, rows in (
        ("transaction_line", left["line"]),
        ("customer", left["customer"]),
        ("product", left["product"]),
    ):
        assert shop.scalar(f"SELECT count(*) FROM {table}") == len(rows) < held.scalar(f"SELECT count(*) FROM {table}")
    loads.undo(engine, second.load_id - 1)
    snapshot.refresh(engine, settings.data_dir)
    assert snapshot.open_newest(settings.data_dir).scalar("SELECT count(*) FROM transaction_line") == 0


def test_loads_of_an_earlier_schema_can_be_taken_out(engine: Engine, tmp_path: Path) -> None:
    sources = [source(tmp_path, number) for number in (1, 2)]
    first, _ = (load(engine, each).load.load_id for each in sources)
    told = content(engine)
    put_back(engine, "0001")
    migrate(engine)
    assert loads.undo(engine, first).customers == 1
    left = content(engine)
    for name, key in (("customer", "only 1"), ("product", "only 1")):
        assert left[name] == [row for row in told[name] if row[0] != key]
    truncate(engine)
    load(engine, sources[1])
    assert left["line"] == content(engine)["line"]


def put_back(engine: Engine, revision: str) -> None:
    """Make the database one of an earlier schema, with as much of its content as that could hold."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    with engine.begin() as connection:
        connection.execute(text("ALTER SCHEMA public RENAME TO later"))
        connection.execute(text("CREATE SCHEMA public"))
        config.attributes["connection"] = connection
        upgrade(config, revision)
        for table in inspect(connection).get_table_names():
            old, new = ({c["name"] for c in inspect(connection).get_columns(table, s)} for s in ("public", "later"))
            if table != "alembic_version":
                columns = ", ".join(old & new)
                connection.execute(text(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM later.{table}"))
        connection.execute(text("DROP SCHEMA later CASCADE"))


# the command


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr("etl.__main__.load_settings", lambda: settings)
    return CliRunner()


def test_the_command_tells_what_it_took_out_and_the_snapshot_follows(
    command: CliRunner, engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    load(engine, source(tmp_path, 1))
    source(tmp_path, 2)
    assert command.invoke(app, ["load", str(tmp_path / "2.csv")]).exit_code == 0
    account = command.invoke(app, ["report", "2"]).output
    said = command.invoke(app, ["undo", "2"])
    assert said.exit_code == 0
    assert account.replace("Load 2, done", "Load 2, undone") in said.output
    assert "2.csv is taken out again (load 2)" in said.output
    assert "and 1 customer and 1 product that no other load" in said.output
    assert "models run" not in said.output
    assert snapshot.open_newest(settings.data_dir).manifest.loads == [1]
    publish_nothing_much(engine)
    assert "still rest on the data before; run `python -m models run`" in command.invoke(app, ["undo", "1"]).output


def test_the_command_says_one_sentence_and_exits_2(command: CliRunner, engine: Engine, tmp_path: Path) -> None:
    load(engine, source(tmp_path, 1))
    load(engine, source(tmp_path, 2))
    loads.undo(engine, 1)
    before = checksums(engine)
    for number, words in (("1", "is undone already and nothing was changed"), ("99999999999", "There is no load")):
        said = command.invoke(app, ["undo", number])
        assert (said.exit_code, said.stderr.count("\n")) == (2, 1)
        assert words in said.stderr
    assert checksums(engine) == before
