"""A card: a title that says the finding, a line that says what is measured, and the thing itself."""

from collections.abc import Sequence

import pandas as pd
from dash import dcc, html

from dashboard.components.table import Column, table
from dashboard.view import Component


def card(
    title: str,
    *body: Component,
    about: Component = None,
    aside: Component = None,
    twin: tuple[pd.DataFrame, list[Column]] | None = None,
) -> Component:
    """`about` says what is measured, in which unit; `aside` stands right of the title; `twin` is the chart's table.

    What a card shows can be saved: a chart as PNG, a table as CSV.
    """
    head = [html.Div([html.H2(title), html.P(about, className="about") if about else None], className="card-title")]
    children = [*body, as_table(*twin)] if twin is not None else list(body)
    right = [
        part
        for part in (*(aside if isinstance(aside, list) else [aside]), _savers(title, children))
        if part is not None
    ]
    if right:
        head.append(html.Div(right, className="aside"))
    return html.Section([html.Header(head), *children], className="panel")


def _savers(title: str, children: Sequence[Component]) -> Component:
    """A button for each form in which the card can be saved; `assets/save.js` does it, in the browser alone."""
    there = {type(part) for part in html.Div(list(children))._traverse()}
    forms = [
        html.Button(
            form, className="save", type="button", **{"data-save": form.lower(), "aria-label": f"{form}: {title}"}
        )
        for form, kind in (("PNG", dcc.Graph), ("CSV", html.Table))
        if kind in there
    ]
    return html.Div(forms, className="saves", role="group", **{"aria-label": "Save"}) if forms else None


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
