"""Facts about files that cannot be loaded: one sentence, exit code 2, and neither database nor disk show a trace."""

import gc
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from db import schema
from etl.__main__ import app
from etl.load import load
from etl.readers import open_source
from settings import Settings
from tests.hostile import HOSTILE, LINE, LINES, TEXT, Hostile, lines, written

MOST_MEMORY = 700 << 10
MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""  # a small process in between: a child's peak counts what its parent had when it started it
"""Kilobytes: what the interpreter and its libraries take, about 250 MB, and room for no bomb."""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the files of a test; beside it are the shop's own data and all temporary files."""
    for folder in ("files", "scratch"):
        (tmp_path / folder).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    return tmp_path / "files"


@pytest.fixture
def command(settings: Settings, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command on a shop in which something stands already."""
    monkeypatch.setattr("etl.__main__.load_settings", lambda: settings)
    load(engine, open_source(str(lines("0,bob,B,2023-12-31,1,9.99", name="standing.csv")(tmp_path))))
    return CliRunner()


def digest(engine: Engine) -> dict[str, object]:
    """Table -> checksum of its rows in any order."""
    with engine.connect() as connection:
        return {
            table.name: connection.execute(
                text(f"SELECT md5(string_agg(t::text, ';' ORDER BY t::text)) FROM {table.name} AS t")
            ).scalar_one()
            for table in (*schema.RECORD_TABLES, schema.load, schema.rejected_row)
        }


def everything(folder: Path) -> set[Path]:
    """All files below a folder."""
    gc.collect()
    return set(folder.rglob("*"))


def is_one_sentence(said: str) -> bool:
    """One line of plain text that begins and ends as an error does."""
    return re.fullmatch(r"error: [^\n]+\.\n", said) is not None and said[:-1].isprintable()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_it_is_told_in_one_sentence_and_changes_nothing(
    command: CliRunner, engine: Engine, hostile: Hostile, files: Path, tmp_path: Path
) -> None:
    path = hostile.make(files)
    before = digest(engine), everything(tmp_path)
    result = command.invoke(app, ["load", str(path)])
    code, out, said = result.exit_code, result.stdout, result.stderr
    del result  # it holds what the command held
    assert (code, out) == (2, "")
    assert is_one_sentence(said)
    assert re.search(hostile.said, said)
    assert (digest(engine), everything(tmp_path)) == before


@pytest.mark.parametrize(
    "name",
    [
        "truncated gz",
        "gz bomb",
        "zst bomb",
        "xlsx bomb that lies",
        "a cell of 5 MB",
        "10,000 columns",
        "all rows broken",
        "/dev/zero",
        "a name with escape characters",
        "a name in no encoding",
    ],
)
def test_the_real_command_does_the_same_in_little_memory(
    name: str, settings: Settings, engine: Engine, files: Path, tmp_path: Path
) -> None:
    path = HOSTILE[name].make(files)
    before = digest(engine), everything(tmp_path)
    assert settings.database_url is not None
    told = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "SPECTRUM_DATA_DIR": str(tmp_path),
        "TMPDIR": tempfile.gettempdir(),
    }
    command = [sys.executable, "-c", MEASURED, sys.executable, "-m", "etl", "load", str(path)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env={**os.environ, **told}, capture_output=True, check=False)
    *out, most = done.stdout.decode().splitlines()
    said = done.stderr.decode()
    assert (done.returncode, out) == (2, [])
    assert is_one_sentence(said)
    assert re.search(HOSTILE[name].said, said)
    assert int(most) < MOST_MEMORY
    assert (digest(engine), everything(tmp_path)) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text(TEXT + f"{LINE}\n"),
        lambda path: path.write_text(TEXT[: len(TEXT) // 2]),
        lambda path: path.write_text(TEXT.replace("ann", "bob")),
        Path.unlink,
    ],
    ids=["it grows", "it is cut", "it is written anew", "it goes away"],
)
@pytest.mark.parametrize("name", ["sales.csv", "sales.parquet"])
def test_a_file_that_changes_while_it_is_read(
    command: CliRunner,
    engine: Engine,
    files: Path,
    change: Callable[[Path], object],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = written("sales.csv", TEXT)(files)
    if name == "sales.parquet":
        pd.read_csv(path).to_parquet(files / name)
        path = files / name
    before = digest(engine)

    def opened(*args: object, **options: object) -> object:
        source = open_source(str(path))
        change(path)
        return source

    monkeypatch.setattr("etl.__main__.open_source", opened)
    result = command.invoke(app, ["load", str(path)])
    assert (result.exit_code, is_one_sentence(result.stderr)) == (2, True)
    assert "sales" in result.stderr
    assert digest(engine) == before


MAPPINGS = {
    "no TOML": (written("m.toml", "columns: [\n"), "m.toml is no mapping file"),
    "a picture": (written("m.toml", b"\x89PNG\r\n\xff\xfe"), "m.toml is no mapping file"),
    "empty": (written("m.toml", ""), "The key columns of m.toml does not fit"),
    "a key nobody knows": (written("m.toml", 'colums = "x"\n[columns]\n'), "The key colums of m.toml is not known"),
    "a key of another type": (written("m.toml", "day_first = 1\n[columns]\n"), "The key day_first .* true or false"),
    "a meaning nobody knows": (written("m.toml", '[columns]\nprice_of = "x"\n'), "The key columns of m.toml does not"),
    "a column the file lacks": (written("m.toml", '[columns]\norder_id = "Order"\n'), "names the columns Order, and"),
    "too few columns": (written("m.toml", '[columns]\norder_id = "order_id"\n'), "names no column .* for product_id"),
    "another encoding": (written("m.toml", '[columns]\n[file]\nencoding = "utf-99"\n'), "file.encoding of m.toml"),
    "bytes as an encoding": (written("m.toml", '[columns]\n[file]\nencoding = "base64"\n'), "file.encoding of m.toml"),
    "a line beyond the file": (written("m.toml", "[columns]\n[file]\nheader_line = 9999\n"), "no column names on line"),
    "nested beyond measure": (written("m.toml", "a = " + "[" * 100_000), "m.toml is no mapping file"),
    "a folder": (lambda folder: folder, "cannot be opened"),
    "no file": (lambda folder: folder / "m.toml", "cannot be opened"),
    "a pipe": (HOSTILE["a pipe"].make, "pipe.csv is no mapping file"),
    "a device": (HOSTILE["/dev/zero"].make, "device.csv is no mapping file"),
    "too large": (written("m.toml", "#" * (2 << 20)), "m.toml is no mapping file"),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("make", "words"), MAPPINGS.values(), ids=MAPPINGS)
def test_a_mapping_that_is_none(
    command: CliRunner, engine: Engine, files: Path, make: Callable[[Path], Path], words: str
) -> None:
    path, before = written("sales.csv", TEXT)(files), digest(engine)
    result = command.invoke(app, ["load", str(path), "--mapping", str(make(files))])
    assert (result.exit_code, result.stdout, is_one_sentence(result.stderr)) == (2, "", True)
    assert re.search(words, result.stderr)
    assert digest(engine) == before


def _small_decimals(folder: Path) -> Path:
    table = pa.table(pd.read_csv(io.StringIO(TEXT)))
    prices = table["unit_price"].cast(pa.decimal32(7, 2))
    parquet.write_table(table.set_column(5, "unit_price", prices), folder / "small.parquet")
    return folder / "small.parquet"


HARMLESS = {
    "decimals of 32 bits": _small_decimals,
    "CRLF and LF": written("a.csv", TEXT.replace("\n", "\r\n", 700)),
    "CR alone": written("a.csv", TEXT.replace("\n", "\r")),
    "CR between rows of LF": written("a.csv", TEXT.replace("\n", "\r", 700)),
    "a mark of UTF-8": written("a.csv", TEXT.encode("utf-8-sig")),
    "blank lines at the end": written("a.csv", TEXT + "\n\r\n\n"),
    "blank lines between": written("a.csv", TEXT.replace("\n", "\n\n", 700)),
    "no end of the last line": written("a.csv", TEXT.rstrip("\n")),
    "columns without a name or content": written("a.csv", TEXT.replace("\n", ",,\n")),
    "all in quotation marks": written(
        "a.csv", "".join(f'"{line}"\n'.replace(",", '","') for line in TEXT.splitlines())
    ),
    "a suffix in capitals": written("A.CSV", TEXT),
    "a name of two lines": written("two\nlines.csv", TEXT),
    "a name with escape characters": written("\x1b[31mred\x07.csv", TEXT),
    "a name in markup": written("[bold]x[] :smile: x\\.csv", TEXT),
    "a name in no encoding": written(os.fsdecode(b"caf\xe9.csv"), TEXT),
}


@pytest.mark.parametrize("make", HARMLESS.values(), ids=HARMLESS)
def test_its_harmless_cousins_load(
    command: CliRunner, engine: Engine, files: Path, make: Callable[[Path], Path]
) -> None:
    result = command.invoke(app, ["load", str(make(files))])
    assert (result.exit_code, result.stderr) == (0, "")
    assert all(character.isprintable() for character in result.stdout.replace("\n", ""))
    told = "SELECT rows_read, rows_accepted, amount_accepted FROM load ORDER BY load_id DESC LIMIT 1"
    pieces = sum(range(1, len(LINES) + 1))
    with engine.connect() as connection:
        assert tuple(connection.execute(text(told)).one()) == (len(LINES), len(LINES), pieces * 5 / 2)
