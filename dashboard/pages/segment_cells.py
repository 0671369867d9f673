"""The cells of the RFM scatter: which they are in a view, where they lead, and the same as a table."""

from collections.abc import Mapping, Sequence

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.graph import changed
from dashboard.components.table import Column, table
from dashboard.measures import MEASURES, in_words
from dashboard.pages import grouping
from dashboard.view import Component, View
from db.bins import AXES, Bins
from db.drill import Range
from db.filters import Filters
from db.queries import scatter as queries

_LISTED = 100


def twin(view: View) -> Component:
    """The cells as a table, the fullest first, each with a way to its customers and nearer to them."""
    if not left(view):
        return []
    cells, bins = queries.cells(queries.counted(view.snapshot, asked(view))), bins_of(view)
    rows = cells.head(_LISTED)
    found = [ranges(view, row, bins, AXES) for row in rows[[*AXES]].itertuples(index=False)]
    words = {axis: [in_words(of[at], view.currency) for of in found] for at, axis in enumerate(AXES)}
    behind = [view.behind(*of) for of in found]
    nearer = [view.href("/segments", ranges=view.filters.within(*of).ranges) for of in found]
    frame = rows.assign(**words, behind=behind, nearer=nearer, zoom="Zoom in")
    columns = [
        *[Column(axis, MEASURES[axis].label, numeric=True) for axis in AXES],
        Column("customers", "Customers", fmt.number, numeric=True, href=lambda row: row["behind"]),
        Column("segment", "Most are"),
        Column("of_segment", "Of these", fmt.number, numeric=True),
        Column("zoom", "", href=lambda row: row["nearer"]),
    ]
    rest = cells.iloc[_LISTED:]
    more = f"{fmt.plural(len(rest), 'smaller cell')} with {fmt.plural(int(rest['customers'].sum()), 'customer')}"
    end = html.P(f"Left out: {more}. Zoom in to see them.", className="about") if len(rest) else None
    summary = html.Summary("Show as table, with links to the customers")
    return html.Details([summary, html.Div(table(frame, columns), className="scroll"), end], className="twin")


def asked(view: View) -> Filters:
    """The filters by which the picture is remembered: those that choose something else on the page left out."""
    narrowed = {
        name: value for name, value in view.filters.active().items() if name not in ("start", "end", "against", "run")
    }
    return Filters(by=grouping.shown(view), **narrowed)


def left(view: View) -> int:
    """How many customers the filters leave."""
    return int(queries.counted(view.snapshot, asked(view))["customers"].sum())


def bins_of(view: View) -> dict[str, Bins]:
    """The bins of each axis, in a view with customers."""
    return {of.column: of for of in queries.bins(queries.extent(view.snapshot, asked(view)))}


def ranges(view: View, places: Sequence[int], bins: Mapping[str, Bins], axes: Sequence[str]) -> list[Range]:
    """The customers of a cell, within the ranges that the view has already."""
    kept = {found.column: found for found in view.filters.ranges}
    return [bins[axis].range(place) & kept.get(axis) for axis, place in zip(axes, places, strict=True)]


def marks(view: View, cells: pd.DataFrame, bins: Mapping[str, Bins], axes: Sequence[str]) -> list[str]:
    """Where the cells lead: to their customers, whatever the days."""
    found = (ranges(view, row, bins, axes) for row in cells[[*axes]].itertuples(index=False))
    return [changed("/customers", **{"from": "", "to": ""}, **{of.column: of.text() for of in row}) for row in found]
