"""A column as the file has it -> a typed column. Nothing is raised: what cannot be read is null."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

PLAIN_NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
_SIGN, _SPACE = "[+−-]", "[ \u00a0\u2009\u202f]"
_CURRENCY = r"(?:[A-Z]{0,3}\p{Sc}|[A-Z]{3}|kr\.?|zł|Kč|Ft|Fr\.)"
_PREFIX = f"(?P<prefix>{_SIGN}?{_SPACE}?(?:{_CURRENCY}{_SPACE}?)?|{_CURRENCY}{_SPACE}?{_SIGN}{_SPACE}?)"
_THOUSANDS = "[1-9][0-9]{0,2}(?:(?:%s[0-9]{3})+|(?:" + _SPACE + "[0-9]{3})+|(?:['’][0-9]{3})+)"
_FIGURES = r"(?P<figures>(?:[0-9]+|%s)(?:\%s[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?|\%s[0-9]+)"
NUMBER_BY_MARK = {
    mark: f"^{_PREFIX}{_FIGURES % (_THOUSANDS % other, mark, mark)}(?:{_SPACE}?(?P<after>{_CURRENCY}))?$"
    for mark, other in ((".", ","), (",", r"\."))
}
"""Decimal mark -> numbers as people write them: 1,234.50, -1 234.50, 1'234.50, $1,234.50, 1,234.50 EUR."""
_ISO_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{1,2}:[0-9]{2}.*)?$"
_COMPACT_DATE = r"^((?:19|20|21)[0-9]{2})(0[1-9]|1[0-2])([0-2][0-9]|3[01])$"
_ZONE = r"(:[0-9]{2}(?:[.,][0-9]+)?) *(?:[Zz]|UTC|GMT|[+-][0-9]{1,2}(?::?[0-9]{2})?)$"
_LOCAL = r"^[0-9-]{10}([ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)?$"
_YEAR_AND_CLOCK = r"(?P<year>[0-9]{4}|[0-9]{2})(?:,?(?P<clock>[ T]+[0-9]{1,2}:[0-9]{2}.*))?$"
NUMERIC_DATE = rf"^(?P<first>[0-9]{{1,2}})[/.-](?P<second>[0-9]{{1,2}})[/.-]{_YEAR_AND_CLOCK}"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_NAMED_DATES = (
    rf"(?i)^{_DAY}[ ./-]?{_MONTH},?[ ./-]?{_YEAR_AND_CLOCK}",
    rf"(?i)^{_MONTH}[ ./-]?{_DAY}(?:, ?|[ ./-]){_YEAR_AND_CLOCK}",
)
_TWELVE_HOURS = r"^(?P<day>.*[ T])(?P<hour>0?[1-9]|1[0-2])(?P<rest>:[0-9]{2}[0-9:.,]*) ?(?P<half>[AaPp])\.?[Mm]\.?$"
_MINUTES = r":[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?"
_CLOCK = rf"^(?:(?:[01]?[0-9]|2[0-3]){_MINUTES}|(?:0?[1-9]|1[0-2]){_MINUTES} ?[AaPp]\.?[Mm]\.?)$"
_LAST_YEAR_OF_2000 = "69"  # two digits from 00 to 69 are 20xx, as POSIX has it
_EXACT_FLOAT = 2**53
_IN_NUMBERS = np.isin(np.arange(256), np.frombuffer(b"0123456789+-.", dtype=np.uint8))
"""Which bytes are part of numbers that every reader reads alike; e, as in 1e5, is left to the exact look."""


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
    written = text(column)
    return pc.replace_substring_regex(written, r"^([0-9]+)\.0+$", r"\1") if may_hold(written, ".") else written


def mended(written: pa.Array) -> pa.Array:
    """Words that were UTF-8 and were read as Windows-1252 (CafÃ©) as they were (Café), where that is certain."""
    if not may_hold(written, "Ã"):
        return written
    return by_distinct(written, lambda words: pa.array([_mended(word) for word in words.to_pylist()], pa.string()))


def _mended(word: str | None) -> str | None:
    try:
        return word and word.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return word


def may_hold(written: pa.Array, sign: str) -> bool:
    """Whether one of the texts may have this character: a quick look at their bytes that spares most columns more."""
    content = written.buffers()[2] if written.null_count < len(written) else None
    if content is None or not content.size:
        return False
    found = np.frombuffer(content, dtype=np.uint8)
    return bool(np.any(found == ord(sign)) if sign.isascii() else np.max(found) > 0x7F)


