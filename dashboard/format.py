"""Numbers as people read them: thousands separated, no more decimals than matter, a sign on every change.

Marks and the order of a day are those of the shop's locale (see `dashboard.locales`).
"""

import math
from datetime import date
from html import escape
from typing import Any

import pandas as pd

from dashboard.locales import LOCALE

NOTHING = "–"


def missing(value: Any) -> bool:
    """Whether there is no number to show."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value))


_MARKS = str.maketrans({",": "\x00", ".": "\x01"})


def _written(value: float, decimals: int) -> str:
    locale = LOCALE.get()
    plain = f"{value:,.{decimals}f}".replace("-", "−")
    return plain.translate(_MARKS).replace("\x00", locale.thousands).replace("\x01", locale.decimal)


def priced(written: str, currency: str, sign: str = "") -> str:
    """An amount, written already or as it is to be written, with the currency where the shop's country puts it."""
    if LOCALE.get().sign_after and currency:
        return f"{sign}{written}\u00a0{currency}"
    return f"{sign}{currency}{written}"


def number(value: Any, decimals: int = 0) -> str:
    """1234567.8 -> 1,234,568."""
    return NOTHING if missing(value) else _written(float(value), decimals)


def money(value: Any, currency: str) -> str:
    """Full amounts up to 10,000 with cents below 1,000; beyond that whole units."""
    if missing(value):
        return NOTHING
    sign = "−" if value < 0 else ""
    size = abs(float(value))
    return priced(_written(size, 2 if size < 1000 else 0), currency, sign)


def short_money(value: Any, currency: str) -> str:
    """Three digits that matter: $950, $12.3k, $3.73M."""
    if missing(value):
        return NOTHING
    sign = "−" if value < 0 else ""
    size = abs(float(value))
    for limit, unit, name in ((999.5e6, 1e9, "B"), (999.5e3, 1e6, "M"), (1e4, 1e3, "k")):
        if size >= limit:
            scaled = float(f"{size / unit:.3g}")
            digits = _written(scaled, max(0, 2 - math.floor(math.log10(scaled))))
            return priced(f"{digits}{name}", currency, sign)
    return priced(_written(size, 2 if size < 100 else 0), currency, sign)


def money_change(value: Any, currency: str) -> str:
    """+$12.3k, −$950."""
    return f"{'+' if not missing(value) and value > 0 else ''}{short_money(value, currency)}"


def times(value: Any) -> str:
    """1.84 -> 1.8×, as lifts are told."""
    return NOTHING if missing(value) else f"{number(value, 1)}×"


def percent(value: Any, decimals: int = 1) -> str:
    """0.4796 -> 48.0%; a small share that is not zero never reads 0%."""
    if missing(value):
        return NOTHING
    ending = f"{LOCALE.get().before_percent}%"
    if 0 < abs(value) * 100 < 0.5 * 10**-decimals:
        return f"<{_written(10**-decimals, decimals)}{ending}"
    return f"{_written(float(value) * 100, decimals)}{ending}"


def percent_change(value: Any, decimals: int = 1) -> str:
    """+84.6%, −53.0%."""
    return f"{'+' if not missing(value) and value > 0 else ''}{percent(value, decimals)}"


def day(value: Any) -> str:
    """9 Dec 2011; where months come first Dec 9, 2011."""
    if missing(value):
        return NOTHING
    moment = pd.Timestamp(value)
    return f"{_of_month(moment)}, {moment:%Y}" if LOCALE.get().month_first else f"{_of_month(moment)} {moment:%Y}"


def _of_month(moment: date) -> str:
    return f"{moment:%b} {moment.day}" if LOCALE.get().month_first else f"{moment.day} {moment:%b}"


def days(start: date, end: date) -> str:
    """10 Sep – 9 Dec 2011, the year said once where it is the same."""
    if start == end:
        return day(start)
    first = day(start) if start.year != end.year else _of_month(start)
    return f"{first} – {day(end)}"


def month_so_far(last: date) -> str:
    """December 2011 has only its first 9 days."""
    return f"{last:%B %Y} has only its first {'day' if last.day == 1 else f'{last.day} days'}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """1 order, 2 orders, 1,200 orders."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def unmarked(text: object) -> str:
    """Text for a plot, where plotly would take some of what looks like HTML for markup."""
    return escape(str(text), quote=False)


def shortened(text: str, length: int) -> str:
    """A long name cut at the end with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
