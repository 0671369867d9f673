"""Facts about what a file's rows tell together, and what was assumed of it: it is said, and kept with the load."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from db import accounts
from errors import InputError
from etl.__main__ import app
from etl.inspection import inspected
from etl.load import load
from etl.readers import open_source
from etl.readers.base import Source
from settings import Settings
from tests.shapes import FOLDER, SHAPES, mangled

SHOPIFY = next(shape for shape in SHAPES if shape.file == "shopify.csv")
ONE_PIECE = "No column tells quantities: each row is taken for one piece."
GUESTS = "No column tells customers: all lines are taken for guests'."
NAMES = "No column tells product ids: a product goes by its name."
TILL = "Order ID,Product,Order Date,Price,Buyer\n1,Lamp,2024-01-02,10,K1\n2,Lamp,2024-01-03,12,K2\n"


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("etl.__main__.load_settings", lambda: settings)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def of_currencies(*batches: list[str | None]) -> Source:
    """One order a row, all prices 10."""
    parts, number = [], 0
    for batch in batches:
        names = [str(number + place) for place in range(len(batch))]
        number += len(batch)
        rows = {"Order ID": names, "SKU": ["A"] * len(batch), "Qty": ["1"] * len(batch), "Price": ["10"] * len(batch)}
        dates = ["2024-01-02"] * len(batch)
        parts.append(pa.record_batch({**rows, "Order Date": dates, "Currency": pa.array(batch, pa.string())}))
    return Source("sales.csv", "of currencies", parts[0].schema.names, number, lambda: iter(parts))


def test_a_second_currency_is_refused_however_late_it_comes(engine: Engine) -> None:
    late = of_currencies(["EUR"] * 6000, ["EUR"] * 6000, ["EUR", "EUR", "SEK"])
    with pytest.raises(InputError, match=r"sales\.csv has .* \(EUR, and in row 12,003 SEK\); export each currency"):
        load(engine, late)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM load")).scalar_one() == 0
    asked = inspected(late).questions
    assert [("EUR, and in row 12,003 SEK" in one.question, list(one.lines)) for one in asked] == [(True, [])]


def test_one_currency_however_it_is_written_loads_and_is_named(engine: Engine) -> None:
    one = of_currencies(["SEK", None, " "], ["sek ", "SEK"])
    assert "The amounts are in SEK." in inspected(one).remarks
    done = load(engine, one).load
    assert done.amount_accepted == Decimal(50)
    assert done.options["remarks"] == [GUESTS, "The amounts are in SEK."]


def test_what_is_off_whole_orders_is_summed_up(engine: Engine, tmp_path: Path) -> None:
    with (FOLDER / SHOPIFY.file).open(encoding="utf-8", newline="") as file:
        sold = [row for row in csv.DictReader(file) if row["Financial Status"] in ("paid", "partially_refunded")]
    discounts = sum(Decimal(row["Discount Amount"] or 0) for row in sold)
    refunds = sum(Decimal(row["Refunded Amount"] or 0) for row in sold)
    assert discounts > 0
    named = [("Discount Amount", discounts), ("Refunded Amount", refunds)]
    off = " and ".join(f"{name} ({total} in accepted rows)" for name, total in named if total)
    for path in (FOLDER / SHOPIFY.file, mangled(SHOPIFY, tmp_path)):
        done = load(engine, open_source(str(path))).load
        told = [remark for remark in done.options["remarks"] if "whole orders" in remark]
        assert told == [
            f"{off} {'are' if refunds else 'is'} of whole orders and not subtracted, because the file does not say of "
            "which lines."
        ]
        with engine.begin() as connection:
            connection.execute(text("TRUNCATE load, transaction_line, rejected_row, product, customer CASCADE"))


def test_what_was_assumed_is_told_by_the_load_and_told_again(run: Any, engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "till.csv"
    path.write_text(TILL)
    for words in (["inspect", path], ["load", path], ["report", 1]):
        lines = run(*words).output.splitlines()
        assert {ONE_PIECE, NAMES} <= set(lines)
        assert GUESTS not in lines
    assert accounts.report(engine, 1).load.options["remarks"] == [ONE_PIECE, NAMES]


def test_a_mapping_is_told_by_what_it_says(run: Any, engine: Engine, tmp_path: Path) -> None:
    path, mapping = tmp_path / "till.csv", tmp_path / "till.toml"
    path.write_text(TILL)
    run("inspect", path, "--write", mapping)
    told = mapping.read_text()
    assert json.loads(run("inspect", path, "--mapping", mapping, "--json").output)["remarks"] == [ONE_PIECE, NAMES]
    mapping.write_text(told.replace('customer_id = "Buyer"\n', ""))
    assert run("load", path, "--mapping", mapping).exit_code == 0
    assert accounts.report(engine, 1).load.options["remarks"] == [ONE_PIECE, GUESTS, NAMES]


def test_ctrl_c_in_the_middle_of_a_copy_is_one_sentence(
    run: Any, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> bytes:
        raise KeyboardInterrupt

    path = tmp_path / "till.csv"
    path.write_text(TILL)
    with monkeypatch.context() as patch:
        patch.setattr("db.bulk._ChunkReader.read", interrupt)  # as psycopg2 calls it
        done = run("load", path)
    assert done.exit_code == 130
    assert done.output == "The load of till.csv was broken off and nothing was changed.\n"
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM load")).scalar_one() == 0
    assert run("load", path).exit_code == 0


def test_of_a_folder_each_remark_is_told_once(run: Any, engine: Engine, tmp_path: Path) -> None:
    for name in ("north", "south"):
        (tmp_path / f"{name}.csv").write_text(TILL.replace("K1", name))
    lines = run("load", tmp_path).output.splitlines()
    assert f"{ONE_PIECE} (2 files)" in lines
    assert f"{NAMES} (2 files)" in lines
