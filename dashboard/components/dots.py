"""Dots with their intervals, and what models take and give."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import format as fmt
from dashboard.components.graph import figure
from dashboard.theme import Theme, faded, token

_APART = 0.17
"""Rows between the two dots of one label."""
_DEPTH = ("earlier", "other", "ours")
"""Parts of a series, the one in front last."""


def dots(
    rows: pd.DataFrame, theme: Theme, *, tickformat: str = "", against_zero: bool = False, legend: bool = False
) -> go.Figure:
    """A dot with its interval a row: label, value, low, high, said (for the mouse), and name and strong of its series.

    Rows of one label share a line, at most two; series that are not strong are grey, a second strong one has diamonds.
    `against_zero` draws where there
    is no difference.
    """
    labels = list(dict.fromkeys(rows["label"]))
    place = {label: at for at, label in enumerate(labels)}
    series = list(dict.fromkeys(zip(rows["name"], rows["strong"], strict=True)))
    apart = _APART if len(series) > 1 and len(rows) > len(labels) else 0.0
    picture = figure(theme)
    first = next((name for name, strong in series if strong), None)
    for name, strong in series:
        another = strong and name != first
        colour = token("text" if another else "accent" if strong else "muted", theme)
        part = rows[(rows["name"] == name) & (rows["strong"] == strong)]
        shift = apart * (-1 if strong else 1)
        low, high = (part[end].fillna(part["value"]).to_numpy(dtype=float) for end in ("low", "high"))
        values = part["value"].to_numpy(dtype=float)
        picture.add_scatter(
            x=values,
            y=[place[label] + shift for label in part["label"]],
            name=fmt.unmarked(name),
            mode="markers",
            marker={
                "size": 10,
                "color": colour,
                "symbol": "diamond" if another else "circle" if strong else "circle-open",
                "line": {"width": 2},
            },
            error_x={
                "array": high - values,
                "arrayminus": values - low,
                "color": colour,
                "thickness": 1.5,
                "width": 4,
            },
            hovertext=[fmt.unmarked(said) for said in part["said"]],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    names = [fmt.unmarked(fmt.shortened(label, 28)) for label in labels]
    picture.update_yaxes(
        range=[len(labels) - 0.4, -0.6],
        showgrid=False,
        tickmode="array",
        tickvals=list(range(len(labels))),
        ticktext=names,
    )
    ends = rows[["value", "low", "high"]].to_numpy(dtype=float)
    least, most = (float(of(ends)) for of in (np.nanmin, np.nanmax))
    room = 0.06 * ((most - least) or abs(most) or 1.0)
    low_end = min(least - room, 0.0 - room) if against_zero else max(0.0, least - room)
    high_end = max(most + room, room) if against_zero else most + room
    picture.update_xaxes(range=[low_end, high_end], showgrid=True, nticks=5, tickformat=tickformat, tickangle=0)
    if against_zero:
        picture.add_vline(x=0, line_width=1.5, line_color=token("text", theme))
    if legend:
        picture.update_layout(showlegend=True, margin={"t": 28})
    return picture


def time_and_quality(models: pd.DataFrame, theme: Theme) -> go.Figure:
    """A dot a model: name, seconds (to fit, on a logarithmic axis), value, low, high, strong, said."""
    picture = figure(
        theme,
        go.Scatter(
            x=np.maximum(models["seconds"].to_numpy(dtype=float), 0.01),
            y=models["value"].to_numpy(dtype=float),
            mode="markers+text",
            text=[fmt.unmarked(name) for name in models["name"]],
            textposition=_beside(models),
            textfont={"size": 11},
            cliponaxis=False,
            marker={"size": 10, "color": [token("accent" if s else "muted", theme) for s in models["strong"]]},
            error_y={
                "array": (models["high"] - models["value"]).fillna(0).to_numpy(dtype=float),
                "arrayminus": (models["value"] - models["low"]).fillna(0).to_numpy(dtype=float),
                "color": token("faint", theme),
                "thickness": 1,
                "width": 3,
            },
            hovertext=[fmt.unmarked(said) for said in models["said"]],
            hovertemplate="%{hovertext}<extra></extra>",
        ),
    )
    least, most = (np.log10(max(float(of(models["seconds"])), 0.01)) for of in (min, max))
    room = max(0.25, 0.2 * (most - least))
    picture.update_xaxes(
        type="log", title_text="seconds to fit", range=[least - room, most + room], dtick=1, tickformat="~g"
    )
    picture.update_yaxes(title_text="NDCG@10", tickformat=".3f", nticks=5)
    return picture


def _beside(models: pd.DataFrame) -> list[str]:
    """Where each name stands beside its dot, so that few meet: the first place that no other name or dot takes."""
    seconds = np.log10(np.maximum(models["seconds"].to_numpy(dtype=float), 0.01))
    values = models["value"].to_numpy(dtype=float)
    across = (seconds - seconds.min()) / (np.ptp(seconds) * 1.4 or 1)
    up = (values - values.min()) / (np.ptp(values) * 1.4 or 1)
    taken = [(x - 0.01, x + 0.01, y - 0.02, y + 0.02) for x, y in zip(across, up, strict=True)]
    places = []
    for name, x, y in zip(models["name"], across, up, strict=True):
        wide = 0.013 * len(name)
        boxes = {
            "top center": (x - wide / 2, x + wide / 2, y + 0.03, y + 0.09),
            "bottom center": (x - wide / 2, x + wide / 2, y - 0.09, y - 0.03),
            "middle right": (x + 0.02, x + 0.02 + wide, y - 0.03, y + 0.03),
            "middle left": (x - 0.02 - wide, x - 0.02, y - 0.03, y + 0.03),
        }
        free = (place for place, box in boxes.items() if not any(_meet(box, other) for other in taken))
        chosen = next(free, "top center")
        taken.append(boxes[chosen])
        places.append(chosen)
    return places


def _meet(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def course(courses: Mapping[str, Sequence[tuple[float, float]]], theme: Theme) -> go.Figure:
    """A line a model: (seconds, quality after them); the best moment of each is marked."""
    picture = figure(theme)
    for at, (name, points) in enumerate(courses.items()):
        seconds, values = (np.array(column, dtype=float) for column in zip(*points, strict=True))
        best = int(np.argmax(values))
        colour = token("muted" if at else "accent", theme)
        picture.add_scatter(
            x=seconds,
            y=values,
            name=fmt.unmarked(name),
            mode="lines",
            line={"color": colour, "width": 2, "dash": "dot" if at else "solid"},
            hovertemplate=f"{fmt.unmarked(name)}: %{{y:.4f}} after %{{x:.1f}} s<extra></extra>",
        )
        picture.add_scatter(
            x=seconds[[best]],
            y=values[[best]],
            mode="markers",
            showlegend=False,
            marker={"size": 10, "color": colour},
            hovertemplate=f"{fmt.unmarked(name)}: kept, %{{y:.4f}} after %{{x:.1f}} s<extra></extra>",
        )
    picture.update_xaxes(title_text="seconds", rangemode="tozero")
    picture.update_yaxes(title_text="NDCG@10", tickformat=".3f", nticks=5)
    picture.update_layout(showlegend=len(courses) > 1, margin={"t": 28})
    return picture


def rates(series: Sequence[tuple[str, pd.DataFrame, str]], theme: Theme) -> go.Figure:
    """Shares over time with their intervals: (name, starts_at, value, low, high, is_full, said; its part).

    The part is `ours` (with a band), `other` (dotted, with a band) or `earlier` (a thin line). What is not full yet has
    an open mark.
    """
    picture = figure(theme)
    for name, frame, part in sorted(series, key=lambda one: _DEPTH.index(one[2])):
        colour = token({"ours": "accent", "other": "muted"}.get(part, "faint"), theme)
        if part != "earlier":
            picture.add_scatter(
                x=[*frame["starts_at"], *frame["starts_at"][::-1]],
                y=[*frame["high"], *frame["low"][::-1]],
                mode="lines",
                line={"width": 0},
                fill="toself",
                fillcolor=faded(colour, 0.13),
                hoverinfo="skip",
                showlegend=False,
            )
        picture.add_scatter(
            x=frame["starts_at"],
            y=frame["value"].to_numpy(dtype=float),
            name=fmt.unmarked(name),
            mode="lines+markers",
            line={
                "color": colour,
                "width": {"ours": 2.5, "other": 1.5}.get(part, 1.5),
                "dash": "dot" if part == "other" else "solid",
            },
            marker={
                "size": 7 if part == "ours" else 5,
                "symbol": ["circle" if full else "circle-open" for full in frame["is_full"]],
            },
            hovertext=[fmt.unmarked(said) for said in frame["said"]],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    picture.update_layout(showlegend=True, legend={"traceorder": "reversed"}, margin={"t": 28})
    picture.update_yaxes(tickformat=".0%", rangemode="tozero", nticks=5)
    picture.update_xaxes(nticks=5, tickangle=0)
    return picture
