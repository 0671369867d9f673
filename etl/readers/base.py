"""What every reader gives: a Source, whose rows stream as Arrow batches."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from errors import InputError

BATCH_ROWS = 65_536


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
    """The header's names, trimmed; a blank one is called by its position. Raises InputError where two are alike."""
    names = [text.strip() or f"column {position}" for position, text in enumerate(header, start=1)]
    if repeated := sorted({text for text in names if names.count(text) > 1}):
        raise InputError(f"{name} has more than one column named {', '.join(repeated)}; rename them and load it again.")
    return names


def broken(name: str, kind: str, error: Exception) -> InputError:
    """The error of a file that is not what its name says, or that ends too early."""
    detail = " ".join(str(error).split())[:200] or type(error).__name__
    return InputError(f"{name} cannot be read as {kind} ({detail}); check the file and load it again.")
