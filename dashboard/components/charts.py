"""The plots of the pages: a frame in, a figure out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import format as fmt
from dashboard.components import axes
from dashboard.components.graph import figure
from dashboard.theme import Theme, faded, token

SYMBOLS = ("diamond", "square", "cross", "x")
"""Segments of one colour differ by their marks."""
LEGEND = 20
"""Letters of a name in a legend."""


def line_against(
    now: pd.DataFrame, before: pd.DataFrame, y: str, theme: Theme, prefix: str, against: str = "period before"
) -> go.Figure:
    """A series by `start` as an area, with the comparison period's as a dotted line under the same dates."""
    accent, muted = token("accent", theme), token("muted", theme)
    length = min(len(now), len(before))
    shown = now["start"].dt.strftime("%-d %b %Y").to_numpy()
    then = before["start"].dt.strftime("%-d %b %Y").to_numpy()[len(before) - length :]
    picture = figure(
        theme,
        go.Scatter(
            x=now["start"],
            y=now[y].to_numpy(),
            name="this period",
            mode="lines",
            line={"color": accent, "width": 2.5},
            fill="tozeroy",
            fillcolor=faded(accent, 0.10),
            customdata=shown,
            hovertemplate=f"%{{customdata}}: {fmt.priced('%{y:,.0f}', prefix)}<extra>this period</extra>",
        ),
        go.Scatter(
            x=now["start"].iloc[len(now) - length :],
            y=before[y].to_numpy()[len(before) - length :],
            name=against,
            mode="lines",
            line={"color": muted, "width": 1.5, "dash": "dot"},
            customdata=then,
            hovertemplate=f"%{{customdata}}: {fmt.priced('%{y:,.0f}', prefix)}<extra>{against}</extra>",
        ),
    )
    picture.update_layout(showlegend=True, hovermode="x unified", margin={"t": 28})
    picture.update_yaxes(**axes.money(prefix), tickformat="~s", rangemode="tozero")
    picture.update_xaxes(hoverformat=" ", nticks=8)
    return picture


def bars(
    labels: Sequence[str],
    values: Sequence[float],
    texts: Sequence[str],
    theme: Theme,
    *,
    colours: Sequence[str] | None = None,
    hrefs: Sequence[str] | None = None,
) -> go.Figure:
    """Horizontal bars, first on top, each with its own text; a bar with an address leads there."""
    picture = figure(
        theme,
        go.Bar(
            x=np.asarray(values, dtype=float),
            y=np.arange(len(labels)),
            orientation="h",
            text=list(texts),
            textposition="outside",
            cliponaxis=False,
            marker={"color": list(colours) if colours else token("accent", theme)},
            customdata=np.array([[href] for href in hrefs]) if hrefs else None,
            hovertext=[fmt.unmarked(label) for label in labels],
            hovertemplate="%{hovertext}: %{text}<extra></extra>",
        ),
        margin={"r": 64},
    )
    picture.update_xaxes(visible=False, rangemode="tozero")
    _name_bars(picture, labels)
    return picture


def columns(labels: Sequence[str], values: Sequence[float], theme: Theme, prefix: str) -> go.Figure:
    """Upright bars, one a label, in the order given; amounts on the axis."""
    picture = figure(
        theme,
        go.Bar(
            x=list(labels),
            y=np.asarray(values, dtype=float),
            marker={"color": token("accent", theme)},
            hovertemplate=f"%{{x}}: {fmt.priced('%{y:,.2f}', prefix)}<extra></extra>",
        ),
    )
    picture.update_xaxes(type="category", nticks=14)
    picture.update_yaxes(**axes.money(prefix), tickformat="~s", nticks=4)
    return picture


def paired_bars(
    labels: Sequence[str],
    values: tuple[Sequence[float], Sequence[float]],
    names: tuple[str, str],
    colours: Sequence[str],
    theme: Theme,
    hrefs: Sequence[str] | None = None,
    hovers: Sequence[str] | None = None,
) -> go.Figure:
    """Two shares a label: the first in the label's own colour, the second in grey under it; `hovers` are longer labels
    for the mouse."""
    customdata = np.array([[href] for href in hrefs]) if hrefs else None
    traces = [
        go.Bar(
            x=np.asarray(shares, dtype=float),
            y=np.arange(len(labels)),
            name=name,
            orientation="h",
            marker={"color": colour},
            text=[fmt.percent(share, 0) for share in shares],
            textposition="outside",
            cliponaxis=False,
            customdata=customdata,
            hovertext=[fmt.unmarked(label) for label in hovers or labels],
            hovertemplate=f"%{{hovertext}}: %{{text}} {name}<extra></extra>",
        )
        for shares, name, colour in zip(values, names, (list(colours), token("faint", theme)), strict=True)
    ]
    picture = figure(theme, *traces, margin={"r": 48}, bargroupgap=0.08, bargap=0.3)
    picture.update_xaxes(visible=False, rangemode="tozero")
    _name_bars(picture, labels)
    return picture


def _name_bars(picture: go.Figure, labels: Sequence[str]) -> None:
    """Every bar named, first on top; left to itself plotly leaves out names where it thinks them too many."""
    names = [fmt.unmarked(fmt.shortened(label, 26)) for label in labels]
    picture.update_yaxes(
        autorange="reversed", showgrid=False, tickmode="array", tickvals=list(range(len(names))), ticktext=names
    )


def spend_over_time(orders: pd.DataFrame, theme: Theme, sign: str) -> go.Figure:
    """A stem an order: ordered_at, amount, order_id."""
    colour = np.where(orders["amount"].to_numpy() >= 0, token("accent", theme), token("down", theme))
    picture = figure(
        theme,
        go.Bar(
            x=orders["ordered_at"],
            y=orders["amount"].to_numpy(),
            width=24 * 3600 * 1000 * max(1, (orders["ordered_at"].max() - orders["ordered_at"].min()).days / 150),
            marker={"color": colour, "opacity": 0.75},
            customdata=orders["order_id"].map(fmt.unmarked),
            hovertemplate=f"%{{x|%-d %b %Y}}: {fmt.priced('%{y:,.2f}', sign)}<extra>order %{{customdata}}</extra>",
        ),
    )
    picture.update_yaxes(**axes.money(sign), tickformat="~s")
    return picture
