"""Suffix -> reader. An input format is one file here and one line in READERS."""

from collections.abc import Mapping
from pathlib import Path

from errors import ConfigurationError, InputError
from etl.readers import csv, excel, parquet, sample
from etl.readers.base import UNKNOWN, Form, Reader, Source

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


def open_source(what: str, households: int | None = None, form: Form = UNKNOWN) -> Source:
    """A file by its path, or the sample by the word `sample` (optionally its first `households` alone).

    `form` says how the file is written where that is not to be found out.

    Raises InputError where there is no such file or it cannot be read, ConfigurationError for `households` of a file.
    """
    if what == SAMPLE:
        return sample.read(households)
    if households is not None:
        raise ConfigurationError("--households cuts the sample alone; leave it out when you load a file.")
    path = Path(what)
    if path.is_dir():
        raise InputError(f"{path} is a directory; name one file in it.")
    if not path.is_file():
        raise InputError(f"There is no file {path}; check the path, or load the word `sample`.")
    reader = next((read for suffix, read in READERS.items() if path.name.lower().endswith(suffix)), None)
    if reader is None:
        raise InputError(f"{path.name} is of no known kind; name a file that ends in {', '.join(READERS)}.")
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path.name} is empty; export it again.")
        return reader(path, form)
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror or error}); check who may read it.") from error
