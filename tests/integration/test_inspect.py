"""Facts about looking at a file first: what is shown, the mapping that is written, rejected rows mended and loaded."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from etl import mapping_file
from etl.__main__ import app
from settings import Settings
from tests.shapes import FOLDER, SHAPES, Shape, mangled

AMBIGUOUS = """Bon;Artikel;Menge;Betrag;Wann
1;Lampe;2;1.250;01.02.2024
1;Stuhl;1;2.000;03.04.2024
2;Lampe;viele;3.500;05.06.2024
3;Lampe;;4.750;05.06.2024
"""

ANSWERED = """day_first = true
[columns]
order_id = "Bon"
product_name = "Artikel"
quantity = "Menge"
amount = "Betrag"
ordered_at = "Wann"
[decimals]
amount = ","
"""
LINES = "SELECT order_id, product_id, to_char(ordered_at, 'YYYY-MM-DD'), quantity, amount FROM transaction_line"


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("etl.__main__.load_settings", lambda: settings)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def ambiguous(tmp_path: Path) -> Path:
    path = tmp_path / "kasse.csv"
    path.write_text(AMBIGUOUS, encoding="utf-8")
    return path


def ran(result: Result, code: int = 0) -> str:
    assert result.exit_code == code, result.output
    return str(result.output)


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.file)
def test_a_mapping_as_written_gives_the_same_lines(run: Any, engine: Engine, shape: Shape, tmp_path: Path) -> None:
    twin, mapping = mangled(shape, tmp_path), tmp_path / "m.toml"
    ran(run("inspect", twin, "--write", mapping))
    layout, form = mapping_file.read(mapping)
    assert (layout.day_first, form.header_line) == (True, 3)
    ran(run("load", twin, "--mapping", mapping))
    assert rows(engine, "SELECT amount_accepted FROM load") == [(shape.amount,)]
    again = json.loads(ran(run("inspect", twin, "--mapping", mapping, "--json")))
    assert {column["why"] for column in again["columns"] if column["meaning"]} == {"given"}
    assert again["questions"] == []


def test_what_is_open_is_asked_and_the_answer_loads(run: Any, engine: Engine, ambiguous: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "kasse.toml"
    said = ran(run("inspect", ambiguous, "--write", mapping))
    assert "Missing: order_id, product_id (or product_name), ordered_at, unit_price (or amount)." in said
    assert "cannot be loaded so" in said
    text = mapping.read_text()
    for column in ("Bon", "Artikel", "Menge", "Betrag", "Wann"):
        assert f'# = "{column}"' in text
    columns = 'order_id = "Bon"\nproduct_name = "Artikel"\nquantity = "Menge"\namount = "Betrag"\nordered_at = "Wann"\n'
    mapping.write_text(text.replace("[columns]\n", f"[columns]\n{columns}"))
    told = json.loads(ran(run("inspect", ambiguous, "--mapping", mapping, "--json")))
    assert told["missing"] == []
    dates, numbers = told["questions"]
    assert "such as 01.02.2024, can have the day or the month first" in dates["question"]
    assert dates["lines"] == ["day_first = true", "day_first = false"]
    assert "Betrag of kasse.csv has 1.250" in numbers["question"]
    assert 'amount = ","' in numbers["lines"]
    assert "say it by `day_first` in a mapping file" in ran(run("load", ambiguous, "--mapping", mapping), 2)
    answered = mapping.read_text().replace("# day_first = false", "day_first = true")
    mapping.write_text(answered.replace("[decimals]\n", '[decimals]\namount = ","\n'))
    told = json.loads(ran(run("inspect", ambiguous, "--mapping", mapping, "--json")))
    assert (told["questions"], told["mapping"]["decimals"]) == ([], {"amount": ","})
    ran(run("load", ambiguous, "--mapping", mapping))
    assert rows(engine, LINES) == [
        ("1", "Lampe", "2024-02-01", 2, 1250),
        ("1", "Stuhl", "2024-04-03", 1, 2000),
    ]
    assert rows(engine, "SELECT rows_rejected FROM load") == [(2,)]


def test_rejected_rows_are_mended_and_loaded(run: Any, engine: Engine, ambiguous: Path, tmp_path: Path) -> None:
    (tmp_path / "kasse.toml").write_text(ANSWERED)
    ran(run("load", ambiguous, "--mapping", tmp_path / "kasse.toml"))
    mend = tmp_path / "mend.csv"
    said = ran(run("rejected", 1, "--to", mend))
    assert f"2 rejected rows of load 1 are in {mend}" in said
    assert f"load {mend} --mapping {mend.with_suffix('.toml')}" in said
    assert mend.read_text() == (
        "Bon,Artikel,Menge,Betrag,Wann,rejected_because,row_number\n"
        "2,Lampe,viele,3.500,05.06.2024,invalid_quantity,3\n"
        "3,Lampe,,4.750,05.06.2024,missing_quantity,4\n"
    )
    assert ran(run("rejected", 1)) == mend.read_text()
    mend.write_text(mend.read_text().replace("viele", "7"))
    ran(run("load", mend, "--mapping", mend.with_suffix(".toml")))
    assert rows(engine, f"{LINES} WHERE load_id = 2") == [("2", "Lampe", "2024-06-05", 7, 3500)]
    still = ran(run("rejected", 2))
    assert still.splitlines()[0] == "Bon,Artikel,Menge,Betrag,Wann,rejected_because,row_number"
    assert still.splitlines()[1:] == ["3,Lampe,,4.750,05.06.2024,missing_quantity,2"]


def test_where_nothing_is_rejected_nothing_is_written(run: Any, engine: Engine, tmp_path: Path) -> None:
    ran(run("load", FOLDER / "superstore.csv"))
    (number,) = rows(engine, "SELECT load_id FROM load")[0]
    said = ran(run("rejected", number, "--to", tmp_path / "m.csv"))
    assert said == f"Load {number} has no rejected rows to mend; nothing is written.\n"
    assert list(tmp_path.glob("m.*")) == []


def test_letters_that_the_locale_lacks_are_told_all_the_same() -> None:
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    words = [sys.executable, "-m", "etl", "inspect", str(FOLDER / "shopify.csv")]
    done = subprocess.run(words, env=plain, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "Crème brûlée torch" in done.stdout.decode("utf-8")


def test_a_rejected_row_keeps_the_order_that_the_rows_above_it_told(run: Any, engine: Engine, tmp_path: Path) -> None:
    bons = tmp_path / "bons.csv"
    bons.write_text("Bon,Artikel,Menge,Betrag,Wann\n1,Hut,viele,5,2024-01-31\n2,Hut,1,5,2024-02-01\n,Schal,x,3,\n")
    mapping = tmp_path / "bons.toml"
    mapping.write_text(ANSWERED.replace("[columns]", 'carried = ["order_id", "ordered_at"]\n[columns]'))
    ran(run("load", bons, "--mapping", mapping))
    mend = tmp_path / "mend.csv"
    ran(run("rejected", 1, "--to", mend))
    mend.write_text(mend.read_text().replace("viele", "1").replace("x", "2"))
    ran(run("load", mend, "--mapping", mend.with_suffix(".toml")))
    assert rows(engine, f"{LINES} WHERE load_id = 2 ORDER BY 1") == [
        ("1", "Hut", "2024-01-31", 1, 5),
        ("2", "Schal", "2024-02-01", 2, 3),
    ]


def test_rejected_customers_are_mended_without_attributes_of_ours(run: Any, engine: Engine, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("Client No,Country,Consent\n7,FR,yes\n8,DE,perhaps\n")
    told = json.loads(ran(run("inspect", people, "--as", "customers", "--json")))
    (part,) = told["rejected"]
    assert (part["reason"], part["rows"], part["first_row"]) == ("invalid_consent", 1, 2)
    shown = {"row_number": "1", "customer_id": "7", "country": "FR", "attributes": '{"consent":true}'}
    assert told["preview"] == [shown]
    ran(run("load", people, "--as", "customers"))
    mend = tmp_path / "mend.csv"
    ran(run("rejected", 1, "--to", mend))
    mend.write_text(mend.read_text().replace("perhaps", "no"))
    ran(run("load", mend, "--mapping", mend.with_suffix(".toml")))
    said = "SELECT customer_id, country, attributes ->> 'consent', attributes - 'consent' FROM load_customer"
    assert rows(engine, f"{said} WHERE load_id = 2") == [("8", "DE", "false", {})]


def test_nothing_is_written_over(run: Any, tmp_path: Path) -> None:
    there = tmp_path / "m.toml"
    there.write_text("mine")
    plain = FOLDER / "plain.csv"
    assert "There is a file" in ran(run("inspect", plain, "--write", there), 2)
    assert there.read_text() == "mine"
    ran(run("inspect", plain, "--write", there, "--force"))
    assert there.read_text().startswith("# How plain.csv is read.")
    ran(run("load", plain))
    assert "There is a file" in ran(run("rejected", 1, "--to", there.with_suffix(".csv")), 2)
    assert "name it .csv" in ran(run("rejected", 1, "--to", tmp_path / "mend.toml"), 2)
    assert "cannot be written" in ran(run("inspect", plain, "--write", tmp_path / "nowhere" / "m.toml"), 2)


def test_what_a_file_says_is_shown_as_text(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    lines = "Order ID,SKU,Price,Date,[bold]x\x1b[31m", "1,\x1b]0;A\x07,2,2024-01-31,1", "[red]2[/],=1+1,2,2024-02-01,1"
    path.write_text("\n".join(lines))
    said = ran(run("inspect", path))
    assert "\x1b" not in said
    assert r"Not used: [bold]x\x1b[31m" in said
    assert all(cell in said for cell in (r"\x1b]0;A\x07", "[red]2[/]", "=1+1"))


def test_what_cannot_be_is_one_sentence(run: Any, tmp_path: Path) -> None:
    assert "There is no load 7" in ran(run("rejected", 7), 2)
    assert "cannot be opened" in ran(run("load", FOLDER / "plain.csv", "--mapping", tmp_path / "nowhere.toml"), 2)
    (tmp_path / "m.toml").write_text('[columns]\norder_id = "Bon"\n')
    for command in ("load", "inspect"):
        said = ran(run(command, FOLDER / "plain.csv", "--mapping", tmp_path / "m.toml"), 2)
        assert "The mapping names the columns Bon, and plain.csv has none of that name" in said
    assert "broken" in ran(run("inspect", _broken(tmp_path)), 2)


def _broken(folder: Path) -> Path:
    path = folder / "broken.xlsx"
    path.write_bytes(b"PK\x03\x04" + b"\x00\x81" * 200)
    return path
