"""A list of recommended products, each with the reason it is there."""

import pandas as pd
from dash import html

from dashboard.components.product import product_label
from dashboard.view import Component


def offers(frame: pd.DataFrame) -> Component:
    """`frame` has product_id, name and reason, best first; an empty one says so."""
    if frame.empty:
        return html.P("Nothing to offer here: no published recommendations for this customer.", className="about")
    return html.Ol([_offer(row) for _, row in frame.iterrows()], className="offers")


def _offer(row: pd.Series) -> Component:
    product = html.Span(product_label((row["name"], row["product_id"])), className="offer")
    return html.Li([product, html.Span(row["reason"], className="about")])
