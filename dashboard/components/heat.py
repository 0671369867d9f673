"""Heatmaps: a number a cell, written in it, the darker the more."""

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from dashboard import format as fmt
from dashboard.components.graph import figure
from dashboard.theme import Theme, mixed, token

Texts = Sequence[Sequence[str]]

_ACROSS, _DOWN = 14, 16  # letters that a column and a row have for their names


def heatmap(
    rows: Sequence[str],
    columns: Sequence[str],
    values: npt.ArrayLike,
    texts: Texts,
    hovers: Texts,
    theme: Theme,
    *,
    hrefs: Texts | None = None,
    titles: tuple[str, str] = ("", ""),
) -> go.Figure:
    """Cells of `values` (rows x columns, first row on top), NaN blank; a cell with an address leads there.

    `titles` name the columns and the rows. The colours stay pale enough for the text in them.
    """
    most = mixed(token("accent", theme), token("surface", theme), 0.6)
    picture = figure(
        theme,
        go.Heatmap(
            z=np.asarray(values, dtype=float),
            text=[[fmt.unmarked(text).replace("\n", "<br>") for text in row] for row in texts],
            texttemplate="%{text}",
            hovertext=[[fmt.unmarked(text) for text in row] for row in hovers],
            hovertemplate="%{hovertext}<extra></extra>",
            customdata=[list(row) for row in hrefs] if hrefs else None,
            hoverongaps=False,
            xgap=2,
            ygap=2,
            colorscale=[[0, token("tint", theme)], [1, most]],
            textfont={"color": token("text", theme)},
            showscale=False,
        ),
    )
    across, down = picture.layout.xaxis, picture.layout.yaxis
    for axis, names, title, width in ((across, columns, titles[0], _ACROSS), (down, rows, titles[1], _DOWN)):
        axis.update(tickmode="array", tickvals=list(range(len(names))), ticktext=[_named(n, width) for n in names])
        axis.update(title={"text": title, "standoff": 12}, showgrid=False)
    picture.update_layout(xaxis_side="top", xaxis_tickangle=0, yaxis_autorange="reversed", margin={"t": 8, "b": 8})
    return picture


def broken(name: str, width: int) -> str:
    """A long name on two lines, cut at their end."""
    return "\n".join(wrap(name, width, max_lines=2, placeholder="…")) if len(name) > width else name


def _named(name: str, width: int) -> str:
    return fmt.unmarked(broken(name, width)).replace("\n", "<br>")
