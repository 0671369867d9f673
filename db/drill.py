"""The customers behind a mark: each kind as a frozen value <-> the text it has in an address <-> a condition.

A text that is not understood gives None, so that any hand-made address is harmless.
"""

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias
from urllib.parse import unquote

from sqlalchemy import Float, Integer, Numeric

from db import result_schema
from db.columns import Columns as C
from db.conditions import ANY, Condition, Orders, Period, among, day_of
from db.standing import STANDINGS, cohorts, standings

LONGEST_VALUE = 200
_LARGEST = 1e15

Grouping: TypeAlias = Literal["segment", "rfm_group", "alternative"]

RANGES: dict[str, Literal["whole", "real"]] = {
    column.name: "whole" if isinstance(column.type, Integer) else "real"
    for column in result_schema.customer_segment.columns
    if isinstance(column.type, Integer | Numeric | Float) and column.name not in (C.RUN_ID, C.CLUSTER, C.PCA_X, C.PCA_Y)
}
"""The numbers of a customer that an address may restrict."""

CAUSES = {"stayed": "=", "bought": "b", "returned": "r", "quiet": "q", "yardstick": "y", "new": "n"}
"""Why a customer is where they are: the word that table movement has -> the letter that customer_movement has."""

COURSES = {C.SEGMENT: (C.SEGMENTS, C.SEGMENT_CAUSES), C.RFM_GROUP: (C.GROUPS, C.GROUP_CAUSES)}
"""Grouping -> the columns of customer_movement with a letter a moment and a letter a pair of moments."""


@dataclass(frozen=True)
class Range:
    """Where a number lies. Whole numbers: both ends included. Others: the lower end included, the upper not, and two
    equal ends are that very number. None leaves an end open; a customer without the number is in no range."""

    column: str
    low: float | None
    high: float | None

    @classmethod
    def parse(cls, column: str, text: str) -> "Range | None":
        """`30..59`, `0.2..`, `..5`, or one number."""
        first, dots, last = text.partition("..")
        read = _whole if RANGES[column] == "whole" else _real
        low, high = read(first), read(last if dots else first)
        if (low is None and first) or (high is None and last) or (low is None and high is None):
            return None
        if low is not None and high is not None and low > high:
            low, high = high, low
        return cls(column, low, high)

    def __and__(self, other: "Range | None") -> "Range":
        """What lies in both, of which there must be some."""
        if other is None:
            return self
        lows, highs = (
            [end for end in ends if end is not None] for ends in ((self.low, other.low), (self.high, other.high))
        )
        return Range(self.column, max(lows, default=None), min(highs, default=None))

    def text(self) -> str:
        """Its canonical form in an address."""
        low, high = ("" if end is None else repr(end).removesuffix(".0") for end in (self.low, self.high))
        return f"{low}..{high}"

    def condition(self) -> Condition:
        """On rows that carry the column."""
        if self.low == self.high:
            return Condition(f"{self.column} = ?", (self.low,))
        below = "<=" if RANGES[self.column] == "whole" else "<"
        ends = [(">=", self.low), (below, self.high)]
        parts = [(f"{self.column} {sign} ?", end) for sign, end in ends if end is not None]
        return Condition(" AND ".join(sql for sql, _ in parts), tuple(end for _, end in parts))


@dataclass(frozen=True, order=True)
class Trait:
    """A customer's attribute and its value."""

    name: str
    value: str

    @classmethod
    def parse(cls, text: str) -> "Trait | None":
        """`age:45-54`; a colon within the name is written %3A."""
        parts = _parts(text, 2)
        return cls(*parts) if parts and all(parts) else None

    def text(self) -> str:
        """Its canonical form in an address."""
        return _joined(self.name, self.value)


