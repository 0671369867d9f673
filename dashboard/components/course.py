"""A customer's way through the segments: a cell a moment, and each change in words."""

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import segment_chip
from dashboard.view import Component

_MOST = 6
"""Changes told beside the strip; its table has all."""

WHY = {
    "bought": "bought",
    "returned": "returned goods",
    "quiet": "went quiet",
    "yardstick": "the yardstick moved",
    "new": "first order",
}
"""The causes of a change in words; who stayed has none."""


def strip(name: str, course: pd.DataFrame) -> Component:
    """`course`: as_of, segment (None before the first order), colour, cause; oldest first."""
    return html.Figure(
        [
            html.Figcaption(name),
            html.Ol([_cell(row) for _, row in course.iterrows()], className="course"),
            html.Div(
                [html.Span(fmt.day(course["as_of"].iloc[0])), html.Span(fmt.day(course["as_of"].iloc[-1]))],
                className="course-ends",
            ),
            html.Ul([html.Li(change) for change in _changes(course)], className="course-changes"),
        ]
    )


def _cell(row: pd.Series) -> Component:
    if fmt.missing(row["segment"]):
        words = f"{fmt.day(row['as_of'])}: no order yet"
        return html.Li(html.Span(words, className="visually-hidden"), title=words)
    why = WHY.get(str(row["cause"]))
    words = f"{fmt.day(row['as_of'])}: {row['segment']}" + (f", {why}" if why else "")
    colour = f"var(--segment-{row['colour'].replace('_', '-')})"
    return html.Li(html.Span(words, className="visually-hidden"), title=words, style={"background": colour})


def _changes(course: pd.DataFrame) -> list[Component]:
    """What the customer was at first, and every change since, newest first."""
    found: list[Component] = []
    before = None
    for _, row in course.iterrows():
        if fmt.missing(row["segment"]) or row["segment"] == before:
            continue
        why = WHY.get(str(row["cause"]), "")
        since = f"by {fmt.day(row['as_of'])}" if before else f"on {fmt.day(row['as_of'])}"
        found.append([segment_chip(row["segment"], row["colour"]), f" {since}", f": {why}" if why else ""])
        before = row["segment"]
    earlier = [f"and {fmt.plural(len(found) - _MOST, 'change')} before"] if len(found) > _MOST else []
    return found[: -_MOST - 1 : -1] + earlier


def finding(course: pd.DataFrame) -> str:
    """Since when the customer stands where they stand."""
    known = course.dropna(subset=["segment"])
    now = known["segment"].iloc[-1]
    other = known[known["segment"] != now]
    if len(other):
        since = known.loc[known["as_of"] > other["as_of"].iloc[-1], "as_of"].iloc[0]
        return f"{now} since {fmt.day(since)}, before that {other['segment'].iloc[-1]}"
    first = known["as_of"].iloc[0]
    return f"{now} since {'at least ' if first == course['as_of'].iloc[0] else ''}{fmt.day(first)}"
