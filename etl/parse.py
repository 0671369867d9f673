"""A column as the file has it -> a typed column. Nothing is raised: what cannot be read is null."""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
_ISO_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{1,2}:[0-9]{2}.*)?$"
_ZONE = r"(:[0-9]{2}(?:[.,][0-9]+)?) ?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)$"
SLASH_DATE = r"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}( [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?$"
_EXACT_FLOAT = 2**53


def text(column: pa.Array) -> pa.Array:
    """Text without white space around it, blank as null; a number as a person writes it: 17850, not 17850.0."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    floating = pa.types.is_floating(column.type)
    written = _float_text(column.cast(pa.float64())) if floating else column.cast(pa.string())
    trimmed = pc.utf8_trim_whitespace(written)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def identifier(column: pa.Array) -> pa.Array:
    """Text that names an order, a customer or a product; a whole number written 17850.0 loses its decimals."""
    return pc.replace_substring_regex(text(column), r"^([0-9]+)\.0+$", r"\1")


def number(column: pa.Array) -> pa.Array:
    """Float64; infinities stay, text that is not a plain number (12, -3.5, 1e3) is null."""
    if _is_numeric(column.type):
        values = column.cast(pa.float64(), safe=False)
        return pc.if_else(pc.is_nan(values), None, values)
    written = text(column)
    return pc.if_else(pc.match_substring_regex(written, _NUMBER), written, None).cast(pa.float64())


def missing(column: pa.Array) -> pa.Array:
    """True for null, not-a-number and blank text."""
    if _is_numeric(column.type):
        return pc.is_null(column, nan_is_null=True)
    return pc.is_null(column if pa.types.is_temporal(column.type) else text(column))


def moment(column: pa.Array, day_first: bool | None = None) -> pa.Array:
    """Timestamps in microseconds without a zone, from dates, timestamps and ISO 8601 text.

    A zoned one is what the clock on its own wall showed: a sale stays on the day on which the shop saw it.
    Text such as 12/1/2010 8:26 is read in the order `day_first` says, and not at all where that is None. The years
    1900 to 2199 are dates; everything else is null.
    """
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("s" if pa.types.is_date32(column.type) else "ms"))
    if not pa.types.is_timestamp(column.type):
        written = text(column) if day_first is None else _slashes_to_iso(text(column), day_first)
        iso = pc.if_else(pc.match_substring_regex(written, _ISO_DATE), written, None)
        wall = pc.replace_substring_regex(iso, _ZONE, r"\1")
        column = pa.array(pd.to_datetime(wall.to_pandas(), format="ISO8601", errors="coerce"), from_pandas=True)
    if column.type.tz is not None:
        column = pc.local_timestamp(column)
    year = pc.year(column)
    dated = pc.and_(pc.greater_equal(year, 1900), pc.less(year, 2200))
    return pc.if_else(dated, column, None).cast(pa.timestamp("us"), safe=False)


def _slashes_to_iso(written: pa.Array, day_first: bool) -> pa.Array:
    slashed = pc.match_substring_regex(written, SLASH_DATE)
    padded = pc.replace_substring_regex(written, r"\b([0-9])\b", r"0\1")
    iso = pc.replace_substring_regex(padded, "^(..)/(..)/(....)", r"\3-\2-\1" if day_first else r"\3-\1-\2")
    return pc.if_else(slashed, iso, written)


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind))


def _float_text(values: pa.Array) -> pa.Array:
    whole = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), _EXACT_FLOAT))
    integers = pc.if_else(whole, values, None).cast(pa.int64())
    missing = pc.is_nan(values)
    return pc.coalesce(integers.cast(pa.string()), pc.if_else(missing, None, values).cast(pa.string()))