def number(column: pa.Array, decimal: str | None = None) -> pa.Array:
    """Float64; infinities stay, text that is not a number is null.

    Without `decimal` a number is plain (12, -3.5, 1e3). With it, a point or a comma, it may have that decimal mark,
    marks of thousands (the other of the two, spaces or apostrophes) and one currency before or after it, and it is
    below zero with a minus before it or after it or in brackets.
    """
    if _is_numeric(column.type):
        values = column.cast(pa.float64(), safe=False)
        return pc.if_else(pc.is_nan(values), None, values)
    if decimal is None and (quick := _plain_numbers(column)) is not None:
        return quick
    return by_distinct(text(column), lambda written: _written_number(written, decimal))


def _plain_numbers(column: pa.Array) -> pa.Array | None:
    """Texts that are all plain numbers or blank, without a look at each; else None."""
    content = column.buffers()[2] if pa.types.is_string(column.type) else None
    if content is None or not _IN_NUMBERS[np.frombuffer(content, dtype=np.uint8)].all():
        return None
    try:
        return pc.if_else(pc.equal(column, ""), None, column).cast(pa.float64())
    except pa.ArrowInvalid:
        return None


def signed(written: pa.Array) -> pa.Array:
    """Numbers below zero as bookkeepers write them, (1,234.50) and 1,234.50-, with the minus before them."""
    return pc.replace_substring_regex(written, rf"^\({_SPACE}?([^()]+?){_SPACE}?\)$|^([^-−]*[0-9])[-−]$", r"-\1\2")


def currency(written: pa.Array) -> pa.Array:
    """The sign or code beside a number, whichever decimal mark it has; blank where there is none."""
    parts = [pc.extract_regex(written, pattern) for pattern in NUMBER_BY_MARK.values()]
    beside = [
        pc.binary_join_element_wise(*(pc.struct_field(p, name) for name in ("prefix", "after")), "") for p in parts
    ]
    return pc.replace_substring_regex(pc.coalesce(*beside), f"{_SIGN}|{_SPACE}", "")


def percentages(column: pa.Array) -> pa.Array:
    """Text without the sign of per cent after it: 10% as 10; a column of another type as it is."""
    if not pa.types.is_string(column.type) or not may_hold(column, "%"):
        return column
    return pc.replace_substring_regex(text(column), rf"{_SPACE}?%$", "")


def missing(column: pa.Array) -> pa.Array:
    """True for null, not-a-number and blank text."""
    if _is_numeric(column.type):
        return pc.is_null(column, nan_is_null=True)
    return pc.is_null(column if pa.types.is_temporal(column.type) else text(column))


def moment(column: pa.Array, day_first: bool | None = None) -> pa.Array:
    """Timestamps in microseconds without a zone, from dates, timestamps and text.

    A zoned one is what the clock on its own wall showed: a sale stays on the day on which the shop saw it.
    Text is ISO 8601, has the month's English name (1 Dec 2010, Dec 1, 2010, 01-Dec-10) or is a day in eight figures
    (20101201). Text in numbers (12/1/2010, 31.12.2010, 31-12-10) is read in the order `day_first` says, and not at
    all where that is None. Clocks have 24 hours, or 12 with AM and PM. Two-digit years from 00 to 69 are 20xx. The
    years 1900 to 2199 are dates; all else is null.
    """
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("s" if pa.types.is_date32(column.type) else "ms"))
    if not pa.types.is_timestamp(column.type):
        return by_distinct(text(column), lambda written: _written_moment(written, day_first))
    if column.type.tz is not None:
        column = pc.local_timestamp(column)
    year = pc.year(column)
    dated = pc.and_(pc.greater_equal(year, 1900), pc.less(year, 2200))
    return pc.if_else(dated, column, None).cast(pa.timestamp("us"), safe=False)


def clock(column: pa.Array) -> pa.Array:
    """Times of day as text with two figures of the hour, 08:26, 08:26:05 or 08:26 PM; all else is null."""
    written = text(column)
    told = pc.if_else(pc.match_substring_regex(written, _CLOCK), written, None)
    return pc.replace_substring_regex(told, "^([0-9]):", r"0\1:")


def at_clock(date: pa.Array, time_of_day: pa.Array) -> pa.Array:
    """Dates that have no clock with the one beside them, as text; figures alone (20240102) stay as they are."""
    written, hands = text(date), clock(time_of_day)
    bare = pc.match_substring_regex(written, "^[^:]*[^:0-9][^:]*$")
    joined = pc.binary_join_element_wise(written, hands, " ")
    return pc.if_else(pc.and_(pc.is_valid(hands), pc.fill_null(bare, False)), joined, written)


