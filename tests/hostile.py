"""Files that a shop may hand in and that cannot be loaded, each with words of the sentence it deserves."""

import codecs
import gzip
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

HEADER = "order_id,customer_id,product_id,ordered_at,quantity,unit_price"
LINE = "1,ann,A,2024-01-31 10:00:00,2,2.50"
LINES = [f"{number},ann,A,2024-01-31 10:00:00,{number},2.50" for number in range(1, 2001)]
TEXT = "\n".join([HEADER, *LINES]) + "\n"
MEGABYTE = 1 << 20
_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 8
_CFB = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # what a workbook behind a password is wrapped in
_BOOK = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
}
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@dataclass(frozen=True)
class Hostile:
    """How the file is made in a folder, and what is said of it (a pattern)."""

    make: Callable[[Path], Path]
    said: str


def written(name: str, content: bytes | str) -> Callable[[Path], Path]:
    """A maker of a file of this content."""

    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


def table(name: str, columns: Mapping[str, pa.Array]) -> Callable[[Path], Path]:
    """A maker of a Parquet file."""

    def make(folder: Path) -> Path:
        parquet.write_table(pa.table(dict(columns)), folder / name)
        return folder / name

    return make


def lines(*rows: str, header: str = HEADER, name: str = "sales.csv", end: str = "\n") -> Callable[[Path], Path]:
    """A maker of a CSV file of these rows."""
    return written(name, end.join([header, *rows, ""]))


def changed(column: str, *cells: str) -> Callable[[Path], Path]:
    """A maker of a CSV file of good lines but for one column."""
    place = HEADER.split(",").index(column)
    rows = []
    for cell in cells:
        row = LINE.split(",")
        row[place] = f'"{cell}"'
        rows.append(",".join(row))
    return lines(*rows)


