"""Bins of a customer's number on a logarithmic axis: round edges, and each bin a range that an address can hold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from db.drill import RANGES, Range

AXES = ("recency_days", "frequency", "monetary")
"""The numbers that place a customer."""
_SERIES = (5, 10, 20, 40, 80, 160)
"""Bins a decade, from the coarsest to the finest."""


@dataclass(frozen=True)
class Bins:
    """Bin i reaches from edge i up to the next edge, which it leaves to the next bin; all before edge 0 is bin -1.

    A logarithm needs what is above zero, so whatever is less than 1 is in bin -1, and that stands at 1.
    """

    column: str
    edges: tuple[float, ...]

    @classmethod
    def spanning(cls, column: str, least: float, most: float, enough: int) -> "Bins":
        """Bins from the least to the most, of the coarsest series (Renard's preferred numbers) that has `enough`."""
        whole = RANGES[column] == "whole"
        first, last = max(least, 1), max(most, 1)
        found: Sequence[float] = ()
        for a_decade in _SERIES:
            found = _edges(first, last, a_decade, whole=whole)
            if len(found) > enough or (whole and len(found) > last - first):
                break
        return cls(column, tuple(found[1:] if whole and least < 1 else found))

    def range(self, place: int) -> Range:
        """The numbers of a bin."""
        if place < 0:
            return Range(self.column, None, self._last(self.edges[0]))
        return Range(self.column, self.edges[place], self._last(self.edges[place + 1]))

    def middle(self, place: int) -> float:
        """Where a bin stands on the axis: the geometric mean of its ends."""
        if place < 0:
            return 1.0
        return math.sqrt(self.edges[place] * self._last(self.edges[place + 1]))

    def _last(self, edge: float) -> float:
        """How the end of a range is written that leaves the edge out: see `Range`."""
        return edge - 1 if RANGES[self.column] == "whole" else edge


def _edges(first: float, last: float, a_decade: int, *, whole: bool) -> list[float]:
    """The rising numbers of a series from the one at or below `first` to the one above `last`."""
    start, digits = math.floor(math.log10(first)), 2 if a_decade <= 20 else 3
    exponents = range(start * a_decade, (math.floor(math.log10(last)) + 2) * a_decade)
    numbers = [float(f"{10 ** (exponent / a_decade):.{digits - 1}e}") for exponent in exponents]
    rising: list[float] = sorted({round(number) for number in numbers} if whole else set(numbers))
    below = max(at for at, number in enumerate(rising) if number <= first)
    above = next(at for at, number in enumerate(rising) if number > last)
    return rising[below : above + 1]
