"""The grids of customers and of bundles: their rows, their count and the address of their download."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import pandas as pd
from dash import Dash, Input, Output, State, no_update

from dashboard import format as fmt
from dashboard import ids, offering
from dashboard.downloads import BUNDLES, CUSTOMERS, address_of
from dashboard.noted import Noted
from dashboard.pages import offers_bundles
from dashboard.pages.customers import NOBODY
from dashboard.pages.customers_columns import SHOWN
from dashboard.view import View, Views
from db.filters import GROUPING_FIELDS
from db.grid import ColumnKind, GridRequest
from db.queries import bundles, customers
from errors import SnapshotError

Answer: TypeAlias = tuple[pd.DataFrame, int, str]
"""A block of rows, how many there are in all, and that in words."""


def register(app: Dash, views: Views, noted: Noted) -> None:
    """One callback a grid, asked for each block of its rows."""
    _answer(app, views, noted, (ids.GRID, ids.GRID_COUNT, ids.DOWNLOAD), customers.COLUMNS, CUSTOMERS, _customers)
    _answer(app, views, noted, (ids.BUNDLES, ids.BUNDLE_COUNT, ids.BUNDLE_DOWNLOAD), bundles.COLUMNS, BUNDLES, _bundles)


def _answer(
    app: Dash,
    views: Views,
    noted: Noted,
    parts: tuple[str, str, str],
    columns: dict[str, ColumnKind],
    route: str,
    rows: Callable[[View, GridRequest], Answer],
) -> None:
    grid, count, download = parts

    @app.callback(
        Output(grid, "getRowsResponse"),
        Output(count, "children"),
        Output(download, "href"),
        Input(grid, "getRowsRequest"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    def answer(request: dict[str, Any] | None, search: str | None) -> tuple[Any, Any, Any]:
        if not isinstance(request, Mapping):
            return no_update, no_update, no_update
        try:
            view = views.view(search or "")
            asked = GridRequest.parse(request, columns)
            frame, total, said = rows(view, asked)
        except SnapshotError as error:
            return {"rowData": [], "rowCount": 0}, str(error), no_update
        if grid == ids.GRID:
            noted.saw_customers(view, asked, total)
        shown = frame.astype(object).where(frame.notna(), None).to_dict("records")
        return {"rowData": shown, "rowCount": total}, said, address_of(route, view.filters.query(), request)


def _customers(view: View, asked: GridRequest) -> Answer:
    frame, total = customers.page(view.snapshot, view.filters, replace(asked, columns=asked.columns or SHOWN))
    colours = customers.colours(view.snapshot)
    for grouping in [name for name in GROUPING_FIELDS if name in frame]:
        frame[f"{grouping}_colour"] = [colours.get((grouping, name)) for name in frame[grouping]]
    for name, kind in customers.COLUMNS.items():
        if kind == "date" and name in frame:
            frame[name] = frame[name].dt.strftime("%Y-%m-%d %H:%M:%S")
    frame["href"] = [view.customer_href(customer_id) for customer_id in frame["customer_id"]]
    everyone = customers.everyone(view.snapshot)
    said = f"{fmt.number(total)} of {fmt.plural(everyone, 'customer')}"
    if total == everyone:
        said = "The only customer" if total == 1 else f"All {fmt.number(total)} customers"
    if total == 0:
        said = NOBODY
    return frame, total, said


def _bundles(view: View, asked: GridRequest) -> Answer:
    frame, total = bundles.page(view.snapshot, view.filters.rules, asked)
    frame["words"] = [offers_bundles.in_words(rule) for _, rule in frame.iterrows()]
    pairs = list(zip(frame["product_id"], frame["other_product_id"], strict=True))
    frame["key"] = [repr(pair) for pair in pairs]
    frame["product_href"] = [offering.product_href(view, first) for first, _ in pairs]
    frame["other_product_href"] = [offering.product_href(view, other) for _, other in pairs]
    none = "No rule matches: ask for less above, or in the head of a column."
    return frame, total, fmt.plural(total, "rule") if total else none
