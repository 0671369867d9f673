"""Facts about a folder, a pattern and a query as the load command takes them: each file a load of its own."""

import sqlite3
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner, Result

from db import accounts, snapshot
from etl.__main__ import app
from settings import Settings

LINE = {"customer_id": "7", "product_id": "A", "ordered_at": "2024-01-31", "quantity": 2, "unit_price": 1.5}


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    assert settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("SPECTRUM_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    """Two months of sales in files of two kinds, and what else lies about in a folder."""
    folder = tmp_path / "exports"
    (folder / "old").mkdir(parents=True)
    for name, order in (("2024-02.csv", "2"), ("2024-01.csv", "1"), ("old/2023-12.csv", "0")):
        pd.DataFrame([{"order_id": order, **LINE}]).to_csv(folder / name, index=False)
    pd.DataFrame([{"order_id": "3", **LINE}]).to_excel(folder / "2024-03.xlsx", index=False)
    (folder / "notes.doc").write_text("not sales")
    (folder / ".2024-03.csv.swp").write_text("not sales")
    return folder


def names(engine: Engine) -> list[str]:
    """The names of the loads that stand, the oldest first."""
    return [load.name for load in reversed(accounts.all_loads(engine)) if load.status == "done"]


def said(result: Result, *parts: str) -> None:
    for part in parts:
        assert part in result.output, result.output


def test_each_file_of_a_folder_is_a_load_in_the_order_of_the_names(
    command: CliRunner, engine: Engine, settings: Settings, exports: Path
) -> None:
    result = command.invoke(app, ["load", str(exports)])
    assert result.exit_code == 0, result.output
    assert names(engine) == ["2024-01.csv", "2024-02.csv", "2024-03.xlsx"]
    said(result, "Skipped, being hidden or of no known kind", "notes.doc", ".2024-03.csv.swp")
    assert snapshot.newest_version(settings.data_dir) == 1, "one snapshot for all of them"


def test_a_file_added_later_adds_only_itself(command: CliRunner, engine: Engine, exports: Path) -> None:
    command.invoke(app, ["load", str(exports)])
    pd.DataFrame([{"order_id": "4", **LINE}]).to_parquet(exports / "2024-04.parquet")
    result = command.invoke(app, ["load", str(exports)])
    assert result.exit_code == 0
    assert names(engine) == ["2024-01.csv", "2024-02.csv", "2024-03.xlsx", "2024-04.parquet"]
    assert result.output.count("already loaded") == 3


def test_a_pattern_reaches_into_folders_and_over_names(command: CliRunner, engine: Engine, exports: Path) -> None:
    assert command.invoke(app, ["load", str(exports / "**" / "*.csv")]).exit_code == 0
    assert names(engine) == ["2024-01.csv", "2024-02.csv", "2023-12.csv"]


def test_one_file_that_fails_is_said_and_the_others_go_on(command: CliRunner, engine: Engine, exports: Path) -> None:
    (exports / "2024-01.csv").write_text("colour,size\nred,3\n")
    result = command.invoke(app, ["load", str(exports)])
    assert result.exit_code == 2
    assert names(engine) == ["2024-02.csv", "2024-03.xlsx"]
    said(result, "2024-01.csv has the columns colour, size", "not loaded", "1 of 3 files could not be loaded")


def test_a_folder_where_all_fail_leaves_the_shop_empty(command: CliRunner, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "broken.parquet").write_text("not Parquet")
    result = command.invoke(app, ["load", str(tmp_path / "only")])
    assert result.exit_code == 2
    assert accounts.all_loads(engine) == []


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("", "no file that can be read (notes.doc cannot)"),
        ("*.csv", "*.csv has no file"),
        ("n" * 300, "File name too long"),
        ("none.csv", "There is no file"),
    ],
)
def test_a_folder_or_pattern_without_files_is_one_sentence(
    what: str, words: str, command: CliRunner, tmp_path: Path
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "notes.doc").write_text("not sales")
    result = command.invoke(app, ["load", f"{folder}/{what}"])
    assert (result.exit_code, result.output.count("error:")) == (2, 1)
    said(result, words.replace("notes.doc", str(folder / "notes.doc")))


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(command: CliRunner, engine: Engine, exports: Path) -> None:
    (exports / "2024-01.csv").rename(exports / "sales [1].csv")
    assert command.invoke(app, ["load", str(exports / "sales [1].csv")]).exit_code == 0
    assert names(engine) == ["sales [1].csv"]


def test_the_rows_of_a_query_are_loaded_once(command: CliRunner, engine: Engine, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        pd.DataFrame([{"order_id": "1", **LINE}, {"order_id": "2", **LINE}]).to_sql("sale", connection, index=False)
    connection.close()
    call = ["load", f"sqlite:///{tmp_path / 'shop.db'}", "--query", "SELECT * FROM sale"]
    first, again = command.invoke(app, call), command.invoke(app, call)
    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    said(again, "is already loaded (load 1)")
    with engine.connect() as link:
        assert link.execute(text("SELECT count(*), sum(amount) FROM transaction_line")).one() == (2, 6)
