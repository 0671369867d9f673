"""The sentence of the Overview: what happened in the period, in words made from the numbers."""

import numpy as np
import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard.components.states import empty
from dashboard.drivers import LEAST, drivers
from dashboard.view import Component, View
from db.queries import overview as queries

_HELD = 0.0005
_MANY = 10


def sentence(view: View) -> Component:
    """Revenue against the days to compare with, what moved it, and which segment brings most of it."""
    now = queries.totals(view.snapshot, view.filters, view.period)
    if not now["orders"]:
        return _nothing(now["revenue"], view.currency)
    before = queries.totals(view.snapshot, view.filters, view.before) if view.before else None
    return html.P([html.Strong(_lead(view, now, before)), _rest(view, now, before), _best(view)], className="sentence")


def _nothing(revenue: float, currency: str) -> Component:
    what_next = ("Choose a longer period or fewer filters, or ", dcc.Link("reset them", href="?"), ".")
    if round(revenue, 2):
        took = fmt.short_money(revenue, currency)
        return empty("No orders in this view, only returns", f"They come to {took}. ", *what_next)
    return empty("No orders in this view", *what_next)


def _lead(view: View, now: pd.Series, before: pd.Series | None) -> str:
    revenue = fmt.short_money(now["revenue"], view.currency)
    if before is None or before["revenue"] <= 0:
        return f"Revenue was {revenue}."
    then = view.before_in_words
    if now["revenue"] < 0:  # a fall of more than everything is no percentage that anybody reads
        was = fmt.short_money(before["revenue"], view.currency)
        return f"Revenue fell to {revenue}, after {was} in the {then}: more was returned than sold."
    ratio = now["revenue"] / before["revenue"]
    if abs(ratio - 1) < _HELD:
        return f"Revenue held at {revenue} against the {then}."
    size = f"{fmt.number(ratio)} times as much" if ratio >= _MANY else fmt.percent_change(ratio - 1)
    return f"Revenue {'rose' if ratio > 1 else 'fell'} to {revenue} ({size}) against the {then}."


def _rest(view: View, now: pd.Series, before: pd.Series | None) -> str:
    if before is None:
        return f" {view.no_before_in_words}"
    if before["revenue"] <= 0:
        if not before["orders"] and not round(before["revenue"], 2):
            return f" There were no orders in the {view.before_in_words}."
        return f" The {view.before_in_words} brought {fmt.short_money(before['revenue'], view.currency)}."
    return _why(now, before, view.currency)


def _why(now: pd.Series, before: pd.Series, currency: str) -> str:
    """What the change comes from, in money, the main cause first: the one that moved revenue most the way it went."""
    found = [
        driver
        for driver in drivers(now.to_dict(), before.to_dict())
        if round(abs(driver.amount), 2) >= LEAST * before["revenue"]
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
    return f" Mainly {said[0]}{others}."


def _best(view: View) -> str:
    """The segment that brings most, where one brings anything: in a view of guests alone none does."""
    frame = queries.segment_revenue(view.snapshot, view.filters, view.period)
    named, total = frame.dropna(subset=["segment"]), frame["revenue"].sum()
    if named.empty or total <= 0 or named["customers"].sum() == 0 or named["revenue"].max() <= 0:
        return ""
    best = named.iloc[int(np.argmax(named["revenue"]))]
    return (
        f" {best['segment']}, {fmt.percent(best['customers'] / named['customers'].sum(), 0)} of customers, "
        f"brought {fmt.percent(best['revenue'] / total, 0)}."
    )
