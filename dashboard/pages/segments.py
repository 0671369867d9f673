"""Segments: who the customers are, in three dimensions and in words, and what each segment buys."""

import pandas as pd
import plotly.graph_objects as go
from dash import html

from dashboard import format as fmt
from dashboard.components import charts
from dashboard.components.card import card, pill, segment_chip
from dashboard.components.graph import graph, nothing, picture
from dashboard.components.product import product_label, with_product
from dashboard.components.segment_card import segment_card
from dashboard.components.states import empty, slot
from dashboard.components.table import Column, table
from dashboard.view import Component, Page, View
from db.queries import segments as queries
from db.queries import shop
from db.runs import SEGMENTS

_MOST_POINTS = 30_000
_SCATTER = "Every customer by recency, orders and spend"


def layout(_: View) -> Component:
    """The frame of the page."""
    return [
        html.H1("Segments", className="visually-hidden"),
        slot("segments.sentence", "sentence"),
        html.Div(
            [
                card(
                    _SCATTER,
                    picture("rfm", 560, f"{_SCATTER}: a 3D scatter coloured by segment"),
                    about="Logarithmic axes. Drag to turn, scroll to zoom, click a customer to open it",
                    aside=slot("segments.shown", "strip"),
                ),
                slot("segments.cards", "tall"),
            ],
            className="grid",
        ),
        html.Div([slot("segments.rfm", "chart", "full"), slot("segments.products", "table", "full")], className="grid"),
    ]


def _no_run() -> Component:
    return empty(
        "No segments yet",
        "Run ",
        html.Code("python -m models run"),
        " to compute them; it needs orders that name a customer.",
    )


def sentence(view: View) -> Component:
    """How many segments, why that many, and as of when."""
    run = shop.published_run(view.snapshot, SEGMENTS)
    profiles = queries.profiles(view.snapshot)
    if run is None or profiles.empty:
        return _no_run()
    lead = run.metrics.get("reason") or f"{fmt.plural(len(profiles), 'segment')}."
    best = profiles.iloc[0]
    share = f"{fmt.percent(best['customer_share'], 0)} of customers, {fmt.percent(best['revenue_share'], 0)} of revenue"
    rests = f" {best['segment']} are {share}. As of {fmt.day(run.as_of)}, run {run.run_id}."
    return html.P([html.Strong(lead), rests], className="sentence")


def shown(view: View) -> Component:
    """How many customers the scatter shows, of how many."""
    everyone = int(queries.profiles(view.snapshot)["customers"].sum())
    return pill(f"{min(len(queries.points(view.snapshot, view.filters)), _MOST_POINTS):,} of {everyone:,} shown")


def scatter(view: View) -> go.Figure:
    """The 3D RFM scatter: every customer the filters leave, one trace a segment."""
    points = queries.points(view.snapshot, view.filters)
    if points.empty:
        return nothing(view.theme, "No customers in this view: choose fewer filters")
    if len(points) > _MOST_POINTS:
        points = points.sample(_MOST_POINTS, random_state=0).sort_index()
    profiles = queries.profiles(view.snapshot)
    colours = dict(zip(profiles["segment"], profiles["colour"], strict=True))
    hrefs = [view.customer_href(customer_id) for customer_id in points["customer_id"]]
    return charts.rfm_scatter(points, colours, hrefs, view.theme, view.currency)


def cards(view: View) -> Component:
    """A card a segment: its numbers, its persona, what to do."""
    profiles = queries.profiles(view.snapshot)
    chosen = view.filters.segments
    return html.Div(
        [
            segment_card(profile, view.href("/customers", segments=(profile["segment"],)), view.currency)
            for _, profile in profiles.iterrows()
            if not chosen or profile["segment"] in chosen
        ],
        className="segment-cards",
    )


