"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods): the sheet whose header tells most, and every sheet with the same one."""

import json
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from errors import InputError
from etl.meanings import HEADER_WITHIN, header_place, known_names
from etl.readers.base import Form, Scratch, Source, broken, column_names, content_sha256

_ROOT = Path(__file__).parents[2]
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
    file: Path


def read(path: Path, form: Form) -> Source:
    """Open a workbook. Every column is text, numbers and dates as `written` has them; empty rows are no rows.

    `etl.sheets` first writes its sheets to files, one at a time in memory. The sheet and the line of the header are
    those that `form` gives; else the sheet is the one whose header has most names that tell what they hold, together
    with those that have the same header. Raises InputError where two with different headers would do equally.
    """
    _refuse_bomb(path)
    scratch = Scratch()
    sheets = _sheets(_unpacked(path, scratch.path), path.name, form)
    width = max(sheet.width for sheet in sheets)
    names = column_names([*sheets[0].header, *[""] * (width - len(sheets[0].header))], path.name)
    lines = {sheet.line for sheet in sheets}
    return Source(
        name=path.name,
        sha256=content_sha256(path),
        columns=names,
        rows=sum(batch.num_rows for batch in _batches(sheets, names, scratch)),
        batches=lambda: _batches(sheets, names, scratch),
        form=Form(
            sheet=sheets[0].name if len(sheets) == 1 else None, header_line=lines.pop() if len(lines) == 1 else None
        ),
    )


def _unpacked(path: Path, folder: Path) -> dict[str, Path]:
    """The sheets' names, each with the file of its cells."""
    call = [sys.executable, "-m", "etl.sheets", str(path.resolve()), str(folder)]
    ended = subprocess.run(call, cwd=_ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603
    if ended.returncode != 0:
        plain = ended.returncode == 1 and ended.stderr.count(b"\n") == 1  # anything else is the end of the process
        said = ended.stderr.decode(errors="replace") if plain else "damaged, or with a cell too far from the others"
        raise broken(path.name, "a workbook", ValueError(said))
    return {name: folder / str(number) for number, name in enumerate(json.loads((folder / "names").read_text()))}


def _sheets(files: dict[str, Path], name: str, form: Form) -> list[_Sheet]:
    """The sheets to read, all of one header."""
    if form.sheet is not None and form.sheet not in files:
        raise InputError(f"{name} has no sheet {form.sheet}, but {', '.join(files)}; name one of those.")
    wanted = files if form.sheet is None else {form.sheet: files[form.sheet]}
    found = [sheet for one, file in wanted.items() if (sheet := _sheet(one, file, form.header_line)) is not None]
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


def _sheet(name: str, file: Path, header_line: int | None) -> _Sheet | None:
    """A sheet and its header; None where it has none."""
    with pa.OSFile(str(file)) as stream:
        first = next(iter(pa.ipc.open_stream(stream)), None)
    if first is None:
        return None
    within = HEADER_WITHIN if header_line is None else header_line
    top = [list(row.values()) for row in first.slice(0, within).to_pylist()]
    place = header_place(top) if header_line is None else header_line - 1
    if place is None or not 0 <= place < len(top):
        return None
    header = top[place]
    while header and not header[-1].strip():
        header = header[:-1]
    return _Sheet(name, header, place + 1, len(top[place]), file) if header else None


def _batches(sheets: Sequence[_Sheet], names: Sequence[str], scratch: Scratch) -> Iterator[pa.RecordBatch]:
    """What stands below the headers, filled with blanks to one width; `scratch` stays as long as somebody reads."""
    for sheet in sheets:
        above = sheet.line
        with pa.OSFile(str(sheet.file)) as stream:
            for batch in pa.ipc.open_stream(stream):
                below, above = batch.slice(above), max(above - batch.num_rows, 0)
                blank = pa.array([""] * below.num_rows, pa.string())
                columns = [*below.columns, *[blank] * (len(names) - below.num_columns)]
                filled = pc.not_equal(pc.binary_join_element_wise(*columns, ""), "")
                yield pa.record_batch(columns, names=list(names)).filter(filled)


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
                entry.file_size = most << 1  # else the reading would end where the archive claims the data to end
                with archive.open(entry) as stream:
                    while unpacked <= most and (chunk := stream.read(1 << 20)):
                        unpacked += len(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as error:
        raise broken(path.name, "a workbook", error) from error
    if unpacked > most:
        raise InputError(
            f"{path.name} unpacks to more than {most >> 20:,} MB, which no workbook of its size does; export it again."
        )
