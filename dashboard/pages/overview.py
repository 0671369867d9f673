"""Overview: what happened in the period, and where the money came from."""

import numpy as np
import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard.components import charts
from dashboard.components.card import card
from dashboard.components.graph import graph
from dashboard.components.kpi_card import kpi_card
from dashboard.components.states import empty, slot
from dashboard.components.table import Column
from dashboard.drivers import drivers
from dashboard.kpis import KPIS
from dashboard.pages.overview_movers import movers
from dashboard.theme import SEGMENT_COLOURS, token
from dashboard.view import Component, Page, View
from db.filters import Period
from db.queries import overview as queries


def layout(_: View) -> Component:
    """The frame of the page."""
    return [
        html.H1("Overview", className="visually-hidden"),
        slot("overview.sentence", "sentence"),
        slot("overview.kpis", "cards"),
        html.Div(
            [
                slot("overview.trend", "chart"),
                slot("overview.segments", "chart"),
                slot("overview.movers", "chart"),
                slot("overview.where", "chart"),
            ],
            className="grid",
        ),
    ]


def _bin_days(period: Period) -> int:
    """Days up to a month, weeks up to a year, else four weeks."""
    return 1 if period.days <= 35 else 7 if period.days <= 400 else 28


def sentence(view: View) -> Component:
    """What happened, in words made from the numbers."""
    period = view.period
    now = queries.totals(view.snapshot, view.filters, period)
    if not now["orders"]:
        return empty(
            "No orders in this view",
            "Choose a longer period or fewer filters, or ",
            dcc.Link("reset them", href="?"),
            ".",
        )
    revenue = fmt.short_money(now["revenue"], view.currency)
    before = queries.totals(view.snapshot, view.filters, view.before) if view.before else None
    if before is None:
        lead, rest = (
            f"Revenue was {revenue}.",
            f" {view.no_before_in_words}",
        )
    elif before["revenue"] <= 0:
        lead, rest = (
            f"Revenue was {revenue}.",
            f" The {view.before_in_words} brought {fmt.short_money(before['revenue'], view.currency)}.",
        )
    else:
        change = now["revenue"] / before["revenue"] - 1
        verb = "held at" if abs(change) < 0.0005 else "rose to" if change > 0 else "fell to"
        lead = f"Revenue {verb} {revenue} ({change:+.1%})".replace("-", "−") + f" against the {view.before_in_words}."
        rest = " " + _why(now, before, view.currency)
    return html.P([html.Strong(lead), rest, _best_segment(view)], className="sentence")


def _why(now: pd.Series, before: pd.Series, currency: str) -> str:
    """What the change comes from, in money, the main cause first: the one that moved revenue most the way it went."""
    found = [
        driver
        for driver in drivers(now.to_dict(), before.to_dict())
        if round(abs(driver.amount), 2) >= _LEAST * before["revenue"]
    ]
    if not found:
        return ""
    rose = now["revenue"] >= before["revenue"]
    main = next((driver for driver in found if (driver.amount > 0) == rose), found[0])
    said = [
        f"{driver.words} {fmt.money_change(driver.amount, currency)}"
        for driver in (main, *(driver for driver in found if driver is not main))
    ]
    others = f"; {', '.join(said[1:])}" if said[1:] else ""
    return f"Mainly {said[0]}{others}."


_LEAST = 0.0005
"""Causes of less than this share of the revenue before are not worth a word."""


def _best_segment(view: View) -> str:
    frame = queries.segment_revenue(view.snapshot, view.filters, view.period)
    named, total = frame.dropna(subset=["segment"]), frame["revenue"].sum()
    if named.empty or total <= 0 or named["customers"].sum() == 0:
        return ""
    best = named.iloc[int(np.argmax(named["revenue"]))]
    return (
        f" {best['segment']}, {fmt.percent(best['customers'] / named['customers'].sum(), 0)} of customers, "
        f"brought {fmt.percent(best['revenue'] / total, 0)}."
    )


def kpis(view: View) -> Component:
    """One card for each entry of `dashboard.kpis`."""
    period, days = view.period, _bin_days(view.period)
    trend = queries.trend(view.snapshot, view.filters, period, days)
    risk = _risk(view, trend)
    trend["at_risk"] = risk.to_numpy()[1:]
    whole_bins = trend[trend["days"] == days]
    now = queries.totals(view.snapshot, view.filters, period)
    now["at_risk"] = risk.iloc[-1]
    before = pd.Series({kpi.column: float("nan") for kpi in KPIS})
    if view.before:
        before = queries.totals(view.snapshot, view.filters, view.before)
        before["at_risk"] = risk.iloc[0]
    cards = [
        kpi_card(
            kpi,
            now[kpi.column],
            before[kpi.column],
            whole_bins[kpi.column].to_list(),
            view.before_in_words,
            view.currency,
            view.theme,
        )
        for kpi in KPIS
    ]
    return html.Div(cards, className="kpis")


