"""Facts about forgetting: nothing tells of a forgotten customer any more, every account adds up, nobody comes back."""

import fcntl
import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, text
from typer.testing import CliRunner

from db import accounts, audiences, erasure, forgotten, loads, privacy, result_schema, runs, snapshot, tally
from db.__main__ import app
from db.columns import Columns as C
from db.schema import transaction_line
from db.secret import FORGOTTEN, secret
from errors import ConfigurationError
from etl.load import Outcome, load
from etl.mapping import detect
from etl.meanings import Kind
from etl.readers import open_source
from settings import Settings
from tests.small_shop import made_segments
from tests.traces import traces

ZOE, BOB, NUMBER = "zoe.quist@example.org", "bob", "7345021"
TOLD = (ZOE, "Quist", "+49 555 0173")
"""What tells of the first customer: the id, a name, a number that nobody else has."""

ORDERS = """Order ID,Email,Billing Name,SKU,Order Date,Quantity,Price,Country
1,{zoe},Zoe Quist,A,2024-01-05 10:00,2,3.50,France
1,{zoe},Zoe Quist,B,2024-01-05 10:00,1,1.25,France
2,bob,Bob Ray,A,2024-01-06 11:00,1,3.50,Spain
3,{zoe},Zoe Quist,A,2024-02-07 12:00,1,3.50,France
4,,,A,2024-02-08 13:00,1,3.50,Spain
5,{zoe},Zoe Quist,A,yesterday,1,3.50,France
1,,Zoe Quist,B,2024-01-05 10:00,x,1.25,France
6,bob,Bob Ray,A,2024-02-09 13:00,x,3.50,Spain
7,7345021,Ann Poe,B,2024-02-09 14:00,7,1.25,Spain
8,bob,Bob Ray,B,2024-02-10 14:00,7345021,-1.25,Spain
"""
FILES: dict[Kind, str] = {
    "orders": ORDERS.format(zoe=ZOE),
    "customers": f"Email,Country,Phone,City,Accepts Marketing\n{ZOE},France,+49 555 0173,Ulm,yes\nbob,Spain,1,Ulm,no\n"
    f"{ZOE},France,+49 555 0173,Ulm,perhaps\n",
    "events": f"email,event_type,event_time,sku\n{ZOE},view,2024-01-04 10:00:00,A\nbob,view,2024-01-04 11:00:00,A\n"
    f"{ZOE},view,never,A\n",
    "campaigns": f"campaign_id,name,email,group\n1,Spring,{ZOE},test\n1,Spring,bob,control\n1,Spring,{ZOE},maybe\n",
}
AS_OF = datetime.fromisoformat("2024-03-01")


def put(
    engine: Engine, settings: Settings, path: Path, kind: Kind = "orders", content: str = "", **options: Any
) -> Outcome:
    path.write_text(content or FILES[kind])
    source = open_source(str(path))
    key = partial(secret, settings, FORGOTTEN)
    return load(engine, source, layout=detect(source, kind), key=key, **options)


def rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def results(engine: Engine) -> dict[Any, pd.DataFrame]:
    """A row of each result table that names customers, for each customer who bought."""
    lines = pd.DataFrame(
        rows(engine, "SELECT customer_id, order_id, ordered_at, amount, is_return FROM transaction_line"),
        columns=[C.CUSTOMER_ID, C.ORDER_ID, C.ORDERED_AT, C.AMOUNT, C.IS_RETURN],
    )
    segments = made_segments(random.Random(1), lines.astype({C.AMOUNT: float}))
    ids = segments[[C.CUSTOMER_ID]]
    offer: dict[str, Any] = {C.PRODUCT_ID: "A", C.RANK: 1, C.SCORE: 1.0, C.REASON: "x"}
    course = dict.fromkeys((C.SEGMENTS, C.SEGMENT_CAUSES, C.GROUPS, C.GROUP_CAUSES), ".")
    return {
        result_schema.customer_segment: segments,
        result_schema.customer_movement: ids.assign(**course),
        result_schema.recommendation: ids.assign(kind="discover", **offer),
        result_schema.product_audience: ids.assign(**{**offer, C.RANK: range(len(ids))}),
    }


