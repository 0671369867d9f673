"""A card: a title that says the finding, a line that says what is measured, and the thing itself."""

import pandas as pd
from dash import html

from dashboard.components.table import Column, table
from dashboard.view import Component


def card(
    title: str,
    *body: Component,
    about: Component = None,
    aside: Component = None,
    twin: tuple[pd.DataFrame, list[Column]] | None = None,
) -> Component:
    """`about` says what is measured, in which unit; `aside` stands right of the title; `twin` is the chart's table."""
    head = [html.Div([html.H2(title), html.P(about, className="about") if about else None], className="card-title")]
    if aside is not None:
        head.append(html.Div(aside, className="aside"))
    children = [html.Header(head), *body]
    if twin is not None:
        children.append(as_table(*twin))
    return html.Section(children, className="panel")


def as_table(frame: pd.DataFrame, columns: list[Column]) -> Component:
    """A chart's table, folded under it."""
    return html.Details([html.Summary("Show as table"), table(frame, columns)], className="twin")


def pill(text: str) -> Component:
    """A short fact in a rounded frame."""
    return html.Span(text, className="pill")


def segment_chip(segment: str, colour: str, emoji: str = "") -> Component:
    """A segment's name with its colour, the same everywhere."""
    dot = html.Span(className="dot", style={"background": f"var(--segment-{colour.replace('_', '-')})"})
    return html.Span([dot, f"{emoji} {segment}".strip()], className="segment-chip")
