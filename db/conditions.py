"""Periods of days, and the pieces that WHERE clauses are made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeAlias

_YEAR = timedelta(days=364)


@dataclass(frozen=True)
class Period:
    """Whole days, both ends included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many days it covers, at least one."""
        return (self.end - self.start).days + 1

    def previous(self) -> "Period":
        """The period of the same length that ends the day before this one starts."""
        return Period(self.start - timedelta(days=self.days), self.start - timedelta(days=1))

    def year_before(self) -> "Period":
        """The same days a year before: 52 whole weeks earlier, so that each weekday meets its like."""
        return Period(self.start - _YEAR, self.end - _YEAR)

    def covers(self, other: "Period") -> bool:
        """Whether the other lies wholly within this one."""
        return self.start <= other.start and other.end <= self.end

    def last_days(self, days: int) -> "Period":
        """The `days` days up to its end, reaching before its start where it is shorter."""
        return Period(self.end - timedelta(days=days - 1), self.end)


@dataclass(frozen=True)
class Condition:
    """A piece of a WHERE clause, or a relation, and the values bound to its placeholders."""

    sql: str
    values: tuple[Any, ...] = ()

    def __and__(self, other: "Condition") -> "Condition":
        parts = [condition.sql for condition in (self, other) if condition.sql != ANY.sql]
        return Condition(" AND ".join(parts) or ANY.sql, self.values + other.values)


ANY = Condition("true")
"""No restriction; what is added to it stands alone."""


def one_of(column: str, values: Sequence[str]) -> Condition:
    """The column has one of the values; no values restrict nothing."""
    return Condition(f"{column} IN ({', '.join('?' * len(values))})", tuple(values)) if values else ANY


def among(customers: Condition) -> Condition:
    """The customer is in a relation that gives customer_no."""
    return Condition(f"customer_no IN ({customers.sql})", customers.values)


def ordered(first: date | None, last: date | None) -> Condition:
    """The sale is of these days, both included; None leaves that end open."""
    condition = ANY
    if first:
        condition &= Condition("day >= ?", (first,))
    if last:
        condition &= Condition("day <= ?", (last,))
    return condition


Orders: TypeAlias = Callable[[Condition], Condition]
"""Days -> a relation like the table `purchase`: the orders of a view on them, and of each what is of its goods."""


_EARLIEST, _LATEST = date(1900, 1, 1), date(2199, 12, 31)  # far from the ends of the calendar, so sums cannot leave it


def day_of(text: str) -> date | None:
    """The day that a text of an address names, or None."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if _EARLIEST <= day <= _LATEST else None