def modelled(engine: Engine, run_id: int | None = None, of: dict[Any, pd.DataFrame] | None = None) -> int:
    """A published run of every result table that names customers."""
    run_id = run_id or runs.open_run(engine, runs.SEGMENTS, AS_OF, {}, "x")
    assert runs.publish(engine, run_id, of or results(engine), {})
    return run_id


@pytest.fixture
def shop(engine: Engine, settings: Settings, tmp_path: Path) -> Settings:
    """Loads of every kind, two runs, saved audiences, an upload, and a snapshot."""
    files = tmp_path / "elsewhere"
    files.mkdir()
    for kind in FILES:
        put(engine, settings, files / f"{kind}.csv", kind)
    for _ in range(2):
        modelled(engine)
    audiences.save(engine, "Her phone", "?trait=phone:%2B49+555+0173", "me")
    audiences.save(engine, f"For {ZOE}", "", "me")
    audiences.save(engine, "All with a phone of 1", "?trait=phone:1", "me")
    audiences.save(engine, "All of Ulm", "?trait=city:Ulm", "me")
    folder = settings.data_dir / "uploads" / ("x" * 32) / "file"
    folder.mkdir(parents=True)
    (folder / "orders.csv").write_text(ORDERS.format(zoe=ZOE))
    snapshot.refresh(engine, settings.data_dir)
    for path in files.iterdir():
        path.unlink()  # the shop's own files are the shop's to delete
    return settings


def key_of(settings: Settings) -> forgotten.Key:
    return partial(secret, settings, FORGOTTEN)


def forget(engine: Engine, settings: Settings, *ids: str) -> privacy.Erased:
    return privacy.forget(engine, settings.data_dir, ids, key_of(settings))


def told(engine: Engine) -> list[Any]:
    """What every load's account says of rows and amounts, month by month."""
    found = [accounts.report(engine, of.load_id) for of in accounts.all_loads(engine)]
    return [(of.load.__dict__, of.months, of.extent.orders, of.extent.products) for of in found]


def test_nothing_anywhere_tells_of_a_forgotten_customer(shop: Settings, engine: Engine) -> None:
    before, lines = told(engine), rows(engine, "SELECT sum(amount), count(*) FROM transaction_line")
    everywhere = {where.partition(":")[0] for where in traces(engine, shop.data_dir, [ZOE])}
    expected = {table.name for table in erasure.tables()} | {"rejected_row", "audience"}
    assert expected <= everywhere
    assert {"00000001/known.duckdb", "00000001/sales.duckdb"} <= {w.removeprefix("snapshots/") for w in everywhere}
    erased = forget(engine, shop, ZOE)
    assert traces(engine, shop.data_dir, TOLD) == set()
    assert (erased.customers, erased.uploads, erased.still_read) == (1, 1, [])
    assert erased.removed["transaction_line"] == 3
    assert erased.removed["interaction_event"] == 1
    assert told(engine) == before
    assert rows(engine, "SELECT sum(amount), count(*) FROM transaction_line") == lines
    with engine.begin() as connection:  # counted anew, as an undo of another load does, the accounts are the same
        for of in accounts.all_loads(engine):
            tally.count(connection, of.load_id)
    assert told(engine) == before
    assert rows(engine, "SELECT name FROM audience ORDER BY 1") == [("All of Ulm",), ("All with a phone of 1",)]
    assert rows(engine, "SELECT customer_id FROM customer ORDER BY 1") == [(NUMBER,), (BOB,)]


