"""What a view is restricted to: frozen Filters <-> query string <-> WHERE clause.

The query string is the only place where a view's state lives, so a link shows a colleague the same numbers. Any
hand-made string gives valid Filters: what cannot be understood is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qs, urlencode

from db.conditions import ANY, Condition, Period, among, day_of, one_of, ordered
from db.drill import LONGEST_VALUE, RANGES, Bridge, Cohort, Grouping, Move, Range, Trait
from db.judged import USUAL, Judged
from db.offer_rules import NO_RULES, OfferRules
from db.standing import monthly_standings

__all__ = ["ANY", "DEFAULT_DAYS", "GROUPING_FIELDS", "LONGEST_VALUE", "Against", "Condition", "Filters", "Period"]

Against: TypeAlias = Literal["previous", "year"]
"""What a period is compared with: as many days right before it, or the same days a year before."""

DEFAULT_DAYS = 91  # thirteen whole weeks: both periods then hold each weekday equally often
_MOST_VALUES = 200
_MOST_TRAITS = 10  # each attribute that is asked for costs a join
_LARGEST_RUN = 2**31 - 1

Picture: TypeAlias = Literal["space", "sample", "flat"]
PICTURES: tuple[Picture, ...] = ("space", "sample", "flat")
"""How the customers' recency, orders and spend are drawn: all in 3D, a sample in 3D, all by two of the three."""

GROUPING_FIELDS: dict[Grouping, str] = {"segment": "segments", "rfm_group": "groups", "alternative": "alternatives"}
"""Grouping -> the field of Filters that restricts it."""


