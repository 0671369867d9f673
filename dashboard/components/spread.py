"""How numbers spread, and how far shares lie from the whole shop's."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from dashboard import format as fmt
from dashboard.components.flows import colour
from dashboard.components.graph import figure
from dashboard.theme import SEGMENT_COLOURS, Theme, faded, token

_LEAST, _MOST = 1 / 8, 8  # a lift beyond is drawn as this


def ranges(spread: pd.DataFrame, theme: Theme, *, is_share: bool) -> go.Figure:
    """A bar from the first to the third quartile and a mark at the median, a row a segment (segment, colour, q1,
    median, q3, mean); shares on a plain axis, other numbers on a logarithmic one from 1."""
    floor = 0.0 if is_share else 1.0
    low, middle, high = (np.maximum(spread[q].to_numpy(dtype=float), floor) for q in ("q1", "median", "q3"))
    show = fmt.percent if is_share else _plain
    said = [
        f"{fmt.unmarked(row['segment'])}<br>median {show(row['median'])}, middle half {show(row['q1'])} to "
        f"{show(row['q3'])}, mean {show(row['mean'])}"
        for _, row in spread.iterrows()
    ]
    colours = [colour(key, theme) for key in spread["colour"]]
    rows = np.arange(len(spread))
    picture = figure(theme)
    for at, (start, end) in enumerate(zip(low, high, strict=True)):
        picture.add_scatter(
            x=[start, end],
            y=[at, at],
            mode="lines",
            line={"color": faded(SEGMENT_COLOURS.get(spread["colour"].iloc[at], "#7F7F7F"), 0.35), "width": 10},
            hoverinfo="skip",
        )
    picture.add_scatter(
        x=middle,
        y=rows,
        mode="markers",
        marker={
            "color": colours,
            "size": 10,
            "symbol": "diamond",
            "line": {"width": 1, "color": token("surface", theme)},
        },
        hovertext=said,
        hovertemplate="%{hovertext}<extra></extra>",
    )
    names = [fmt.unmarked(fmt.shortened(name, 22)) for name in spread["segment"]]
    picture.update_yaxes(
        range=[len(spread) - 0.4, -0.6], showgrid=False, tickmode="array", tickvals=rows, ticktext=names
    )
    if is_share:
        picture.update_xaxes(tickformat=".0%", rangemode="tozero", showgrid=True, nticks=4)
    else:
        picture.update_xaxes(type="log", tickformat="~s", dtick="D2", showgrid=True)
    return picture


def _plain(number: float) -> str:
    return fmt.number(number, 0 if abs(number) >= 100 else 1)


def lift_bars(traits: pd.DataFrame, theme: Theme, key: str, furthest: float) -> go.Figure:
    """Bars to the right for what is more common than in the shop, to the left for what is less, doubling and halving
    alike far: value, share, shop_share, lift, q_value, customers, href; the most common on top, in the colour `key`.

    `furthest` is the largest `distance` among the plots that are seen together, so that they have one scale.
    """
    lifts = _drawn(traits["lift"])
    more = traits["lift"] >= 1
    texts = [_gap(lift) for lift in traits["lift"]]
    hovers = [
        f"{fmt.unmarked(row['value'])}<br>{fmt.percent(row['share'])} of the segment, {fmt.percent(row['shop_share'])} "
        f"expected of it<br>{fmt.plural(int(row['customers']), 'customer')}, q {_q(row['q_value'])}"
        for _, row in traits.iterrows()
    ]
    picture = figure(
        theme,
        go.Bar(
            x=lifts,
            y=np.arange(len(traits)),
            orientation="h",
            text=texts,
            textposition="outside",
            cliponaxis=False,
            marker={"color": [colour(key if up else "other", theme) for up in more]},
            customdata=np.array([[href] for href in traits["href"]]),
            hovertext=hovers,
            hovertemplate="%{hovertext}<extra></extra>",
        ),
        margin={"r": 44},
        bargap=0.25,
    )
    far = max(furthest, 0.2) * 1.7  # room for the numbers beside the bars
    picture.update_xaxes(
        range=[-far, far], showticklabels=False, zeroline=True, zerolinecolor=token("faint", theme), zerolinewidth=1
    )
    names = [fmt.unmarked(fmt.shortened(str(value), 24)) for value in traits["value"]]
    ticks = {"tickmode": "array", "tickvals": np.arange(len(names)), "ticktext": names}
    picture.update_yaxes(range=[len(names) - 0.4, -0.6], showgrid=False, **ticks)
    return picture


def distance(lifts: pd.Series) -> float:
    """How far the furthest of these lifts lies from 1, as it is drawn."""
    return float(np.abs(_drawn(lifts)).max(initial=0.0))


def _drawn(lifts: pd.Series) -> npt.NDArray[np.float64]:
    drawn: npt.NDArray[np.float64] = np.log2(np.clip(lifts.to_numpy(dtype=float), _LEAST, _MOST))
    return drawn


def _gap(lift: float) -> str:
    """+20%, −35%, 3.1×."""
    if lift >= 3:
        return f"{fmt.number(lift, 1)}×"
    return f"{'+' if lift >= 1.005 else ''}{fmt.percent(lift - 1, 0)}"


def _q(value: float) -> str:
    return "below 0.001" if value < 0.001 else fmt.number(value, 3)
