"""The rejected rows of a load as a file to mend and to load again: its columns and cells, and why they were refused."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from db.accounts import Load
from db.rejects import Reject
from etl import mapping_file
from etl.mapping import Layout
from etl.readers.base import Form

ADDED = ("rejected_because", "row_number")
"""The columns that are not the file's own."""

_WRITTEN = Form(encoding="utf-8", delimiter=",", header_line=1)


def noted(layout: Layout, form: Form, columns: Sequence[str]) -> dict[str, Any]:
    """What a load keeps of its file among its options: the mapping it went by and all columns, in their order."""
    return {"mapping": mapping_file.as_dict(layout, form), "columns": list(columns)}


def write_csv(rows: Iterable[Reject], columns: Sequence[str], sink: TextIO) -> int:
    """Write the rows under the columns, with the reason and the row's number in the file beside; gives how many."""
    own = [name for name in columns if name not in ADDED]
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow([*own, *ADDED])
    written = 0
    for row in rows:
        cells = [row.cells.get(name.replace("\x00", "\u2400")) or "" for name in own]
        writer.writerow([*cells, row.reason, row.row_number])
        written += 1
    return written


def mapping_of(load: Load, name: str) -> str | None:
    """The mapping file that reads what `write_csv` wrote to `name` as the load read it; None: it did not note how."""
    noted_then: Mapping[str, Any] | None = load.options.get("mapping")
    if noted_then is None:
        return None
    layout, _ = mapping_file.from_dict(noted_then, f"load {load.load_id}")
    return mapping_file.written(layout, _WRITTEN, name, load.options.get("columns", ()))
