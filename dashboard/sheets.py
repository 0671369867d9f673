"""A list as the bytes of a file, CSV or Excel, piece by piece; cells that would run as formulas are made harmless."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from xlsxwriter import Workbook

from dashboard.manifest import Piece

MOST_XLSX_ROWS = (1 << 20) - 1
"""Of an Excel sheet, below its header."""

_FORMULA = r"^(\s*[=+\-@＝＋－＠]|[\t\r\n])"
_RUNS = re.compile(_FORMULA)
_FIRST_EXCEL_DAY = datetime.fromisoformat("1900-03-01")  # before it Excel counts days wrongly or not at all
_PIECE = 1 << 18


def as_csv(columns: Sequence[str], batches: Iterator[pa.RecordBatch], about: Mapping[str, Any]) -> Iterator[Piece]:
    """The header first, at once; what the list is about stands in its manifest alone."""
    yield (",".join(f'"{name}"' for name in columns) + "\n").encode(), 0
    for batch in batches:
        sink = BytesIO()
        csv.write_csv(_harmless(batch), sink, csv.WriteOptions(include_header=False))
        yield sink.getvalue(), batch.num_rows


def _harmless(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Text cells that a spreadsheet would run as formulas get an apostrophe in front."""
    columns = [
        pc.if_else(pc.match_substring_regex(column, _FORMULA), pc.binary_join_element_wise("'", column, ""), column)
        if pa.types.is_string(column.type)
        else column
        for column in batch.columns
    ]
    return pa.record_batch(columns, names=batch.schema.names)


def as_xlsx(columns: Sequence[str], batches: Iterator[pa.RecordBatch], about: Mapping[str, Any]) -> Iterator[Piece]:
    """The workbook is written to a file before its first byte is sent: its directory stands at its end.

    A second sheet says what the list is about.
    """
    with TemporaryDirectory(prefix="spectrum-list-") as folder:
        path = Path(folder) / "list.xlsx"
        options = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
        book = Workbook(path, {"constant_memory": True, "tmpdir": folder, **options})
        for rows in _write_list(book, columns, batches):
            yield b"", rows
        _write_about(book, about)
        book.close()
        with path.open("rb") as stream:
            while content := stream.read(_PIECE):
                yield content, 0


def _write_list(book: Workbook, columns: Sequence[str], batches: Iterator[pa.RecordBatch]) -> Iterator[int]:
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    quoted = book.add_format({"quote_prefix": True})  # shown as it is, and still text when the cell is edited
    sheet = book.add_worksheet("List")
    sheet.set_column(0, len(columns) - 1, 16)
    sheet.freeze_panes(1, 0)
    for place, name in enumerate(columns):
        sheet.write_string(0, place, name, bold)
    row = 0
    for batch in batches:
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            row += 1
            for place, value in enumerate(values):
                match value:
                    case None:
                        continue
                    case str():
                        put = sheet.write_string(row, place, value, quoted if _RUNS.match(value) else None)
                    case datetime() if value >= _FIRST_EXCEL_DAY:
                        put = sheet.write_datetime(row, place, value, day)
                    case int() | float() if isfinite(value):
                        put = sheet.write_number(row, place, value)
                    case _:
                        put = sheet.write_string(row, place, str(value))
                if put:
                    raise RuntimeError(f"Row {row} has a cell that Excel does not hold ({columns[place]}).")
        yield batch.num_rows


def _write_about(book: Workbook, about: Mapping[str, Any]) -> None:
    sheet = book.add_worksheet("About")
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 80)
    for row, (name, value) in enumerate(about.items()):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
