"""Facts about files elsewhere and about other databases: the same rows as here, one sentence where not, no secrets."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest
from pyarrow import fs
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from db.engine import make_engine
from errors import ConfigurationError, DatabaseError, InputError, SpectrumError
from etl.readers import expand, open_source
from etl.readers.base import Form, Source
from settings import Settings
from tests.object_store import SECRET, ObjectStore, serve

CSV = b"order_id,quantity\n1,6\n2,-1\n"
ROWS = [{"order_id": "1", "quantity": "6"}, {"order_id": "2", "quantity": "-1"}]


def rows(source: Source) -> list[dict[str, object]]:
    found = [row for batch in source.batches() for row in batch.to_pylist()]
    assert source.rows == len(found)
    return found


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with serve() as store:
        yield store


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a web server that gives the files of the test's directory."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/closed"):
                allowed = self.headers.get("Authorization") == "Basic dTpww6Q="  # u:pä
                self.send_response(200 if allowed else 401)
                self.send_header("Content-Length", str(len(CSV)))
                self.end_headers()
                self.wfile.write(CSV)
            elif self.path.startswith("/short"):
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(CSV)
            else:
                super().do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_in_s3_is_read_like_one_here(store: ObjectStore, tmp_path: Path) -> None:
    system, path = fs.FileSystem.from_uri(store.address("shop"))
    with system.open_output_stream(f"{path}/2024/sales of may.csv") as stream:
        stream.write(CSV)
    (tmp_path / "here.csv").write_bytes(CSV)
    source = open_source(store.address("shop/2024/sales of may.csv"))
    assert rows(source) == rows(source) == ROWS
    assert source.name == "s3://shop/2024/sales of may.csv"
    assert source.sha256 == open_source(str(tmp_path / "here.csv")).sha256


def test_a_pattern_and_a_folder_in_s3_name_their_files(store: ObjectStore) -> None:
    for key in ("2024/b.csv", "2024/a.csv", "2024/notes.doc", "2024/.hidden.csv", "2024/old/c.csv", "2023/d.csv"):
        store.objects[f"shop/{key}"] = CSV
    two = [store.address(f"shop/2024/{name}.csv") for name in "ab"]
    for what in ("shop/2024", "shop/2024/", "shop/2024/*"):
        found = expand(store.address(what))
        assert found is not None
        assert (found.files, found.skipped) == (two, ["s3://shop/2024/.hidden.csv", "s3://shop/2024/notes.doc"])
    deep = expand(store.address("shop/**/*.csv"))
    assert deep is not None
    assert [file.split("@")[1].split("?")[0] for file in deep.files] == [
        "shop/2023/d.csv",
        "shop/2024/a.csv",
        "shop/2024/b.csv",
        "shop/2024/old/c.csv",
    ]
    assert rows(open_source(deep.files[0])) == ROWS
    assert expand(two[0]) is None
    with pytest.raises(InputError, match=r"s3://shop/2022/\*\.csv has no file that can be read"):
        expand(store.address("shop/2022/*.csv"))


def test_what_s3_refuses_is_one_sentence_without_the_secret(store: ObjectStore) -> None:
    store.objects["shop/sales.csv"] = CSV
    for path, user, said in [
        ("shop/none.csv", f"shopkey:{SECRET}", "There is no file s3://shop/none.csv"),
        ("nowhere/sales.csv", f"shopkey:{SECRET}", "There is no file s3://nowhere/sales.csv"),
        ("shop/sales.csv", f"other:{SECRET}", "s3://shop/sales.csv may not be read with the credentials given"),
        ("shop/sales.csv", f"other:{SECRET}/a", "s3://shop/sales.csv cannot be fetched"),
        ("shop/sales.doc", f"shopkey:{SECRET}", "s3://shop/sales.doc is of no known kind"),
    ]:
        with pytest.raises(InputError, match=said) as caught:
            open_source(store.address(path, user))
        assert SECRET not in str(caught.value)


def test_any_place_that_fsspec_knows_is_read() -> None:
    memory = fsspec.filesystem("memory")
    for name in ("b", "a"):
        memory.pipe(f"/shop/{name}.csv", CSV)
    found = expand("memory://shop/*.csv")
    assert found is not None
    assert found.files == ["memory://shop/a.csv", "memory://shop/b.csv"]
    assert rows(open_source(found.files[1])) == ROWS
    with pytest.raises(InputError, match=r"There is no file memory://shop/c\.csv"):
        open_source("memory://shop/c.csv")
    with pytest.raises(InputError, match="Protocol not known: nosuch"):
        open_source("nosuch://shop/c.csv")


def test_a_driver_that_is_missing_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"needs a package that is not installed .*adlfs"):
        open_source("abfs://shop/sales.csv")
    with pytest.raises(ConfigurationError, match=r"driver \w+ of mysql\+pymysql://u@h/shop is not installed"):
        open_source("mysql+pymysql://u:secret@h/shop", query="SELECT 1")


def test_a_file_of_a_web_server_is_read(site: str, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_bytes(CSV)
    source = open_source(f"http://{site}/sales.csv?token=hush#top")
    assert (source.name, rows(source)) == (f"http://{site}/sales.csv", ROWS)
    assert rows(open_source(f"http://u:p%C3%A4@{site}/closed.csv")) == ROWS
    for path, said in [
        ("none.csv", "There is no file"),
        ("closed.csv", "may not be read with the credentials given"),
        ("short.csv", r"cannot be fetched \(the connection ended 973 bytes early\)"),
    ]:
        with pytest.raises(InputError, match=said) as caught:
            open_source(f"http://{site}/{path}?token=hush")
        assert "hush" not in str(caught.value)


def test_a_name_from_elsewhere_stays_in_its_directory(site: str, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_bytes(CSV)
    with pytest.raises(InputError, match="There is no file"):
        open_source(f"http://{site}/x%2F..%2F..%2F..%2Fescaped.csv")
    assert rows(open_source(f"http://{site}/%2E%2Fsales.csv")) == ROWS


def test_a_copy_goes_with_its_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fsspec.filesystem("memory").pipe("/shop/sales.csv", CSV)
    source = open_source("memory://shop/sales.csv")
    batches = source.batches()
    del source
    assert len(os.listdir(tmp_path)) == 1
    assert sum(batch.num_rows for batch in batches) == 2
    del batches
    assert os.listdir(tmp_path) == []


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """The address of an SQLite database of one order."""
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE line (order_id INTEGER, price REAL, at TEXT, note TEXT, picture BLOB)")
        connection.execute("INSERT INTO line VALUES (1, 1.5, '2024-01-31 23:59:59', NULL, x'00')")
        connection.execute("INSERT INTO line VALUES (2, 17850.0, '2024-02-01', 'é', x'00')")
    connection.close()
    return f"sqlite:///{tmp_path / 'shop.db'}"


def test_a_query_of_sqlite_gives_its_rows(shop: str) -> None:
    query = "SELECT order_id,\n price, at, note FROM line WHERE note IS NULL OR note LIKE '%é%' ORDER BY 1"
    source = open_source(shop, query=query)
    assert rows(source) == [
        {"order_id": "1", "price": "1.5", "at": "2024-01-31 23:59:59", "note": ""},
        {"order_id": "2", "price": "17850", "at": "2024-02-01", "note": "é"},
    ]
    assert source.name == f"{shop}: SELECT order_id, price, at, note FROM line WHERE note IS NUL"
    assert open_source(shop, query=query).sha256 == source.sha256
    assert open_source(shop, query=query.replace("NULL OR", "NULL AND")).sha256 != source.sha256
    assert rows(open_source(shop, query="SELECT order_id FROM line WHERE false")) == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT x FROM line", "no such column: x"),
        ("SELECT * FROM nowhere", "no such table: nowhere"),
        ("SELEC", "is no SELECT; write one SELECT"),
        ("", "is no SELECT"),
        ("SELECT", "incomplete input|syntax error"),
        ("DELETE FROM line", "is no SELECT"),
        ("WITH a AS (SELECT 1) DELETE FROM line RETURNING order_id", "readonly database"),
        ("ATTACH 'attached.db' AS other", "is no SELECT"),
        ("-- SELECT\n/* SELECT */ VACUUM INTO 'attached.db'", "is no SELECT"),
        ("PRAGMA journal_mode = WAL", "is no SELECT"),
        ("SELECT 1; ATTACH 'attached.db' AS other", "one statement"),
        ("SELECT picture FROM line", "The column picture of sqlite.* holds bytes or lists"),
        ("SELECT 1 AS a, 2 AS a", "more than one column named a"),
        ("SELECT CAST(x'ff' AS TEXT) AS a", "Could not decode"),
    ],
)
def test_a_query_that_is_no_select_is_one_sentence_and_changes_nothing(shop: str, query: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        open_source(shop, query=query)
    assert rows(open_source(shop, query="-- all\n/* of * it */ SELECT count(*) AS n FROM line")) == [{"n": "2"}]
    assert not Path("attached.db").exists()


def test_a_query_of_postgres_gives_every_type_exactly(server: URL) -> None:
    values = {
        "CAST(12345678901234.5678 AS NUMERIC(18, 4))": "12345678901234.5678",
        "CAST(1.234 AS NUMERIC(9, 3))": "1.2340",
        "CAST('NaN' AS NUMERIC)": "",
        "CAST(9007199254740993 AS BIGINT)": "9007199254740993",
        "DATE '2024-02-29'": "2024-02-29",
        "TIMESTAMP '2024-02-29 23:59:59.5'": "2024-02-29 23:59:59.500000",
        "TIMESTAMPTZ '2024-02-29 23:59:59+02' AT TIME ZONE 'UTC'": "2024-02-29 21:59:59",
        "true": "true",
        "CAST(NULL AS TEXT)": "",
        "'5% :of, é'": "5% :of, é",
    }
    chosen = ", ".join(f"{value} AS v{place}" for place, value in enumerate(values))
    source = open_source(server.render_as_string(hide_password=False), query=f"SELECT {chosen}")
    assert [list(row.values()) for row in rows(source)] == [list(values.values())]
    exact = (Decimal("12345678901234.5678"), date(2024, 2, 29), datetime.fromisoformat("2024-02-29 21:59:59"))
    assert [str(value) for value in exact] == [list(values.values())[place] for place in (0, 4, 6)]


@pytest.mark.parametrize(
    ("query", "kind", "said"),
    [
        ("SELECT pg_terminate_backend(pg_backend_pid())", DatabaseError, "was lost .*; load it again"),
        ("SELECT g / (g - 30000) FROM generate_series(1, 100000) AS g", InputError, "division by zero"),
        ("SELECT DATE '0044-03-15 BC'", InputError, "year -44 is out of range"),
        ("SELECT ARRAY[1, 2] AS a", InputError, "column a of .* holds bytes or lists"),
        ("SELECT '{}'::jsonb AS a", InputError, "column a of .* holds bytes or lists"),
    ],
)
def test_what_breaks_on_the_way_is_one_sentence(query: str, kind: type[SpectrumError], said: str, server: URL) -> None:
    with pytest.raises(kind, match=said):
        open_source(server.render_as_string(hide_password=False), query=query)


def test_a_long_answer_streams_in_batches(server: URL) -> None:
    query = "SELECT g AS order_id FROM generate_series(1, 150000) AS g"
    source = open_source(server.render_as_string(hide_password=False), query=query)
    sizes = [batch.num_rows for batch in source.batches()]
    assert len(sizes) > 1
    assert sum(sizes) == source.rows == 150_000


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM load RETURNING load_id",
        "DROP TABLE load",
        "SELECT 1; COMMIT; DROP TABLE load",
        "CREATE TABLE x (a int)",
        "SELECT nextval('load_load_id_seq')",
        "COPY load TO STDOUT",
        "SELECT no FROM load",
    ],
)
def test_postgres_is_only_read(settings: Settings, query: str) -> None:
    engine = make_engine(settings)
    address = engine.url.set(drivername="postgres").render_as_string(hide_password=False)
    with pytest.raises(InputError, match=r"refuses the query|is no SELECT"):
        open_source(address, query=query)
    with create_engine(engine.url).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM load")).scalar() == 0
        assert connection.execute(text("SELECT to_regclass('x')")).scalar() is None
    engine.dispose()


@pytest.mark.parametrize(
    ("address", "kind", "said"),
    [
        ("postgresql://u:hush@127.0.0.1:1/shop", DatabaseError, "postgresql.*u@127.0.0.1:1/shop cannot be reached"),
        ("postgresql://u:hush@127.0.0.1:x/shop", ConfigurationError, "no address of a database"),
        ("postgresql://u@127.0.0.1:1/shop?nonsense=hush", DatabaseError, "cannot be reached"),
        ("cuneiform://u:hush@h/shop", ConfigurationError, "No database is known as cuneiform"),
        ("sqlite:///nowhere/shop.db", InputError, "no SQLite file nowhere/shop.db"),
        ("shop.csv", ConfigurationError, "--query asks a database"),
    ],
)
def test_a_database_that_does_not_answer_is_one_sentence(address: str, kind: type[SpectrumError], said: str) -> None:
    with pytest.raises(kind, match=said) as caught:
        open_source(address, query="SELECT 1")
    assert "hush" not in str(caught.value)


def test_a_database_without_a_query_says_what_is_missing(shop: str) -> None:
    assert expand(shop) is None
    with pytest.raises(ConfigurationError, match="needs --query"):
        open_source(shop)
    with pytest.raises(ConfigurationError, match="leave them out"):
        open_source(shop, query="SELECT 1", form=Form(sheet="Orders"))
