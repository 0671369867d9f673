"""How much of the revenue few customers bring, on the Overview."""

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card
from dashboard.components.graph import graph
from dashboard.components.shares import pareto, tenths
from dashboard.components.table import Column
from dashboard.view import Component, View
from db.queries import concentration as queries

_TABLE = (0.01, 0.05, 0.1, 0.2, 0.5, 1.0)
_TOP = 0.05
_FEW = 20
"""Of fewer customers the top twentieth is no whole one."""


def concentration(view: View) -> Component:
    """The Pareto curve of the period."""
    curve = queries.curve(view.snapshot, view.filters, view.period)
    if curve.empty:
        return card("How concentrated revenue is", html.P("No customer stands behind the orders of this view."))
    total = curve["revenue"].iloc[-1]
    if total <= 0:
        return card("How concentrated revenue is", html.P("The customers brought no net revenue to take shares of."))
    curve["share"] = curve["revenue"] / total
    title = _finding(curve)
    columns = [
        Column("top", "Top", tenths, numeric=True),
        Column("customers", "Customers", fmt.number, numeric=True),
        Column("revenue", f"Net revenue ({view.currency})", lambda v: fmt.number(v, 2), numeric=True),
        Column("share", "Share", fmt.percent, numeric=True),
        Column("least", f"Each at least ({view.currency})", lambda v: fmt.number(v, 2), numeric=True),
    ]
    about = "Customers by their net revenue in the period, largest first. Guests are left out"
    if curve["share"].max() > 1:
        about += ". Above 100%: the last ones returned more than they bought"
    picture = graph("concentration", pareto(curve, view.theme, view.currency), 320, title)
    return card(title, picture, about=about, twin=(curve[curve["top"].isin(_TABLE)], columns))


def _finding(curve: pd.DataFrame) -> str:
    customers = int(curve["customers"].iloc[-1])
    top = curve[curve["top"] == _TOP].iloc[0]
    brings = f"{fmt.percent(top['share'], 0)} of customers' revenue"
    if customers < _FEW:
        return f"The largest of {fmt.plural(customers, 'customer')} brings {brings}"
    return f"The top {tenths(_TOP)} of customers bring {brings}"
