"""What a view is restricted to: frozen Filters <-> query string <-> WHERE clause.

The query string is the only place where a view's state lives, so a link shows a colleague the same numbers. Any
hand-made string gives valid Filters: what cannot be understood is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

DEFAULT_DAYS = 91  # thirteen whole weeks: both periods then hold each weekday equally often
_MOST_VALUES = 200
LONGEST_VALUE = 200
_EARLIEST, _LATEST = date(1900, 1, 1), date(2199, 12, 31)  # far from the ends of the calendar, so sums cannot leave it


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

    def covers(self, other: "Period") -> bool:
        """Whether the other lies wholly within this one."""
        return self.start <= other.start and other.end <= self.end

    def last_days(self, days: int) -> "Period":
        """The `days` days up to its end, reaching before its start where it is shorter."""
        return Period(self.end - timedelta(days=days - 1), self.end)


@dataclass(frozen=True)
class Condition:
    """A piece of a WHERE clause and the values bound to its placeholders."""

    sql: str
    values: tuple[Any, ...] = ()

    def __and__(self, other: "Condition") -> "Condition":
        return Condition(f"{self.sql} AND {other.sql}", self.values + other.values)


ANY = Condition("true")


@dataclass(frozen=True)
class Filters:
    """Empty fields restrict nothing; values within a field are alternatives, fields add up."""

    start: date | None = None
    end: date | None = None
    countries: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()

    @classmethod
    def from_query(cls, query: str) -> "Filters":
        """Read a query string, with or without its question mark; never raises."""
        try:
            given = parse_qs(query.lstrip("?"), max_num_fields=_MOST_VALUES, errors="replace")
        except ValueError:
            return cls()
        start, end = (_date(given.get(name, [""])[0]) for name in ("from", "to"))
        if start and end and start > end:
            start, end = end, start
        lists = {field: _values(given.get(name, [])) for field, name in _LISTS.items()}
        return cls(start=start, end=end, **lists)

    def query(self) -> str:
        """The canonical query string: a question mark and sorted pairs, or nothing where nothing is restricted."""
        pairs = [(name, value) for field, name in _LISTS.items() for value in sorted(getattr(self, field))]
        if self.end:
            pairs.insert(0, ("to", self.end.isoformat()))
        if self.start:
            pairs.insert(0, ("from", self.start.isoformat()))
        return f"?{urlencode(pairs)}" if pairs else ""

    def but(self, **changes: Any) -> "Filters":
        """The same filters with some fields changed."""
        return replace(self, **changes)

    def period(self, span: Period) -> Period:
        """The days asked for; where none are given, the last thirteen weeks of the data's span.

        It stays within the data where the two meet: days before the first order or after the last would count as days
        without orders.
        """
        end = self.end or max(span.end, self.start or span.end)
        start = self.start or Period(end, end).last_days(DEFAULT_DAYS).start
        if span.start <= end and start <= span.end:
            return Period(max(start, span.start), min(end, span.end))
        return Period(start, end)

    def active(self) -> Mapping[str, Any]:
        """The fields that restrict something."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name)}

    def on_lines(self, period: Period | None = None) -> Condition:
        """The condition on rows of `transaction_line` (named without a prefix)."""
        condition = ANY
        if period:
            condition &= _ordered(period.start, period.end)
        if self.countries:
            condition &= _one_of("country", self.countries)
        if self.departments or self.categories:
            chosen = ANY
            if self.departments:
                chosen &= _one_of("department", self.departments)
            if self.categories:
                chosen &= _one_of("category", self.categories)
            condition &= Condition(f"product_id IN (SELECT product_id FROM product WHERE {chosen.sql})", chosen.values)
        if self.segments:
            chosen = _one_of("segment", self.segments)
            condition &= Condition(
                f"customer_id IN (SELECT customer_id FROM customer_segment WHERE {chosen.sql})", chosen.values
            )
        return condition

    def on_customers(self) -> Condition:
        """The condition on rows that carry `customer_id`, `country` and `segment`.

        Departments, categories and days that are named keep the customers who bought there and then.
        """
        condition = ANY
        if self.countries:
            condition &= _one_of("country", self.countries)
        if self.segments:
            condition &= _one_of("segment", self.segments)
        if self.departments or self.categories or self.start or self.end:
            bought = self.but(countries=(), segments=()).on_lines() & _ordered(self.start, self.end)
            condition &= Condition(
                f"customer_id IN (SELECT customer_id FROM transaction_line WHERE NOT is_return AND {bought.sql})",
                bought.values,
            )
        return condition


_LISTS = {"countries": "country", "departments": "department", "categories": "category", "segments": "segment"}


def _one_of(column: str, values: tuple[str, ...]) -> Condition:
    return Condition(f"{column} IN ({', '.join('?' * len(values))})", values)


def _ordered(first: date | None, last: date | None) -> Condition:
    condition = ANY
    if first:
        condition &= Condition("ordered_at >= ?", (_midnight(first),))
    if last:
        condition &= Condition("ordered_at < ?", (_midnight(last + timedelta(days=1)),))
    return condition


def _values(given: list[str]) -> tuple[str, ...]:
    return tuple(sorted({value for value in given if 0 < len(value) <= LONGEST_VALUE and "\0" not in value}))


def _date(given: str) -> date | None:
    try:
        day = date.fromisoformat(given)
    except ValueError:
        return None
    return day if _EARLIEST <= day <= _LATEST else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())
