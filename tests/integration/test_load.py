"""Facts about a load: it reconciles, lands whole or not at all, counts once, and the snapshot follows."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import Engine, event, text
from typer.testing import CliRunner

from db import accounts, snapshot
from errors import DatabaseError, InputError
from etl.__main__ import app
from etl.load import Outcome, load
from etl.mapping import detect
from etl.readers import open_source
from settings import Settings

SALES = pd.DataFrame(
    {
        "order_id": ["1", "1", "2", "C3", "4", "4", "5"],
        "customer_id": ["10", "10", "11", "10", None, None, "11"],
        "product_id": ["A", "B", "A", "A", "POST", "POST", "B"],
        "product_name": ["Lamp", "Chair", "Lamp, red", "Lamp", "POSTAGE", "POSTAGE", "chair?"],
        "ordered_at": [
            "2024-01-31 23:59:59",
            "2024-01-31 23:59:59",
            "2024-02-01",
            "2024-02-02",
            "2024-03-01",
            "2024-03-01",
            "x",
        ],
        "quantity": [2, 1, 1, -1, 1, 1, 1],
        "unit_price": [10.0, 5.5, 10.0, 10.0, 3.0, 3.0, 5.5],
        "country": ["France", "France", "Spain", "Italy", "France", "France", "Spain"],
    }
)
TABLES = ("load", "transaction_line", "rejected_row", "customer", "product")


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    SALES.to_csv(path, index=False)
    return path


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def counts(engine: Engine) -> dict[str, object]:
    return {table: rows(engine, f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


def new(engine: Engine, outcome: Outcome) -> tuple[int, int]:
    """Customers and products first seen in a load."""
    account = accounts.report(engine, outcome.load.load_id)
    return account.customers_new, account.products_new


def content(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """The lines, rejected rows, customers and products, whatever load or file format they came by."""
    return {
        "line": rows(
            engine,
            "SELECT row_number, order_id, customer_id, product_id, ordered_at, quantity, unit_price, discount, amount, "
            "is_return, country FROM transaction_line ORDER BY row_number",
        ),
        "rejected": rows(engine, "SELECT row_number, reason, amount FROM rejected_row ORDER BY row_number"),
        "customer": rows(engine, "SELECT * FROM customer ORDER BY 1"),
        "product": rows(engine, "SELECT * FROM product ORDER BY 1"),
    }


def test_a_load_is_what_the_file_says(engine: Engine, sales: Path) -> None:
    outcome = load(engine, open_source(str(sales)))
    done = outcome.load
    assert (done.rows_read, done.rows_accepted, done.rows_rejected) == (7, 5, 2)
    assert (done.amount_read, done.amount_accepted, done.amount_rejected) == (
        Decimal(37),
        Decimal("28.5"),
        Decimal("8.5"),
    )
    assert done.rejected == {"duplicate": (1, Decimal(3)), "unparseable_date": (1, Decimal("5.5"))}
    assert (outcome.fresh, new(engine, outcome)) == (True, (2, 3))
    assert rows(engine, "SELECT months, status, finished_at >= started_at FROM load") == [
        (["2024-01", "2024-02", "2024-03"], "done", True)
    ]
    assert rows(engine, "SELECT customer_id, country FROM customer ORDER BY 1") == [("10", "Italy"), ("11", "Spain")]
    assert rows(engine, "SELECT product_id, name, is_service FROM product ORDER BY 1") == [
        ("A", "Lamp", False),
        ("B", "Chair", False),
        ("POST", "POSTAGE", True),
    ]
    assert rows(engine, "SELECT row_number, raw ->> 'ordered_at' FROM rejected_row ORDER BY 1") == [
        (6, "2024-03-01"),
        (7, "x"),
    ]


def test_duplicates_are_kept_when_asked(engine: Engine, sales: Path) -> None:
    done = load(engine, open_source(str(sales)), keep_duplicates=True).load
    assert (done.rows_accepted, list(done.rejected)) == (6, ["unparseable_date"])
    assert rows(engine, "SELECT options -> 'keep_duplicates' FROM load") == [(True,)]


def test_items_alike_of_different_orders_are_no_duplicates_where_the_id_is_on_the_first_row(
    engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "orders.csv"
    orders = "1,2024-01-01,ann,A,5\n,,,B,3\n2,2024-01-02,bob,A,5\n,,,B,3\n,,,B,3\n"
    path.write_text(f"order_id,date,customer_id,product_id,price\n{orders}")
    source = open_source(str(path))
    layout = replace(detect(source), carried=("order_id", "ordered_at", "customer_id"))
    done = load(engine, source, layout=layout).load
    assert (done.rows_accepted, done.rejected) == (4, {"duplicate": (1, Decimal(3))})
    with engine.connect() as connection:
        query = "SELECT order_id, customer_id, count(*), sum(amount) FROM transaction_line GROUP BY 1, 2 ORDER BY 1"
        assert connection.execute(text(query)).all() == [("1", "ann", 2, 8), ("2", "bob", 2, 8)]


def test_the_same_content_counts_once_under_any_name_and_option(engine: Engine, sales: Path) -> None:
    first = load(engine, open_source(str(sales)))
    before = (counts(engine), content(engine))
    copy = sales.with_name("copy.csv")
    copy.write_bytes(sales.read_bytes())
    again = load(engine, open_source(str(copy)), keep_duplicates=True)
    assert (again.fresh, again.load) == (False, first.load)
    assert (counts(engine), content(engine)) == before


def test_two_loads_of_the_same_content_at_once_count_once(engine: Engine, sales: Path) -> None:
    with ThreadPoolExecutor(2) as both:
        outcomes = list(both.map(lambda _: load(engine, open_source(str(sales))), range(2)))
    assert sorted(outcome.fresh for outcome in outcomes) == [False, True]
    assert rows(engine, "SELECT count(*) FROM transaction_line") == [(5,)]


def test_a_later_file_adds_and_what_it_does_not_say_stands(engine: Engine, sales: Path, tmp_path: Path) -> None:
    load(engine, open_source(str(sales)))
    later = tmp_path / "later.csv"
    SALES.head(2).assign(order_id="9", product_name=["Lamp, brass", ""], country="").to_csv(later, index=False)
    outcome = load(engine, open_source(str(later)))
    assert new(engine, outcome) == (0, 0)
    assert rows(engine, "SELECT country FROM customer WHERE customer_id = '10'") == [("Italy",)]
    assert rows(engine, "SELECT name FROM product ORDER BY product_id") == [("Lamp, brass",), ("Chair",), ("POSTAGE",)]


def test_a_file_that_breaks_half_way_leaves_nothing(engine: Engine, sales: Path) -> None:
    source = open_source(str(sales))
    untouched = counts(engine)

    def breaking() -> Iterator[pa.RecordBatch]:
        yield from source.batches()
        raise InputError("sales.csv ends in the middle of a row.")

    with pytest.raises(InputError, match="middle of a row"):
        load(engine, replace(source, batches=breaking))
    assert counts(engine) == untouched


@pytest.mark.parametrize("statement", ["COPY", "INSERT INTO customer", "INSERT INTO product", "UPDATE load"])
def test_a_database_that_fails_anywhere_leaves_nothing(engine: Engine, sales: Path, statement: str) -> None:
    untouched = counts(engine)
    if statement == "COPY":
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE rejected_row ADD CONSTRAINT never CHECK (row_number < 0)"))
    else:

        @event.listens_for(engine, "before_cursor_execute", retval=True)
        def fail(*args: object) -> tuple[object, object]:
            said, values = args[2], args[3]
            return ("SELECT 1 / 0" if str(said).strip().startswith(statement) else said), values

    with pytest.raises(DatabaseError, match=r"sales\.csv was loaded .*; nothing was changed"):
        load(engine, open_source(str(sales)))
    assert counts(engine) == untouched


def test_a_file_none_of_whose_rows_can_be_read_is_refused(engine: Engine, sales: Path) -> None:
    SALES.assign(quantity="many").to_csv(sales, index=False)
    with pytest.raises(
        InputError, match=r"None of the 7 rows .*quantity: 6, such as 'many'; unparseable_date: 1, such as 'x'"
    ):
        load(engine, open_source(str(sales)))
    SALES.head(0).to_csv(sales, index=False)
    with pytest.raises(InputError, match="no rows"):
        load(engine, open_source(str(sales)))
    assert set(counts(engine).values()) == {0}


def test_one_mistyped_year_does_not_move_the_end_of_the_data(engine: Engine, sales: Path) -> None:
    today = datetime.now(UTC).replace(tzinfo=None)
    dates = [today + timedelta(days=days) for days in (-1, 0, 1, 3, 36_500)]
    SALES.head(5).assign(ordered_at=[f"{date:%Y-%m-%d %H:%M:%S}" for date in dates]).to_csv(sales, index=False)
    done = load(engine, open_source(str(sales))).load
    assert (done.rows_accepted, done.rejected) == (3, {"date_in_future": (2, Decimal(-7))})
    assert rows(engine, "SELECT max(ordered_at) FROM transaction_line") == [(dates[2].replace(microsecond=0),)]


def test_orders_of_a_shop_that_counts_from_c1001_are_no_returns(engine: Engine, sales: Path) -> None:
    SALES.head(3).assign(order_id=["C1001", "C1001", "C1002"]).to_csv(sales, index=False)
    load(engine, open_source(str(sales)))
    assert rows(engine, "SELECT count(*), count(*) FILTER (WHERE is_return) FROM transaction_line") == [(3, 0)]


def test_a_time_zone_nobody_knows_is_one_sentence_and_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    zoned = pa.array([0] * len(SALES), pa.int64()).cast(pa.timestamp("us", "Nowhere/Atall"))
    place = SALES.columns.get_loc("ordered_at")
    table = pa.table(SALES).set_column(place, "ordered_at", zoned)
    parquet.write_table(table, tmp_path / "zoned.parquet")
    for keep in (False, True):
        with pytest.raises(InputError, match=r"zoned\.parquet holds values .*Nowhere/Atall"):
            load(engine, open_source(str(tmp_path / "zoned.parquet")), keep_duplicates=keep)
    assert set(counts(engine).values()) == {0}


def test_strange_characters_arrive_as_they_are_or_are_rejected(engine: Engine, tmp_path: Path) -> None:
    names = ["a\r\nb", "\\.", "\\N", 'say "hi", twice', "\x01\x1f\x7f", "tab\there", "🦊", "nul\x00here", "back\\slash"]
    table = pa.table(
        {name: [SALES[name][0]] * len(names) for name in SALES if name != "product_id"}
        | {"product_id": [str(n) for n in range(len(names))], "product_name": names}
    )
    parquet.write_table(table, tmp_path / "odd.parquet")
    load(engine, open_source(str(tmp_path / "odd.parquet")))
    kept = [(str(n), name) for n, name in enumerate(names) if "\x00" not in name]
    assert rows(engine, "SELECT product_id, name FROM product ORDER BY 1") == kept
    assert rows(engine, "SELECT reason, raw ->> 'product_name' FROM rejected_row") == [("nul_character", "nul␀here")]


def test_the_sample_brings_people_and_products(engine: Engine) -> None:
    outcome = load(engine, open_source("sample", households=30))
    done = outcome.load
    assert done.rows_read == done.rows_accepted + done.rows_rejected
    assert new(engine, outcome)[0] == 30
    described = "SELECT attributes ->> 'age' FROM customer WHERE customer_id = '1'"
    assert rows(engine, described) == [("65+",)]
    assert rows(engine, "SELECT count(*) FROM product WHERE name IS NULL OR name LIKE '%NaN%'") == [(0,)]
    assert set(rows(engine, "SELECT DISTINCT brand FROM product WHERE brand IS NOT NULL")) == {
        ("National",),
        ("Private label",),
    }
    identity = "abs(quantity * unit_price - discount - amount) <= abs(quantity) * 0.0000005 + 0.00005"
    assert rows(engine, f"SELECT count(*) FROM transaction_line WHERE NOT {identity}") == [(0,)]
    orphans = (
        "SELECT count(*) FROM transaction_line LEFT JOIN customer USING (customer_id) "
        "LEFT JOIN product USING (product_id) "
        "WHERE product.product_id IS NULL OR (customer_id IS NOT NULL AND customer.customer_id IS NULL)"
    )
    assert rows(engine, orphans) == [(0,)]


def test_online_retail_is_accounted_for_to_the_cent(engine: Engine, retail_path: Path) -> None:
    done = load(engine, open_source(str(retail_path)), keep_duplicates=True).load
    assert done.rows_read == 541_909
    assert done.amount_read == Decimal("9747747.934")
    assert done.rows_accepted + done.rows_rejected == done.rows_read
    assert done.amount_accepted + done.amount_rejected == done.amount_read
    assert done.rejected == {"negative_price": (2, Decimal("-22124.12"))}
    assert rows(
        engine,
        "SELECT count(DISTINCT order_id), count(DISTINCT customer_id), count(*) FILTER (WHERE customer_id IS NULL), "
        "count(*) FILTER (WHERE is_return), count(DISTINCT country) FROM transaction_line",
    ) == [(25_898, 4_372, 135_078, 10_624, 38)]
    assert rows(engine, "SELECT count(*) FROM customer WHERE customer_id LIKE '%.%'") == [(0,)]


def test_online_retail_without_its_duplicates_in_every_format(
    engine: Engine, retail_path: Path, tmp_path: Path
) -> None:
    frame = pd.read_parquet(retail_path)
    repeated = frame.duplicated()
    assert repeated.sum() == 5_268
    part = frame[frame["InvoiceNo"].str[-2:] == "65"].reset_index(drop=True)
    american = part.assign(
        InvoiceDate=[f"{d.month}/{d.day}/{d.year} {d.hour}:{d.minute:02}" for d in part["InvoiceDate"]]
    )
    part.to_csv(tmp_path / "retail.csv", index=False)
    american.assign(CustomerID=part["CustomerID"].astype("float")).to_csv(tmp_path / "american.csv.gz", index=False)
    part.to_excel(tmp_path / "retail.xlsx", index=False)
    part.to_parquet(tmp_path / "retail.parquet")
    found = []
    for name in ("retail.parquet", "retail.csv", "american.csv.gz", "retail.xlsx"):
        load(engine, open_source(str(tmp_path / name)))
        found.append(content(engine))
        with engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {', '.join(TABLES)} CASCADE"))
    assert len(found[0]["rejected"]) == part.duplicated().sum() > 10
    assert len(found[0]["line"]) == len(part) - part.duplicated().sum()
    for other in found[1:]:
        assert other == found[0]


# the command


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr("etl.__main__.load_settings", lambda: settings)
    return CliRunner()


def test_the_command_reconciles_and_the_snapshot_follows(command: CliRunner, settings: Settings, sales: Path) -> None:
    said = command.invoke(app, ["load", str(sales)])
    assert said.exit_code == 0
    for words in ("37.00", "28.50", "rejected: duplicate", "2 new", "2024-01-31 to 2024-03-01", "20.0%"):
        assert words in said.output
    total = snapshot.open_newest(settings.data_dir).frame("SELECT sum(amount) AS amount FROM transaction_line")
    assert total["amount"].item() == 28.5
    again = command.invoke(app, ["load", str(sales)])
    assert (again.exit_code, "already loaded (load 1); nothing was changed" in again.output) == (0, True)
    assert (snapshot.newest_version(settings.data_dir), "--replace" in again.output) == (1, False)
    kept = command.invoke(app, ["load", str(sales), "--keep-duplicates"])
    assert "To load it anew with these options, add --replace 1." in kept.output
    kept = command.invoke(app, ["load", str(sales), "--keep-duplicates", "--replace", "1"])
    assert (kept.exit_code, "37.00" in kept.output, "rejected: duplicate" in kept.output) == (0, True, False)


def test_a_snapshot_that_cannot_be_written_hides_no_account(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, sales: Path
) -> None:
    nowhere = settings.model_copy(update={"data_dir": sales / "data"})  # below a file
    monkeypatch.setattr("etl.__main__.load_settings", lambda: nowhere)
    said = CliRunner().invoke(app, ["load", str(sales)])
    assert said.exit_code == 2
    for words in ("37.00", "28.50", "sales.csv is loaded (load 1)"):
        assert words in said.stdout
    assert said.stderr.count("\n") == 1
    assert "is in the record, and `python -m db snapshot`" in said.stderr


def test_the_command_says_one_sentence_and_exits_2(command: CliRunner, tmp_path: Path, sales: Path) -> None:
    sales.write_text("a,b\n1,2\n")
    for what in ("nowhere.csv", "sales.csv"):
        said = command.invoke(app, ["load", str(tmp_path / what)])
        assert said.exit_code == 2
        assert said.stderr.startswith("error: ")
        assert said.stderr.count("\n") == 1
