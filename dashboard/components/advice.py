"""Something to do: what it is, the numbers it rests on, and where to begin."""

from collections.abc import Sequence

from dash import dcc, html

from dashboard.view import Component


def advice(title: str, said: str, links: Sequence[tuple[str, str]]) -> Component:
    """`links` are (words, address), the one to begin with first."""
    ways = [dcc.Link(words, href=address) for words, address in links]
    return html.Article([html.H2(title), html.P(said), html.P(ways, className="ways")], className="panel advice")
