"""What a part of a page leaves out of account, said on the spot, and only while such a filter is active."""

from collections.abc import Iterator, Sequence

from dash import html

from dashboard.measures import MEASURES
from dashboard.view import Component, Page, View
from db.filters import Filters

_WORDS = {
    "countries": "country",
    "departments": "department",
    "categories": "category",
    "products": "product",
    "segments": "segment",
    "groups": "RFM group",
    "alternatives": "other-method",
    "move": "move",
    "cohort": "first-order",
    "bridge": "revenue-bridge",
}


def everywhere(page: Page) -> frozenset[str]:
    """The filters that no part of a page obeys, controls aside: the page says it once, and not each part."""
    said = [page.ignoring.get(name) for name in (*page.slots, *page.pictures)]
    parts = [ignores for ignores in said if ignores is None or not ignores.is_control]
    fields = [part.always if part else frozenset() for part in parts]
    return frozenset.intersection(*fields) if fields else frozenset()


def of_page(view: View, page: Page) -> Component:
    """What does not apply to the page at all; nothing where no such filter is active."""
    of = {one.of for one in page.ignoring.values() if not one.is_control}
    where = "on this page" + (", which is over the whole history" if page.whole_history else "")
    said = _sentence(view.filters, everywhere(page), where, of)
    return html.P(said, className="ignores", role="note") if said else []


def noted(view: View, page: Page, name: str, shown: Component) -> Component:
    """What a slot of a page shows, with what does not apply to it; an empty slot or state stays as it is."""
    ignores = page.ignoring.get(name)
    first = shown[0] if isinstance(shown, list) and shown else shown
    if ignores is None or ignores.is_control or not first or getattr(first, "className", "") == "empty":
        return shown
    said = _sentence(view.filters, ignores.within(view.filters) - everywhere(page), "here", {ignores.of})
    if not said:
        return shown
    note = html.P(said, className="not-applied", role="note")
    if isinstance(first, html.Section) and first is shown and isinstance(first.children, list):
        first.children = [*first.children[:1], note, *first.children[1:]]
        return first
    parts = shown if isinstance(shown, list) else [shown]
    return [*parts, note] if isinstance(first, html.P) else [note, *parts]


def _sentence(filters: Filters, fields: frozenset[str], where: str, of: set[str]) -> str:
    """`The whole shop: the country and age filters do not apply here.`"""
    restrictions = list(_restrictions(filters, fields - {"days", "against"}))
    things = ["the period"] if "days" in fields and (filters.start or filters.end) else []
    things += ["the comparison with a year before"] if "against" in fields and filters.against == "year" else []
    things += [f"the {_listed(restrictions)} filter{'s' * (len(restrictions) > 1)}"] if restrictions else []
    if not things:
        return ""
    one = len(things) == 1 and len(restrictions) < 2
    lead = f"{next(iter(of))}: " if len(of) == 1 and "" not in of else ""
    said = f"{lead}{_listed(things)} {'does' if one else 'do'} not apply {where}."
    return said[:1].upper() + said[1:]


def _restrictions(filters: Filters, fields: frozenset[str]) -> Iterator[str]:
    """Each active filter of the fields as it is called."""
    yield from (word for field, word in _WORDS.items() if field in fields and getattr(filters, field))
    if "traits" in fields:
        yield from dict.fromkeys(trait.name.replace("_", " ") for trait in filters.traits)
    if "ranges" in fields:
        labels = (MEASURES[found.column].label for found in filters.ranges)
        yield from (label if label[1:2].isupper() or label[1:2] == " " else label.lower() for label in labels)


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
