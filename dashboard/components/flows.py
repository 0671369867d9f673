"""Plots of what moves: flows from segment to segment, a bridge between two sums, columns that part month by month."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from dash import html

from dashboard import format as fmt
from dashboard.components import axes
from dashboard.components.graph import figure
from dashboard.theme import SEGMENT_COLOURS, Theme, faded, token
from dashboard.view import Component

CAUSES = {
    "stayed": ("stayed", "faint"),
    "bought": ("bought", "loyal"),
    "less": ("bought too little to stay", "at_risk"),
    "returned": ("returned goods", "attention"),
    "quiet": ("went quiet", "lost"),
    "yardstick": ("the yardstick moved", "accent"),
    "new": ("first order since", "new"),
}
"""Why a customer is where they are -> in words, and its colour."""

STANDINGS = {
    "new": ("New", "new"),
    "kept": ("Kept", "loyal"),
    "won_back": ("Won back", "attention"),
    "lapsed": ("Lapsed", "lost"),
    "returns_only": ("Returns only", "other"),
    "guests": ("Guests", "faint"),
}
"""How a customer stands in a period against the one before -> in words, and its colour."""


_GAP = 14  # pixels between the bars of a side
_MARGIN, _ASIDE, _LETTERS = 184, 6, 19  # pixels for the names beside the bars, where no flow strikes them out


def legend(causes: Iterable[str]) -> Component:
    """What the colours of the causes mean."""
    dots = [
        html.Span([html.Span(className="dot", style={"background": _css(CAUSES[cause][1])}), CAUSES[cause][0]])
        for cause in CAUSES
        if cause in set(causes)
    ]
    return html.Div(dots, className="legend")


def _css(key: str) -> str:
    return f"var(--segment-{key.replace('_', '-')})" if key in SEGMENT_COLOURS else f"var(--{key})"


def colour(key: str, theme: Theme) -> str:
    """The colour of a segment's key or of a token."""
    return SEGMENT_COLOURS.get(key) or token(key, theme)


def sankey(flows: pd.DataFrame, nodes: pd.DataFrame, theme: Theme, height: int) -> go.Figure:
    """Customers from the segments at one moment (left) to those at another (right), coloured by cause.

    `nodes`: name, label, customers, side (0 or 1), colour, href, in the order to show from the top; `flows`: source and
    target (places in `nodes`), customers, cause, hover, href. `height` is that of the plot in pixels.
    """
    room = 1 - (nodes["side"].value_counts().max() - 1) * _GAP / height
    tall = nodes["customers"] / nodes["customers"].groupby(nodes["side"]).transform("sum") * room
    above = tall.groupby(nodes["side"]).cumsum() - tall + nodes.groupby("side").cumcount() * _GAP / height
    links = [colour(CAUSES[cause][1], theme) for cause in flows["cause"]]
    named = [
        {
            "text": f"{fmt.unmarked(fmt.shortened(name, _LETTERS))}  {fmt.number(count)}",
            "x": side,
            "y": 1 - y,
            "xanchor": "left" if side else "right",
            "yanchor": "middle",
            "xshift": _ASIDE if side else -_ASIDE,
            "showarrow": False,
            "font": {"size": 12},
        }
        for name, count, side, y in zip(nodes["name"], nodes["customers"], nodes["side"], above + tall / 2, strict=True)
    ]
    faint = [faded(c, 0.9 if cause == "stayed" else 0.6) for c, cause in zip(links, flows["cause"], strict=True)]
    return figure(
        theme,
        go.Sankey(
            arrangement="fixed",
            node={
                "label": nodes["label"].map(fmt.unmarked),
                "color": [colour(key, theme) for key in nodes["colour"]],
                "customdata": nodes["href"],
                "hovertemplate": "%{label}<extra></extra>",
                "x": np.where(nodes["side"] == 0, 0.001, 0.999),
                "y": np.clip(above + tall / 2, 0.001, 0.999),
                "pad": _GAP,
                "thickness": 14,
                "line": {"width": 0},
            },
            link={
                "source": flows["source"],
                "target": flows["target"],
                "value": flows["customers"],
                "color": faint,
                "label": flows["hover"].map(fmt.unmarked).str.replace("\n", "<br>"),
                "customdata": flows["href"],
                "hovertemplate": "%{label}<extra></extra>",
            },
            textfont={"color": "rgba(0, 0, 0, 0)", "shadow": "none", "size": 12},
        ),
        margin={"l": _MARGIN, "r": _MARGIN, "b": 16},
        annotations=named,
    )


def waterfall(
    labels: Sequence[str],
    values: Sequence[float],
    texts: Sequence[str],
    hovers: Sequence[str],
    hrefs: Sequence[str],
    theme: Theme,
    sign: str,
    floor: float = 0.0,
) -> go.Figure:
    """From the first sum by changes to the last one; a bar with an address leads there. The axis begins at `floor`."""
    steps = len(values) - 2
    up, down, total = ({"marker": {"color": token(name, theme)}} for name in ("up", "down", "accent"))
    picture = figure(
        theme,
        go.Waterfall(
            x=[fmt.unmarked(label).replace("\n", "<br>") for label in labels],
            y=np.asarray(values, dtype=float),
            measure=["absolute", *["relative"] * steps, "total"],
            text=list(texts),
            textposition="outside",
            cliponaxis=False,
            increasing=up,
            decreasing=down,
            totals=total,
            connector={"line": {"color": token("faint", theme), "width": 1}},
            customdata=np.array([[href] for href in hrefs]),
            hovertext=[fmt.unmarked(hover).replace("\n", "<br>") for hover in hovers],
            hovertemplate="%{hovertext}<extra></extra>",
        ),
        margin={"t": 24},
    )
    picture.update_xaxes(type="category")
    picture.update_yaxes(**axes.money(sign), tickformat="~s", nticks=5)
    if floor:
        top = float(np.cumsum(values[:-1]).max())
        picture.update_yaxes(range=[floor, top + 0.1 * (top - floor)])
    return picture


def parted_columns(
    months: Sequence[str],
    parts: Mapping[str, Sequence[float]],
    hovers: Mapping[str, Sequence[str]],
    hrefs: Mapping[str, Sequence[str]],
    theme: Theme,
    sign: str = "",
) -> go.Figure:
    """A column a month, stacked of standings (keys of `STANDINGS`); what is below zero hangs below the line."""
    traces = [
        go.Bar(
            x=list(months),
            y=np.asarray(values, dtype=float),
            name=STANDINGS[standing][0],
            marker={"color": colour(STANDINGS[standing][1], theme)},
            customdata=np.array([[href] for href in hrefs[standing]]),
            hovertext=[fmt.unmarked(hover) for hover in hovers[standing]],
            hovertemplate="%{hovertext}<extra></extra>",
        )
        for standing, values in parts.items()
    ]
    picture = figure(theme, *traces, barmode="relative", showlegend=True, margin={"t": 32})
    picture.update_layout(legend={"traceorder": "normal"})
    picture.update_xaxes(type="category", nticks=14)
    picture.update_yaxes(**axes.money(sign), tickformat="~s", nticks=8)
    picture.update_yaxes(zeroline=True, zerolinecolor=token("faint", theme))
    return picture
