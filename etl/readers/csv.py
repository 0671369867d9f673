"""CSV, plain or gzipped: UTF-8 with or without a mark, else Windows-1252; fields parted by comma, semicolon or tab."""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
from pyarrow import csv as arrow_csv

from errors import InputError
from etl.readers.base import Source, broken, column_names, content_sha256

_DELIMITERS = ",;\t"
_BLOCK = 8 << 20


@dataclass(frozen=True)
class _Form:
    encoding: str
    delimiter: str
    header: Sequence[str]


def read(path: Path) -> Source:
    """Open a CSV file. Every column is text: blank and missing cells are empty strings."""
    try:
        encoding, lines = _encoding_and_lines(path)
        form = _form(path, encoding)
    except UnicodeDecodeError as error:
        raise _strange_encoding(path) from error
    except (EOFError, zlib.error, gzip.BadGzipFile, csv.Error) as error:
        raise broken(path.name, "CSV", error) from error
    names = column_names(form.header, path.name)
    return Source(
        name=path.name,
        sha256=content_sha256(path),
        columns=names,
        rows=max(lines - 1, 0),
        batches=lambda: _batches(path, form, names) if lines > 1 else iter(()),
    )


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")  # type: ignore[return-value]


def _encoding_and_lines(path: Path) -> tuple[str, int]:
    """Decode all of it once: a file that is UTF-8 nearly to its end would otherwise fail half-way through a load."""
    decoder, utf8, lines, last = codecs.getincrementaldecoder("utf-8")(), True, 0, b""
    with _open(path) as stream:
        while chunk := stream.read(1 << 20):
            if not last and chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise _strange_encoding(path)
            lines, last = lines + chunk.count(b"\n"), chunk
            try:
                utf8 = utf8 and decoder.decode(chunk) is not None
            except UnicodeDecodeError:
                utf8 = False
    utf8 = utf8 and not decoder.getstate()[0]  # bytes of a character that was never finished
    return "utf-8-sig" if utf8 else "cp1252", lines + (not last.endswith(b"\n"))


def _form(path: Path, encoding: str) -> _Form:
    with _open(path) as stream, io.TextIOWrapper(stream, encoding=encoding, newline="") as text:
        first = text.readline(_BLOCK)
        text.seek(0)
        delimiter = max(_DELIMITERS, key=first.count)
        header = next(csv.reader(text, delimiter=delimiter), [])
    if not any(name.strip() for name in header):
        raise InputError(f"{path.name} does not begin with a line of column names; add one and load it again.")
    return _Form(encoding, delimiter, header)


def _batches(path: Path, form: _Form, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    try:
        with _open(path) as stream:
            reader = arrow_csv.open_csv(
                stream,
                read_options=arrow_csv.ReadOptions(
                    encoding="utf8" if form.encoding == "utf-8-sig" else form.encoding,
                    block_size=_BLOCK,
                    use_threads=False,
                ),
                parse_options=arrow_csv.ParseOptions(delimiter=form.delimiter, newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(
                    column_types={name: pa.string() for name in form.header}, null_values=[], strings_can_be_null=False
                ),
            )
            for batch in reader:
                yield batch.rename_columns(list(names))
    except UnicodeDecodeError as error:
        raise _strange_encoding(path) from error
    except (pa.ArrowException, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise broken(path.name, "CSV", error) from error


def _strange_encoding(path: Path) -> InputError:
    return InputError(
        f"{path.name} is written neither in UTF-8 nor in Windows-1252; save it as UTF-8 and load it again."
    )
