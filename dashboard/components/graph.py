"""The one place where a plot becomes a component: nothing is uploaded, nothing is fetched, the theme is ours."""

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import plotly.graph_objects as go
from dash import dcc, html

from dashboard import ids
from dashboard.locales import LOCALE
from dashboard.theme import Theme, template
from dashboard.view import Component

_CONFIG = {
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "responsive": True,
    "displayModeBar": False,
}
_TURNED = {
    "displayModeBar": "hover",
    "modeBarButtonsToRemove": ["toImage", "sendDataToCloud"],  # the card saves it, with its title
}
"""A picture in three dimensions is moved by tools of its own."""


def nothing(theme: Theme, words: str) -> go.Figure:
    """A figure that says why it shows nothing."""
    said = figure(theme, annotations=[{"text": words, "showarrow": False, "font": {"size": 14}}])
    said.update_xaxes(visible=False)
    said.update_yaxes(visible=False)
    return said


def figure(theme: Theme, *traces: Any, **layout: Any) -> go.Figure:
    """An empty or filled figure in the theme. `layout` is plotly's."""
    return go.Figure(
        data=list(traces),
        layout={"template": template(theme), "showlegend": False, "separators": LOCALE.get().separators, **layout},
    )


def graph(name: str, drawn: go.Figure, height: int, label: str) -> Component:
    """A plot under a name of its own; `label` says in words what it shows.

    A mark whose first customdata entry is an address of this application leads there when clicked; so does one of
    `changed`, and a `#` with a customer's id. Whoever cannot click it follows the links of the chart's table.
    """
    return _framed(ids.graph(name), drawn, height, label, "img", _CONFIG)


def picture(name: str, height: int, label: str) -> Component:
    """A plot that is drawn, and drawn anew, by the page's function of that name; its camera and zoom stay."""
    blank = go.Figure(layout={"xaxis": {"visible": False}, "yaxis": {"visible": False}})
    return html.Div(
        [_framed(ids.picture(name), blank, height, label, "group", _CONFIG | _TURNED), dcc.Store(id=ids.camera(name))]
    )


def changed(path: str, **values: str) -> str:
    """A mark's address that is made in the browser, of `path` and the page's own query with these values in place of
    those it has; an empty one leaves the name out. So thousands of marks need not each carry the query."""
    return f"{path}?+{urlencode(values)}"


def seen_from(drawn: go.Figure, camera: object) -> go.Figure:
    """The figure with the camera where a visitor left it; anything that is no camera leaves it as it is.

    Plotly's own way (uirevision) loses the camera of a 3D scene when the figure changes.
    """
    if isinstance(camera, Mapping):
        places = {name: _place(camera.get(name)) for name in ("eye", "center", "up")}
        if all(places.values()):
            drawn.update_layout(scene_camera=places)
    return drawn


def _place(point: object) -> dict[str, float] | None:
    if not isinstance(point, Mapping):
        return None
    numbers: dict[str, Any] = {axis: point.get(axis) for axis in ("x", "y", "z")}
    fits = all(isinstance(n, int | float) and math.isfinite(n) and abs(n) < 100 for n in numbers.values())
    return numbers if fits else None


def _framed(
    id_: dict[str, str], drawn: go.Figure, height: int, label: str, role: str, config: Mapping[str, Any]
) -> Component:
    """An image is one thing to a screen reader; what has buttons of its own is a group.

    Its room is there before the plot is, so that nothing below jumps when it comes.
    """
    plot = dcc.Graph(id=id_, figure=drawn, config=dict(config), style={"height": f"{height}px"})
    room = {"minHeight": f"{height}px"}
    return html.Div(plot, role=role, className=f"plot plot-{id_['name']}", style=room, **{"aria-label": label})
