"""Offers for segments: what each buys more than others and brings most by, beside what the model offers it most."""

from collections.abc import Callable

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard import helps, offering
from dashboard.components.card import card, pill, segment_chip
from dashboard.components.product import product_label, with_product
from dashboard.components.states import empty, slot
from dashboard.components.table import Column, table
from dashboard.pages import grouping
from dashboard.view import CONTROL, Component, Ignores, Page, View
from db.filters import GROUPING_FIELDS
from db.queries import recommendations as queries
from db.queries import segments

_FEW = "Too few buyers to tell."


def layout(view: View) -> Component:
    """The frame of the page."""
    return [
        html.H1("Recommendations for segments", className="visually-hidden"),
        *offering.head("offers_segments"),
        offering.rule_bar(view, offering.LIST_RULES),
        slot("offers_segments.lists", "tall"),
    ]


def choices(view: View) -> Component:
    """The other views, and by what the customers are parted."""
    controls = [offering.view_choice(offering.SEGMENTS, view), grouping.grouping_choice(view, offering.SEGMENTS)]
    return html.Div(controls, className="controls page-controls")


def lists(view: View) -> Component:
    """A card a segment with three short lists."""
    profiles = grouping.profiles(view)
    if profiles.empty:
        words = " to compute them; it needs orders that name a customer."
        return empty("No segments yet", "Run ", html.Code("python -m models run"), words)
    by = grouping.shown(view)
    sold = segments.products(view.snapshot, by)
    rules = view.filters.rules
    if rules.narrow:
        sold = sold[sold["product_id"].isin(queries.allowed(view.snapshot, rules))]
    offered = queries.for_segments(view.snapshot, view.filters.but(by=by))
    cards = [_card(view, profile, sold, offered) for _, profile in profiles.iterrows()]
    cleared = html.P(["Only products that pass the rules. ", offering.without_rules(view, offering.SEGMENTS)])
    return [cleared if rules.narrow else None, html.Div(cards, className="segment-offers")]


def _card(view: View, profile: pd.Series, sold: pd.DataFrame, offered: pd.DataFrame) -> Component:
    name = profile["segment"]
    of = sold[sold["segment"] == name]
    mine = offered[offered["segment"] == name]
    columns = [
        _list(view, of[of["kind"] == "lift"], "Bought more than by others", "lift", "Lift", fmt.times),
        _list(view, of[of["kind"] == "revenue"], "By revenue", "revenue", "Revenue", lambda v: _money(v, view)),
        _list(view, mine, "Offered most, new to them", "share", "Of customers", fmt.percent),
    ]
    chosen = view.filters.but(**{GROUPING_FIELDS[grouping.shown(view)]: (name,)})
    link = dcc.Link("Lists of its customers →", href=offering.CUSTOMERS + chosen.query())
    title = segment_chip(name, profile["colour"], profile["emoji"])
    aside = [pill(fmt.plural(int(profile["customers"]), "customer")), " ", link]
    return card(title, html.Div(columns, className="trio"), aside=aside)


def _money(value: float, view: View) -> str:
    return fmt.short_money(value, view.currency)


def _list(view: View, frame: pd.DataFrame, title: str, name: str, head: str, show: Callable[[float], str]) -> Component:
    rows = with_product(frame.head(queries.PER_SEGMENT))
    lacking = "The rules leave nothing here." if view.filters.rules.narrow else _FEW
    columns = [
        Column("product", title, product_label, href=lambda row: offering.product_href(view, row["product_id"])),
        Column(name, head, show, numeric=True),
    ]
    return table(rows, columns) if len(rows) else html.Div([html.H3(title), html.P(lacking, className="about")])


PAGE = Page(
    path=offering.SEGMENTS,
    title="Recommendations",
    help=helps.RECOMMENDATIONS,
    layout=layout,
    slots={
        **offering.head_slots("offers_segments", offering.SEGMENTS),
        "offers_segments.views": choices,
        "offers_segments.lists": lists,
    },
    whole_history=True,
    about="Lift: the product's share of what the segment's customers buy over its share in the whole shop.",
    ignoring={
        "offers_segments.sentence": Ignores(of="The run as a whole"),
        "offers_segments.views": CONTROL,
        "offers_segments.lists": Ignores(of="The whole of each segment", but_grouping=True),
    },
)
