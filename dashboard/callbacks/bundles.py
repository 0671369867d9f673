"""The grid of bundles: its rows, its count and the address of its download."""

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, no_update

from dashboard import format as fmt
from dashboard import ids, offering
from dashboard.pages import offers_bundles
from dashboard.pages.customers import download_address
from dashboard.view import Views
from db.grid import GridRequest
from db.queries import bundles
from errors import SnapshotError

_NONE = "No rule matches: ask for less above, or in the head of a column."


def register(app: Dash, views: Views) -> None:
    """One callback for each block of rows that the grid asks for."""

    @app.callback(
        Output(ids.BUNDLES, "getRowsResponse"),
        Output(ids.BUNDLE_COUNT, "children"),
        Output(ids.BUNDLE_DOWNLOAD, "href"),
        Input(ids.BUNDLES, "getRowsRequest"),
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
        frame, total = bundles.page(view.snapshot, view.filters.rules, GridRequest.parse(request, bundles.COLUMNS))
        frame["words"] = [offers_bundles.in_words(rule) for _, rule in frame.iterrows()]
        pairs = list(zip(frame["product_id"], frame["other_product_id"], strict=True))
        frame["key"] = [repr(pair) for pair in pairs]
        frame["product_href"] = [offering.product_href(view, first) for first, _ in pairs]
        frame["other_product_href"] = [offering.product_href(view, other) for _, other in pairs]
        shown = frame.astype(object).where(frame.notna(), None).to_dict("records")
        count = fmt.plural(total, "rule") if total else _NONE
        address = download_address(view.filters.query(), request, offers_bundles.ROUTE)
        return {"rowData": shown, "rowCount": total}, count, address
