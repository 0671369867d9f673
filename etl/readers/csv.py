"""Delimited text, plain, gzipped or in Zstandard: UTF-8, UTF-16, else Windows-1252; by comma, semicolon, | or tab."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from errors import InputError
from etl.meanings import HEADER_WITHIN, header_place, known_names
from etl.readers.base import Form, Source, broken, column_names, content_sha256
from etl.readers.look import look, strange_encoding

_DELIMITERS = ",;\t|"
_BLOCK = 1 << 20  # Arrow reads 32 of them ahead
_BATCH = 5 << 20  # bytes: each batch has its fixed costs, and must fit into the processor's cache
_LARGEST_CELL = _BLOCK
_DAMAGE = (pa.ArrowException, EOFError, zlib.error, gzip.BadGzipFile, csv.Error)


@dataclass(frozen=True)
class _Form:
    encoding: str
    delimiter: str
    header: Sequence[str]
    lines_above: int
    """Lines above the header: a title, empty ones."""


def read(path: Path, given: Form) -> Source:
    """Open a file of delimited text. Every column is text: blank and missing cells are empty strings.

    The header is the first of the first rows that a mapping understands; what stands above it is left out. What the
    given form says is not looked for.
    """
    try:
        with ThreadPoolExecutor(1) as beside:
            sha256 = beside.submit(content_sha256, path)
            seen = look(path, _open, given.encoding)
        form = _form(path, seen.encoding, given)
        rows = max(seen.lines - form.lines_above - 1, 0)
    except UnicodeError as error:
        raise strange_encoding(path) from error
    except _DAMAGE as error:
        raise broken(path.name, "CSV", error) from error
    except OSError as error:
        if error.errno is not None:  # the disk's fault; Zstandard's have no number
            raise
        raise broken(path.name, "CSV", error) from error
    names = column_names(form.header, path.name)
    return Source(
        name=path.name,
        sha256=sha256.result(),
        columns=names,
        rows=rows,
        batches=lambda: _batches(path, form, names) if rows else iter(()),
        form=Form(seen.encoding.removesuffix("-sig"), form.delimiter, form.lines_above + 1),
    )


def _open(path: Path) -> IO[bytes]:
    name = path.name.lower()
    if name.endswith(".zst"):
        return pa.input_stream(path, compression="zstd")  # type: ignore[no-any-return]
    return gzip.open(path) if name.endswith(".gz") else path.open("rb")  # type: ignore[return-value]


def _form(path: Path, encoding: str, given: Form) -> _Form:
    with _open(path) as stream, io.TextIOWrapper(stream, encoding=encoding, newline="") as text:
        start = text.read(_BLOCK)
    delimiters = given.delimiter or _DELIMITERS
    forms = [form for d in delimiters if (form := _form_by(d, start, encoding, given.header_line)) is not None]
    if not forms and given.header_line:
        raise InputError(f"{path.name} has no column names on line {given.header_line}; mend the mapping.")
    if not forms:
        raise InputError(f"{path.name} does not begin with a line of column names; add one and load it again.")
    return max(forms, key=lambda form: (known_names(form.header), len(form.header)))


def _form_by(delimiter: str, start: str, encoding: str, header_line: int | None) -> _Form | None:
    """The header as this delimiter parts it; None where none of the first rows can be one."""
    reader = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter)
    ends = [0]
    rows = []
    try:
        for row in islice(reader, header_line or HEADER_WITHIN):
            rows.append(row)
            ends.append(reader.line_num)
    except csv.Error:  # a cell beyond all measure, which may lie below the header
        pass
    at_line = {end + 1: place for place, end in enumerate(ends[:-1]) if any(cell.strip() for cell in rows[place])}
    place = at_line.get(header_line) if header_line else header_place(rows)
    if place is None or not any(cell.strip().strip(_DELIMITERS) for cell in rows[place]):
        return None
    return _Form(encoding, delimiter, rows[place], ends[place])


def _batches(path: Path, form: _Form, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    waiting: list[pa.RecordBatch] = []
    size = _BLOCK // 2  # the first batches are small, so that nobody waits long for them
    try:
        with _open(path) as stream:
            reader = arrow_csv.open_csv(
                stream,
                read_options=arrow_csv.ReadOptions(
                    encoding="utf8" if form.encoding == "utf-8-sig" else form.encoding,
                    block_size=_BLOCK,
                    skip_rows=form.lines_above,
                    use_threads=False,
                ),
                parse_options=arrow_csv.ParseOptions(delimiter=form.delimiter, newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(
                    column_types={name: pa.string() for name in form.header}, null_values=[], strings_can_be_null=False
                ),
            )
            for batch in reader:
                if any((pc.max(pc.binary_length(column)).as_py() or 0) > _LARGEST_CELL for column in batch.columns):
                    raise _unending(path)
                waiting.append(batch)
                if sum(part.nbytes for part in waiting) >= size:
                    size = min(2 * size, _BATCH)
                    yield _joined(waiting, names)
                    waiting.clear()
            if waiting:
                yield _joined(waiting, names)
    except UnicodeError as error:
        raise strange_encoding(path) from error
    except _DAMAGE as error:
        raise (_unending(path) if "straddling" in str(error) else broken(path.name, "CSV", error)) from error


def _joined(parts: Sequence[pa.RecordBatch], names: Sequence[str]) -> pa.RecordBatch:
    return pa.concat_batches(parts).rename_columns(list(names))


def _unending(path: Path) -> InputError:
    return InputError(f"{path.name} has a cell of over a megabyte; look for a quotation mark that is never closed.")
