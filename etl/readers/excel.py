"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods): the sheet whose header tells most, and every sheet with the same one."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from errors import InputError
from etl.meanings import HEADER_WITHIN, header_place, known_names
from etl.readers.base import Form, RowFile, Source, broken, column_names, content_sha256, written

_MOST_UNPACKED = 4 << 30
_SUSPECT = 100 << 20
_RATIO = 200
"""What unpacks to more than `_SUSPECT` bytes and so many times its size is no workbook; a dense one has 10 to 30."""


@dataclass(frozen=True)
class _Sheet:
    name: str
    header: Sequence[str]
    """Without the blank cells at its end."""
    line: int
    """Of the header, from 1."""
    width: int


def read(path: Path, form: Form) -> Source:
    """Open a workbook. Every column is text, numbers and dates as `written` has them; empty rows are no rows.

    One sheet at a time is held in memory: Excel ends at 1,048,576 rows. The sheet and the line of the header are those
    that `form` gives; else the sheet is the one whose header has most names that tell what they hold, together with
    those that have the same header. Raises InputError where two with different headers would do equally.
    """
    _refuse_bomb(path)
    try:
        workbook = CalamineWorkbook.from_filelike(BytesIO(path.read_bytes()))  # told by content, not by suffix
        sheets = _sheets(workbook, path.name, form)
        width = max(sheet.width for sheet in sheets)
        names = column_names([*sheets[0].header, *[""] * (width - len(sheets[0].header))], path.name)
        file = RowFile(_rows(workbook, sheets, width), names)
    except CalamineError as error:
        raise broken(path.name, "a workbook", error) from error
    lines = {sheet.line for sheet in sheets}
    return Source(
        name=path.name,
        sha256=content_sha256(path),
        columns=names,
        rows=file.rows,
        batches=file.batches,
        form=Form(
            sheet=sheets[0].name if len(sheets) == 1 else None, header_line=lines.pop() if len(lines) == 1 else None
        ),
    )


def _sheets(workbook: CalamineWorkbook, name: str, form: Form) -> list[_Sheet]:
    """The sheets to read, all of one header."""
    if form.sheet is not None and form.sheet not in workbook.sheet_names:
        there = ", ".join(workbook.sheet_names)
        raise InputError(f"{name} has no sheet {form.sheet}, but {there}; name one of those.")
    wanted = workbook.sheet_names if form.sheet is None else [form.sheet]
    found = [sheet for one in wanted if (sheet := _sheet(workbook, one, form.header_line)) is not None]
    if not found:
        raise InputError(f"{name} has no row of column names among the first {HEADER_WITHIN} of a sheet; add one.")
    most = max(known_names(sheet.header) for sheet in found)
    best = [sheet for sheet in found if known_names(sheet.header) == most]
    other = next((sheet for sheet in best if sheet.header != best[0].header), None)
    if most and other is not None:
        raise InputError(
            f"{name} has two sheets with different columns that may both be meant, {best[0].name} and {other.name}; "
            "keep one in the file, or name one in a mapping file."
        )
    return [sheet for sheet in best if sheet.header == best[0].header]


def _sheet(workbook: CalamineWorkbook, name: str, header_line: int | None) -> _Sheet | None:
    """A sheet and its header; None where it has none."""
    within = HEADER_WITHIN if header_line is None else header_line
    sheet = workbook.get_sheet_by_name(name)
    top = [[written(cell) for cell in row] for row in islice(sheet.iter_rows(), within)]
    place = header_place(top) if header_line is None else header_line - 1
    if place is None or not 0 <= place < len(top):
        return None
    header = top[place]
    while header and not header[-1].strip():
        header = header[:-1]
    return _Sheet(name, header, place + 1, len(top[place])) if header else None


def _rows(workbook: CalamineWorkbook, sheets: Sequence[_Sheet], width: int) -> Iterator[Sequence[str]]:
    """What stands below the headers, filled with blanks to one width."""
    for sheet in sheets:
        for row in islice(workbook.get_sheet_by_name(sheet.name).iter_rows(), sheet.line, None):
            cells = [written(cell) for cell in row]
            if any(cells):
                yield cells + [""] * (width - len(cells))


def _refuse_bomb(path: Path) -> None:
    """Raise InputError for a workbook that would fill the memory: by what it claims, then by what is really in it."""
    if not zipfile.is_zipfile(path):
        return
    most = min(_MOST_UNPACKED, max(_SUSPECT, path.stat().st_size * _RATIO))
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            unpacked = 0 if sum(entry.file_size for entry in entries) <= most else most + 1
            for entry in entries:
                entry.file_size = most + 1  # else the reading would end where the archive claims the data to end
                with archive.open(entry) as stream:
                    while unpacked <= most and (chunk := stream.read(1 << 20)):
                        unpacked += len(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise broken(path.name, "a workbook", error) from error
    if unpacked > most:
        raise InputError(
            f"{path.name} unpacks to more than {most >> 20:,} MB, which no workbook of its size does; export it again."
        )
