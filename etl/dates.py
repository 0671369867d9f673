"""Whether a file writes 3/4/2011 for the third of April or the fourth of March: the whole column decides."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from db.columns import Columns as C
from errors import InputError
from etl import parse
from etl.mapping import Layout
from etl.readers.base import Source

# a number above 12 can only be a day
_DAY_FIRST = "^(1[3-9]|[23][0-9])/"
_MONTH_FIRST = "^[0-9]{1,2}/(1[3-9]|[23][0-9])/"


def with_day_order(layout: Layout, source: Source) -> Layout:
    """The layout with `day_first` told from the dates, where the first of them are written with slashes.

    Raises InputError where no date shows the order, or two contradict each other: a wrong guess would move sales by
    months, and nobody would see it.
    """
    example = day_first = month_first = None
    for batch in source.batches():
        dates = parse.text(batch.column(layout.columns[C.ORDERED_AT]))
        slashed = dates.filter(pc.fill_null(pc.match_substring_regex(dates, parse.SLASH_DATE), False))
        example = example or _first(slashed, "")
        if example is None:
            return layout
        day_first = day_first or _first(slashed, _DAY_FIRST)
        month_first = month_first or _first(slashed, _MONTH_FIRST)
    if example is None:
        return layout
    if day_first and month_first:
        raise InputError(
            f"The dates of {source.name} contradict each other: {day_first} has the day first, {month_first} the "
            "month; write all as YYYY-MM-DD and load it again."
        )
    if not day_first and not month_first:
        raise InputError(
            f"The dates of {source.name}, such as {example}, can have the day or the month first and none of them "
            "tells which; write them as YYYY-MM-DD and load it again."
        )
    return replace(layout, day_first=day_first is not None)


def _first(dates: pa.Array, pattern: str) -> str | None:
    found = dates.filter(pc.match_substring_regex(dates, pattern))
    return str(found[0]) if len(found) else None
