"""Plots of how a whole is parted: the Pareto curve, and columns of 100% by date."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import format as fmt
from dashboard.components.flows import colour
from dashboard.components.graph import figure
from dashboard.theme import Theme, faded, token

_NAMED = (0.05, 0.2, 0.5)
_APART = 0.075  # of the height, so that two lines of small letters do not touch
_LETTERS = 16


def pareto(curve: pd.DataFrame, theme: Theme, sign: str) -> go.Figure:
    """top, customers, revenue, share (of the whole): what the largest customers bring, a few shares told on the spot;
    dotted is how the curve would run if all customers brought the same."""
    accent = token("accent", theme)
    said = [
        f"the top {tenths(top)} ({fmt.plural(int(count), 'customer')}): {fmt.percent(share)} of revenue, "
        f"{fmt.short_money(revenue, sign)}"
        for top, count, share, revenue in curve[["top", "customers", "share", "revenue"]].itertuples(index=False)
    ]
    named = curve[curve["top"].isin(_NAMED)]
    picture = figure(
        theme,
        go.Scatter(
            x=curve["top"].to_numpy(),
            y=curve["share"].to_numpy(),
            mode="lines",
            line={"color": accent, "width": 2.5},
            fill="tozeroy",
            fillcolor=faded(accent, 0.10),
            hovertext=said,
            hovertemplate="%{hovertext}<extra></extra>",
        ),
        go.Scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            line={"color": token("muted", theme), "width": 1.5, "dash": "dot"},
            hoverinfo="skip",
        ),
        go.Scatter(
            x=named["top"].to_numpy(),
            y=named["share"].to_numpy(),
            mode="markers+text",
            marker={"color": accent, "size": 8},
            text=[f"top {tenths(t)}: {fmt.percent(s, 0)}" for t, s in zip(named["top"], named["share"], strict=True)],
            textposition="bottom right",
            hoverinfo="skip",
        ),
    )
    picture.update_layout(margin={"r": 24})
    picture.update_xaxes(tickformat=".0%", range=[0, 1.02], dtick=0.25, title={"text": "Customers, largest first"})
    picture.update_yaxes(tickformat=".0%", rangemode="tozero")
    return picture


def tenths(share: float) -> str:
    """A share of customers in a title or a table: 5%, and below one hundredth 0.5%."""
    return fmt.percent(share, 0 if round(share * 1000) % 10 == 0 else 1)


def stacked(
    dates: Sequence[str],
    parts: Mapping[str, Sequence[float]],
    colours: Mapping[str, str],
    hovers: Mapping[str, Sequence[str]],
    hrefs: Mapping[str, Sequence[str]],
    theme: Theme,
) -> go.Figure:
    """A column a date, parted into shares that add up to one, first part at the bottom; each part is named beside the
    last column, with its share there. A block with an address leads there."""
    traces = [
        go.Bar(
            x=np.arange(len(dates)),
            y=np.asarray(shares, dtype=float),
            name=fmt.unmarked(name),
            marker={"color": colour(colours[name], theme), "line": {"width": 1, "color": token("surface", theme)}},
            customdata=np.array([[href] for href in hrefs[name]]),
            hovertext=[fmt.unmarked(hover) for hover in hovers[name]],
            hovertemplate="%{hovertext}<extra></extra>",
        )
        for name, shares in parts.items()
    ]
    last = {name: float(shares[-1]) for name, shares in parts.items() if shares[-1] > 0}
    ends = np.cumsum(list(last.values()))
    places = spread_out((ends - np.array(list(last.values())) / 2).tolist(), _APART)
    named = [
        {
            "text": f'<span style="color:{colour(colours[name], theme)}">■</span> '
            f"{fmt.unmarked(fmt.shortened(name, _LETTERS))} {fmt.percent(share, 0)}",
            "x": 1,
            "xref": "paper",
            "xanchor": "left",
            "xshift": 4,
            "y": place,
            "yanchor": "middle",
            "showarrow": False,
            "font": {"size": 12},
        }
        for (name, share), place in zip(last.items(), places, strict=True)
    ]
    picture = figure(theme, *traces, barmode="stack", bargap=0.06, annotations=named, margin={"r": 158})
    told = [0, len(dates) - 1]  # a phone has no room for more
    picture.update_xaxes(tickmode="array", tickvals=told, ticktext=[dates[at] for at in told], tickangle=0)
    picture.update_yaxes(tickformat=".0%", range=[0, 1], nticks=5)
    return picture


def spread_out(places: Sequence[float], apart: float) -> list[float]:
    """Ascending places between 0 and 1, moved as little as it takes to lie `apart`; closer where there are too many."""
    apart = min(apart, 1 / max(len(places), 1))
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + apart if found else apart / 2))
    limit = 1 - apart / 2
    for at in reversed(range(len(found))):
        found[at] = limit = min(found[at], limit)
        limit -= apart
    return found
