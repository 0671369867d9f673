"""Facts about the account of a load: every row and every cent, month by month, and what the load changed."""

import json
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from db import accounts, loads, snapshot
from db.queries import findings
from errors import ConfigurationError
from etl.__main__ import app
from etl.load import load
from etl.readers import open_source
from settings import Settings

SALES = pd.DataFrame(
    {
        "order_id": ["1", "1", "2", "3", "4", "4", "5"],
        "customer_id": ["10", "10", "11", "10", None, None, "11"],
        "product_id": ["A", "B", "A", "A", "POST", "POST", "B"],
        "ordered_at": [
            "2024-01-31 23:59:59",
            "2024-01-31",
            "2024-02-01",
            "2024-02-02",
            "2024-04-01",
            "2024-04-01",
            "x",
        ],
        "quantity": [2, 1, 1, -1, 1, 1, 1],
        "unit_price": [10.0, 5.5, 10.0, 10.0, 3.0, 3.0, 5.5],
    }
)


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    SALES.to_csv(path, index=False)
    return path


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr("etl.__main__.load_settings", lambda: settings)
    return CliRunner()


def test_an_account_is_what_the_file_says(engine: Engine, sales: Path) -> None:
    account = accounts.report(engine, load(engine, open_source(str(sales))).load.load_id)
    assert account.months == [
        accounts.Month("2024-01", 2, Decimal("25.5")),
        accounts.Month("2024-02", 2, Decimal(0)),
        accounts.Month("2024-04", 1, Decimal(3), rejected_rows=1, rejected_amount=Decimal(3)),
    ]
    extent = account.extent
    assert (extent.orders, extent.customers, extent.products) == (4, 2, 3)
    assert (extent.guest_rows, extent.guest_amount) == (1, Decimal(3))
    assert (account.customers_new, account.products_new) == (2, 3)
    assert (account.load.status, account.load.options["keep_duplicates"]) == ("done", False)


def test_an_account_tells_findings_and_what_other_loads_have(
    command: CliRunner, engine: Engine, settings: Settings, sales: Path
) -> None:
    load(engine, open_source(str(sales)))
    more = pd.concat([SALES.head(4), SALES.head(1).assign(order_id="9", ordered_at="2024-03-01")])
    more.to_csv(sales, index=False)
    account = accounts.report(engine, load(engine, open_source(str(sales))).load.load_id)
    assert (account.already_loaded, account.load.rows_accepted) == ({1: 4}, 1)
    assert [(part.month, part.rows, part.rejected_rows) for part in account.months] == [
        ("2024-01", 0, 2),
        ("2024-02", 0, 2),
        ("2024-03", 1, 0),
    ]
    snapshot.refresh(engine, settings.data_dir)
    (finding,) = findings.of_load(snapshot.open_newest(settings.data_dir), 1)
    assert (finding.rule, finding.rows, finding.amount) == ("returned", 1, Decimal(-10))
    assert finding.examples == [(4, "3", "A", "1 of 2 bought on 2024-01-31 in order 1")]
    said = command.invoke(app, ["report", "1"]).stdout
    assert "returned 1 -10.00 row 4, order 3, A: 1 of 2 bought on 2024-01-31 in order 1" in " ".join(said.split())
    assert "Already loaded: 4 by load 1." in command.invoke(app, ["report", "2"]).stdout
    undone = command.invoke(app, ["undo", "1"]).stdout
    assert "What other loads have too stays, and counts as theirs from now on: load 2." in undone
    account = accounts.report(engine, 2)
    assert (account.already_loaded, account.load.rows_accepted) == ({}, 5)