def by_distinct(column: pa.Array, read: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """What `read` makes of the column, asked once for each distinct value: a day's or a price's rows are many."""
    encoded = column.dictionary_encode()
    return read(encoded.dictionary).take(encoded.indices)


def _written_moment(written: pa.Array, day_first: bool | None) -> pa.Array:
    if (quick := _iso_moment(written)) is not None:
        return quick
    written = pc.replace_substring_regex(written, _COMPACT_DATE, r"\1-\2-\3")
    for pattern in _NAMED_DATES:
        parts = pc.extract_regex(written, pattern)
        month = pc.utf8_slice_codeunits(pc.utf8_lower(pc.struct_field(parts, "month")), 0, 3)
        number = pc.add(pc.index_in(month, pa.array(_MONTHS)), 1).cast(pa.string())
        written = pc.coalesce(_iso(parts, number, pc.struct_field(parts, "day")), written)
    if day_first is not None:
        parts = pc.extract_regex(written, NUMERIC_DATE)
        first, second = pc.struct_field(parts, "first"), pc.struct_field(parts, "second")
        written = pc.coalesce(_iso(parts, *((second, first) if day_first else (first, second))), written)
    written = pc.coalesce(_in_24_hours(written), written)
    iso = pc.if_else(pc.match_substring_regex(written, _ISO_DATE), written, None)
    wall = pc.replace_substring_regex(iso, _ZONE, r"\1")
    wall = pc.if_else(pc.match_substring_regex(wall, _LOCAL), wall, None)
    return moment(pa.array(pd.to_datetime(wall.to_pandas(), format="ISO8601", errors="coerce"), from_pandas=True))


def _iso_moment(written: pa.Array) -> pa.Array | None:
    """Texts all written 2010-12-01 08:26:00, or all 2010-12-01; else None, and they are looked at one by one."""
    lengths = pc.unique(pc.binary_length(written).drop_null()).to_pylist()
    try:
        return moment(written.cast(pa.timestamp("us"))) if lengths in ([19], [10]) else None
    except pa.ArrowInvalid:
        return None


def _iso(parts: pa.Array, month: pa.Array, day: pa.Array) -> pa.Array:
    year, clock = pc.struct_field(parts, "year"), pc.struct_field(parts, "clock")
    century = pc.if_else(pc.less_equal(year, _LAST_YEAR_OF_2000), "20", "19")
    full = pc.if_else(pc.equal(pc.utf8_length(year), 2), pc.binary_join_element_wise(century, year, ""), year)
    date = pc.binary_join_element_wise(full, _two_digits(month), _two_digits(day), "-")
    hour = pc.replace_substring_regex(clock, r"^[ T]+([0-9]?)([0-9]:)", r" \1\2")
    return pc.binary_join_element_wise(date, pc.replace_substring_regex(hour, "^ ([0-9]:)", r" 0\1"), "")


def _in_24_hours(written: pa.Array) -> pa.Array:
    parts = pc.extract_regex(written, _TWELVE_HOURS)
    hour = pc.struct_field(parts, "hour").cast(pa.int32())
    afternoon = pc.equal(pc.utf8_lower(pc.struct_field(parts, "half")), "p")
    start = pc.if_else(afternoon, pa.scalar(12, pa.int32()), pa.scalar(0, pa.int32()))
    whole = pc.add(start, pc.if_else(pc.equal(hour, 12), pa.scalar(0, pa.int32()), hour))
    return pc.binary_join_element_wise(
        pc.struct_field(parts, "day"), _two_digits(whole.cast(pa.string())), pc.struct_field(parts, "rest"), ""
    )


def _two_digits(written: pa.Array) -> pa.Array:
    return pc.utf8_lpad(written, 2, "0")


def _written_number(written: pa.Array, decimal: str | None) -> pa.Array:
    if decimal is not None:
        parts = pc.extract_regex(signed(written), NUMBER_BY_MARK[decimal])
        bare = pc.replace_substring_regex(pc.struct_field(parts, "figures"), rf"[^0-9eE+\{decimal}-]", "")
        minus = pc.match_substring_regex(pc.struct_field(parts, "prefix"), "[−-]")
        sign = pc.if_else(minus, "-", "")
        written = pc.binary_join_element_wise(sign, pc.replace_substring(bare, decimal, "."), "")
    return pc.if_else(pc.match_substring_regex(written, PLAIN_NUMBER), written, None).cast(pa.float64())


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind))


def _float_text(values: pa.Array) -> pa.Array:
    whole = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), _EXACT_FLOAT))
    integers = pc.if_else(whole, values, None).cast(pa.int64())
    missing = pc.is_nan(values)
    return pc.coalesce(integers.cast(pa.string()), pc.if_else(missing, None, values).cast(pa.string()))
