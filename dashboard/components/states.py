"""What stands where numbers are not: the skeleton while they load, the empty state, the error."""

from collections.abc import Callable
from typing import Literal

from dash import html

from dashboard import ids
from dashboard.view import Component

Shape = Literal["sentence", "controls", "cards", "chart", "tall", "table", "list", "head", "strip"]

_BONES: dict[Shape, int] = {"sentence": 2, "controls": 3, "cards": 6, "table": 10, "list": 12, "strip": 1}
"""Lines, controls or cards; of a table its title, what it measures and its rows. Other panels have three: these and
what they show."""


def slot(name: str, shape: Shape, width: str = "", of: Callable[[str], dict[str, str]] = ids.slot) -> Component:
    """The place for one answer, shown as a skeleton of its shape until the answer is there; `width` is a CSS class, and
    `of` gives the place its id.

    The skeleton is about as tall as the answer will be, so that nothing below it jumps.
    """
    bones = [html.Div(className="bone") for _ in range(_BONES.get(shape, 3))]
    panel = " panel" if shape in ("chart", "tall", "table", "list", "head") else ""
    waiting = html.Div(bones, className=f"skeleton skeleton-{shape}{panel}", **{"aria-hidden": "true"})
    return html.Div(waiting, id=of(name), className=f"slot {width}".strip())


def empty(title: str, *what_next: Component) -> Component:
    """There is nothing to show, and this is what to do."""
    return html.Div([html.H2(title), html.P(list(what_next))], className="empty", role="status")


def failed(reference: str) -> Component:
    """Something went wrong here; the reference finds it in the log."""
    return html.Div(
        [
            html.H2("This part could not be shown"),
            html.P(["Try again; if it stays, the log of the server has the cause under ", html.Code(reference), "."]),
            html.Button("Try again", className="button", type="button", **{"data-again": reference}),
        ],
        className="empty failed",
    )