def test_the_others_keep_all_they_had(shop: Settings, engine: Engine) -> None:
    forget(engine, shop, ZOE)
    assert rows(engine, "SELECT customer_id, count(*) FROM transaction_line GROUP BY 1 ORDER BY 1") == [
        (NUMBER, 1),
        (BOB, 1),
        (None, 4),
    ]
    assert rows(engine, "SELECT customer_id FROM interaction_event ORDER BY 1") == [(BOB,), (None,)]
    assert rows(engine, "SELECT customer_id FROM campaign_member") == [(BOB,)]
    for table in results(engine):
        assert rows(engine, f"SELECT DISTINCT customer_id FROM {table.name} ORDER BY 1") == [(NUMBER,), (BOB,)]
    blank = "SELECT load_id, row_number FROM rejected_row WHERE raw = '{}' ORDER BY 1, 2"
    assert rows(engine, blank) == [(1, 6), (1, 7), (2, 3), (3, 3), (4, 3)]
    assert rows(engine, "SELECT raw ->> 'Billing Name' FROM rejected_row WHERE raw <> '{}'") == [("Bob Ray",)] * 2


def test_a_bare_number_is_an_id_in_the_column_of_ids_alone(shop: Settings, engine: Engine) -> None:
    forget(engine, shop, NUMBER)
    assert rows(engine, "SELECT count(*) FROM rejected_row WHERE raw = '{}'") == [(0,)]
    assert rows(engine, "SELECT count(*) FROM customer") == [(2,)]


def test_no_load_brings_a_forgotten_customer_back(shop: Settings, engine: Engine, tmp_path: Path) -> None:
    totals = "SELECT count(*), sum(amount) FROM transaction_line"
    before = rows(engine, totals)
    forget(engine, shop, ZOE)
    assert put(engine, shop, tmp_path / "a.csv", replaces=1).fresh
    later = FILES["orders"] + f"9,{ZOE},Zoe Quist,B,2024-02-11 10:00,1,1.25,France\n"
    for kind in ("customers", "events", "campaigns"):
        content = FILES[kind] + FILES[kind].partition("\n")[2].replace("2024", "2023")
        put(engine, shop, tmp_path / f"{kind}.csv", kind, content)
    done = put(engine, shop, tmp_path / "b.csv", content=later).load
    for path in tmp_path.glob("*.csv"):
        path.unlink()
    modelled(engine)
    snapshot.refresh(engine, shop.data_dir)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    assert traces(engine, shop.data_dir, TOLD) == set()
    assert done.options["remarks"] == ["Rows that name forgotten customers, who count as guests: 4."]
    assert (done.rows_accepted, done.rejected[tally.ALREADY_LOADED][0]) == (1, 6)
    ((count, amount),) = before
    assert rows(engine, totals) == [(count + 1, amount + done.amount_accepted)]
    assert done.rows_read == done.rows_accepted + done.rows_rejected


def test_a_run_that_read_the_old_data_publishes_without_the_forgotten(shop: Settings, engine: Engine) -> None:
    building, of_before = runs.open_run(engine, runs.SEGMENTS, AS_OF, {}, "x"), results(engine)
    refused = runs.open_run(engine, runs.RECOMMENDATIONS, AS_OF, {}, "x")
    forget(engine, shop, ZOE)
    modelled(engine, building, of_before)
    runs.refuse(engine, refused, "no", {result_schema.recommendation: of_before[result_schema.recommendation]})
    snapshot.refresh(engine, shop.data_dir)
    assert traces(engine, shop.data_dir, TOLD) == set()
    for table in of_before:
        assert rows(engine, f"SELECT count(*) FROM {table.name} WHERE run_id = {building}") == [(2,)]


def test_an_erasure_waits_for_a_load_and_for_what_is_being_published(shop: Settings, engine: Engine) -> None:
    held: list[Callable[[], AbstractContextManager[Connection]]] = [
        lambda: loads.transaction(engine, "x"),
        engine.begin,
    ]
    for hold in held:
        with ThreadPoolExecutor(1) as pool:
            with hold() as connection:
                runs.hold(connection)
                waiting = pool.submit(forget, engine, shop, ZOE)
                with pytest.raises(TimeoutError):
                    waiting.result(timeout=0.4)
            assert waiting.result(timeout=30).customers == 1


