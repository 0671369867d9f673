"""Plots of why the segments are these: a criterion by number of segments, and customers in two components."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import format as fmt
from dashboard.components.charts import LEGEND, SYMBOLS
from dashboard.components.flows import colour
from dashboard.components.graph import figure
from dashboard.theme import Theme, token


def curve(
    numbers: Sequence[int], values: Sequence[float], chosen: int, theme: Theme, error: Sequence[float] | None = None
) -> go.Figure:
    """A value by number of segments with the chosen number marked, and a standard error where there is one."""
    marked = [number == chosen for number in numbers]
    accent, muted = token("accent", theme), token("muted", theme)
    picture = figure(
        theme,
        go.Scatter(
            x=list(numbers),
            y=np.asarray(values, dtype=float),
            mode="lines+markers",
            line={"color": accent, "width": 2},
            marker={"size": [13 if mark else 6 for mark in marked], "color": accent},
            error_y={"array": list(error), "color": muted, "thickness": 1.2, "width": 4} if error is not None else None,
            hovertemplate="%{x} segments: %{y:,.3f}<extra></extra>",
        ),
    )
    picture.update_xaxes(dtick=1, range=[min(numbers) - 0.4, max(numbers) + 0.4])
    picture.update_yaxes(nticks=4, tickformat="~s" if max(values) >= 1000 else None)
    return picture


def flat_scatter(points: pd.DataFrame, profiles: pd.DataFrame, titles: tuple[str, str], theme: Theme) -> go.Figure:
    """customer_id, segment, pca_x, pca_y, href, coloured as `profiles` (segment, colour) say."""
    picture = figure(theme, showlegend=True)
    symbols = {key: iter(SYMBOLS) for key in profiles["colour"]}
    for _, profile in profiles.iterrows():
        group = points[points["segment"] == profile["segment"]]
        picture.add_scatter(
            x=group["pca_x"].to_numpy(),
            y=group["pca_y"].to_numpy(),
            name=fmt.unmarked(fmt.shortened(profile["segment"], LEGEND)),
            mode="markers",
            marker={
                "size": 5,
                "opacity": 0.7,
                "symbol": next(symbols[profile["colour"]], "diamond"),
                "color": colour(profile["colour"], theme),
            },
            customdata=np.array([[href] for href in group["href"]]),
            hovertext=[fmt.unmarked(customer) for customer in group["customer_id"]],
            hovertemplate=f"customer %{{hovertext}}<extra>{fmt.unmarked(profile['segment'])}</extra>",
        )
    picture.update_layout(legend={"itemsizing": "constant"}, margin={"t": 32})
    picture.update_xaxes(title_text=titles[0], showgrid=True, nticks=6)
    picture.update_yaxes(title_text=titles[1], nticks=6)
    return picture
