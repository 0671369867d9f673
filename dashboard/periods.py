"""The periods that can be chosen by name, each with its days: they count back from the last day of the data."""

from collections.abc import Mapping
from datetime import date, timedelta

from db.filters import DEFAULT_DAYS, Period
from db.standing import first_of_month, whole_month

ALL, OTHER = "all", "custom"
NAMES: Mapping[str, str] = {
    "28": "Last 4 weeks",
    str(DEFAULT_DAYS): "Last 13 weeks",
    "182": "Last 26 weeks",
    "364": "Last 52 weeks",
    "month": "This month so far",
    "last-month": "Last month",
    "last-quarter": "Last quarter",
    "year": "Year to date",
    ALL: "All days",
    OTHER: "Other days",
}
"""How each is called, in the order to show them."""


def presets(span: Period) -> dict[str, Period]:
    """The days of each as far as the data have them; what lies wholly before the data is left out."""
    last = span.end
    month = whole_month(last)
    before = whole_month(month.start - timedelta(days=1))
    found = {name: Period(last, last).last_days(int(name)) for name in NAMES if name.isdigit()}
    found |= {
        "month": Period(month.start, last),
        "last-month": before,
        "last-quarter": last_quarter(last),
        "year": Period(date(last.year, 1, 1), last),
        ALL: span,
    }
    return {
        name: Period(max(days.start, span.start), days.end) for name, days in found.items() if days.end >= span.start
    }


def last_quarter(day: date) -> Period:
    """The three calendar months before the quarter of a day."""
    end = first_of_month(day).replace(month=day.month - (day.month - 1) % 3) - timedelta(days=1)
    return Period(end.replace(month=end.month - 2, day=1), end)


def name_of(period: Period, span: Period, chosen: str | None) -> str:
    """Which of them has exactly these days, or `custom`: of several the chosen one, else all days, else the first."""
    fit = [name for name, days in presets(span).items() if days == period]
    return next((name for name in (chosen, ALL, *fit) if name and name in fit), OTHER)
