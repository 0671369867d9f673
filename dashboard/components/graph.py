"""The one place where a plot becomes a component: nothing is uploaded, nothing is fetched, the theme is ours."""

from typing import Any

import plotly.graph_objects as go
from dash import dcc, html

from dashboard import ids
from dashboard.theme import Theme, template
from dashboard.view import Component

_CONFIG = {
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "responsive": True,
    "displayModeBar": "hover",
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "sendDataToCloud"],
    "toImageButtonOptions": {"scale": 2},
}


def figure(theme: Theme, *traces: Any, **layout: Any) -> go.Figure:
    """An empty or filled figure in the theme. `layout` is plotly's."""
    return go.Figure(data=list(traces), layout={"template": template(theme), "showlegend": False, **layout})


def graph(name: str, picture: go.Figure, height: int, label: str) -> Component:
    """A plot under a name of its own; `label` says in words what it shows.

    A mark whose first customdata entry is an address of this application leads there when clicked.
    """
    picture.update_layout(uirevision=name)
    plot = dcc.Graph(
        id=ids.graph(name), figure=picture, config=_CONFIG, style={"height": f"{height}px"}, responsive=True
    )
    return html.Div(plot, role="img", className=f"plot plot-{name}", **{"aria-label": label})
