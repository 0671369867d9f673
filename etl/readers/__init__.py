"""Suffix -> reader. An input format is one file here and one line in READERS."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from db.source import is_database
from errors import ConfigurationError, InputError, one_line
from etl.readers import csv, database, excel, folder, parquet, remote, sample
from etl.readers.base import UNKNOWN, Form, Reader, Scratch, Source
from etl.readers.folder import Found
from etl.readers.signs import refuse_misnamed

READERS: Mapping[str, Reader] = {
    ".csv": csv.read,
    ".csv.gz": csv.read,
    ".csv.zst": csv.read,
    ".tsv": csv.read,
    ".tsv.gz": csv.read,
    ".tsv.zst": csv.read,
    ".txt": csv.read,
    ".xlsx": excel.read,
    ".xlsm": excel.read,
    ".xlsb": excel.read,
    ".xls": excel.read,
    ".ods": excel.read,
    ".parquet": parquet.read,
}

SAMPLE = "sample"


def expand(what: str) -> Found | None:
    """The files of a folder or of a pattern such as `exports/*.csv` or `s3://bucket/2024/*`; None for all else.

    Raises InputError where there is none that can be read.
    """
    if what == SAMPLE or (remote.is_address(what) and is_database(what)):
        return None
    return folder.find(what, lambda name: _reader(name) is not None)


def open_source(what: str, households: int | None = None, form: Form = UNKNOWN, *, query: str | None = None) -> Source:
    """One source of rows, by what it is called.

    A file by its path or its address (s3://, https://, ...); what a `query` gives from the database at an address; or
    the sample by the word `sample` (optionally its first `households` alone). `form` says how the file is written
    where that is not to be found out. Raises InputError where there is no such file or it cannot be read, DatabaseError
    where a database does not answer, ConfigurationError for options that do not fit together.
    """
    if households is not None and what != SAMPLE:
        raise ConfigurationError("--households cuts the sample alone; leave it out when you load a file.")
    if query is not None:
        if not remote.is_address(what):
            raise ConfigurationError("--query asks a database; give its address (postgresql://...), or leave it out.")
        return database.read(what, query, form)
    if what == SAMPLE:
        return sample.read(households)
    if not remote.is_address(what):
        return _read(Path(what), form)
    if is_database(what):
        raise ConfigurationError("The address of a database needs --query with the SELECT whose rows are to be loaded.")
    name = remote.shown(what)
    if _reader(name) is None:
        raise _unknown(name)
    scratch = Scratch()
    source = _read(remote.copy(what, scratch.path), form)
    return replace(source, name=name, batches=lambda: _held(scratch, source))


def shown(what: str) -> str:
    """What `open_source` takes, as it may be shown: an address without its secrets."""
    return remote.shown(what) if remote.is_address(what) else what


def _read(path: Path, form: Form) -> Source:
    try:
        if path.is_dir():
            raise InputError(f"{path} is a directory; name one file in it.")
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is a pipe or a device, no file; write its content to a file and load that.")
        if not path.is_file():
            raise InputError(f"There is no file {path}; check the path, or load the word `sample`.")
        reader = _reader(path.name)
        if reader is None:
            raise _unknown(path.name)
        if path.stat().st_size == 0:
            raise InputError(f"{path.name} is empty; export it again.")
        refuse_misnamed(path)
        before = _mark(path)
        source = reader(path, form)
        return replace(source, name=one_line(source.name), batches=lambda: _steady(path, before, source))
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror or error}); check who may read it.") from error


def _mark(path: Path) -> tuple[int, int]:
    """What changes with every writing to a file."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _steady(path: Path, before: tuple[int, int], source: Source) -> Iterator[pa.RecordBatch]:
    """The rows of a file, if it is to the end the one that was opened: what is known of it is known of that."""
    try:
        yield from source.batches()
        changed = _mark(path) != before
    except OSError:
        changed = True
    if changed:
        raise InputError(f"{path.name} was changed while it was read; load it again when it is complete.")


def _held(scratch: Scratch, source: Source) -> Iterator[pa.RecordBatch]:
    """The rows of a copy, which stays as long as somebody reads them."""
    yield from source.batches()


def _reader(name: str) -> Reader | None:
    return next((read for suffix, read in READERS.items() if name.lower().endswith(suffix)), None)


def _unknown(name: str) -> InputError:
    return InputError(f"{name} is of no known kind; name a file that ends in {', '.join(READERS)}.")
