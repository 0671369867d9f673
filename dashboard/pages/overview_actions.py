"""What to do, on the Overview: no more than the numbers support."""

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.advice import advice
from dashboard.drivers import LEAST, Driver, drivers
from dashboard.pages.overview_dimensions import FIELDS, moved
from dashboard.view import Component, View
from db.conditions import Period
from db.drill import Bridge, Range
from db.queries import overview, shop
from db.queries.stakes import stakes
from db.queries.value import PROBABLY
from db.runs import SEGMENTS
from db.standing import compared


def actions(view: View) -> Component:
    """Whom to win back, and what took most revenue away."""
    found = [part for part in (_keep(view), _mend(view)) if part is not None]
    return html.Div(found, className="actions") if found else []


def _keep(view: View) -> Component:
    """The segment that is worth the effort and whose customers of a high churn risk brought most."""
    found = stakes(view.snapshot, view.filters)
    found = found[(found["play"] != "leave") & (found["past"] > 0)]
    run = shop.published_run(view.snapshot, SEGMENTS)
    if found.empty or run is None:
        return None
    first = found.iloc[0]
    count, stake = int(first["customers"]), fmt.short_money(first["past"], view.currency)
    they = ("They", "place") if count > 1 else ("This one", "places")
    said = (
        f"{they[0]} brought it in the year before {fmt.day(run.as_of)} and, with a probability of at least "
        f"{fmt.percent(PROBABLY, 0)} each, {they[1]} no order in the next 90 days."
    )
    if not fmt.missing(first["playbook"]):
        then = "" if first["play"] == "win_back" else ", once they are back"
        said += f" The playbook of {first['segment']}{then}: {first['playbook']}"
    links = [
        (f"See {'these' if count > 1 else 'this'} {fmt.plural(count, 'customer')}", _risky(view, first["segment"])),
        ("How sure that is", view.href("/value")),
    ]
    return advice(f"{first['segment']}: win back {fmt.plural(count, 'customer')}, {stake} at stake", said, links)


def _risky(view: View, segment: str) -> str:
    """The customers whom `stakes` counts for a segment."""
    kept = next((kept for kept in view.filters.ranges if kept.column == "churn_risk"), None)
    risk = Range("churn_risk", max(PROBABLY, kept.low or 0) if kept else PROBABLY, kept.high if kept else None)
    filters = view.filters.but(start=None, end=None, segments=(segment,))
    return "/customers" + filters.within(risk).query()


def _mend(view: View) -> Component:
    """What took most revenue away, and what fell most."""
    if view.before is None:
        return None
    now, before = (overview.totals(view.snapshot, view.filters, days) for days in (view.period, view.before))
    lost = [d for d in drivers(now.to_dict(), before.to_dict()) if d.amount < -LEAST * before["revenue"]]
    dimension, frame = _fallen(view, view.before)
    told, links = "", []
    if len(frame):
        value, worst = str(frame["value"].iloc[-1]), frame.iloc[-1]
        was, is_now = (fmt.short_money(worst[name], view.currency) for name in ("before", "revenue"))
        field, names = FIELDS[dimension]
        told = f"{value} fell most of the {names.lower()}: from {was} to {is_now}"
        links = [(f"Look into {fmt.shortened(value, 40)}", view.href("/", **{field: (value,)}))]
    if lost:
        driver = min(lost, key=lambda driver: driver.amount)
        took = fmt.short_money(-driver.amount, view.currency)
        title = f"{driver.words.capitalize()} took {took} against the {view.before_in_words}"
        return advice(title, f"{told}." if told else "", [*links, _source(view, driver)])
    if not told:
        return None
    change = fmt.money_change(worst["change"], view.currency)
    return advice(told, f"{change} against the {view.before_in_words}.", links)


def _fallen(view: View, before: Period) -> tuple[overview.Dimension, pd.DataFrame]:
    """The first dimension that parts the view, and what of it fell, the worst last."""
    for dimension in FIELDS:
        frame = moved(view, before, dimension).dropna(subset=["value"])
        if len(frame) > 1:
            return dimension, frame[frame["change"] < 0]
    return dimension, frame.head(0)


def _source(view: View, driver: Driver) -> tuple[str, str]:
    """Where a cause is looked into: of fewer customers those who did not come back, if both pages compare the same."""
    if driver.words == "fewer customers" and compared(view.period) == view.before:
        return "Who did not come back", view.href("/customers", bridge=Bridge("lapsed", view.period))
    return "What made revenue change", view.href("/movement")
