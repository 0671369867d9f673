"""All of the record in one file, as it was at one moment, and such a file opened again once it proved whole.

The file is a ZIP of one CSV a table, as `db.checksums` writes it, and of `manifest.json`: the revision of the schema,
and the rows, the checksum and the next numbers of each table.
"""

import hashlib
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import IO

from sqlalchemy import Engine, text

from db import checksums, revisions
from db.checksums import Content
from db.engine import clear_errors
from db.parts import make_durable
from errors import ConfigurationError, DatabaseError, InputError

_FORMAT = 1
_MANIFEST = "manifest.json"
_PIECE = 1 << 20
_UNREADABLE = (
    *(OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, AttributeError, OverflowError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)
"""What reading a damaged ZIP or manifest may raise."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: tables in the order in which they can be filled."""

    revision: str
    taken_at: str
    tables: Mapping[str, Content]


@dataclass(frozen=True)
class Backup:
    """A backup that is whole, open to be read."""

    manifest: Manifest
    _archive: zipfile.ZipFile

    def open(self, table: str) -> IO[bytes]:
        """The CSV of a table, to be read from its beginning."""
        return self._archive.open(_member(table))


def backup(engine: Engine, path: Path, advance: Callable[[], None] = lambda: None) -> Manifest:
    """Write all of the record to a new file that only its owner may read; `advance` hears of each table.

    The file is there once it is whole. Raises ConfigurationError where there is one already or it cannot be written,
    DatabaseError where the database fails.
    """
    if path.exists():
        raise ConfigurationError(f"There is a file {path} already and it stays as it is; name another.")
    try:
        handle, building = mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as sink, clear_errors("the backup was written", "there is no backup of it"):
                manifest = _written(engine, sink, advance)
                sink.flush()
                os.fsync(sink.fileno())
            Path(building).replace(path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(building)
        make_durable(path.parent)
    except OSError as error:
        raise ConfigurationError(
            f"The backup {path} cannot be written ({error.strerror or error}); name a folder that has room for it."
        ) from error
    return manifest


def _written(engine: Engine, sink: IO[bytes], advance: Callable[[], None]) -> Manifest:
    tables = {}
    with (
        checksums.one_moment(engine) as connection,
        zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for table in checksums.tables():
            with archive.open(_member(table), "w", force_zip64=True) as member:
                tables[table] = checksums.content(connection, table, member)
            advance()
        revision = revisions.applied(connection) or ""
        taken_at = connection.execute(text("SELECT now()")).scalar_one().isoformat(timespec="seconds")
        manifest = Manifest(revision, taken_at, tables)
        archive.writestr(_MANIFEST, json.dumps({"format": _FORMAT, **asdict(manifest)}, indent=1))
    return manifest


@contextmanager
def opened(path: Path, advance: Callable[[], None] = lambda: None) -> Iterator[Backup]:
    """A backup, once all that it holds was read and is what its manifest says; `advance` hears of each table.

    Raises InputError where it cannot be read, is cut off, damaged or no backup, DatabaseError where a newer version
    wrote it.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"The backup {path} cannot be read ({error.strerror or error}); check the path.") from error
    with file:
        try:
            archive = zipfile.ZipFile(file)
            manifest = _manifest(archive, path)
            for table, said in manifest.tables.items():
                _check(archive, table, said)
                advance()
        except _UNREADABLE as error:
            raise InputError(
                f"{path} is no whole backup ({_said(error)}) and nothing was changed; take another copy of it, or "
                "another backup."
            ) from error
        yield Backup(manifest, archive)


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    """Raises what `_UNREADABLE` names, or DatabaseError."""
    if _MANIFEST not in archive.namelist():
        raise ValueError("it has no manifest")
    if {member.compress_type for member in archive.infolist()} != {zipfile.ZIP_DEFLATED}:
        raise ValueError("it is packed in another way")
    said = json.loads(archive.read(_MANIFEST))
    if said.pop("format") != _FORMAT or said["revision"] not in revisions.known():
        raise DatabaseError(
            f"{path} is of schema {said['revision']}, which is newer than this version of Shopper Spectrum, and "
            "nothing was changed; install the version that wrote it."
        )
    tables = {name: Content(**content) for name, content in said.pop("tables").items()}
    if set(archive.namelist()) != {_MANIFEST, *map(_member, tables)}:
        raise ValueError("its tables are not those of its manifest")
    return Manifest(**said, tables=tables)


def _check(archive: zipfile.ZipFile, table: str, said: Content) -> None:
    found = hashlib.sha256()
    with archive.open(_member(table)) as member:
        while piece := member.read(_PIECE):
            found.update(piece)
    if found.hexdigest() != said.sha256:
        raise ValueError(f"the checksum of {table} is another")


def _member(table: str) -> str:
    return f"{table}.csv"


def _said(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
