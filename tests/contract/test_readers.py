"""Facts every reader keeps: the same table in, the same lines out; a file that is not what it says is one sentence."""

import gzip
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from errors import ConfigurationError, InputError
from etl.mapping import detect
from etl.readers import READERS, open_source
from etl.readers.base import Scratch
from tests.cleaning import lines, repeats

SALES = pd.DataFrame(
    {
        "InvoiceNo": ["536365", "C536379", "536370", "536371"],
        "StockCode": ["85123A", "22423", "POST", "22423"],
        "Description": ["CAFÉ “HEART”, white", "line one\nline two", None, "\\."],
        "Quantity": [6, -1, 3, 12],
        "InvoiceDate": [
            datetime.fromisoformat(text)
            for text in ("2010-12-01 08:26", "2010-12-01 09:41:30", "2011-01-04", "2011-12-09 12:50")
        ],
        "UnitPrice": [2.55, 27.5, 18.0, 0.001],
        "CustomerID": pd.array([17850, 14527, None, 12583], dtype="Int64"),
        "Country": ["United Kingdom", "EIRE", "France", "France"],
    }
)


def _text(delimiter: str, pack: Callable[[bytes], bytes] = bytes) -> Callable[[pd.DataFrame, Path], None]:
    return lambda frame, path: _write(path, pack(frame.to_csv(index=False, sep=delimiter).encode()))


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


def _excel(frame: pd.DataFrame, path: Path) -> None:
    frame.to_excel(path.with_suffix(".xlsx"), index=False)
    path.with_suffix(".xlsx").rename(path)


WRITERS: Mapping[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": _text(","),
    ".csv.gz": _text(",", gzip.compress),
    ".csv.zst": _text(",", _zstd),
    ".tsv": _text("\t"),
    ".tsv.gz": _text("\t", gzip.compress),
    ".tsv.zst": _text("\t", _zstd),
    ".txt": _text("\t"),
    ".xlsx": _excel,
    ".xlsm": _excel,
    **dict.fromkeys((".xlsb", ".xls", ".ods"), _excel),  # nothing here writes these; their reader goes by the content
    ".parquet": lambda frame, path: frame.to_parquet(path),
}


def expected(tmp_path: Path) -> list[dict[str, object]]:
    SALES.to_parquet(tmp_path / "expected.parquet")
    return lines(open_source(str(tmp_path / "expected.parquet")))


