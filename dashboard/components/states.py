"""What stands where numbers are not: the skeleton while they load, the empty state, the error."""

from typing import Literal

from dash import html

from dashboard import ids
from dashboard.view import Component

DROP = "Drop a file or load the sample on the Data page"

Shape = Literal["sentence", "cards", "chart", "tall", "table", "strip"]


def slot(name: str, shape: Shape, width: str = "") -> Component:
    """The place for one answer, shown as a skeleton of its shape until the answer is there; `width` is a CSS class."""
    bones = [html.Div(className="bone") for _ in range(6 if shape == "cards" else 1)]
    waiting = html.Div(bones, className=f"skeleton skeleton-{shape}", **{"aria-hidden": "true"})
    return html.Div(waiting, id=ids.slot(name), className=f"slot {width}".strip())


def empty(title: str, *what_next: Component) -> Component:
    """There is nothing to show, and this is what to do."""
    return html.Div([html.H2(title), html.P(list(what_next))], className="empty", role="status")


def failed(reference: str) -> Component:
    """Something went wrong here; the reference finds it in the log."""
    return html.Div(
        [
            html.H2("This part could not be shown"),
            html.P(
                ["Reload the page to try again. If it stays, the log has the cause under ", html.Code(reference), "."]
            ),
        ],
        className="empty failed",
        role="alert",
    )
