"""Who brings the revenue: the segments on the Overview."""

import numpy as np
from dash import html

from dashboard import format as fmt
from dashboard.components import charts
from dashboard.components.card import card
from dashboard.components.graph import graph
from dashboard.components.table import Column
from dashboard.theme import SEGMENT_COLOURS, token
from dashboard.view import Component, View
from db.queries import overview as queries


def segments(view: View) -> Component:
    """Each segment's share of customers and of revenue."""
    frame = queries.segment_revenue(view.snapshot, view.filters, view.period)
    named, total = frame.dropna(subset=["segment"]), frame["revenue"].sum()
    if named.empty:
        return card("No segments yet", html.P(["Run ", html.Code("python -m models run"), " to compute them."]))
    of_customers = named["customers"] / named["customers"].sum()
    of_revenue = named["revenue"] / total if total > 0 else named["revenue"] * 0
    best = int(np.argmax(named["revenue"]))
    title = f"{named['segment'].iloc[best]} are {fmt.percent(of_customers.iloc[best], 0)} of customers"
    title += f" and {fmt.percent(of_revenue.iloc[best], 0)} of revenue" if total > 0 else ""
    colours = [SEGMENT_COLOURS.get(key, token("muted", view.theme)) for key in named["colour"]]
    hrefs = [view.href("/customers", segments=(segment,)) for segment in named["segment"]]
    names, shares = list(named["segment"]), (list(of_revenue), list(of_customers))
    picture = charts.paired_bars(names, shares, ("of revenue", "of customers"), colours, view.theme, hrefs)
    shown = named.assign(of_customers=of_customers, of_revenue=of_revenue)
    columns = [
        Column("segment", "Segment", href=lambda row: view.href("/customers", segments=(row["segment"],))),
        Column("customers", "Customers", fmt.number, numeric=True),
        Column("of_customers", "Share", fmt.percent, numeric=True),
        Column("revenue", f"Revenue ({view.currency})", lambda v: fmt.number(v, 2), numeric=True),
        Column("of_revenue", "Share", fmt.percent, numeric=True),
    ]
    about = "Share of the period's revenue (colour) and of all customers (grey)"
    about += view.leads("; click one for its customers")
    if total <= 0:
        about = "Share of all customers; without net revenue in the period there are no shares of it"
    elif others := total - named["revenue"].sum():
        about += f". Guests and customers without a segment brought {fmt.percent(others / total)}"
    return card(title, graph("segments", picture, 60 + 48 * len(named), title), about=about, twin=(shown, columns))
