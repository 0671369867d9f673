"""Revenue over time on the Overview."""

import numpy as np
from dash import html

from dashboard import format as fmt
from dashboard.components import charts
from dashboard.components.card import card
from dashboard.components.graph import graph
from dashboard.components.table import Column
from dashboard.view import Component, View
from db.filters import Period
from db.queries import overview as queries


def bin_days(period: Period) -> int:
    """Days up to a month, weeks up to a year, else four weeks."""
    return 1 if period.days <= 35 else 7 if period.days <= 400 else 28


def trend(view: View) -> Component:
    """Revenue over time against the period before."""
    period = view.period
    days = bin_days(period)
    now = queries.trend(view.snapshot, view.filters, period, days)
    before = queries.trend(view.snapshot, view.filters, view.before, days) if view.before else now.head(0)
    whole = now["days"] == days
    if not now["orders"].sum():
        return card("No orders in this view", html.P("There is nothing to draw.", className="about"))
    unit = {1: "day", 7: "week", 28: "four weeks"}[days]
    best = now.iloc[int(np.argmax(now["revenue"]))]
    title = f"The best {unit} brought {fmt.short_money(best['revenue'], view.currency)}, from {fmt.day(best['start'])}"
    drawn = now[whole] if whole.any() else now
    if len(drawn) == 1:
        only = drawn.iloc[0]
        title = f"{fmt.day(only['start'])} brought {fmt.short_money(only['revenue'], view.currency)}"
        body = html.P("One day alone draws no line: choose more days to see a course.")
    else:
        then = before[before["days"] == days]
        name = "a year before" if view.filters.against == "year" else "period before"
        picture = charts.line_against(drawn, then, "revenue", view.theme, view.currency, name)
        body = graph("trend", picture, 300, title)
    shown = now[["start", "days", "revenue", "orders", "customers"]]
    columns = [
        Column("start", "From", fmt.day, style="date"),
        Column("days", "Days", fmt.number, numeric=True),
        Column("revenue", f"Net revenue ({view.currency})", lambda v: fmt.number(v, 2), numeric=True),
        Column("orders", "Orders", fmt.number, numeric=True),
        Column("customers", "Customers", fmt.number, numeric=True),
    ]
    about = f"Net revenue a {unit}" + (f", against the {view.before_in_words}" if view.before else "")
    if whole.any() and not whole.all():
        about += (
            f"; the first {fmt.plural(int(now['days'].iloc[0]), 'day')}, less than a {unit}, stand in the table alone"
        )
    return card(title, body, about=about, twin=(shown, columns))
