"""Excel workbooks (.xlsx, .xls): the first sheet, and every further sheet with the same header."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO
from itertools import islice
from pathlib import Path

import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from errors import InputError
from etl.readers.base import BATCH_ROWS, Form, Source, broken, column_names, content_sha256

Cell = str | int | float | bool | date | datetime | time | timedelta | None


def read(path: Path, form: Form) -> Source:
    """Open a workbook. Every column is text, numbers and dates as a person writes them; empty rows are no rows.

    One sheet at a time is held in memory: Excel ends at 1,048,576 rows.
    """
    try:
        workbook = CalamineWorkbook.from_filelike(BytesIO(path.read_bytes()))  # told by content, not by suffix
        sheets = [workbook.get_sheet_by_name(name) for name in workbook.sheet_names]
        headers = [[_written(cell) for cell in next(sheet.iter_rows(), [])] for sheet in sheets]
    except (CalamineError, OSError) as error:
        raise broken(path.name, "an Excel workbook", error) from error
    if not headers or not any(name.strip() for name in headers[0]):
        raise InputError(f"The first sheet of {path.name} does not begin with a row of column names; add one.")
    names = column_names(headers[0], path.name)
    alike = [sheet for sheet, header in zip(sheets, headers, strict=True) if header == headers[0]]
    return Source(
        name=path.name,
        sha256=content_sha256(path),
        columns=names,
        rows=sum(max(sheet.height - 1, 0) for sheet in alike),
        batches=lambda: _batches(alike, names),
    )


def _batches(sheets: Sequence[CalamineSheet], names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for sheet in sheets:
        written = ([_written(cell) for cell in row] for row in islice(sheet.iter_rows(), 1, None))
        rows = (row for row in written if any(row))
        while block := list(islice(rows, BATCH_ROWS)):
            columns = [pa.array(column, pa.string()) for column in zip(*block, strict=True)]
            yield pa.record_batch(columns, names=list(names))


def _written(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime():
            return cell.isoformat(sep=" ")
        case _:
            return str(cell)
