"""What a view is restricted to, in words; each chip takes its restriction away."""

from collections.abc import Iterator

from dash import dcc, html

from dashboard import format as fmt
from dashboard.measures import MEASURES, in_words
from dashboard.view import Component, View
from db.conditions import Period
from db.drill import Bridge, Cohort, Move
from db.filters import Filters
from db.queries import shop
from db.runs import SEGMENTS
from db.standing import compared

LABELS = {
    "countries": "Country",
    "departments": "Department",
    "categories": "Category",
    "products": "Bought",
    "segments": "Segment",
    "groups": "RFM group",
    "alternatives": "Other method",
}
_CAUSES = {
    "stayed": "stayed",
    "bought": "bought in between",
    "returned": "only returned goods",
    "quiet": "went quiet",
    "yardstick": "the yardstick moved",
    "new": "first order since",
}


def chips(view: View) -> Component:
    """The days, and what else the address says; a run that is not there is told here, on every page.

    Days that nobody chose stand there too, but not on a page over the whole history (see style.css).
    """
    filters = view.filters
    period = fmt.days(view.period.start, view.period.end)
    found = [html.Span(period, className="chip usual-days")]
    if filters.start or filters.end:
        found = [_chip(period, filters.but(start=None, end=None))]
    found += _comparison(view)
    found += [_chip(words, without) for words, without in restrictions(view)]
    if filters.active():
        found.append(dcc.Link("Reset", href="?", className="reset"))
    if view.lost_run is not None:
        found.append(html.P(f"Run {view.lost_run} cannot be seen any more; this is the published one.", role="status"))
    return html.Div(found, className="chips")


def _comparison(view: View) -> list[Component]:
    """What the days are compared with, on pages that compare (see style.css); said everywhere where it was chosen."""
    compared = view.filters.compared(view.span)
    words = f"Compared with the {view.before_in_words}: {fmt.days(compared.start, compared.end)}"
    if view.before is None:
        words += ", which the data do not cover"
    if view.filters.against == "year":
        return [_chip(words, view.filters.but(against="previous"))]
    return [html.Span(words, className="chip comparison")]


def restrictions(view: View) -> Iterator[tuple[str, Filters]]:
    """Each restriction but the days: in words, and the filters without it."""
    filters = view.filters
    names = shop.product_names(view.snapshot, filters.products) if filters.products else {}
    for field, label in LABELS.items():
        values = getattr(filters, field)
        for value in values:
            text = names.get(value, value) if field == "products" else value
            yield f"{label}: {text}", filters.but(**{field: tuple(v for v in values if v != value)})
    for trait in filters.traits:
        words = f"{trait_words(trait.name)}: {trait.value}"
        yield words, filters.but(traits=tuple(t for t in filters.traits if t != trait))
    for kept in filters.ranges:
        words = f"{MEASURES[kept.column].label}: {in_words(kept, view.currency)}"
        yield words, filters.but(ranges=tuple(r for r in filters.ranges if r != kept))
    if filters.move:
        yield moved(filters.move), filters.but(move=None)
    if filters.cohort:
        yield first_bought(filters.cohort), filters.but(cohort=None)
    if filters.bridge:
        yield stands(filters.bridge, view.period), filters.but(bridge=None)
    if filters.run and view.lost_run is None:
        run = shop.published_run(view.snapshot, SEGMENTS)
        words = f"Run {filters.run}" + (f" of {fmt.day(run.as_of)}" if run else "")
        yield words, filters.but(run=None)


def trait_words(name: str) -> str:
    """An attribute as it is called: `home_ownership` is Home ownership."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def moved(move: Move) -> str:
    """Moved from Loyal to At risk, 1 Nov – 1 Dec 2011, went quiet."""
    if not (move.origin or move.target or move.cause):
        return f"Customers known on {fmt.day(move.until)}"
    if move.origin and move.origin == move.target:
        way = f"Stayed {move.origin}"
    elif move.origin or move.target:
        way = "Moved" + (f" from {move.origin}" if move.origin else "") + (f" to {move.target}" if move.target else "")
    else:
        way = {"stayed": "Stayed", "new": "New"}.get(move.cause, "Moved")
    cause = _CAUSES.get(move.cause, "") if not (move.cause == "stayed" and way.startswith("Stayed")) else ""
    return ", ".join(part for part in (way, fmt.days(move.since, move.until), cause) if part)


def first_bought(cohort: Cohort) -> str:
    """First order in Mar 2011, bought 4 months later."""
    words = f"First order in {cohort.month:%b %Y}"
    if cohort.age is None:
        return words
    when = f"{fmt.plural(cohort.age, 'month')} later" if cohort.age else "that month"
    return f"{words}, bought {when}"


def stands(bridge: Bridge, otherwise: Period) -> str:
    """How the customers of a bar of the bridge stand, with the days of both periods."""
    period = bridge.period or otherwise
    now, before = (fmt.days(days.start, days.end) for days in (period, compared(period)))
    return {
        "new": f"New: first order {now}",
        "kept": f"Kept: bought {now} and {before}",
        "won_back": f"Won back: bought {now}, not {before}, but earlier",
        "lapsed": f"Lapsed: bought {before}, not {now}",
        "returns_only": f"Returns only: sent goods back {before} or {now}, bought in neither",
    }[bridge.standing]


def _chip(words: str, without: Filters) -> Component:
    return dcc.Link(
        [html.Span(words), html.Span(" ×", **{"aria-hidden": "true"})],
        href=without.query() or "?",
        className="chip",
        title=f"Remove {words}",
    )