def _gzip_bomb(folder: Path) -> Path:
    path = folder / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=9) as stream:
        stream.write(f"{HEADER}\n".encode())
        for _ in range(160):
            stream.write(b"0," * (MEGABYTE // 2))
    return path


def _zstd_bomb(folder: Path) -> Path:
    path = folder / "bomb.tsv.zst"
    with pa.CompressedOutputStream(str(path), "zstd") as stream:
        for _ in range(160):
            stream.write(b"\n" * MEGABYTE)
    return path


def workbook(name: str, parts: Mapping[str, str]) -> Callable[[Path], Path]:
    """A maker of an archive with the parts every .xlsx has, and these."""

    def make(folder: Path) -> Path:
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for part, content in {**_BOOK, **parts}.items():
                archive.writestr(part, content)
        return folder / name

    return make


def _zip_bomb(lies: bool) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "bomb.xlsx"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/sheet", "w") as stream:
            for _ in range(160):
                stream.write(bytes(MEGABYTE))
        if lies:
            content = bytearray(path.read_bytes())
            for mark, size in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
                place = content.index(mark) + size
                content[place : place + 4] = (8).to_bytes(4, "little")
            path.write_bytes(content)
        return path

    return make


def _chart_alone() -> Mapping[str, str]:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    return {
        "xl/workbook.xml": f'<workbook xmlns="{_SHEET}" xmlns:r="{kind}"><sheets>'
        '<sheet name="Chart1" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{kind}/chartsheet" Target="chartsheets/sheet1.xml"/></Relationships>',
        "xl/chartsheets/sheet1.xml": f'<chartsheet xmlns="{_SHEET}"><sheetViews/></chartsheet>',
    }


def _nested(folder: Path) -> Path:
    cells = pa.array([[1, 2], [3]])
    return table("nested.parquet", {"items": cells, "more": pa.array([{"a": 1}, {"a": 2}])})(folder)


def _broken_footer(folder: Path) -> Path:
    path = table("sales.parquet", {name: pa.array(["1"]) for name in HEADER.split(",")})(folder)
    content = bytearray(path.read_bytes())
    content[-60:-8] = b"\xff" * 52
    path.write_bytes(content)
    return path


def _no_text(folder: Path) -> Path:
    broken = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe"))
    return table("sales.parquet", dict.fromkeys(HEADER.split(","), broken))(folder)


def _link_to_itself(folder: Path) -> Path:
    path = folder / "loop.csv"
    path.symlink_to(path)
    return path


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.csv")
    return folder / "pipe.csv"


def _device(device: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "device.csv"
        path.symlink_to(device)
        return path

    return make


def _folder(folder: Path) -> Path:
    (folder / "sales.csv").mkdir()
    (folder / "sales.csv" / "notes.doc").write_text("none")
    return folder / "sales.csv"


def _below_a_file(folder: Path) -> Path:
    (folder / "sales").write_text(TEXT)
    return folder / "sales" / "sales.csv"


def _damaged_directory(folder: Path) -> Path:
    path = workbook("sales.xlsx", {"xl/workbook.xml": ""})(folder)
    content = bytearray(path.read_bytes())
    content[-10:-6] = b"\xff\xff\xff\x7f"  # the size of the archive's directory
    path.write_bytes(content)
    return path


_MANY = ",".join(f"c{number}" for number in range(10_000))
_RETAIL = "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice\n"

HOSTILE: Mapping[str, Hostile] = {
    "truncated gz": Hostile(
        written("sales.csv.gz", gzip.compress(TEXT.encode())[:-200]), "sales.csv.gz .*ended before"
    ),
    "truncated zst": Hostile(
        written("sales.csv.zst", pa.compress(TEXT.encode(), codec="zstd", asbytes=True)[:-20]),
        "sales.csv.zst .*Truncated",
    ),
    "no gz at all": Hostile(written("sales.csv.gz", TEXT), "sales.csv.gz .*Not a gzipped file"),
    "gz bomb": Hostile(_gzip_bomb, "bomb.csv.gz unpacks to more than"),
    "zst bomb": Hostile(_zstd_bomb, "bomb.tsv.zst unpacks to more than"),
    "xlsx bomb that claims it": Hostile(_zip_bomb(lies=False), "bomb.xlsx unpacks to more than"),
    "xlsx bomb that lies": Hostile(_zip_bomb(lies=True), "bomb.xlsx unpacks to more than"),
    "NUL bytes": Hostile(written("sales.csv", TEXT.replace("ann", "a\0n")), "NUL characters"),
    "10,000 columns": Hostile(written("wide.csv", f"{_MANY}\n{_MANY}\n"), "10,000 columns, and 1,000 at most"),
    "a cell of 5 MB": Hostile(lines(LINE, f"2,{'x' * 5 * MEGABYTE},A,2024-01-31,1,1"), "cell of over a megabyte"),
    "a column name of 5 MB": Hostile(lines(LINE, header=HEADER + "," + "x" * 5 * MEGABYTE), "line of column names"),
    "duplicate headers": Hostile(lines("1,2,A", header="order_id,sku,Order_id,order_id"), "named order_id"),
    "a line end within a row": Hostile(
        lines(LINE, "2,a\rnn,A,2024-01-31,1,1", LINE), "Row #3: Expected 6 columns, got 2"
    ),
    "a PNG as .csv": Hostile(written("photo.csv", _PNG), "photo.csv is a picture"),
    "a JPEG without NUL as .csv": Hostile(
        written("photo.csv", (b"\xff\xd8\xff\xe0" + bytes(range(1, 256))) * 20), "photo.csv is a picture"
    ),
    "a CSV as .parquet": Hostile(written("sales.parquet", TEXT), "is plain text"),
    "a CSV as .xlsx": Hostile(written("sales.xlsx", TEXT), "is plain text"),
    "a zip as .xlsx": Hostile(workbook("photos.xlsx", {"photo.png": "none"}), "cannot be read as a workbook"),
    "HTML as .xls": Hostile(
        written("sales.xls", "<html><table><tr><td>order_id</td></tr></table></html>"), "is a web page"
    ),
    "HTML as .csv": Hostile(
        written("sales.csv", "<!DOCTYPE html>\n<html>\n<body>Log in</body>\n</html>\n"), "is a web page"
    ),
    "JSON as .csv": Hostile(
        written("sales.csv", '[{"order_id": 1, "sku": "A"},\n {"order_id": 2, "sku": "B"}]\n'), "is JSON"
    ),
    "empty": Hostile(written("sales.csv", b""), "sales.csv is empty"),
    "empty gz": Hostile(written("sales.csv.gz", gzip.compress(b"")), "does not begin with a line of column names"),
    "empty workbook": Hostile(written("sales.xlsx", b""), "sales.xlsx is empty"),
    "header only": Hostile(lines(), "has column names and no rows"),
    "header only, Parquet": Hostile(
        table("sales.parquet", {name: pa.array([], pa.string()) for name in HEADER.split(",")}),
        "has column names and no rows",
    ),
    "only blank lines": Hostile(written("sales.csv", "\n \n\n,,,\n"), "does not begin with a line of column names"),
    "only a title": Hostile(written("sales.csv", "Sales of December\n"), "has the columns Sales of December"),
    "only a mark of UTF-8": Hostile(
        written("sales.csv", codecs.BOM_UTF8), "does not begin with a line of column names"
    ),
    "a ragged row": Hostile(lines(LINE, LINE + ",more", LINE), "Row #3"),
    "a row cut short": Hostile(lines(LINE, LINE, "3,ann,A"), "Row #4"),
    "a quotation mark never closed": Hostile(
        lines(*LINES[:5], '9,"ann,A,2024-01-31,1,1', *LINES * 60), "quotation mark"
    ),
    "a quotation mark never closed on the last row": Hostile(lines(*LINES[:5], '9,"ann,A,2024-01-31,1,1'), "Row #7"),
    "no header": Hostile(lines(*LINES[1:50], header=LINES[0]), "more than one column named 1; .* above the rows"),
    "no needed columns": Hostile(
        lines("1,2", header="order_id,note"), r"none for product_id .*, unit_price \(or amount\); "
    ),
    "two columns for one meaning": Hostile(
        lines("1,A,2024-01-01,2024-01-02,1,1", header="order_id,sku,order date,order_date,quantity,price"),
        "order date, order_date all read as ordered_at",
    ),
    "UTF-16 cut within a character": Hostile(written("sales.csv", TEXT.encode("utf-16")[:-1]), "UTF-16"),
    "bytes of no encoding": Hostile(written("sales.csv", TEXT.encode() + b"9,\x81\xff\x8d,A,2024,1,1\n"), "UTF-8"),
    "dates of either order": Hostile(changed("ordered_at", "3/4/2011", "5/6/2011"), "day or the month first"),
    "dates of both orders": Hostile(changed("ordered_at", "13/4/2011", "5/16/2011"), "contradict each other"),
    "decimal marks of either kind": Hostile(changed("unit_price", "1,234", "5,678"), "parts thousands or decimals"),
    "decimal marks of both kinds": Hostile(changed("unit_price", "1.234,50", "1,234.50"), "contradicts itself"),
    "two currencies": Hostile(changed("unit_price", "$1.50", "€1.50"), r"more than one currency \(\$, €\)"),
    "all rows broken": Hostile(changed("quantity", "many", "few", "none"), "None of the 3 rows"),
    "amounts beyond all measure": Hostile(changed("unit_price", "1e300", "1e300"), "None of the 2 rows"),
    "infinite quantities": Hostile(
        table(
            "sales.parquet",
            {
                "order_id": pa.array(["1"]),
                "product_id": pa.array(["A"]),
                "ordered_at": pa.array(["2024-01-01"]),
                "quantity": pa.array([float("inf")]),
                "unit_price": pa.array([1.0]),
            },
        ),
        "None of the 1 rows",
    ),
    "nested columns alone": Hostile(_nested, "no column of text, numbers or dates"),
    "Parquet with a broken footer": Hostile(_broken_footer, "cannot be read as Parquet"),
    "Parquet with text that is none": Hostile(_no_text, "cannot be read as Parquet"),
    "Parquet cut short": Hostile(written("sales.parquet", b"PAR1" + bytes(100)), "cannot be read as Parquet"),
    "a workbook without a sheet": Hostile(
        workbook("none.xlsx", {"xl/workbook.xml": f'<workbook xmlns="{_SHEET}"><sheets/></workbook>'}),
        "none.xlsx cannot be read as a workbook",
    ),
    "a workbook with a chart alone": Hostile(
        workbook("chart.xlsx", _chart_alone()), "chart.xlsx has no row of column names"
    ),
    "a workbook with a damaged directory": Hostile(_damaged_directory, "sales.xlsx cannot be read as a workbook"),
    "a workbook behind a password": Hostile(
        written("locked.xlsx", _CFB + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(4096)),
        "locked.xlsx is behind a password",
    ),
    "a folder of nothing": Hostile(_folder, "has no file that can be read"),
    "a pipe": Hostile(_pipe, "pipe.csv is a pipe or a device"),
    "/dev/zero": Hostile(_device("/dev/zero"), "device.csv is a pipe or a device"),
    "/dev/null": Hostile(_device("/dev/null"), "device.csv is a pipe or a device"),
    "a link to itself": Hostile(_link_to_itself, "There is no file .*loop.csv"),
    "a path below a file": Hostile(_below_a_file, "There is no file .*sales.csv"),
    "no file": Hostile(lambda folder: folder / "nowhere.csv", "There is no file"),
    "no known kind": Hostile(written("sales.doc", TEXT), r"ends in \.csv"),
    "a name longer than any": Hostile(lambda folder: folder / ("x" * 300 + ".csv"), "File name too long"),
    "a name with NUL": Hostile(lambda folder: folder / "a\0b.csv", r"There is no file .*a\\x00b\.csv"),
    "a name of two lines": Hostile(written("two\nlines.csv", "a,b\n1,2\n"), r"two\\nlines\.csv"),
    "a name with escape characters": Hostile(written("\x1b[31mred\x07.csv", "a,b\n1,2\n"), r"\\x1b\[31mred\\x07\.csv"),
    "a name in markup": Hostile(written("[bold]x[] :smile: x\\.csv", "a,b\n1,2\n"), r"\[bold\]x\[\] :smile: x\\\.csv"),
    "a name in no encoding": Hostile(written(os.fsdecode(b"caf\xe9.csv"), "a,b\n1,2\n"), r"caf\\udce9\.csv"),
    "columns named in markup": Hostile(
        written("sales.csv", "[red]a[/],\x1b[1mb,c\n1,2,3\n"), r"\[red\]a\[/\], \\x1b\[1mb"
    ),
    "a column name of two lines": Hostile(written("sales.csv", '"a\nb",c\n1,2\n'), r"has the columns a\\nb, c"),
    "a retail file without prices": Hostile(written("r.csv", f"{_RETAIL}1,A,1,2011-01-31,\n"), "missing_unit_price: 1"),
}