def _risk(view: View, trend: pd.DataFrame) -> pd.Series:
    """The share at risk at the end of the days compared with, and of each bin of the trend."""
    ends = [*(trend["start"].iloc[1:] - pd.Timedelta(days=1)), pd.Timestamp(view.period.end)]
    days = [pd.Timestamp(view.filters.compared(view.span).end), *ends]
    known = dict.fromkeys(day for day in days if day.date() <= view.span.end)  # each once: two ends may be of one day
    frame = queries.at_risk(view.snapshot, view.filters, list(known))
    return frame.set_index("day")["share"].reindex(days)


def trend(view: View) -> Component:
    """Revenue over time against the period before."""
    period = view.period
    days = _bin_days(period)
    now = queries.trend(view.snapshot, view.filters, period, days)
    before = queries.trend(view.snapshot, view.filters, view.before, days) if view.before else now.head(0)
    whole = now["days"] == days
    if not now["orders"].sum():
        return card("No orders in this view", html.P("There is nothing to draw.", className="about"))
    unit = {1: "day", 7: "week", 28: "four weeks"}[days]
    best = now.iloc[int(np.argmax(now["revenue"]))]
    title = f"The best {unit} brought {fmt.short_money(best['revenue'], view.currency)}, from {fmt.day(best['start'])}"
    drawn = now[whole] if whole.any() else now
    then = before[before["days"] == days]
    name = "a year before" if view.filters.against == "year" else "period before"
    picture = charts.line_against(drawn, then, "revenue", view.theme, view.currency, name)
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
    return card(title, graph("trend", picture, 300, title), about=about, twin=(shown, columns))


def where(view: View) -> Component:
    """Revenue by country where there are several, else by department, else by category."""
    dimension, frame = _telling(view)
    total = frame["revenue"].sum()
    named = frame.dropna(subset=["value"]).head(12)
    if named.empty or total <= 0:
        words = "The data of this view name no country, department or category."
        if frame.empty:
            words = "Nothing sold in this view."
        elif not named.empty:
            words = "There is no revenue to share."
        return card(f"Revenue by {dimension}", html.P(words))
    first = named.iloc[0]
    title = f"{first['value']} brings {fmt.percent(first['revenue'] / total, 0)} of revenue"
    field = {"country": "countries", "department": "departments", "category": "categories"}[dimension]
    hrefs = [view.href("/", **{field: (value,)}) for value in named["value"]]
    texts = [f"{fmt.short_money(r, view.currency)} · {fmt.percent(r / total)}" for r in named["revenue"]]
    picture = charts.bars(list(named["value"]), list(named["revenue"]), texts, view.theme, hrefs=hrefs)
    picture.update_layout(margin={"r": 110})
    columns = [
        Column("value", dimension.capitalize(), lambda v: "not named" if fmt.missing(v) else str(v)),
        Column("revenue", f"Net revenue ({view.currency})", lambda v: fmt.number(v, 2), numeric=True),
        Column("orders", "Orders", fmt.number, numeric=True),
    ]
    about = f"Net revenue by {dimension}, {len(named)} of {frame['value'].nunique()}; click one to see it alone"
    if unnamed := frame.loc[frame["value"].isna(), "revenue"].sum():
        about += f". {fmt.percent(unnamed / total)} of revenue names no {dimension}"
    return card(title, graph("where", picture, 40 + 28 * len(named), title), about=about, twin=(frame, columns))


def _telling(view: View) -> tuple[queries.Dimension, pd.DataFrame]:
    """The first dimension that splits this view's revenue; where none does, the first that names any of it."""
    frames = {d: queries.breakdown(view.snapshot, view.filters, view.period, d) for d in queries.DIMENSIONS}
    dimension = max(frames, key=lambda d: min(frames[d]["value"].nunique(), 2))  # the first of the best
    return dimension, frames[dimension]


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
        Column("segment", "Segment"),
        Column("customers", "Customers", fmt.number, numeric=True),
        Column("of_customers", "Share", fmt.percent, numeric=True),
        Column("revenue", f"Revenue ({view.currency})", lambda v: fmt.number(v, 2), numeric=True),
        Column("of_revenue", "Share", fmt.percent, numeric=True),
    ]
    about = "Share of the period's revenue (colour) and of all customers (grey); click one for its customers"
    if total <= 0:
        about = "Share of all customers; without net revenue in the period there are no shares of it"
    elif others := total - named["revenue"].sum():
        about += f". Guests and customers without a segment brought {fmt.percent(others / total)}"
    return card(title, graph("segments", picture, 60 + 48 * len(named), title), about=about, twin=(shown, columns))


PAGE = Page(
    path="/",
    title="Overview",
    icon="overview",
    layout=layout,
    slots={
        "overview.sentence": sentence,
        "overview.kpis": kpis,
        "overview.trend": trend,
        "overview.movers": movers,
        "overview.where": where,
        "overview.segments": segments,
    },
    compares=True,
)
