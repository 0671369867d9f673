"""Facts about workbooks: which sheet is read, what its cells become, and what is no workbook."""

import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from errors import InputError
from etl.readers import open_source
from etl.readers.base import Form

Sheets = dict[str, list[list[Any]]]

ORDERS = ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"]
LINE = ["536365", "85123A", 6, datetime.fromisoformat("2010-12-01 08:26"), 2.55, 17850]
TEXT = ["536365", "85123A", "6", "2010-12-01 08:26:00", "2.55", "17850"]


def workbook(path: Path, sheets: Sheets) -> str:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return str(path)


def rows(what: str, form: Form | None = None) -> list[list[str]]:
    source = open_source(what, form=form or Form())
    found = [list(row.values()) for batch in source.batches() for row in batch.to_pylist()]
    assert source.rows == len(found)
    return found


def test_the_header_is_looked_for_below_a_title(tmp_path: Path) -> None:
    what = workbook(tmp_path / "sales.xlsx", {"Sales": [["Sales of December"], [], ["Draft"], ORDERS, LINE]})
    source = open_source(what)
    assert list(source.columns) == ORDERS
    assert source.form == Form(sheet="Sales", header_line=4)
    assert rows(what) == [TEXT]


def test_the_sheet_is_the_one_that_tells_most(tmp_path: Path) -> None:
    sheets: Sheets = {
        "Read me": [["Country", "of these orders"]],
        "Orders": [ORDERS, LINE],
        "Returns": [["Order ID"], ["1"]],
    }
    what = workbook(tmp_path / "shop.xlsx", sheets)
    assert open_source(what).form == Form(sheet="Orders", header_line=1)
    assert rows(what) == [TEXT]


def test_two_sheets_that_would_do_equally_are_refused_and_one_can_be_named(tmp_path: Path) -> None:
    turned: Sheets = {"Web": [ORDERS, LINE], "Till": [ORDERS[::-1], LINE[::-1]]}
    what = workbook(tmp_path / "shop.xlsx", turned)
    with pytest.raises(InputError, match="two sheets with different columns that may both be meant, Web and Till"):
        open_source(what)
    assert rows(what, Form(sheet="Till")) == [TEXT[::-1]]
    with pytest.raises(InputError, match="no sheet Shop, but Web, Till"):
        open_source(what, form=Form(sheet="Shop"))


def test_sheets_of_one_header_are_read_together_wherever_it_stands(tmp_path: Path) -> None:
    sheets: Sheets = {
        "2010": [["Year 2010"], ORDERS, LINE],
        "2011": [ORDERS, LINE, [], [*LINE, "a note at the side"]],
    }
    what = workbook(tmp_path / "years.xlsx", sheets)
    source = open_source(what)
    assert source.form == Form()
    assert [*source.columns] == [*ORDERS, "column 7"]
    assert rows(what) == [[*TEXT, ""], [*TEXT, ""], [*TEXT, "a note at the side"]]
    assert rows(what, Form(sheet="2010", header_line=2)) == [TEXT]
    with pytest.raises(InputError, match="no row of column names"):
        open_source(what, form=Form(header_line=9))


def test_cells_become_what_a_person_would_write(tmp_path: Path) -> None:
    cells = {
        5012345678901.0: "5012345678901",
        1e21: "1e+21",
        17850.0: "17850",
        -0.1: "-0.1",
        1.234: "1.2340",  # by itself 1.234 may be one thousand and more
        date(2010, 12, 1): "2010-12-01",
        datetime.fromisoformat("2010-12-01"): "2010-12-01",
        True: "true",
        "=1+1": "=1+1",
        '=HYPERLINK("http://x")': '=HYPERLINK("http://x")',
        "#N/A": "",
        "0012": "0012",
    }
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for place, cell in enumerate(cells, start=2):
        written = sheet.cell(place, 1, cell)
        if isinstance(cell, str):
            written.data_type = "e" if cell.startswith("#") else "s"
        sheet.cell(place, 2, "x")
    sheet.cell(1, 1, "a")
    sheet.cell(1, 2, "b")
    book.save(tmp_path / "cells.xlsx")
    assert [row[0] for row in rows(str(tmp_path / "cells.xlsx"))] == list(cells.values())


def test_every_second_of_a_day_comes_exactly(tmp_path: Path) -> None:
    start = datetime.fromisoformat("2011-03-01 00:00:01")
    moments = [start + timedelta(seconds=number * 7) for number in range(12_000)]
    what = workbook(tmp_path / "day.xlsx", {"Day": [["ordered_at"], *([moment] for moment in moments)]})
    assert [row[0] for row in rows(what)] == [str(moment) for moment in moments]


def test_open_document_sheets_are_read(tmp_path: Path) -> None:
    cells = "".join(
        f"<table:table-row><table:table-cell {kind}><text:p>{text}</text:p></table:table-cell></table:table-row>"
        for kind, text in (
            ('office:value-type="string"', "ordered_at"),
            ('office:value-type="date" office:date-value="2010-12-01T08:26:00"', "1. Dez. 2010"),
            ('office:value-type="float" office:value="5012345678901"', "5,01E+12"),
        )
    )
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(tmp_path / "sales.ods", "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0"?><office:document-content{names}><office:body><office:spreadsheet>'
            f'<table:table table:name="Sales">{cells}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>',
        )
    assert rows(str(tmp_path / "sales.ods")) == [["2010-12-01 08:26:00"], ["5012345678901"]]


@pytest.mark.parametrize("sheets", [{"Empty": []}, {"Empty": [], "Blank": [[""], ["  "]]}])
def test_a_workbook_without_a_cell_is_refused(sheets: Sheets, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no row of column names"):
        open_source(workbook(tmp_path / "empty.xlsx", sheets))


@pytest.mark.parametrize("lies", [False, True])
def test_a_zip_bomb_is_refused_whatever_it_claims(lies: bool, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    workbook(path, {"Sales": [ORDERS, LINE]})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/media/zeros", "w") as stream:
        for _ in range(128):
            stream.write(bytes(1 << 20))
    if lies:
        content = bytearray(path.read_bytes())
        for header, size in ((content.rindex(b"PK\x01\x02"), 24), (content.rindex(b"PK\x03\x04"), 22)):
            assert content[header + size :][:4] == (128 << 20).to_bytes(4, "little")
            content[header + size : header + size + 4] = (8).to_bytes(4, "little")
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"bomb\.xlsx unpacks to more than 100 MB"):
        open_source(str(path))


def test_a_cell_at_the_far_corner_ends_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "far.xlsx"
    workbook(path, {"Sales": [ORDERS, LINE]})
    book = openpyxl.load_workbook(path)
    book["Sales"]["XFD1048576"] = "x"
    book.save(path)
    with pytest.raises(InputError, match=r"far\.xlsx cannot be read as a workbook \(.* a cell too far"):
        open_source(str(path))


def test_a_workbook_behind_a_password_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "locked.xlsx"
    workbook(path, {"Sales": [ORDERS, LINE]})
    content = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(mark) + flags] |= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"locked\.xlsx cannot be read as a workbook \(.*encrypted"):
        open_source(str(path))