@dataclass(frozen=True)
class Filters:
    """Empty fields restrict nothing; values within a field are alternatives, fields add up.

    `against`, `run`, `by`, `picture`, `since`, `until`, `judged` and `rules` choose what a page shows and leave all
    customers.
    """

    start: date | None = None
    end: date | None = None
    against: Against = "previous"
    countries: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    traits: tuple[Trait, ...] = ()
    """Values of one attribute are alternatives, attributes add up."""
    ranges: tuple[Range, ...] = ()
    """At most one a column, in the order of `RANGES`."""
    move: Move | None = None
    cohort: Cohort | None = None
    bridge: Bridge | None = None
    run: int | None = None
    """The run whose segments are seen; None for the published one."""
    by: Grouping = "segment"
    """The grouping that the page shows."""
    picture: Picture = "space"
    since: date | None = None
    until: date | None = None
    """The days of the two moments that are compared."""
    judged: Judged = USUAL
    """What of the quality of recommendations is shown."""
    rules: OfferRules = NO_RULES
    """What may be offered."""

    @classmethod
    def from_query(cls, query: str) -> "Filters":
        """Read a query string, with or without its question mark; never raises. Of very many values the first count."""
        pairs = query.lstrip("?").split("&", _MOST_VALUES)[:_MOST_VALUES]
        given = parse_qs("&".join(pairs), errors="replace")

        def first(name: str) -> str:
            return given.get(name, [""])[0]

        start, end = _in_order(day_of(first("from")), day_of(first("to")))
        since, until = _in_order(day_of(first("since")), day_of(first("until")))
        lists = {field: _values(given.get(name, [])) for field, name in _LISTS.items()}
        traits = {trait for text in given.get("trait", []) if (trait := Trait.parse(text))}
        names = sorted({trait.name for trait in traits})[:_MOST_TRAITS]
        ranges = (Range.parse(column, first(column)) for column in RANGES if column in given)
        run = first("run")
        return cls(
            start=start,
            end=end,
            against="year" if first("against") == "year" else "previous",
            traits=tuple(trait for trait in sorted(traits) if trait.name in names),
            ranges=tuple(found for found in ranges if found),
            move=Move.parse(first("move")),
            cohort=Cohort.parse(first("cohort")),
            bridge=Bridge.parse(first("bridge")),
            run=int(run) if run.isdecimal() and len(run) <= 10 and 0 < int(run) <= _LARGEST_RUN else None,
            by=next((grouping for grouping in GROUPING_FIELDS if grouping == first("by")), "segment"),
            picture=next((picture for picture in PICTURES if picture == first("picture")), "space"),
            since=since,
            until=until,
            judged=Judged.parse(first("judged")),
            rules=OfferRules.parse(given),
            **lists,
        )

    def query(self) -> str:
        """The canonical query string: a question mark and sorted pairs, or nothing where nothing is restricted."""
        days = (("from", self.start), ("to", self.end), ("since", self.since), ("until", self.until))
        pairs = [(name, day.isoformat()) for name, day in days[:2] if day]
        pairs += [("against", self.against)] if self.against != "previous" else []
        pairs += [(name, value) for field, name in _LISTS.items() for value in sorted(getattr(self, field))]
        pairs += [("trait", trait.text()) for trait in sorted(self.traits)]
        pairs += [(kept.column, kept.text()) for kept in self.ranges]
        drills = (("move", self.move), ("cohort", self.cohort), ("bridge", self.bridge))
        pairs += [(name, drill.text()) for name, drill in drills if drill]
        pairs += [("run", str(self.run))] if self.run else []
        pairs += [("by", self.by)] if self.by != "segment" else []
        pairs += [("picture", self.picture)] if self.picture != "space" else []
        pairs += [(name, day.isoformat()) for name, day in days[2:] if day]
        pairs += [("judged", self.judged.text())] if self.judged != USUAL else []
        pairs += self.rules.pairs()
        return f"?{urlencode(pairs)}" if pairs else ""

    def but(self, **changes: Any) -> "Filters":
        """The same filters with some fields changed."""
        return replace(self, **changes)

    def within(self, *ranges: Range) -> "Filters":
        """The same filters with these ranges in place of those of their columns."""
        kept = {found.column: found for found in (*self.ranges, *ranges)}
        return self.but(ranges=tuple(kept[column] for column in RANGES if column in kept))

    def dated(self, span: Period) -> "Filters":
        """The same filters, where one day alone has the other, and a bar of the bridge both."""
        days = self.period(span)
        found = self.but(start=days.start, end=days.end) if bool(self.start) != bool(self.end) else self
        if found.bridge is None or found.bridge.period is not None:
            return found
        return found.but(bridge=Bridge(found.bridge.standing, days))

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

    def compared(self, span: Period) -> Period:
        """The days that those of the period are compared with, whether the data cover them or not."""
        period = self.period(span)
        return period.previous() if self.against == "previous" else period.year_before()

    def active(self) -> Mapping[str, Any]:
        """The fields that restrict something or choose another run or comparison."""
        chosen = (f.name for f in fields(self) if f.name not in _OF_THE_PAGE)
        found = {name: getattr(self, name) for name in chosen if getattr(self, name)}
        return {name: value for name, value in found.items() if (name, value) != ("against", "previous")}

    def lines(self, period: Period | None = None) -> Condition:
        """A relation like `sale`: the lines of the view."""
        where = _days(period) & one_of("country", self.countries) & self._goods()
        return self._of_customers("sale", where)

    def orders(self, period: Period | None = None) -> Condition:
        """A relation like `purchase`: the orders of the view, and of each what is of its goods."""
        return self.orders_on(_days(period))

    def orders_on(self, days: Condition) -> Condition:
        """The same on the days of a condition."""
        where = days & one_of("country", self.countries)
        goods = self._goods()
        if goods == ANY:
            return self._of_customers("purchase", where)
        lines = self._of_customers("sale", where & goods)
        return Condition(_OF_GOODS.format(lines=lines.sql), lines.values)

    def months(self) -> Condition:
        """A relation like `month`: how the customers of the view stood in each month, by the orders of the view."""
        if self.countries or self._goods() != ANY:
            return monthly_standings(self.orders())
        return self._of_customers("month", ANY)

    @property
    def parts_orders(self) -> bool:
        """Whether plain customers' orders may be but in part in the view: then they take other courses in it."""
        return self._goods() != ANY

    def on_customers(self) -> Condition:
        """The condition on rows of `known`.

        Goods and days that are named keep the customers who bought them then. A cohort and a bar of the bridge say
        themselves when and where their customers bought.
        """
        condition = self._standing() & self._who()
        if self.cohort or self.bridge:
            return condition
        condition &= one_of("country", self.countries)
        if self._goods() != ANY or self.start or self.end:
            goods = Filters(**{field: getattr(self, field) for field in _GOODS})
            bought = goods.orders_on(ordered(self.start, self.end))
            condition &= among(Condition(f"SELECT customer_no FROM ({bought.sql}) WHERE is_sold", bought.values))
        return condition

    def _of_customers(self, table: str, where: Condition) -> Condition:
        """The rows of `sale` or `purchase` that `where` leaves of the customers of the view.

        Customers are joined: one row each, their numbers make a far quicker join than a condition.
        """
        standing, who = self._standing(), self._who()
        if standing == who == ANY:
            return Condition(f"SELECT * FROM {table} WHERE {where.sql}", where.values)
        everyone = "buyer" if standing == ANY else "known"
        chosen = standing & who
        sql = f"SELECT * FROM {table} JOIN (SELECT customer_no FROM {everyone} WHERE {chosen.sql}) USING (customer_no)"
        return Condition(f"{sql} WHERE {where.sql}", chosen.values + where.values)

    def _goods(self) -> Condition:
        """What a line is about, on rows of `sale`."""
        condition = one_of("department", self.departments) & one_of("category", self.categories)
        if self.products:
            named = one_of("product_id", self.products)
            condition &= Condition(f"product_no IN (SELECT product_no FROM goods WHERE {named.sql})", named.values)
        return condition

    def _standing(self) -> Condition:
        """On rows of `known`."""
        condition = ANY
        for grouping, field in GROUPING_FIELDS.items():
            condition &= one_of(grouping, getattr(self, field))
        for kept in self.ranges:
            condition &= kept.condition()
        return condition

    def _who(self) -> Condition:
        """On rows that carry `customer_no`."""
        condition = ANY
        for name in sorted({trait.name for trait in self.traits}):
            values = one_of("value", [trait.value for trait in self.traits if trait.name == name])
            sql = f"SELECT customer_no FROM attribute WHERE name = ? AND {values.sql}"
            condition &= among(Condition(sql, (name, *values.values)))
        condition &= self.move.condition() if self.move else ANY

        everyone = Filters(**{field: getattr(self, field) for field in ("countries", *_GOODS)})
        condition &= self.cohort.condition(everyone.months()) if self.cohort else ANY
        condition &= self.bridge.condition(everyone.orders_on) if self.bridge else ANY
        return condition


_GOODS = ("products", "departments", "categories")
_OF_GOODS = """
    SELECT purchase_no, any_value(customer_no) AS customer_no, any_value(order_no) AS order_no, any_value(day) AS day,
        any_value(country) AS country, min(ordered_at) FILTER (NOT is_return) AS bought_at, sum(amount) AS amount,
        bool_or(NOT is_return) AS is_sold, any_value(is_plain) AS is_plain
    FROM ({lines}) GROUP BY purchase_no"""


def _days(period: Period | None) -> Condition:
    return ordered(period.start, period.end) if period else ANY


_OF_THE_PAGE = ("by", "picture", "since", "until", "judged", "rules")
_LISTS = {
    "countries": "country",
    "departments": "department",
    "categories": "category",
    "products": "product",
    "segments": "segment",
    "groups": "group",
    "alternatives": "alternative",
}


def _in_order(first: date | None, last: date | None) -> tuple[date | None, date | None]:
    return (last, first) if first and last and first > last else (first, last)


def _values(given: list[str]) -> tuple[str, ...]:
    return tuple(sorted({value for value in given if 0 < len(value) <= LONGEST_VALUE and "\0" not in value}))
