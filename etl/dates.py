"""Whether a file writes 3/4/2011 for the third of April or the fourth of March: the whole column decides."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from db.columns import Columns as C
from errors import InputError
from etl import parse
from etl.mapping import Layout
from etl.readers.base import Source


def with_day_order(layout: Layout, source: Source) -> Layout:
    """The layout with `day_first` told from the dates, where the first of them are in numbers: 1/2/2011, 1.2.2011.

    Raises InputError where no date shows the order, or two contradict each other: a wrong guess would move sales by
    months, and nobody would see it. For the same reason the days of two-digit years must vary more than the years do:
    10-11-12 may begin with the year. An order that is given stands.
    """
    if layout.day_first is not None or C.ORDERED_AT not in layout.columns:
        return layout
    example = day_first = month_first = None
    days: set[str] = set()
    years: set[str] = set()
    for batch in source.batches():
        column = batch.column(layout.columns[C.ORDERED_AT])
        if pa.types.is_temporal(column.type):
            return layout
        dates = pc.unique(parse.text(column))
        parts = pc.extract_regex(dates, parse.NUMERIC_DATE)
        first, second, year = (pc.struct_field(parts, name) for name in ("first", "second", "year"))
        example = example or _first(dates, pc.is_valid(parts))
        if example is None:
            return layout
        # a number above 12 can only be a day
        day_first = day_first or _first(dates, pc.greater(first.cast(pa.int32()), 12))
        month_first = month_first or _first(dates, pc.greater(second.cast(pa.int32()), 12))
        short = pc.equal(pc.utf8_length(year), 2)
        days |= set(pc.unique(first.filter(short)).to_pylist())
        years |= set(pc.unique(year.filter(short)).to_pylist())
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
            "tells which; say it by `day_first` in a mapping file (`python -m etl inspect FILE --write MAPPING.toml`)."
        )
    if day_first and years and len(days) <= len(years):
        raise InputError(
            f"The dates of {source.name}, such as {day_first}, can have the day or the year first and they do not tell "
            "which; say `day_first = true` in a mapping file, or write them as YYYY-MM-DD."
        )
    return replace(layout, day_first=day_first is not None)


def _first(dates: pa.Array, chosen: pa.Array) -> str | None:
    found = dates.filter(chosen)
    return str(found[0]) if len(found) else None
