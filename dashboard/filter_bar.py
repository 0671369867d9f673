"""The filter bar: its controls, what they offer, what they show of filters, and the filters they ask for."""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor
from typing import Any, TypeAlias

import dash_bootstrap_components as dbc
from dash import dcc, html

from dashboard import format as fmt
from dashboard import ids, periods
from dashboard.chips import LABELS, trait_words
from dashboard.components.states import slot
from dashboard.measures import MEASURES
from dashboard.view import Component
from db.drill import RANGES, Range, Trait
from db.filters import Filters, Period
from db.queries.shop import Choices, Number
from db.snapshot import Snapshot

LIST_FIELDS = ("countries", "departments", "categories", "segments", "groups", "alternatives", "products")
_FEW = LIST_FIELDS[:4]
"""The lists that always stand in the bar; the others are a click away, with attributes and numbers."""
_HUNDREDTHS = ("churn_risk",)
NUMBERS = ("recency_days", "frequency", "monetary", "clv", *_HUNDREDTHS, "r_score", "f_score", "m_score")
"""The numbers that have a control; an address may restrict any."""
_SHORT = 10_000
AGAINST = {"previous": "The days before", "year": "A year before"}

Option: TypeAlias = dict[str, Any]


def bar(choices: Choices, span: Period | None, currency: str) -> Component:
    """Every control, those without a choice hidden; the callback `filters` gives them their values."""
    kinds = [_list(field, choices) for field in LIST_FIELDS[4:6]]
    kinds += [_attribute(attribute.name, options_of_attribute(attribute.values)) for attribute in choices.attributes]
    there = {number.column: number for number in choices.numbers}
    ends = [_number(there[column], currency) for column in NUMBERS if column in there]
    groups = [("Who they are", kinds), ("Their numbers", ends), ("A product they bought", [_list("products", choices)])]
    presets = options_of_presets(span) if span else []
    return html.Section(
        [
            html.Button("Filters", className="fold", type="button", **{"aria-expanded": "true"}),
            html.Div(
                [
                    _control(
                        "Period",
                        dcc.Dropdown(id=ids.PRESET, options=presets, clearable=False, searchable=False, maxHeight=420),
                    ),
                    *[_day(field, label) for field, label in (("start", "From"), ("end", "To"))],
                    _control(
                        "Compared with",
                        dcc.Dropdown(id=ids.AGAINST, options=AGAINST, clearable=False, searchable=False),
                        "against",
                    ),
                    *[_list(field, choices) for field in _FEW],
                    html.Button(
                        ["More filters", html.Span(id=ids.MORE_COUNT)],
                        className="button more",
                        type="button",
                        **{"aria-expanded": "false", "aria-controls": "more-filters"},
                    ),
                    html.Div(
                        [_group(title, controls) for title, controls in groups if controls],
                        id="more-filters",
                        className="more-filters",
                    ),
                ],
                className="controls filters",
            ),
            slot("shell.chips", "strip", of=ids.shell_slot),
        ],
        className="filter-bar",
        **{"aria-label": "Filters"},
    )


def _group(title: str, controls: list[Component]) -> Component:
    return html.Fieldset([html.Legend(title), html.Div(controls, className="controls")])


def _control(label: str, control: Component, css: str = "", *, hidden: bool = False) -> Component:
    return html.Div([html.Label(label), control], className=f"control {css}".strip(), hidden=hidden)


def _list(field: str, choices: Choices) -> Component:
    offered = list(getattr(choices, field, ()))
    chooser = _many(ids.filter_field(field), offered, "Type a name or an id" if field == "products" else "All")
    label = "Product" if field == "products" else LABELS[field]
    return _control(label, chooser, "wide" if field == "products" else "", hidden=field != "products" and not offered)


def _attribute(name: str, offered: list[Option]) -> Component:
    return _control(trait_words(name), _many(ids.trait(name), offered, "All"))


def _many(id_: Any, offered: Sequence[Any], placeholder: str) -> Component:
    chosen = {"multi": True, "debounce": True, "closeOnSelect": False, "maxHeight": 360}
    return dcc.Dropdown(id=id_, options=offered, placeholder=placeholder, **chosen)


def _day(field: str, label: str) -> Component:
    day = dbc.Input(id=ids.filter_field(field), type="date", debounce=True)
    return html.Div([html.Label([label, day])], className="control")


