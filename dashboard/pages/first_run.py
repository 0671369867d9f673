"""What every page shows before the first load: what this is, and three ways to begin."""

from dash import dcc, html

from dashboard import ids
from dashboard.components.card import card
from dashboard.components.help import GUIDE
from dashboard.pages.data import action
from dashboard.view import Component


def first_run() -> Component:
    """The sample, a file of one's own, or the command line; `callbacks.data` starts the sample and leads to it."""
    return [
        dcc.Store(id=ids.DATA_NEXT),
        html.H1("Nothing is loaded yet", className="name"),
        html.P(
            "Shopper Spectrum tells from a shop's orders who the customers are, what they will bring and what to offer "
            "them. Everything stays on this machine. Begin in one of three ways.",
            className="sentence",
        ),
        html.Div(id=ids.DATA_SAID, role="alert"),
        html.Div([_sample(), _file(), _commands()], className="first-run"),
        html.P(["What a file must tell: ", dcc.Link("how a file is understood", href=f"{GUIDE}mapping"), "."]),
    ]


def _sample() -> Component:
    words = "A year of a real grocer: 1.47 million lines of 2,469 households."
    return card("Look around first", html.P(words), action("sample", "Load the sample", "button primary"))


def _file() -> Component:
    words = "Orders as CSV, Excel or Parquet, one row a line of an order. You see what was understood before it loads."
    return card(
        "Load your own file", html.P(words), dcc.Link("Drop a file on the Data page", href="/data", className="button")
    )


def _commands() -> Component:
    commands = "python -m etl inspect FILE\npython -m etl load FILE\npython -m models run"
    words = "Look at the file, load it, compute segments and recommendations; then reload this page."
    return card("Use the command line", html.P(words), html.Pre(commands, tabIndex=0))