def test_what_lines_and_names_say_is_shown_as_text(command: CliRunner, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    file = folder / "odd\x1b[31m.csv"
    SALES.replace({"order_id": {"1": "1\x1b]0;A\x07"}, "product_id": {"A": "A\x1b[2J"}}).to_csv(file, index=False)
    (folder / "odd\x1b[31m.doc").touch()
    said = command.invoke(app, ["load", str(folder)]).stdout + command.invoke(app, ["report", "1"]).stdout
    assert "\x1b" not in said
    assert all(text in said for text in (r"odd\x1b[31m.doc", r"A\x1b[2J", r"1\x1b]0;A\x07"))


def test_a_snapshot_of_before_findings_tells_none(
    command: CliRunner, engine: Engine, settings: Settings, sales: Path
) -> None:
    load(engine, open_source(str(sales)))
    manifest = snapshot.refresh(engine, settings.data_dir) / "manifest.json"
    told = json.loads(manifest.read_text())
    del told["tables"]["line_flag"]
    manifest.write_text(json.dumps(told))
    said = command.invoke(app, ["report", "1"])
    assert (said.exit_code, "returned" in said.stdout) == (0, False)
    snapshot.refresh(engine, settings.data_dir)
    assert "returned" in command.invoke(app, ["report", "1"]).stdout


def test_new_is_who_and_what_no_earlier_load_has(engine: Engine, sales: Path, tmp_path: Path) -> None:
    first = load(engine, open_source(str(sales))).load.load_id
    later = tmp_path / "later.csv"
    SALES.head(3).assign(customer_id=["10", "12", "13"], product_id=["A", "B", "C"]).to_csv(later, index=False)
    second = load(engine, open_source(str(later))).load.load_id

    def new(load_id: int) -> tuple[int, int]:
        account = accounts.report(engine, load_id)
        return account.customers_new, account.products_new

    assert (new(first), new(second)) == ((2, 3), (2, 1))
    loads.undo(engine, first)
    assert (new(first), new(second)) == ((0, 0), (3, 3))


def test_online_retail_month_by_month(engine: Engine, retail_path: Path) -> None:
    frame = pd.read_parquet(retail_path)
    frame = frame[frame["UnitPrice"] >= 0]
    priced = zip(frame["UnitPrice"], frame["Quantity"], strict=True)
    exact = [Decimal(str(price)) * int(pieces) for price, pieces in priced]
    rows: Counter[str] = Counter()
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for month, amount in zip(frame["InvoiceDate"].dt.strftime("%Y-%m"), exact, strict=True):
        rows[month] += 1
        amounts[month] += amount
    account = accounts.report(engine, load(engine, open_source(str(retail_path)), keep_duplicates=True).load.load_id)
    assert [(part.month, part.rows, part.amount) for part in account.months] == [
        (month, rows[month], amounts[month]) for month in sorted(rows)
    ]
    guests = [amount for amount, guest in zip(exact, frame["CustomerID"].isna(), strict=True) if guest]
    assert (account.extent.guest_rows, account.extent.guest_amount) == (len(guests), sum(guests))
    refused = Decimal("-22124.12")  # the two rows "Adjust bad debt"
    assert sum(part.amount for part in account.months) == account.load.amount_accepted
    assert account.load.amount_accepted == Decimal("9747747.934") - refused
    assert len(guests) == 135_080 - 2


def test_there_is_no_account_of_a_load_that_is_not(engine: Engine) -> None:
    assert accounts.all_loads(engine) == []
    with pytest.raises(ConfigurationError, match="no load 1"):
        accounts.report(engine, 1)


# the command


def test_the_command_tells_what_the_load_told(command: CliRunner, sales: Path) -> None:
    told = command.invoke(app, ["load", str(sales)]).stdout
    said = command.invoke(app, ["report", "1"])
    assert said.exit_code == 0
    assert told.replace("sales.csv is loaded (load 1).\n", "") == said.stdout
    lines = [line.split() for line in said.stdout.splitlines()]
    for cells in (
        "read 7 37.00",
        "accepted 5 28.50",
        "rejected: duplicate 1 3.00",
        "rejected: unparseable date 1 5.50",
        "2024-01 2 25.50 0 0.00",
        "2024-02 2 0.00 0 0.00",
        "2024-04 1 3.00 1 3.00",
    ):
        assert cells.split() in lines
    assert lines[0][:4] == ["Load", "1,", "done:", "sales.csv,"]
    assert said.stdout.splitlines()[0].endswith("keep duplicates: no")
    assert (
        "4 orders from 2024-01-31 to 2024-04-01, 3 months touched; 2 customers (2 new), 3 products (3 new)"
        in said.stdout
    )
    assert "20.0% of the lines and 10.5% of the amount are guests'" in said.stdout


def test_the_command_lists_all_loads_newest_first(command: CliRunner, engine: Engine, sales: Path) -> None:
    assert "Nothing has been loaded yet" in command.invoke(app, ["report"]).stdout
    load(engine, open_source(str(sales)))
    loads.undo(engine, 1)
    load(engine, open_source(str(sales)), keep_duplicates=True)
    said = command.invoke(app, ["report"])
    assert said.exit_code == 0
    rows = [line.split() for line in said.stdout.splitlines()[1:]]
    assert [row[:2] + row[-3:] for row in rows] == [
        ["2", "sales.csv", "done", "6", "31.50"],
        ["1", "sales.csv", "undone", "5", "28.50"],
    ]


def test_an_undone_load_tells_what_was_read(command: CliRunner, engine: Engine, sales: Path) -> None:
    load(engine, open_source(str(sales)))
    loads.undo(engine, 1)
    said = command.invoke(app, ["report", "1"])
    assert said.exit_code == 0
    assert said.stdout.startswith("Load 1, undone: sales.csv")
    assert ["accepted", "5", "28.50"] in [line.split() for line in said.stdout.splitlines()]
    assert "2024-01 " not in said.stdout


def test_a_load_whose_amounts_cancel_has_no_share_of_nothing(command: CliRunner, engine: Engine, sales: Path) -> None:
    SALES.iloc[[2, 3]].to_csv(sales, index=False)
    load(engine, open_source(str(sales)))
    assert "; 0.0% of the lines are guests'." in command.invoke(app, ["report", "1"]).stdout


def test_an_unknown_load_is_one_sentence_and_exit_code_2(command: CliRunner) -> None:
    said = command.invoke(app, ["report", "3"])
    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr == "error: There is no load 3; `python -m etl report` lists the loads.\n"
