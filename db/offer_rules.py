"""What may be offered: frozen rules <-> pairs of an address. What cannot be understood is left out; never raises."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.drill import LONGEST_VALUE

LIST_LENGTH = 10
"""Places of a list as it is shown; the lists that are kept are longer, so that rules leave something."""

_MOST_CATEGORIES = 50
_LARGEST = 1e9


@dataclass(frozen=True)
class OfferRules:
    """Rules for the lists of offers, and the least that a rule of baskets must have. Empty fields restrict nothing."""

    without: tuple[str, ...] = ()
    """Categories that are not offered."""
    low: float | None = None
    high: float | None = None
    """The band of prices, both ends included; a product without a price is in none."""
    buyers: int = 0
    """How many customers must have bought a product."""
    per_category: int = 0
    """At most so many products of one category on a list; 0 is any number."""
    support: float = 0.0
    lift: float = 0.0
    """Of rules of baskets."""

    @classmethod
    def parse(cls, given: Mapping[str, Sequence[str]]) -> "OfferRules":
        """Read what `urllib.parse.parse_qs` gives."""

        def first(name: str) -> str:
            return next(iter(given.get(name, [])), "")

        start, _, end = first("price").partition("..")
        low, high = _number(start), _number(end)
        if low is not None and high is not None and low > high:
            low, high = high, low
        most = _whole(first("per_category"))
        named = {name for name in given.get("without", []) if 0 < len(name) <= LONGEST_VALUE and "\0" not in name}
        return cls(
            without=tuple(sorted(named)[:_MOST_CATEGORIES]),
            low=low,
            high=high,
            buyers=_whole(first("buyers")),
            per_category=most if most < LIST_LENGTH else 0,
            support=min(_number(first("support")) or 0.0, 1.0),
            lift=_number(first("lift")) or 0.0,
        )

    def pairs(self) -> list[tuple[str, str]]:
        """The canonical form in an address."""
        low, high = ("" if end is None else _text(end) for end in (self.low, self.high))
        found = [("without", name) for name in self.without]
        found += [("price", f"{low}..{high}")] if low or high else []
        numbers = {name: getattr(self, name) for name in ("buyers", "per_category", "support", "lift")}
        return found + [(name, _text(number)) for name, number in numbers.items() if number]

    @property
    def narrow(self) -> bool:
        """Whether they leave anything out of a list."""
        return bool(self.without or self.per_category) or self.by_sales

    @property
    def by_sales(self) -> bool:
        """Whether they ask how a product sells."""
        return bool(self.buyers) or (self.low, self.high) != (None, None)


NO_RULES = OfferRules()


def _number(text: str) -> float | None:
    """A number from 0 to 1,000,000,000, or None."""
    try:
        number = float(text) if len(text) <= 30 else math.nan
    except ValueError:
        return None
    return number + 0.0 if 0 <= number <= _LARGEST else None


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else 0


def _text(number: float) -> str:
    return repr(number).removesuffix(".0")
