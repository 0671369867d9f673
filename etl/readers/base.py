"""What every reader gives: a Source, whose rows stream as Arrow batches."""

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pyarrow as pa

from errors import InputError
from etl.cells import BATCH_ROWS

_MOST_COLUMNS = 1_000
_SCRATCH = "spectrum-scratch-"
_NEW = 60  # seconds in which whoever made a directory locks it


@dataclass(frozen=True)
class Form:
    """How a file is written, as far as it is given or was found; None: to be found, or no such thing here."""

    encoding: str | None = None
    delimiter: str | None = None
    header_line: int | None = None
    """The line of the header, from 1; what stands above it is left out."""
    sheet: str | None = None


UNKNOWN = Form()


@dataclass(frozen=True)
class Source:
    """One file, opened and found readable; its rows are read only when `batches` is called, each time from the start.

    Formats without types of their own (CSV, Excel) give text; no column is nested or binary. `customers` has
    customer_id and attributes (JSON text), `products` has product_id, name, category, department and brand.
    """

    name: str
    sha256: str
    """Of the content, so that the same content is known under any name."""
    columns: Sequence[str]
    """As the file writes them, no two alike."""
    rows: int
    """How many there are, for the progress bar alone: a CSV counts its line breaks."""
    batches: Callable[[], Iterator[pa.RecordBatch]]
    """Raises InputError where the file turns out broken further down."""
    form: Form = UNKNOWN
    customers: pa.Table | None = None
    products: pa.Table | None = None
    carried: Mapping[str, pa.Table] = field(default_factory=dict)
    """Table of the record (campaign, interaction_event, ...) -> rows that come along, in the types of the record."""


class Scratch:
    """A directory for what must be copied before it can be read; it goes with the last that holds it, or at exit.

    What a killed process left behind goes when the next one is made.
    """

    def __init__(self) -> None:
        _remove_left_behind()
        self.path = Path(tempfile.mkdtemp(prefix=_SCRATCH))
        held = _locked(self.path)
        weakref.finalize(self, _let_go, self.path, held)


def _locked(directory: Path) -> int | None:
    """The open directory, locked as long as this process lives; None where another holds it."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _let_go(directory: Path, held: int | None) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    if held is not None:
        os.close(held)


def _remove_left_behind() -> None:
    for directory in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*"):
        with suppress(OSError):  # another user's, or gone already
            if time.time() - directory.stat().st_mtime > _NEW and (held := _locked(directory)) is not None:
                _let_go(directory, held)


Reader = Callable[[Path, Form], Source]


def content_sha256(*paths: Path) -> str:
    """The SHA-256 of the files' bytes, one after the other, in hexadecimal."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def column_names(header: Sequence[str], name: str) -> list[str]:
    """The header's names, trimmed; a blank one is called by its position.

    Raises InputError where two are alike, or there are more than any list of sales has.
    """
    if len(header) > _MOST_COLUMNS:
        raise InputError(f"{name} has {len(header):,} columns, and {_MOST_COLUMNS:,} at most are read; export fewer.")
    names = [text.strip() or f"column {position}" for position, text in enumerate(header, start=1)]
    if repeated := sorted({text for text in names if names.count(text) > 1}):
        raise InputError(
            f"{name} has more than one column named {', '.join(repeated)}; name each differently, in a line above the "
            "rows, and load it again."
        )
    return names


def broken(name: str, kind: str, error: Exception) -> InputError:
    """The error of a file that is not what its name says, or that ends too early."""
    detail = " ".join(str(error).split())[:200] or type(error).__name__
    return InputError(f"{name} cannot be read as {kind} ({detail}); check the file and load it again.")


class RowFile:
    """Rows of text set aside in a file, so that they can be read any number of times."""

    def __init__(self, rows: Iterable[Sequence[str]], names: Sequence[str]) -> None:
        self.rows = 0
        self._scratch = Scratch()
        schema, left = pa.schema([(name, pa.string()) for name in names]), iter(rows)
        with pa.ipc.new_stream(self.path, schema) as writer:
            while block := list(islice(left, BATCH_ROWS)):
                arrays = [pa.array(column, pa.string()) for column in zip(*block, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
                self.rows += len(block)

    @property
    def path(self) -> Path:
        """The file; the same rows under the same names give the same bytes."""
        return self._scratch.path / "rows"

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, from the start."""
        with pa.OSFile(str(self.path)) as file:
            yield from pa.ipc.open_stream(file)