@dataclass(frozen=True)
class Move:
    """From one segment to another between two moments of the published run, for a cause; empty texts mean any.

    Days name the moments, so that an address still means the same after the next run.
    """

    grouping: Grouping
    since: date
    until: date
    origin: str = ""
    target: str = ""
    cause: str = ""

    @classmethod
    def parse(cls, text: str) -> "Move | None":
        """`segment:2011-11-01:2011-12-10:Loyal:At risk:quiet`."""
        grouping, *rest = _parts(text, 6) or [""]
        if grouping not in COURSES:
            return None
        since, until = day_of(rest[0]), day_of(rest[1])
        if since is None or until is None or rest[4] not in ("", *CAUSES):
            return None
        of: Grouping = "rfm_group" if grouping == "rfm_group" else "segment"
        return cls(of, min(since, until), max(since, until), *rest[2:])

    def text(self) -> str:
        """Its canonical form in an address."""
        days = self.since.isoformat(), self.until.isoformat()
        return _joined(self.grouping, *days, self.origin, self.target, self.cause)

    def condition(self) -> Condition:
        """On rows that carry customer_no. Nobody, where the run has no such moments."""
        segments, causes = COURSES[self.grouping]
        moved = Condition(_MOVED.format(segments=segments), (self.since, self.until))
        for name, place in ((self.origin, "i"), (self.target, "j")):
            if name:
                letters = "SELECT letter FROM movement_letter WHERE grouping = ? AND segment = ?"
                moved &= Condition(f"substr({segments}, {place} + 1, 1) IN ({letters})", (self.grouping, name))
        if self.cause:
            moved &= Condition(f"substr({causes}, j * (j - 1) // 2 + i + 1, 1) = ?", (CAUSES[self.cause],))
        return among(moved)


_MOVED = """
    SELECT customer_no FROM known, (
        SELECT (SELECT min(moment)::INTEGER FROM movement_moment WHERE as_of::DATE = ?) AS i,
            (SELECT max(moment)::INTEGER FROM movement_moment WHERE as_of::DATE = ?) AS j
    ) WHERE i < j AND substr({segments}, j + 1, 1) <> '.'"""


@dataclass(frozen=True)
class Cohort:
    """Who first bought in a month; with `age`, of them who bought in that month after it (0 is the month itself)."""

    month: date
    age: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Cohort | None":
        """`2011-03` or `2011-03:4`."""
        month, colon, age = text.partition(":")
        day = day_of(f"{month}-01") if re.fullmatch(r"\d{4}-\d{2}", month) else None
        if day is None or not re.fullmatch(r"[0-9]{1,4}" if colon else "", age):
            return None
        return cls(day, int(age) if colon else None)

    def text(self) -> str:
        """Its canonical form in an address."""
        return f"{self.month:%Y-%m}" + ("" if self.age is None else f":{self.age}")

    def condition(self, months: Condition) -> Condition:
        """On rows that carry customer_no; what counts as bought is what stands in `months`, a relation like `month`."""
        everyone = cohorts(months)
        of = Condition(
            "SELECT customer_no FROM (" + everyone.sql + ") WHERE cohort = ?", (*everyone.values, self.month)
        )
        return among(of if self.age is None else of & Condition("age = ? AND bought", (self.age,)))


@dataclass(frozen=True)
class Bridge:
    """The customers of one bar of the revenue bridge; without a period it is that of the view (`Filters.dated`)."""

    standing: str
    period: Period | None = None

    @classmethod
    def parse(cls, text: str) -> "Bridge | None":
        """`lapsed`, or `lapsed:2011-09-10:2011-12-09` with the first and the last day."""
        standing, *days = text.split(":")
        if standing not in STANDINGS or len(days) not in (0, 2):
            return None
        start, end = (day_of(day) for day in days or ("", ""))
        if start and end:
            return cls(standing, Period(min(start, end), max(start, end)))
        return None if days else cls(standing)

    def text(self) -> str:
        """Its canonical form in an address."""
        days = (self.period.start.isoformat(), self.period.end.isoformat()) if self.period else ()
        return ":".join((self.standing, *days))

    def condition(self, orders: Orders) -> Condition:
        """On rows that carry customer_no; what counts as bought is what stands in `orders`.

        Without a period it restricts nothing.
        """
        if self.period is None:
            return ANY
        everyone = standings(orders, self.period)
        sql = f"SELECT customer_no FROM ({everyone.sql}) WHERE standing = ?"
        return among(Condition(sql, (*everyone.values, self.standing)))


def _parts(text: str, count: int) -> list[str] | None:
    parts = [unquote(part) for part in text.split(":", count - 1)]
    fit = len(parts) == count and all(len(part) <= LONGEST_VALUE and "\0" not in part for part in parts)
    return parts if fit else None


def _joined(*parts: str) -> str:
    """What stands between the colons is free of them and of half escapes."""
    return ":".join(part.replace("%", "%25").replace(":", "%3A") for part in parts)


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else None


def _real(text: str) -> float | None:
    try:
        number = float(text) + 0.0  # no negative zero
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) <= _LARGEST else None
