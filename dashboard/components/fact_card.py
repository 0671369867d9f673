"""A card with one number that is not compared with another period: what it is, what it rests on, where it leads."""

from dash import dcc, html

from dashboard.view import Component


def fact_card(label: str, figure: str, said: Component, definition: str, href: str | None = None) -> Component:
    """`said` stands under the figure; with an address the figure leads to the customers behind it."""
    head = html.Div(
        [
            html.H2(label),
            html.Details(
                [html.Summary("?", **{"aria-label": f"What {label} means"}), html.P(definition)],
                className="definition",
            ),
        ],
        className="kpi-head",
    )
    shown = dcc.Link(figure, href=href, title="Show these customers") if href else figure
    figures = html.Div(html.Div(shown, className="kpi-figure"), className="kpi-middle")
    return html.Article([head, figures, html.P(said, className="kpi-change")], className="panel kpi")
