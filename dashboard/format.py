"""Numbers as people read them: thousands separated, no more decimals than matter, a sign on every change."""

import math
from datetime import date
from html import escape
from typing import Any

import pandas as pd

NOTHING = "–"


def missing(value: Any) -> bool:
    """Whether there is no number to show."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value))


def number(value: Any, decimals: int = 0) -> str:
    """1234567.8 -> 1,234,568."""
    return NOTHING if missing(value) else f"{float(value):,.{decimals}f}".replace("-", "−")


def money(value: Any, currency: str) -> str:
    """Full amounts up to 10,000 with cents below 1,000; beyond that whole units."""
    if missing(value):
        return NOTHING
    sign = "−" if value < 0 else ""
    size = abs(float(value))
    return f"{sign}{currency}{size:,.{2 if size < 1000 else 0}f}"


def short_money(value: Any, currency: str) -> str:
    """Three digits that matter: $950, $12.3k, $3.73M."""
    if missing(value):
        return NOTHING
    sign = "−" if value < 0 else ""
    size = abs(float(value))
    for limit, unit, name in ((999.5e6, 1e9, "B"), (999.5e3, 1e6, "M"), (1e4, 1e3, "k")):
        if size >= limit:
            scaled = float(f"{size / unit:.3g}")
            return f"{sign}{currency}{scaled:,.{max(0, 2 - math.floor(math.log10(scaled)))}f}{name}"
    return f"{sign}{currency}{size:,.{2 if size < 100 else 0}f}"


def money_change(value: Any, currency: str) -> str:
    """+$12.3k, −$950."""
    return f"{'+' if not missing(value) and value > 0 else ''}{short_money(value, currency)}"


def percent(value: Any, decimals: int = 1) -> str:
    """0.4796 -> 48.0%; a small share that is not zero never reads 0%."""
    if missing(value):
        return NOTHING
    if 0 < abs(value) * 100 < 0.5 * 10**-decimals:
        return f"<{10**-decimals:.{decimals}f}%"
    return f"{float(value) * 100:,.{decimals}f}%".replace("-", "−")


def day(value: Any) -> str:
    """9 Dec 2011."""
    if missing(value):
        return NOTHING
    moment = pd.Timestamp(value)
    return f"{moment.day} {moment:%b %Y}"


def days(start: date, end: date) -> str:
    """10 Sep – 9 Dec 2011, the year said once where it is the same."""
    if start == end:
        return day(start)
    first = day(start) if start.year != end.year else f"{start.day} {start:%b}"
    return f"{first} – {day(end)}"


def month_so_far(last: date) -> str:
    """December 2011 has only its first 9 days."""
    return f"{last:%B %Y} has only its first {'day' if last.day == 1 else f'{last.day} days'}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """1 order, 2 orders, 1,200 orders."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def unmarked(text: object) -> str:
    """Text for a plot, where plotly would take some of what looks like HTML for markup."""
    return escape(str(text), quote=False)


def shortened(text: str, length: int) -> str:
    """A long name cut at the end with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
