"""The revenue bridge of the Movement page."""

import numpy as np
import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card
from dashboard.components.flows import STANDINGS, waterfall
from dashboard.components.graph import graph
from dashboard.components.table import Column
from dashboard.view import Component, View
from db.conditions import Period
from db.drill import Bridge
from db.queries import movement as queries
from db.standing import compared

_SMALL = 0.2


def bridge(view: View) -> Component:
    """From the revenue of the period before to that of this one, by who brought the change."""
    period = view.period
    before = compared(period)
    if not view.span.covers(before):
        begin = f"The data begin on {fmt.day(view.span.start)}: there is no full period before {_days(period)}. "
        return card("No period to compare with", html.P(begin + "Choose a shorter or a later one.", className="about"))
    frame = queries.bridge(view.snapshot, view.filters, period)
    first, last = frame["before"].sum(), frame["now"].sum()
    if not frame[["before", "now", "customers"]].to_numpy().any():
        return card("No orders in this view", html.P("Choose another period or fewer filters.", className="about"))
    shown = frame[(frame[["before", "now", "customers"]] != 0).any(axis=1)].reset_index()
    shown["name"] = [STANDINGS[standing][0] for standing in shown["standing"]]
    shown["href"] = [mark(view, standing, period) for standing in shown["standing"]]
    labels = [f"{before.days} days\nbefore", *shown["name"].str.replace(" ", "\n"), "This\nperiod"]
    texts = [
        fmt.short_money(first, view.currency),
        *(_signed(change, view.currency) for change in shown["change"]),
        fmt.short_money(last, view.currency),
    ]
    hovers = [
        f"{_days(before)}: {fmt.money(first, view.currency)}",
        *(_account(row, view.currency) for _, row in shown.iterrows()),
        f"{_days(period)}: {fmt.money(last, view.currency)}",
    ]
    values, hrefs = [first, *shown["change"], last], ["", *shown["href"], ""]
    floor = _floor(values[:-1])
    drawn = waterfall(labels, values, texts, hovers, hrefs, view.theme, view.currency, floor)
    title = _finding(shown, last - first, view.currency)
    about = (
        f"Net revenue of {_days(before)}, what changed it by how customers stand, and that of {_days(period)}; "
        f"it adds up to the cent{view.leads('. Click a bar for its customers')}"
    )
    if floor:
        about += f". The axis begins at {fmt.short_money(floor, view.currency)}, so that the changes can be seen"
    total = {"name": "All", "customers": shown["customers"].sum(), "before": first, "now": last, "change": last - first}
    rows = pd.concat([shown, pd.DataFrame([{**total, "listed": shown["listed"].sum(), "href": ""}])], ignore_index=True)
    return card(title, graph("bridge", drawn, 340, title), _defined(), about=about, twin=(rows, money_columns(view)))


def _floor(steps: list[float]) -> float:
    """Where the axis begins: at 0, unless all changes are small against the sums they lead to."""
    levels = np.cumsum(steps)
    reach = float(levels.max() - levels.min())
    return float(levels.min()) - reach if 0 < reach < _SMALL * levels.max() and levels.min() > reach else 0.0


def money_columns(view: View) -> list[Column]:
    """The columns of a table of standings."""
    sign = view.currency
    money = [("before", f"Before ({sign})"), ("now", f"This period ({sign})"), ("change", f"Change ({sign})")]
    return [
        Column("name", "Customers who are"),
        Column("customers", "Customers", fmt.number, numeric=True, href=lambda row: str(row["href"])),
        *(Column(name, title, lambda v: fmt.number(v, 2), numeric=True) for name, title in money),
    ]


def _finding(shown: pd.DataFrame, change: float, currency: str) -> str:
    """Which way revenue went, and the standing that did most for it."""
    if abs(change) < 0.005:
        return "Revenue is what it was in the period before"
    most = shown.sort_values("change", ascending=change < 0, kind="stable").iloc[0]
    who = "guests" if most["standing"] == "guests" else f"{most['name'].lower()} customers"
    by = f"{'rose' if change > 0 else 'fell'} by {fmt.short_money(abs(change), currency)}"
    return f"Revenue {by}; {who} did most for it ({_signed(most['change'], currency)})"


def _defined() -> Component:
    terms = (
        "New: the first purchase ever lies in the period. Kept: bought in both; the change of what they spent. "
        "Won back: bought, not in the period before, but earlier. Lapsed: bought in the period before alone. "
        "Returns only: gave goods back, bought in neither. A filter of goods or country: bought of that."
    )
    return html.P(terms, className="about")


def _account(row: pd.Series, currency: str) -> str:
    """A bar in words."""
    sums = f"{fmt.money(row['before'], currency)} → {fmt.money(row['now'], currency)}"
    who = "" if row["standing"] == "guests" else f"{fmt.plural(int(row['customers']), 'customer')}{unlisted(row)}\n"
    return f"{row['name']}: {_signed(row['change'], currency)}\n{who}{sums}"


def unlisted(row: pd.Series) -> str:
    """How many of the customers no list can show, because the published segments do not know them."""
    unknown = int(row["customers"] - row["listed"])
    return f" ({fmt.number(unknown)} of them without a segment)" if unknown else ""


def mark(view: View, standing: str, period: Period) -> str:
    """The address of the customers who stand so; guests have none."""
    return "" if standing == "guests" else view.href("/customers", bridge=Bridge(standing, period))


def _signed(change: float, currency: str) -> str:
    said = fmt.short_money(change, currency)
    return said if change < 0 else f"+{said}"


def _days(period: Period) -> str:
    return fmt.days(period.start, period.end)
