"""The RFM scatter of the Segments page: customers as points while they are few enough, else counted in cells, or a
sample of them; in 3D or flat."""

from typing import Literal

import pandas as pd
import plotly.graph_objects as go
from dash import dcc, html

from dashboard import format as fmt
from dashboard.components import scatter as draw
from dashboard.components.card import pill
from dashboard.components.choice import choice, either
from dashboard.components.graph import nothing
from dashboard.measures import MEASURES, in_words
from dashboard.pages import grouping
from dashboard.pages.segment_cells import asked, bins_of, left, marks
from dashboard.view import Component, View
from db.bins import AXES
from db.drill import Range
from db.queries import scatter as queries
from permissions import Right

MOST_POINTS = 30_000
"""More would be too much for the browser's graphics memory, and for the eye."""
_FLOOR = 300
_ZOOMS = {
    "recency_days": ((None, 7), (8, 30), (31, 90), (91, 180), (181, 365), (366, None)),
    "frequency": ((None, 1), (2, 3), (4, 9), (10, 29), (30, None)),
    "monetary": ((None, 10.0), (10.0, 100.0), (100.0, 1000.0), (1000.0, 10_000.0), (10_000.0, None)),
}
_SIZES = "the larger, the more customers; the colour is of the segment that has most of them"
_CELLS = f"{_SIZES}. Click a cell for its customers"
_WORDS = {
    "points": "Each point is a customer; click one to open it.",
    "sample": "A sample, always of the same customers: at least {floor} of each segment, and of the rest its share. "
    "Click one to open it.",
    "cells": f"Counted in cells: {_CELLS}. In a view of {{most}} customers or fewer each of them is a point.",
    "flat": f"Two numbers at a time, counted in cells: {_CELLS}.",
}


def shown(view: View, most: int = MOST_POINTS) -> Component:
    """How many customers the picture shows, of how many."""
    everyone, here = int(grouping.profiles(view, wholly=True)["customers"].sum()), left(view)
    if _kind(view, most) in ("cells", "flat"):
        return pill(f"{fmt.number(here)} of {fmt.number(everyone)} counted")
    return pill(f"{fmt.number(min(here, most))} of {fmt.number(everyone)} shown")


def around(view: View, most: int = MOST_POINTS) -> Component:
    """What the picture shows, and the controls of it: the kind of picture, and what to zoom to."""
    kinds = {"space": "3D", "sample": "3D sample", "flat": "Flat"}
    if left(view) <= most or not view.may(Right.CUSTOMERS):
        del kinds["sample"]
    options = [(words, view.href("/segments", picture=kind)) for kind, words in kinds.items()]
    current = view.filters.picture if view.filters.picture in kinds else "space"
    controls = [either("Picture", options, view.href("/segments", picture=current))]
    controls += [_zoom(view, axis) for axis in AXES]
    elsewhere = tuple(kept for kept in view.filters.ranges if kept.column not in AXES)
    if elsewhere != view.filters.ranges:
        controls.append(dcc.Link("Zoom out", href=view.href("/segments", ranges=elsewhere), className="button"))
    words = _WORDS[_kind(view, most)].format(most=fmt.number(most), floor=fmt.number(_FLOOR))
    if not view.may(Right.CUSTOMERS):
        words = f"Counted in cells: {_SIZES}."
    return [html.Div(controls, className="controls zooms"), html.P(words, className="about", role="status")]


def scatter(view: View, most: int = MOST_POINTS) -> go.Figure:
    """Every customer the filters leave, whatever their number."""
    if not left(view):
        return nothing(view.theme, "No customers in this view: choose fewer filters")
    kind, filters = _kind(view, most), asked(view)
    if kind in ("points", "sample"):
        sampled = queries.sample(view.snapshot, filters, most, _FLOOR) if kind == "sample" else None
        points = queries.points(view.snapshot, filters) if sampled is None else sampled
        return draw.points_in_space(points, _colours(view, points), view.theme, view.currency)
    counted, bins = queries.counted(view.snapshot, filters), bins_of(view)
    looks = bins, _colours(view, counted), view.theme, view.currency
    if kind == "cells":
        cells = queries.cells(counted)
        return draw.cells_in_space(cells, marks(view, cells, bins, AXES), *looks)
    panels = [(cells, marks(view, cells, bins, of)) for of in draw.PANELS for cells in [queries.cells(counted, of)]]
    return draw.flat_cells(panels, *looks)


def _kind(view: View, most: int) -> Literal["points", "sample", "cells", "flat"]:
    if view.filters.picture == "flat":
        return "flat"
    if not view.may(Right.CUSTOMERS):
        return "cells"
    if left(view) <= most:
        return "points"
    return "sample" if view.filters.picture == "sample" else "cells"


def _colours(view: View, frame: pd.DataFrame) -> dict[str, str]:
    profiles = grouping.profiles(view, wholly=True)
    colours = dict(zip(profiles["segment"], profiles["colour"], strict=True))
    return colours | dict.fromkeys(sorted(set(frame["segment"]) - set(colours)), "other")


def _zoom(view: View, axis: str) -> Component:
    """A choice of ranges of one number; one that came otherwise stands among them."""
    kept = {found.column: found for found in view.filters.ranges}.get(axis)
    offered = [Range(axis, low, high) for low, high in _ZOOMS[axis]]
    offered += [kept] if kept and kept not in offered else []
    without = tuple(found for found in view.filters.ranges if found.column != axis)
    options = [("any", view.href("/segments", ranges=without))]
    options += [
        (in_words(of, view.currency), view.href("/segments", ranges=view.filters.within(of).ranges)) for of in offered
    ]
    current = options[0][1] if kept is None else view.href("/segments")
    return choice(f"zoom-{axis}", MEASURES[axis].label, options, current)