def test_what_somebody_reads_goes_with_its_last_reader(shop: Settings, engine: Engine) -> None:
    reader = snapshot.open_newest(shop.data_dir)
    assert forget(engine, shop, ZOE).still_read == [reader.version]
    assert reader.scalar("SELECT count(*) FROM known WHERE customer_id = ?", [ZOE]) == 1
    earlier = reader.of_run(1)
    assert earlier is not None
    del reader
    assert snapshot.still_read(shop.data_dir) == [earlier.version]
    del earlier
    assert snapshot.still_read(shop.data_dir) == []
    assert traces(engine, shop.data_dir, TOLD) == set()


def test_an_upload_that_is_being_loaded_is_waited_for(shop: Settings, engine: Engine) -> None:
    (folder,) = (shop.data_dir / "uploads").iterdir()
    with ThreadPoolExecutor(1) as pool:
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            waiting = pool.submit(forget, engine, shop, ZOE)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=1)
            assert folder.exists()
        assert waiting.result(timeout=30).uploads == 1
    assert not folder.exists()


def test_an_unknown_customer_changes_nothing(shop: Settings, engine: Engine) -> None:
    before = rows(engine, "SELECT customer_id FROM customer ORDER BY 1")
    for stranger in ("nobody", "ZOE.QUIST@example.org", "a\0b", "\ud800", ""):
        with pytest.raises(ConfigurationError, match="There is no customer"):
            forget(engine, shop, BOB, stranger)
    assert rows(engine, "SELECT customer_id FROM customer ORDER BY 1") == before
    assert rows(engine, "SELECT count(*) FROM forgotten") == [(0,)]


