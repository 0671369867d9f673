"""Controls of a single page: what is chosen is an address, so the address alone holds the state."""

from collections.abc import Sequence

from dash import dcc, html

from dashboard import ids
from dashboard.view import Component

_HERE = "here"


def choice(name: str, label: str, options: Sequence[tuple[str, str]], current: str) -> Component:
    """A list to choose from: (text, address of the view with it); `current` is the address of what is seen."""
    offered = [
        {"label": text, "value": _HERE if address == current else address, "search": text} for text, address in options
    ]
    picked = _HERE if any(option["value"] == _HERE for option in offered) else None
    chooser = dcc.Dropdown(id=ids.choice(name), options=offered, value=picked, clearable=False, searchable=False)
    return html.Div([html.Label(label), chooser], className="control")


def either(label: str, options: Sequence[tuple[str, str]], current: str) -> Component:
    """A few alternatives side by side: (text, address)."""
    links = [
        dcc.Link(text, href=address, className="chosen" if address == current else "", **_said(address == current))
        for text, address in options
    ]
    return html.Div([html.Span(label, className="label"), html.Div(links, className="either")], className="control")


def _said(current: bool) -> dict[str, str]:
    return {"title": "shown"} if current else {}


def panes(contents: Sequence[tuple[str, Component]]) -> Component:
    """Views of one thing, (name, view): the first is shown, the others are one click away and need no request."""
    tabs = [
        dcc.Tab(content, label=name, className="pane", selected_className="pane chosen") for name, content in contents
    ]
    return dcc.Tabs(tabs, className="either", parent_className="panes", mobile_breakpoint=0)
