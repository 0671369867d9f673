"""Logarithmic axes that read as people speak: a week, a month, ten orders, a hundred dollars."""

import re
from collections.abc import Iterable
from typing import Any

from dashboard import format as fmt
from dashboard.locales import LOCALE

TITLES = {"recency_days": "Last order", "frequency": "Orders", "monetary": "Spend"}
_DAYS = {
    1: "1 day",
    7: "1 week",
    30: "1 month",
    91: "3 months",
    365: "1 year",
    1825: "5 years",
}
_ENOUGH = 3


def ticks(column: str, low: float, high: float, sign: str) -> tuple[list[float], list[str]]:
    """Where an axis from `low` to `high` (above zero) is marked, and what stands there; `sign` is the currency's."""
    found = _within(_DAYS, low, high) if column == "recency_days" else []
    for steps in ((1,), (1, 2, 5), range(1, 10)):
        if len(found) < _ENOUGH:
            found = _within([step * 10**power for power in range(16) for step in steps], low, high)
    found = found if len(found) > 1 else sorted({float(round(low)), float(round(high))})
    return found, [_SHOWN[column](value, sign) for value in found]


def logarithmic(column: str, low: float, high: float, sign: str) -> dict[str, Any]:
    """Such an axis as plotly takes it; what is recent stands at the far end."""
    values, texts = ticks(column, low, high, sign)
    axis = {
        "type": "log",
        "tickmode": "array",
        "tickvals": values,
        "ticktext": texts,
        "title": {"text": TITLES[column]},
    }
    return axis | {"autorange": "reversed"} if column == "recency_days" else axis


def money(sign: str) -> dict[str, Any]:
    """What an axis of amounts says of the currency, where the shop's locale has it; of a count nothing."""
    before, after = fmt.priced("|", sign).split("|")
    return {"tickprefix": before, "ticksuffix": after}


def _within(values: Iterable[float], low: float, high: float) -> list[float]:
    return [float(value) for value in values if low <= value <= high]


def _days(value: float, _sign: str) -> str:
    return _DAYS.get(round(value), f"{fmt.number(value)} days")


def _count(value: float, _sign: str) -> str:
    return fmt.number(value)


def _money(value: float, sign: str) -> str:
    """What is spent, and 1 for all that is less: the axis has no place for it below."""
    if value <= 1:
        return f"≤ {fmt.priced('1', sign)}"
    noughts = re.escape(LOCALE.get().decimal) + r"0+(?=[kMB]?(\s|$))"
    return re.sub(noughts, "", fmt.short_money(value, sign))


_SHOWN = {"recency_days": _days, "frequency": _count, "monetary": _money}