@pytest.fixture(params=sorted(READERS))
def suffix(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    assert name in WRITERS, f"add a writer of {name} to WRITERS, so that its reader is tested like the others"
    return name


def test_the_same_table_gives_the_same_lines_in_every_format(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"sales{suffix}"
    WRITERS[suffix](SALES, path)
    source = open_source(str(path))
    assert lines(source) == expected(tmp_path)
    assert lines(source) == expected(tmp_path), "a source can be read twice"
    assert source.rows >= len(SALES)
    assert list(source.columns) == list(SALES.columns)
    assert source.name == path.name


def test_the_content_is_known_under_any_name(suffix: str, tmp_path: Path) -> None:
    one, two, other = (tmp_path / f"{name}{suffix}" for name in ("one", "two", "other"))
    WRITERS[suffix](SALES, one)
    two.write_bytes(one.read_bytes())
    WRITERS[suffix](SALES.head(2), other)
    hashes = [open_source(str(path)).sha256 for path in (one, two, other)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_table_without_rows_has_no_rows(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"nothing{suffix}"
    WRITERS[suffix](SALES.head(0), path)
    assert sum(batch.num_rows for batch in open_source(str(path)).batches()) == 0


@pytest.mark.parametrize("content", [b"", b"\x81\x00\xff" * 500, b"PK\x03\x04" + b"\x00\x81" * 200])
def test_a_file_that_is_not_what_it_says_is_one_sentence(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match="broken"):
        detect(open_source(str(path)))


@pytest.mark.parametrize("suffix", [".csv.gz", ".csv.zst"])
def test_damaged_compression_is_told_as_such(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"sales{suffix}"
    WRITERS[suffix](SALES, path)
    whole = path.read_bytes()
    for damaged in (whole[:40], whole[:4] + b"\xff" * 200):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="cannot be read as CSV"):
            open_source(str(path))


@pytest.mark.parametrize("suffix", sorted(set(READERS) - {".csv", ".tsv", ".txt"}))  # plain text may end after any row
def test_a_file_cut_short_is_one_sentence(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"cut{suffix}"
    many = pd.concat([SALES] * 2000, ignore_index=True).assign(Quantity=range(8000))
    WRITERS[suffix](many, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="cut"):
        list(open_source(str(path)).batches())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_is_read_in_each_encoding_and_delimiter(encoding: str, delimiter: str, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path.write_bytes((mark + SALES.to_csv(index=False, sep=delimiter)).encode(encoding))
    assert lines(open_source(str(path))) == expected(tmp_path)


@pytest.mark.parametrize(
    "prices",
    [
        ["1234.5", "27.5", "18", "0.001"],
        ["1.234,50", "27,50", "18,00", "0,001"],
        ["1,234.50", "27.50", "18.00", "0.001"],
        ["1 234,50", "27,50", "18", "0,001"],
        ["1'234.50", "27.50", "18", ".001"],
        ["1.234,50 €", "27,50 €", "18,00 €", "0,001 €"],
        ["$1,234.50", "$27.50", "$18", "$0.001"],
        ["USD 1234.50", "USD 27.50", "USD 18", "USD 0.001"],
    ],
)
@pytest.mark.parametrize(
    "written",
    [
        "%Y-%m-%d %H:%M:%S",
        "%d.%m.%Y %H:%M:%S",
        "%d-%m-%Y %H:%M:%S",
        "%d/%m/%y %H:%M:%S",
        "%m/%d/%Y %I:%M:%S %p",
        "%d %b %Y %H:%M:%S",
        "%B %d, %Y %I:%M:%S %p",
        "%d-%b-%y %H:%M:%S",
    ],
)
def test_the_same_sales_in_every_way_of_writing_are_the_same_lines(
    written: str, prices: list[str], tmp_path: Path
) -> None:
    late = SALES.assign(InvoiceDate=SALES["InvoiceDate"] + pd.Timedelta(days=20))
    late.assign(UnitPrice=[1234.5, 27.5, 18.0, 0.001]).to_parquet(tmp_path / "sales.parquet")
    as_text = late.assign(InvoiceDate=late["InvoiceDate"].dt.strftime(written), UnitPrice=prices)
    as_text.to_csv(tmp_path / "sales.csv", sep=";", index=False)
    found = lines(open_source(str(tmp_path / "sales.csv")))
    assert len(found) == len(SALES)
    assert found == lines(open_source(str(tmp_path / "sales.parquet")))


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv.zst"])
@pytest.mark.parametrize(
    "above",
    [
        "Sales of December\n",
        "\n\n",
        ",,,,,,,\n",
        "Sales,Country\n\n",
        '"Sales, by ""line""\nand customer";2010|2011\n;\n',
        "\n" * 19,
    ],
)
def test_what_stands_above_the_header_is_left_out(above: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"sales{suffix}"
    text = above + SALES.to_csv(index=False, sep="\t" if ".tsv" in suffix else ",")
    packs: Mapping[str, Callable[[bytes], bytes]] = {".csv": bytes, ".csv.gz": gzip.compress, ".tsv.zst": _zstd}
    path.write_bytes(packs[suffix](text.encode()))
    assert lines(open_source(str(path))) == expected(tmp_path)


def test_a_header_further_down_than_20_rows_is_not_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("note\n" * 20 + SALES.to_csv(index=False))
    with pytest.raises(InputError, match="has the columns note"):
        detect(open_source(str(path)))


@pytest.mark.parametrize("content", [SALES.to_csv().encode("utf-16")[:-1], b"a,b\n1,\x81\xff\n"])
def test_a_csv_in_no_known_encoding_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match="neither in UTF-8, UTF-16 nor Windows-1252"):
        list(open_source(str(path)).batches())


def test_a_ragged_csv_names_the_row(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("a,b\n1,2\n1,2,3\n")
    with pytest.raises(InputError, match="Row #3: Expected 2 columns, got 3"):
        list(open_source(str(path)).batches())
    path.write_text("A title\n\na,country\n1,2\n1,2,3\n")
    with pytest.raises(InputError, match="Row #5: Expected 2 columns, got 3"):
        list(open_source(str(path)).batches())


def test_columns_alike_are_refused_and_blank_ones_get_a_name(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("a,b,a\n1,2,3\n")
    with pytest.raises(InputError, match="more than one column named a"):
        open_source(str(path))
    path.write_text("a,,\n1,2,3\n")
    (batch,) = open_source(str(path)).batches()
    assert batch.to_pylist() == [{"a": "1", "column 2": "2", "column 3": "3"}]


def test_further_sheets_with_the_same_header_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "two_years.xlsx"
    with pd.ExcelWriter(path) as writer:
        SALES.head(2).to_excel(writer, sheet_name="Year 2010", index=False)
        pd.DataFrame({"note": ["not sales"]}).to_excel(writer, sheet_name="Notes", index=False)
        SALES.tail(2).to_excel(writer, sheet_name="Year 2011", index=False)
    found = [{**line, "row_number": 0} for line in lines(open_source(str(path)))]
    assert found == [{**line, "row_number": 0} for line in expected(tmp_path)]


def test_parquet_text_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sales.parquet"
    broken = pa.StringArray.from_buffers(
        1, pa.py_buffer(b"\x00\x00\x00\x00\x02\x00\x00\x00"), pa.py_buffer(b"\xff\xfe")
    )
    pa.parquet.write_table(pa.table({"InvoiceNo": broken}), path)
    with pytest.raises(InputError, match=r"sales\.parquet cannot be read as Parquet"):
        list(open_source(str(path)).batches())


def test_parquet_text_of_every_kind_is_text(tmp_path: Path) -> None:
    words = ("InvoiceNo", "StockCode", "Description", "Country")
    plain = pa.Table.from_pandas(SALES, preserve_index=False)
    kinds = (pa.string_view(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()))
    for number, kind in enumerate(kinds):
        table = plain.cast(
            pa.schema([field.with_type(kind) if field.name in words else field for field in plain.schema])
        )
        pa.parquet.write_table(table, tmp_path / f"{number}.parquet")
        source = open_source(str(tmp_path / f"{number}.parquet"))
        assert lines(source) == expected(tmp_path)
        assert repeats(source.batches()) == [False] * len(SALES)


def test_what_is_no_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "sales.doc").write_text("a,b\n")
    for what, said in [("nowhere.csv", "no file"), ("", "is a directory"), ("sales.doc", r"ends in \.csv")]:
        with pytest.raises(InputError, match=said):
            open_source(str(tmp_path / what))
    with pytest.raises(ConfigurationError, match="cuts the sample alone"):
        open_source(str(tmp_path / "sales.doc"), households=5)


def test_the_sample_is_the_grocers_year() -> None:
    source = open_source("sample")
    assert source.rows == 1_469_307
    assert source.customers is not None
    assert source.products is not None
    assert source.customers.num_rows == 801
    assert source.products.num_rows == 68_509 - 249  # which were never sold but by a quantity of zero
    assert source.products["name"].null_count == 0
    assert not {"NaN", ""} & {name for column in source.products.columns for name in column.unique().to_pylist()}


def test_the_sample_cut_to_households_is_another_content() -> None:
    some, fewer = open_source("sample", households=20), open_source("sample", households=10)
    assert some.sha256 != fewer.sha256 != open_source("sample").sha256
    found = pa.Table.from_batches(fewer.batches())
    assert found["customer_id"].unique().sort().to_pylist() == list(range(1, 11))
    assert found.num_rows == fewer.rows
    with pytest.raises(ConfigurationError, match="at least 1"):
        open_source("sample", households=0)


def test_copies_of_a_killed_process_go_with_the_next_and_those_in_use_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = "from etl.readers.base import RowFile; kept = RowFile([['1']], ['a']); print(kept.path, flush=True); input()"
    call, environment = [sys.executable, "-c", code], {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        copy = Path(process.stdout.readline().strip())
        an_hour_ago = time.time() - 3600
        os.utime(copy.parent, (an_hour_ago, an_hour_ago))
        Scratch()
        assert copy.exists()
        process.kill()
    assert copy.exists()
    Scratch()
    assert not copy.exists()
    assert list(tmp_path.iterdir()) == []
