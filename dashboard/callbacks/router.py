"""The address -> the page's frame. What fills the frame is `slots`."""

from dash import Dash, Input, Output, dcc, html

from dashboard import ids
from dashboard.components.states import empty
from dashboard.pages import match
from dashboard.view import Component


def register(app: Dash) -> None:
    """One callback: it runs when the path changes, never when only the filters do."""

    @app.callback(Output(ids.PAGE, "children"), Input(ids.URL, "pathname"))
    def show(pathname: str | None) -> Component:
        page, _ = match(pathname)
        if page is None:
            home = dcc.Link("Go to the overview", href="/")
            return [html.H1("Not found", className="visually-hidden"), empty("There is no such page", home, ".")]
        note = html.P(page.ignores, className="ignores") if page.ignores else None
        return [note, *page.layout()]
