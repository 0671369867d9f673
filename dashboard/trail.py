"""What a view is restricted to, step by step: the breadcrumb, and the words that a list and an audience carry."""

from dataclasses import dataclass, fields
from typing import Any

from dash import dcc, html

from dashboard import format as fmt
from dashboard.chips import restrictions
from dashboard.measures import MEASURES
from dashboard.view import Component, View
from db.filters import Filters
from db.grid import GridRequest, Tested
from db.offer_rules import OfferRules

_TESTS = {
    "contains": "contains “{}”",
    "notContains": "does not contain “{}”",
    "equals": "is {}",
    "notEqual": "is not {}",
    "startsWith": "starts with “{}”",
    "endsWith": "ends with “{}”",
    "lessThan": "below {}",
    "lessThanOrEqual": "at most {}",
    "greaterThan": "above {}",
    "greaterThanOrEqual": "at least {}",
    "inRange": "from {} to {}",
    "blank": "is blank",
    "notBlank": "is not blank",
}


@dataclass(frozen=True)
class Step:
    """One restriction in words, and the filters up to it."""

    words: str
    filters: Filters


def steps(view: View) -> list[Step]:
    """Each thing that restricts something, the days first; alternatives of one field are one step."""
    found: dict[tuple[str, str], list[tuple[str, Any]]] = {}
    for words, without in restrictions(view):
        field = next(f.name for f in fields(Filters) if getattr(view.filters, f.name) != getattr(without, f.name))
        values = getattr(view.filters, field)
        taken = next(v for v in values if v not in getattr(without, field)) if isinstance(values, tuple) else values
        of = getattr(taken, "column", getattr(taken, "name", "")) if field in ("ranges", "traits") else ""
        found.setdefault((field, of), []).append((words, taken))
    so_far = view.filters.but(start=None, end=None, **{field: getattr(_NONE, field) for field, _ in found})
    trail = []
    if view.filters.start or view.filters.end:
        so_far = so_far.but(start=view.filters.start, end=view.filters.end)
        trail.append(Step(fmt.days(view.period.start, view.period.end), so_far))
    for (field, _), parts in found.items():
        values = tuple(taken for _, taken in parts)
        is_list = isinstance(getattr(view.filters, field), tuple)
        so_far = so_far.but(**{field: getattr(so_far, field) + values if is_list else values[0]})
        trail.append(Step(_joined([words for words, _ in parts]), so_far))
    return trail


_NONE = Filters()


def _joined(words: list[str]) -> str:
    """Segment: Champions or Loyal; the label is said once."""
    label = words[0].partition(": ")[0]
    if len(words) > 1 and all(of.startswith(f"{label}: ") for of in words):
        return " or ".join([words[0], *(of.removeprefix(f"{label}: ") for of in words[1:])])
    return ", ".join(words)


def trail(view: View) -> Component:
    """The way to this list: the overview, everybody, and each step further; the last is what is seen."""
    found = steps(view)
    plain = view.filters.but(**{name: getattr(_NONE, name) for name in view.filters.active()})
    links = [("Overview", "/" + plain.query()), ("All customers", "/customers" + plain.query())]
    links += [(step.words, "/customers" + step.filters.query()) for step in found]
    items = [html.Li(dcc.Link(words, href=href)) for words, href in links[:-1]]
    items.append(html.Li(dcc.Link(links[-1][0], href=links[-1][1]), **{"aria-current": "page"}))
    return html.Nav(html.Ol(items), className="trail", **{"aria-label": "Breadcrumb"})


def in_words(view: View) -> list[str]:
    """What restricts a view, a text each; nothing where it is everybody."""
    return [step.words for step in steps(view)]


def rules_in_words(rules: OfferRules, currency: str) -> list[str]:
    """What narrows the lists of offers, and the least of a rule of baskets."""
    low, high = (None if end is None else fmt.money(end, currency) for end in (rules.low, rules.high))
    found = [f"Without {name}" for name in rules.without]
    if low or high:
        found.append("Price " + (f"{low} to {high}" if low and high else f"from {low}" if low else f"up to {high}"))
    found += [f"Bought by {fmt.number(rules.buyers)} customers or more"] if rules.buyers else []
    found += [f"At most {rules.per_category} of a category"] if rules.per_category else []
    least = {"Support": rules.support, "Lift": rules.lift}
    return found + [f"{name} {number:g} or more" for name, number in least.items() if number]


def asked_in_words(asked: GridRequest) -> list[str]:
    """What the heads of a grid's columns and its search box leave, in words."""
    found = [f"{_label(of.column)} {(' or ' if of.either else ' and ').join(_tests(of))}" for of in asked.tested]
    return [*found, *([f"Search: “{asked.search}”"] if asked.search else [])]


def _label(column: str) -> str:
    return MEASURES[column].label if column in MEASURES else column.replace("_", " ").capitalize()


def _tests(of: Tested) -> list[str]:
    return [_TESTS[test].format(*map(_shown, values)) for test, values in of.tests]


def _shown(value: Any) -> str:
    return fmt.day(value) if hasattr(value, "isoformat") else f"{value:g}" if isinstance(value, float) else str(value)
