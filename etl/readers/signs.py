"""What a file is by its first bytes, where its name says something else."""

from dataclasses import dataclass
from pathlib import Path

from errors import InputError

_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_LOOK = 512
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True)
class _Sign:
    start: tuple[bytes, ...]
    """In small letters; white space before it does not matter."""
    what: str
    suffixes: tuple[str, ...] = ()
    """Of files that may begin so."""
    remedy: str = "export it as CSV, Excel or Parquet"


_SIGNS = (
    _Sign((b"pk\x03\x04",), "a workbook or another zip archive", _WORKBOOKS, "name it .xlsx, or unpack it"),
    _Sign((_OLE,), "an old workbook, or one behind a password", _WORKBOOKS, "name it .xls"),
    _Sign((b"par1",), "Parquet", (".parquet",), "name it .parquet"),
    _Sign((b"\x1f\x8b",), "packed by gzip", (".gz",), "name it .csv.gz or .tsv.gz, or unpack it"),
    _Sign((b"\x28\xb5\x2f\xfd",), "packed by Zstandard", (".zst",), "name it .csv.zst or .tsv.zst, or unpack it"),
    _Sign((b"\x89png", b"\xff\xd8\xff", b"gif8"), "a picture"),
    _Sign((b"%pdf-",), "a PDF document"),
    _Sign((b"<!doctype", b"<html", b"<table", b"<?xml"), "a web page or XML"),
    _Sign((b'{"', b"[{"), "JSON"),
)


def refuse_misnamed(path: Path) -> None:
    """Raise InputError where the content is of a kind that the name does not say, or behind a password."""
    with path.open("rb") as stream:
        content = stream.read(_LOOK)
    start, name = content.removeprefix(b"\xef\xbb\xbf").lstrip().lower(), path.name.lower()
    for sign in _SIGNS:
        if start.startswith(sign.start) and not name.endswith(sign.suffixes):
            raise InputError(f"{path.name} is {sign.what}, whatever its name says; {sign.remedy} and load it again.")
    if name.endswith((*_WORKBOOKS, ".parquet")) and not any(byte < 32 and byte not in b"\t\n\f\r" for byte in content):
        raise InputError(f"{path.name} is plain text, whatever its name says; name it .csv or .tsv and load it again.")
    if start.startswith(_OLE) and _LOCKED in path.read_bytes():
        raise InputError(f"{path.name} is behind a password; save it without one and load it again.")
