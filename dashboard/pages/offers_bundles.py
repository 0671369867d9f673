"""Bundles: which products are bought together more often than chance would have it, as a list and in words."""

from typing import Any

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard import helps, ids, offering
from dashboard.components.grid import grid
from dashboard.components.icons import icon
from dashboard.components.states import empty, slot
from dashboard.downloads import BUNDLES as ROUTE
from dashboard.downloads import address_of
from dashboard.view import CONTROL, Component, Ignores, Page, View
from db.queries import bundles as queries
from permissions import Right

_TOLD = 10
_NUMBERS = {
    "lift": ("Lift", ",.2f", "How many times as often as usual: the confidence over the share of all baskets."),
    "confidence": ("Confidence", ".1%", "The share of the first product's baskets that hold the second too."),
    "support": ("Support", ".2%", "The share of all baskets that hold both. Filter by the share: 0.01 is 1%."),
    "leverage": ("Leverage", ".3%", "The support beyond what chance alone would bring."),
    "baskets": ("Baskets", ",", "How many baskets hold both."),
}


def in_words(rule: pd.Series) -> str:
    """Who buys A buys B 4.1 times as often as usual: in 32.0% of the baskets with A."""
    first, other = (fmt.shortened(str(rule[name]), 60) for name in ("product", "other_product"))
    often = f"{fmt.number(rule['lift'], 1)} times as often as usual"
    return f"Who buys {first} buys {other} {often}: in {fmt.percent(rule['confidence'])} of these baskets"


def layout(view: View) -> Component:
    """The frame of the page; before the first run, or without rules of baskets, what to do alone."""
    top = [html.H1("Bundles", className="visually-hidden"), *offering.head("offers_bundles")]
    if not offering.is_published(view):
        return top[:2]
    if not queries.are_there(view.snapshot):
        why = "The published run is older than the search for them, or no two products share enough baskets. Run "
        return [*top, empty("No bundles", why, html.Code("python -m models run"), " to look again.")]
    count = html.P(id=ids.BUNDLE_COUNT, className="lists-said", **{"aria-live": "polite"})
    button = view.may(Right.LISTS) and html.A(
        [icon("download"), "Download CSV"],
        id=ids.BUNDLE_DOWNLOAD,
        href=address_of(ROUTE, view.filters.query()),
        className="button",
        download="",
    )
    return [
        *top,
        offering.rule_bar(view, offering.BASKET_RULES),
        slot("offers_bundles.finding", "sentence"),
        html.Div([count, button or None], className="bar start"),
        html.Div(grid(ids.BUNDLES, _columns(), "key", tooltipShowDelay=300), className="panel grid-panel"),
    ]


def _columns() -> list[dict[str, Any]]:
    return [_product("product", "Who buys"), _product("other_product", "also buys"), *map(_number, _NUMBERS)]


def _product(name: str, head: str) -> dict[str, Any]:
    return {
        "field": name,
        "headerName": head,
        "minWidth": 128,
        "flex": 3,
        "tooltipField": "words",
        "cellRenderer": "Linked",
        "cellRendererParams": {"link": f"{name}_href", "small": f"{name}_id"},
    }


def _number(name: str) -> dict[str, Any]:
    head, form, means = _NUMBERS[name]
    shown = f"written(d3.format('{form}')(params.value))"
    return {
        "field": name,
        "headerName": head,
        "headerTooltip": means,
        "tooltipField": "words",
        "filter": "agNumberColumnFilter",
        "type": "rightAligned",
        "minWidth": 132 if name in ("confidence", "leverage") else 112,
        "valueFormatter": {"function": f"params.data ? (params.value == null ? '–' : {shown}) : ''"},
    } | ({"sort": "desc"} if name == "leverage" else {})


def finding(view: View) -> Component:
    """The strongest rule in words, and the next ones."""
    rules = queries.strongest(view.snapshot, view.filters.rules, _TOLD)
    if rules.empty:
        words = "No two products are bought together that often: ask for less support or lift. "
        return html.P([words, offering.without_rules(view, offering.BUNDLES)], className="sentence")
    told = [f"{in_words(rule)}, {fmt.plural(int(rule['baskets']), 'basket')}." for _, rule in rules.iterrows()]
    about = " Of all rules it holds most beyond chance (leverage)."
    first = html.P([html.Strong(told[0]), about], className="sentence")
    rest = html.Details([html.Summary("The next ones in words"), html.Ol([html.Li(words) for words in told[1:]])])
    return [first, html.Div(rest, className="twin told") if told[1:] else None]


PAGE = Page(
    path=offering.BUNDLES,
    title="Recommendations",
    help=helps.RECOMMENDATIONS,
    layout=layout,
    slots={**offering.head_slots("offers_bundles", offering.BUNDLES), "offers_bundles.finding": finding},
    whole_history=True,
    ignoring={
        "offers_bundles.sentence": Ignores(of="The run as a whole"),
        "offers_bundles.views": CONTROL,
        "offers_bundles.finding": Ignores(of="All baskets"),
    },
)
