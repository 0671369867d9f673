"""Short ways for tests to clean a batch, or a whole source, without a database."""

from collections.abc import Iterable
from datetime import datetime
from io import BytesIO

import pyarrow as pa

from etl.canonical import Cells
from etl.clean import Cleaned, clean
from etl.dates import with_day_order
from etl.duplicates import SeenRows
from etl.mapping import Layout, detect
from etl.numbers import with_decimal_marks
from etl.readers.base import Source


def cleaned(
    batch: pa.RecordBatch,
    layout: Layout,
    first_row: int = 1,
    *,
    repeated: pa.Array | None = None,
    latest: datetime | None = None,
) -> Cleaned:
    """A batch by a layout, its rows numbered from `first_row`."""
    numbers = pa.array(range(first_row, first_row + batch.num_rows), pa.int64())
    return clean(batch, Cells(layout).of(batch), layout, numbers, repeated, latest)


def lines(source: Source) -> list[dict[str, object]]:
    """The accepted lines of a source, by the layout that it shows; the row numbers start anew in each batch."""
    layout = with_decimal_marks(with_day_order(detect(source), source), source)
    return [row for batch in source.batches() for row in cleaned(batch, layout).accepted.to_pylist()]


def repeats(batches: Iterable[pa.RecordBatch]) -> list[bool]:
    """Which rows of all the batches repeat an earlier one."""
    seen = SeenRows(BytesIO(), BytesIO())
    doubts = [doubt for batch in batches for doubt in seen.doubts(batch).tolist()]
    found: list[bool] = seen.repeats().tolist()
    assert not [place for place, repeated in enumerate(found) if repeated and not doubts[place]]
    return found
