"""The help of a page: closed until the header's button opens it."""

from dash import dcc, html

from dashboard import ids
from dashboard.view import Component, Help

GUIDE = "/guide/"


def help_panel(title: str, told: Help) -> Component:
    """What the page answers, how its numbers are counted, where to read on; `assets/access.js` opens it."""
    links = [html.Li(dcc.Link(words, href=f"{GUIDE}{name}")) for words, name in told.documents.items()]
    return html.Section(
        [
            html.H2(f"About the page {title}"),
            html.P(told.answers),
            html.Ul([*(html.Li(sentence) for sentence in told.counted), *links]),
        ],
        id=ids.HELP,
        className="panel help",
        hidden=True,
        tabIndex=-1,
        **{"aria-label": "Help"},
    )
