"""Every sheet of a workbook as a file of text cells: a process of its own, for what a workbook can do to one.

Given WORKBOOK and FOLDER it writes FOLDER/0, FOLDER/1, ... (Arrow streams, a row a row of the sheet, the
blank ones too) and FOLDER/names (JSON), or says on stderr why not. A damaged workbook may end it in any way, and one
cell at the far corner of a sheet would take 500 GB: the process ends, and its caller goes on.
"""

import json
import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from itertools import islice
from pathlib import Path

import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from etl.cells import BATCH_ROWS, written

MOST_MEMORY = 8 << 30
"""A sheet of a million rows and thirty columns takes 2 GB."""


def main(workbook: str, folder: str) -> None:
    """Write the sheets, one at a time in memory; ends the process with what calamine says of a broken workbook."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(ValueError):  # macOS has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY if hard < 0 else min(MOST_MEMORY, hard), hard))
    try:
        # opened as a stream, it is told by its content, not by its suffix
        opened = CalamineWorkbook.from_filelike(BytesIO(Path(workbook).read_bytes()))
        for number, name in enumerate(opened.sheet_names):
            _write(opened.get_sheet_by_name(name), Path(folder) / str(number))
    except CalamineError as error:
        sys.exit(str(error))
    (Path(folder) / "names").write_text(json.dumps(opened.sheet_names))


def _write(sheet: CalamineSheet, path: Path) -> None:
    rows = sheet.iter_rows()
    block: Sequence[Sequence[object]] = list(islice(rows, BATCH_ROWS))
    schema = pa.schema([(str(place), pa.string()) for place in range(len(block[0]) if block else 0)])
    with pa.ipc.new_stream(path, schema) as writer:
        while block:
            columns = [pa.array([written(cell) for cell in column], pa.string()) for column in zip(*block, strict=True)]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            block = list(islice(rows, BATCH_ROWS))


if __name__ == "__main__":
    main(*sys.argv[1:])