def _number(number: Number, currency: str) -> Component:
    """Both ends of a range; how far the data reach stands there as a hint."""
    column, scale = number.column, _scale(number.column)
    is_money = MEASURES[column].show(0, currency).startswith(currency)
    unit = "%" if column in _HUNDREDTHS else currency if is_money else ""
    label = MEASURES[column].label + (f" ({unit})" if unit else "")
    whole = RANGES[column] == "whole"
    ends = (("low", "from", floor(number.low * scale)), ("high", "to" if whole else "under", ceil(number.high * scale)))
    inputs = [
        html.Label(
            [
                html.Span(f"{label}, {word}", className="visually-hidden"),
                dbc.Input(
                    id=ids.number(column, end),
                    type="number",
                    debounce=True,
                    step=1 if whole else "any",
                    placeholder=f"{word} {fmt.number(hint) if hint < _SHORT else fmt.short_money(hint, '')}",
                ),
            ]
        )
        for end, word, hint in ends
    ]
    name = html.Span(label, className="label", **{"aria-hidden": "true"})
    return html.Div([name, html.Div(inputs, className="ends")], className="control range")


def options_of_presets(span: Period) -> list[Option]:
    """Each period by name, with its days."""
    days = periods.presets(span)
    named = [(value, name, fmt.days(days[value].start, days[value].end)) for value, name in _there(days)]
    offered = [_option(value, name, text) for value, name, text in named]
    return [*offered, _option(periods.OTHER, periods.NAMES[periods.OTHER], "")]


def _there(days: Mapping[str, Period]) -> Iterator[tuple[str, str]]:
    return ((value, name) for value, name in periods.NAMES.items() if value in days)


def options_of_attribute(values: Sequence[tuple[str, int]]) -> list[Option]:
    """Each value with the number of customers who have it."""
    return [_option(value, value, fmt.number(count)) for value, count in values]


def options_of_list(offered: Sequence[str], chosen: Sequence[str], names: Mapping[str, str]) -> list[Option | str]:
    """What a list control offers: a value that no choice knows any more stays visible, it does not vanish unsaid."""
    strange = [value for value in chosen if value not in offered]
    return [*offered, *(_option(value, names[value], "") if value in names else value for value in strange)]


def _option(value: str, name: str, aside: str) -> Option:
    """`aside` is seen in the list alone, not where the choice is shown."""
    label = html.Span([name, html.Span(aside, className="aside-option")]) if aside else name
    return {"label": label, "value": value, "search": f"{name} {value}"}


def offered(snapshot: Snapshot, strange: Sequence[str]) -> list[Any]:
    """What the controls offer, by name: the choices of this snapshot, and chosen values beyond them."""
    return [snapshot.version, snapshot.run_id, list(strange)]


def shown(filters: Filters, column: str) -> dict[str, float | None]:
    """What the control of a number shows: its ends, or nothing."""
    found = next((kept for kept in filters.ranges if kept.column == column), Range(column, None, None))
    ends = {"low": found.low, "high": found.high}
    return {end: value if value is None else _rounded(value * _scale(column)) for end, value in ends.items()}


def asked(
    filters: Filters,
    lists: Mapping[str, Any],
    traits: Mapping[str, Any],
    numbers: Mapping[tuple[str, str], Any],
    against: Any,
) -> Filters:
    """The filters with what the controls say in place of what they say of the same; of anything else as they are.

    `lists` is by field, `traits` by attribute, `numbers` by column and end. What comes from a browser may be anything.
    """
    kept = [trait for trait in filters.traits if trait.name not in traits]
    chosen = [Trait(name, value) for name, values in traits.items() for value in _texts(values) if value and name]
    found = filters.but(
        **{field: tuple(_texts(values)) for field, values in lists.items() if field in LIST_FIELDS},
        traits=(*kept, *chosen),
        ranges=tuple(_ranges(filters, numbers)),
        against="year" if against == "year" else "previous",
    )
    return Filters.from_query(found.query())


def _ranges(filters: Filters, numbers: Mapping[tuple[str, str], Any]) -> Iterator[Range]:
    columns = {column for column, _ in numbers}
    for column in RANGES:
        kept = [found for found in filters.ranges if found.column == column]
        ends = {end: numbers.get((column, end)) for end in ("low", "high")}
        if column not in columns or ends == shown(filters, column):
            yield from kept  # the address may be finer than what the control shows
            continue
        low, high = (_text(value, _scale(column)) for value in ends.values())
        found = Range.parse(column, f"{low}..{high}")
        if found:
            yield found


def _text(value: Any, scale: int) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "" if not is_number else repr(value) if scale == 1 else repr(_rounded(value / scale))


def _texts(values: Any) -> list[str]:
    texts = values if isinstance(values, list) else []
    return [text.encode("utf-8", "replace").decode() for text in texts if isinstance(text, str)]


def _scale(column: str) -> int:
    return 100 if column in _HUNDREDTHS else 1


def _rounded(value: float) -> float:
    """Without the dust that hundredths leave."""
    return float(f"{value:.12g}")