def test_who_has_rejected_rows_alone_is_known_too(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    put(engine, settings, tmp_path / "a.csv", content=FILES["orders"] + "9,eve.ono,Eve,A,never,1,1,France\n")
    (tmp_path / "a.csv").unlink()
    assert forget(engine, settings, "eve.ono").removed == {"rejected_row": 1}
    assert traces(engine, settings.data_dir, ["eve.ono"]) == set()


def test_forgetting_twice_is_forgetting_once(shop: Settings, engine: Engine) -> None:
    forget(engine, shop, ZOE)
    version = snapshot.newest_version(shop.data_dir)
    assert forget(engine, shop, ZOE).removed == {}
    assert snapshot.newest_version(shop.data_dir) == version
    assert rows(engine, "SELECT reason, customers FROM erasure") == [("asked", 1)]


def test_the_record_does_not_hold_whom_it_forgot(shop: Settings, engine: Engine) -> None:
    """Nor can ids be tried on it: without the key, a hash is that of any id."""
    forget(engine, shop, ZOE)
    ((kept,),) = rows(engine, "SELECT hash FROM forgotten")
    assert kept != sha256(ZOE.encode()).hexdigest()
    other = shop.model_copy(update={"data_dir": shop.data_dir / "other"})
    with pytest.raises(ConfigurationError, match="by another secret"), engine.connect() as connection:
        forgotten.among(connection, [ZOE], key_of(other))


def test_a_load_that_cannot_know_the_forgotten_is_refused(shop: Settings, engine: Engine, tmp_path: Path) -> None:
    forget(engine, shop, ZOE)
    before = rows(engine, "SELECT count(*) FROM load")
    (shop.data_dir / "secret").unlink()
    with pytest.raises(ConfigurationError, match="by another secret"):
        put(engine, shop, tmp_path / "a.csv", content=FILES["orders"].replace("2024", "2023"))
    assert rows(engine, "SELECT count(*) FROM load") == before


def test_who_is_remembered_is_a_customer_again_and_counts_once(shop: Settings, engine: Engine, tmp_path: Path) -> None:
    totals = "SELECT count(*), sum(amount) FROM transaction_line"
    before = rows(engine, totals)
    forget(engine, shop, ZOE)
    with pytest.raises(ConfigurationError, match="No customer nobody is forgotten"):
        privacy.remember(engine, "nobody", key_of(shop))
    privacy.remember(engine, ZOE, key_of(shop))
    put(engine, shop, tmp_path / "a.csv", content=FILES["orders"] + "\n")  # another file of the same lines
    assert rows(engine, totals) == before
    assert rows(engine, f"SELECT count(*) FROM customer WHERE customer_id = '{ZOE}'") == [(0,)]
    later = FILES["orders"] + f"9,{ZOE},Zoe Quist,B,2024-02-11 10:00,1,1.25,France\n"
    put(engine, shop, tmp_path / "b.csv", content=later)
    ((count, _),) = before
    assert rows(engine, totals)[0][0] == count + 1
    assert rows(engine, f"SELECT order_id FROM transaction_line WHERE customer_id = '{ZOE}'") == [("9",)]
    assert rows(engine, f"SELECT count(*) FROM customer WHERE customer_id = '{ZOE}'") == [(1,)]


def test_what_was_learned_of_old_data_is_told_to_be_old(shop: Settings, engine: Engine) -> None:
    before = snapshot.open_newest(shop.data_dir).manifest.data_version
    forget(engine, shop, ZOE)
    assert snapshot.open_newest(shop.data_dir).manifest.data_version != before


@pytest.fixture
def command(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    address = shop.database_url
    assert address is not None
    monkeypatch.setenv("DATABASE_URL", address.get_secret_value())
    monkeypatch.setenv("SPECTRUM_DATA_DIR", str(shop.data_dir))
    return CliRunner()


def said(command: CliRunner, *arguments: str) -> tuple[int, str]:
    result = command.invoke(app, arguments)
    return result.exit_code, " ".join(result.output.split())


def test_the_commands_say_what_they_did(command: CliRunner, shop: Settings, engine: Engine) -> None:
    code, words = said(command, "forget", ZOE)
    assert (code, words) == (2, "error: Nobody is there to confirm it and nothing was changed; say --yes.")
    code, words = said(command, "forget", ZOE, "nobody", "--yes")
    assert code == 2
    assert words.startswith("error: There is no customer nobody and nothing was changed;")
    code, words = said(command, "forget", ZOE, BOB, "--yes")
    assert code == 0
    assert words.startswith("2 customers are forgotten. Nobody's now: 2 of interaction_event, 4 of transaction_line.")
    assert "Blank now: 7 of rejected_row." in words
    assert "Removed: 4 of audience," in words
    code, words = said(command, "remember", ZOE)
    assert (code, words) == (0, f"What is loaded from now on of customer {ZOE} is theirs again.")
    assert said(command, "remember", ZOE)[0] == 2
    assert said(command, "retain") == (0, "Everybody is kept: SPECTRUM_RETENTION_MONTHS is not set.")


def test_the_command_asks_on_a_terminal(shop: Settings, engine: Engine) -> None:
    """A pseudo-terminal answers no, then yes."""
    for answer, left in (("n", 1), ("y", 0)):
        master, slave = os.openpty()
        command = [sys.executable, "-m", "db", "forget", ZOE]
        process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=shop.environment())
        os.write(master, f"{answer}\n".encode())
        assert process.wait(60) == 0
        os.close(slave)
        assert b"Forget 1 customer? This cannot be undone." in os.read(master, 10_000)
        os.close(master)
        assert rows(engine, f"SELECT count(*) FROM customer WHERE customer_id = '{ZOE}'") == [(left,)]


def columns_of_customers(engine: Engine) -> Sequence[tuple[str, str]]:
    query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    return [(str(table), str(column)) for table, column in rows(engine, query) if "customer" in str(column)]


def test_every_table_with_a_customer_is_known_to_the_erasure(engine: Engine) -> None:
    """A new table that names customers is erased by its column; one that calls them otherwise fails here."""
    views = {str(name) for (name,) in rows(engine, "SELECT viewname FROM pg_views WHERE schemaname = 'public'")}
    tables = {table for table, column in columns_of_customers(engine) if column == C.CUSTOMER_ID} - views
    assert tables == {table.name for table in erasure.tables()}
    assert transaction_line in erasure.ANONYMOUS
    others = {column for table, column in columns_of_customers(engine) if table not in views}
    assert others - {C.CUSTOMER_ID} == {"customers", "customer_share"}
