"""The customer grid: its rows, its count and the address of its download."""

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, no_update

from dashboard import format as fmt
from dashboard import ids
from dashboard.pages.customers import download_address
from dashboard.view import Views
from db.filters import GROUPING_FIELDS
from db.grid import GridRequest
from db.queries import customers
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
        if not isinstance(request, Mapping):
            return no_update, no_update, no_update
        try:
            view = views.view(search or "")
        except SnapshotError as error:
            return {"rowData": [], "rowCount": 0}, str(error), no_update
        frame, total = customers.page(view.snapshot, view.filters, GridRequest.parse(request, customers.COLUMNS))
        colours = customers.colours(view.snapshot)
        for grouping in GROUPING_FIELDS:
            frame[f"{grouping}_colour"] = [colours.get((grouping, name)) for name in frame[grouping]]
        for name, kind in customers.COLUMNS.items():
            if kind == "date":
                frame[name] = frame[name].dt.strftime("%Y-%m-%d %H:%M:%S")
        frame["href"] = [view.customer_href(customer_id) for customer_id in frame["customer_id"]]
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        everyone = customers.everyone(view.snapshot)
        count = f"{total:,} of {fmt.plural(everyone, 'customer')}"
        if total == everyone:
            count = "The only customer" if total == 1 else f"All {total:,} customers"
        if total == 0:
            count = "No customers match: remove a filter above or in the head of a column."
        return {"rowData": rows, "rowCount": total}, count, download_address(view.filters.query(), request)
