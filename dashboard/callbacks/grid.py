"""The customer grid: its rows, its count and the address of its download."""

import json
from typing import Any
from urllib.parse import quote

from dash import Dash, Input, Output, State, no_update

from dashboard import ids
from dashboard.view import Views
from db.grid import GridRequest
from db.queries import customers, segments
from errors import SnapshotError


def register(app: Dash, views: Views) -> None:
    """One callback for each block of rows that the grid asks for."""

    @app.callback(
        Output(ids.GRID, "getRowsResponse"),
        Output(ids.GRID_COUNT, "children"),
        Output(ids.DOWNLOAD, "href"),
        Input(ids.GRID, "getRowsRequest"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    def rows(request: dict[str, Any] | None, search: str | None) -> tuple[Any, Any, Any]:
        if request is None:
            return no_update, no_update, no_update
        try:
            view = views.view(search or "")
        except SnapshotError as error:
            return {"rowData": [], "rowCount": 0}, str(error), no_update
        frame, total = customers.page(view.snapshot, view.filters, GridRequest.parse(request, customers.COLUMNS))
        profiles = segments.profiles(view.snapshot)
        colours = dict(zip(profiles["segment"], profiles["colour"], strict=True))
        frame["colour"] = frame["segment"].map(colours)
        frame["last_ordered_at"] = frame["last_ordered_at"].dt.strftime("%Y-%m-%d %H:%M:%S")
        frame["href"] = [view.customer_href(customer_id) for customer_id in frame["customer_id"]]
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        everyone = int(profiles["customers"].sum())
        count = f"All {total:,} customers" if total == everyone else f"{total:,} of {everyone:,} customers"
        if total == 0:
            count = "No customers match: remove a filter above or in the head of a column."
        return {"rowData": rows, "rowCount": total}, count, download_address(view.filters.query(), request)


def download_address(query: str, request: dict[str, Any]) -> str:
    """The route that streams what the grid shows, under the same filters, order and column filters."""
    asked = {name: request.get(name) for name in ("sortModel", "filterModel") if request.get(name)}
    grid = f"grid={quote(json.dumps(asked, separators=(',', ':')))}" if asked else ""
    return "/download/customers.csv" + (f"{query or '?'}{'&' if query else ''}{grid}" if grid else query)