def rfm(view: View) -> Component:
    """Medians and sizes side by side: the table that the pictures come from."""
    profiles = queries.profiles(view.snapshot)
    if profiles.empty:
        return []
    profiles["chip"] = [segment_chip(p["segment"], p["colour"], p["emoji"]) for _, p in profiles.iterrows()]
    columns = [
        Column("chip", "Segment", lambda v: v, href=lambda r: view.href("/customers", segments=(r["segment"],))),
        Column("customers", "Customers", fmt.number, numeric=True),
        Column("customer_share", "Share", fmt.percent, numeric=True),
        Column("revenue", f"Net revenue ({view.currency})", fmt.number, numeric=True),
        Column("revenue_share", "Share", fmt.percent, numeric=True),
        Column("recency_median", "Days since last order", fmt.number, numeric=True),
        Column("frequency_median", "Orders", lambda v: fmt.number(v, 0 if v == int(v) else 1), numeric=True),
        Column("monetary_median", f"Spend ({view.currency})", lambda v: fmt.number(v, 2), numeric=True),
        Column("reason", "Why this name", style="prose"),
    ]
    about = "Medians over the whole history of a segment's customers; shares of all customers and of their revenue"
    return card("Recency, frequency and spend by segment", _spreads(view), table(profiles, columns), about=about)


def _spreads(view: View) -> Component:
    """How R, F and M spread within each segment, a small plot each."""
    spread = queries.spread(view.snapshot)
    titles = {
        "recency_days": "Days since the last order",
        "frequency": "Orders",
        "monetary": f"Spend ({view.currency})",
    }
    plots = []
    for measure, title in titles.items():
        rows = spread[spread["measure"] == measure]
        drawn = charts.boxes(rows, view.theme)
        label = f"{title} by segment: the middle half of the customers as a box, nine in ten within the whiskers"
        plots.append(
            html.Figure([html.Figcaption(title), graph(f"spread-{measure}", drawn, 40 + 34 * len(rows), label)])
        )
    return html.Div(plots, className="spreads")


def products(view: View) -> Component:
    """What each segment buys more than the whole shop does."""
    profiles = queries.profiles(view.snapshot)
    bought, loved = queries.products(view.snapshot, kind="revenue"), queries.products(view.snapshot, kind="lift")
    if profiles.empty or bought.empty:
        return []
    chosen = view.filters.segments
    blocks = [
        html.Div(
            [
                html.H3(segment_chip(profile["segment"], profile["colour"], profile["emoji"])),
                html.Div(
                    [
                        _ranking("By revenue", bought, profile["segment"], "revenue", view),
                        _ranking("Bought more than by others", loved, profile["segment"], "lift", view),
                    ],
                    className="pair",
                ),
            ],
            className="segment-products",
        )
        for _, profile in profiles.iterrows()
        if not chosen or profile["segment"] in chosen
    ]
    about = (
        "Lift: the product's share of what the segment's customers buy over its share in the whole shop. "
        "Postage and other services are left out"
    )
    return card("What each segment buys", html.Div(blocks, className="products"), about=about)


def _ranking(title: str, frame: pd.DataFrame, segment: str, number: str, view: View) -> Component:
    rows = with_product(frame[frame["segment"] == segment])
    show = (lambda v: fmt.short_money(v, view.currency)) if number == "revenue" else (lambda v: f"{v:.1f}×")
    columns = [Column("product", title, product_label), Column(number, number.capitalize(), show, numeric=True)]
    return table(rows, columns) if len(rows) else html.P("Too few buyers to tell.", className="about")


PAGE = Page(
    path="/segments",
    title="Segments",
    icon="segments",
    layout=layout,
    slots={
        "segments.sentence": sentence,
        "segments.shown": shown,
        "segments.cards": cards,
        "segments.rfm": rfm,
        "segments.products": products,
    },
    pictures={"rfm": scatter},
    ignores="Segments are those of the published run, over the whole history: the period does not apply. "
    "The other filters narrow the customers in the scatter.",
)
