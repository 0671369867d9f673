"""A list of recommended products, each with the reason it is there."""

import pandas as pd
from dash import html

from dashboard.view import Component


def offers(frame: pd.DataFrame) -> Component:
    """`frame` has rank, name, category, reason, in order; an empty one says so."""
    if frame.empty:
        return html.P("Nothing to offer here: no published recommendations for this customer.", className="about")
    return html.Ol(
        [
            html.Li([html.Span(row["name"], className="offer"), html.Span(row["reason"], className="about")])
            for _, row in frame.iterrows()
        ],
        className="offers",
    )
