"""The customers by recency, orders and spend: as points or cells in 3D, and as cells by two of the three."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from dashboard import format as fmt
from dashboard.components.axes import logarithmic
from dashboard.components.charts import LEGEND, SYMBOLS
from dashboard.components.graph import figure
from dashboard.measures import MEASURES, in_words
from dashboard.theme import SEGMENT_COLOURS, Theme
from db.bins import AXES, Bins

PANELS = (("recency_days", "frequency"), ("recency_days", "monetary"), ("frequency", "monetary"))
"""What each panel of the flat picture has across and upwards."""
_ACROSS = {"recency_days": "x", "frequency": "x2"}
_UPWARDS = {"frequency": "y2", "monetary": "y"}
_PLACES = {
    "xaxis": ("recency_days", "y", [0, 0.46]),
    "xaxis2": ("frequency", "y", [0.58, 1]),
    "yaxis": ("monetary", "x", [0, 0.46]),
    "yaxis2": ("frequency", "x", [0.54, 1]),
}
"""Axis of the flat picture -> its number, the axis it stands at, its share of the picture."""
_HOVER = "%{hovertext}<extra></extra>"


def points_in_space(points: pd.DataFrame, colours: Mapping[str, str], theme: Theme, sign: str) -> go.Figure:
    """Each customer a point, one trace a segment; a click leads to the customer.

    `points` has customer_id, segment, recency_days, frequency, monetary. A logarithm needs what is above zero: what is
    less than 1 stands at 1, and the hover text has the true numbers.
    """
    at = {axis: np.maximum(points[axis].to_numpy(), 1).astype(np.float32) for axis in AXES}
    picture = _space({axis: (float(places.min()), float(places.max())) for axis, places in at.items()}, theme, sign)
    for segment, of, looks in _parted(points, colours):
        group = points[of]
        escaped = [fmt.unmarked(customer) for customer in group["customer_id"]]
        plain = escaped == group["customer_id"].to_list()
        looks["marker"].update(size=3.2, opacity=0.85)
        picture.add_scatter3d(
            **dict(zip("xyz", (at[axis][of] for axis in AXES), strict=True)),
            **looks,
            hovertext=None if plain else escaped,
            customdata=np.column_stack(
                ["#" + group["customer_id"].astype(object), group["recency_days"], group["monetary"].round(2)]
            ),
            hovertemplate=(
                f"customer %{{{'customdata[0]' if plain else 'hovertext'}}}<br>"
                "last order %{customdata[1]:,} days ago<br>%{y:,} orders<br>"
                f"{fmt.priced('%{customdata[2]:,.2f}', sign)} spent<extra>{fmt.unmarked(segment)}</extra>"
            ),
        )
    return _with_legend(picture, len(picture.data))


def cells_in_space(
    cells: pd.DataFrame,
    marks: Sequence[str],
    bins: Mapping[str, Bins],
    colours: Mapping[str, str],
    theme: Theme,
    sign: str,
) -> go.Figure:
    """Each cell a mark whose volume is its number of customers, coloured by the segment that has most of them.

    `cells` has the places in `bins`, customers, segment, of_segment; `marks` say where a click leads.
    """
    at = {axis: _middles(cells, bins[axis]) for axis in AXES}
    picture = _space({axis: _ends(bins[axis]) for axis in AXES}, theme, sign)
    sizes = _sizes(cells, np.cbrt, 20)
    texts, leads = _texts(cells, [bins[axis] for axis in AXES], sign), np.asarray(marks, dtype=object)
    for _, of, looks in _parted(cells, colours):
        looks["marker"].update(size=sizes[of], opacity=0.8, line={"width": 0})
        places = dict(zip("xyz", (at[axis][of] for axis in AXES), strict=True))
        picture.add_scatter3d(**places, **looks, hovertext=texts[of], customdata=leads[of], hovertemplate=_HOVER)
    return _with_legend(picture, len(picture.data))


def flat_cells(
    panels: Sequence[tuple[pd.DataFrame, Sequence[str]]],
    bins: Mapping[str, Bins],
    colours: Mapping[str, str],
    theme: Theme,
    sign: str,
) -> go.Figure:
    """The same by two numbers at a time, for each of `PANELS` its cells and their marks; the area is the number."""
    picture = figure(theme)
    named: set[str] = set()
    for (across, upwards), (cells, marks) in zip(PANELS, panels, strict=True):
        x, y = (_middles(cells, bins[axis]) for axis in (across, upwards))
        sizes = _sizes(cells, np.sqrt, 16)
        texts, leads = _texts(cells, [bins[across], bins[upwards]], sign), np.asarray(marks, dtype=object)
        for segment, of, looks in _parted(cells, colours):
            looks["marker"].update(size=sizes[of], opacity=0.85, line={"width": 0})
            picture.add_scatter(
                x=x[of],
                y=y[of],
                xaxis=_ACROSS[across],
                yaxis=_UPWARDS[upwards],
                **looks,
                legendgroup=segment,
                showlegend=segment not in named,
                hovertext=texts[of],
                customdata=leads[of],
                hovertemplate=_HOVER,
            )
            named.add(segment)
    for name, (column, anchor, domain) in _PLACES.items():
        axis = logarithmic(column, *_ends(bins[column]), sign)
        picture.update_layout({name: {**axis, "anchor": anchor, "domain": domain, "showgrid": True}})
    picture.update_layout(
        showlegend=True, legend={"x": 0.58, "y": 1, "yanchor": "top", "orientation": "v", "itemsizing": "constant"}
    )
    return picture


def _space(ends: Mapping[str, tuple[float, float]], theme: Theme, sign: str) -> go.Figure:
    axes = zip(("xaxis", "yaxis", "zaxis"), AXES, strict=True)
    scene = {name: logarithmic(axis, *ends[axis], sign) for name, axis in axes}
    shape = {"aspectmode": "manual", "aspectratio": {"x": 1.1, "y": 1.1, "z": 0.95}}
    return figure(theme, scene={**scene, **shape}, uirevision="rfm")


def _with_legend(picture: go.Figure, names: int) -> go.Figure:
    legend = {"y": 1.0, "yref": "container", "yanchor": "top", "itemsizing": "constant"}
    margin = {"l": 0, "r": 0, "t": 12 + 20 * -(-names // 2), "b": 0}  # two names a line on a phone
    return picture.update_layout(showlegend=True, legend=legend, margin=margin)


def _parted(
    frame: pd.DataFrame, colours: Mapping[str, str]
) -> Iterator[tuple[str, npt.NDArray[np.bool_], dict[str, Any]]]:
    """Segment, its rows, and how its trace looks, in the order of `colours`; a segment without a row is left out."""
    symbols = {colour: iter(SYMBOLS) for colour in colours.values()}
    for segment, colour in colours.items():
        of = (frame["segment"] == segment).to_numpy()
        marker = {"symbol": next(symbols[colour], "diamond"), "color": SEGMENT_COLOURS[colour]}
        if of.any():
            yield (
                segment,
                of,
                {
                    "name": fmt.unmarked(fmt.shortened(segment, LEGEND)),
                    "mode": "markers",
                    "marker": marker,
                },
            )


def _middles(cells: pd.DataFrame, of: Bins) -> npt.NDArray[np.float32]:
    middles = np.array([of.middle(place) for place in range(-1, len(of.edges) - 1)], dtype=np.float32)
    places: npt.NDArray[np.float32] = middles[cells[of.column].to_numpy(dtype=int) + 1]
    return places


def _ends(of: Bins) -> tuple[float, float]:
    last = of.middle(len(of.edges) - 2)
    return min(of.edges[0], last), last


def _sizes(cells: pd.DataFrame, root: np.ufunc, most: float) -> npt.NDArray[np.float32]:
    """Diameters in pixels, `most` of the fullest cell; the smallest are still seen."""
    customers = cells["customers"].to_numpy(dtype=float)
    sizes: npt.NDArray[np.float32] = np.maximum(most * root(customers / customers.max()), 3).astype(np.float32)
    return sizes


def _texts(cells: pd.DataFrame, bins: Sequence[Bins], sign: str) -> npt.NDArray[np.object_]:
    """What the mouse is told of each cell."""
    words = [
        {place: f"{MEASURES[of.column].label}: {in_words(of.range(place), sign)}" for place in set(cells[of.column])}
        for of in bins
    ]
    columns = [cells[of.column] for of in bins]
    lines = zip(cells["customers"], cells["of_segment"], cells["segment"], *columns, strict=True)
    return np.array(
        [
            "<br>".join([*(said[place] for said, place in zip(words, places, strict=True)), _who(number, of, segment)])
            for number, of, segment, *places in lines
        ],
        dtype=object,
    )


def _who(customers: int, of_segment: int, segment: str) -> str:
    count = "all" if of_segment == customers else fmt.number(of_segment)
    return f"{fmt.plural(int(customers), 'customer')}, {count} {fmt.unmarked(segment)}"
