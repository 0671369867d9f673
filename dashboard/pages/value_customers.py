"""Which customers bring most on the Value page, and which have most to lose."""

from dash import dcc

from dashboard import format as fmt
from dashboard.components import charts
from dashboard.components.card import card
from dashboard.components.graph import graph
from dashboard.components.table import Column, table
from dashboard.theme import token
from dashboard.view import Component, View
from db.drill import Range
from db.queries import value as queries


def deciles(view: View) -> Component:
    """Each tenth of the customers by expected revenue: its share of what is expected and of what was."""
    frame = queries.deciles(view.snapshot, view.filters)
    expected, past = frame["expected"].sum(), frame["past"].sum()
    if frame.empty:
        return []
    frame["of_expected"] = frame["expected"] / expected if expected > 0 else 0.0
    frame["of_past"] = frame["past"] / past if past > 0 else 0.0
    names = [_decile(int(decile)) for decile in frame["value_decile"]]
    frame["href"] = [view.behind(Range("value_decile", int(d), int(d))) for d in frame["value_decile"]]
    best = frame.iloc[0]
    title = f"{_decile(int(best['value_decile']))}: {fmt.percent(best['of_expected'], 0)} of the revenue to come"
    shares = (list(frame["of_expected"]), list(frame["of_past"]))
    colours = [token("accent", view.theme)] * len(frame)
    hovers = [
        f"{name}, {fmt.plural(int(customers), 'customer')}"
        for name, customers in zip(names, frame["customers"], strict=True)
    ]
    drawn = charts.paired_bars(
        names, shares, ("of expected revenue", "of last year's"), colours, view.theme, list(frame["href"]), hovers
    )
    columns = [
        Column("value_decile", "Tenth", lambda v: _decile(int(v)), href=lambda row: str(row["href"])),
        Column("customers", "Customers", fmt.number, numeric=True),
        Column("expected", f"Expected ({view.currency})", fmt.number, numeric=True),
        Column("of_expected", "Share", fmt.percent, numeric=True),
        Column("past", f"Last year ({view.currency})", fmt.number, numeric=True),
        Column("of_past", "Share", fmt.percent, numeric=True),
    ]
    about = (
        "Tenths of all customers by expected revenue: share of the net revenue of the next 365 days (colour) and of "
        f"the last (grey){view.leads('; click one for its customers')}"
    )
    return card(title, graph("deciles", drawn, 30 + 40 * len(frame), title), about=about, twin=(frame, columns))


def _decile(decile: int) -> str:
    return {10: "Best tenth", 1: "Last tenth"}.get(decile, f"Tenth {11 - decile}")


def risk(view: View) -> Component:
    """The customers with most to lose."""
    frame = queries.at_risk(view.snapshot, view.filters)
    if frame.empty:
        return []
    title = f"{fmt.short_money(frame['risk'].sum(), view.currency)} at risk with {fmt.plural(len(frame), 'customer')}"
    columns = [
        Column("customer_id", "Customer", href=lambda row: view.customer_href(str(row["customer_id"]))),
        Column("segment", "Segment", style="secondary"),
        Column("past", f"Last year ({view.currency})", fmt.number, numeric=True),
        Column("churn_risk", "Churn risk", lambda v: fmt.percent(v, 0), numeric=True),
        Column("risk", f"At risk ({view.currency})", fmt.number, numeric=True),
    ]
    about = "Net revenue of the last 365 days times the churn risk: the customers with most to lose"
    every = dcc.Link(
        "All with a high risk", className="nowrap", href=view.behind(Range("churn_risk", queries.PROBABLY, None))
    )
    return card(title, table(frame, columns), about=about, aside=every)
