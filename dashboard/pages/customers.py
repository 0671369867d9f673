"""Customers: the list, sorted, filtered and paged by the database, and its download."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import dash_ag_grid as dag
from dash import html

from dashboard import ids
from dashboard.components.icons import icon
from dashboard.view import Component, Page, View
from db.queries import shop

_NUMBER = {"filter": "agNumberColumnFilter", "type": "rightAligned", "minWidth": 112}
_SCORE = {**_NUMBER, "suppressHeaderFilterButton": True, "minWidth": 64, "maxWidth": 80}
_GROUPED = {"function": "d3.format(',')(params.value)"}
_COLUMNS = (
    {"field": "customer_id", "headerName": "Customer", "cellRenderer": "CustomerLink", "pinned": "left", "width": 120},
    {"field": "segment", "headerName": "Segment", "cellRenderer": "SegmentChip", "minWidth": 170},
    {"field": "country", "headerName": "Country", "minWidth": 150},
    {
        "field": "last_ordered_at",
        "headerName": "Last order",
        "filter": "agDateColumnFilter",
        "minWidth": 124,
        "valueFormatter": {"function": "params.value ? params.value.slice(0, 10) : ''"},
    },
    {"field": "recency_days", "headerName": "Days ago", **_NUMBER, "valueFormatter": _GROUPED},
    {"field": "frequency", "headerName": "Orders", **_NUMBER, "valueFormatter": _GROUPED},
    {
        "field": "monetary",
        "headerName": "Spend",
        **_NUMBER,
        "valueFormatter": {"function": "d3.format(',.2f')(params.value)"},
        "sort": "desc",
    },
    {"field": "r_score", "headerName": "R", **_SCORE, "headerTooltip": "Recency score, 5 is most recent"},
    {"field": "f_score", "headerName": "F", **_SCORE, "headerTooltip": "Frequency score, 5 is most"},
    {"field": "m_score", "headerName": "M", **_SCORE, "headerTooltip": "Monetary score, 5 is most"},
)


def download_address(query: str, request: Mapping[str, Any]) -> str:
    """The route that streams what the grid shows, under the same filters, order and column filters."""
    asked = {name: request.get(name) for name in ("sortModel", "filterModel") if request.get(name)}
    grid = f"grid={quote(json.dumps(asked, separators=(',', ':')))}" if asked else ""
    return "/download/customers.csv" + (f"{query or '?'}{'&' if query else ''}{grid}" if grid else query)


def layout(view: View) -> Component:
    """The grid asks for its rows itself; see `callbacks.grid`."""
    grid = dag.AgGrid(
        id=ids.GRID,
        columnDefs=_columns(view),
        defaultColDef={
            "filter": "agTextColumnFilter",
            "sortable": True,
            "resizable": True,
            "minWidth": 80,
            "flex": 1,
            "filterParams": {"maxNumConditions": 2, "buttons": ["reset"], "debounceMs": 400},
        },
        rowModelType="infinite",
        getRowId="params.data.customer_id",
        dashGridOptions={
            "cacheBlockSize": 100,
            "maxConcurrentDatasourceRequests": 1,  # dash-ag-grid answers the last of several alone
            "maxBlocksInCache": 20,
            "infiniteInitialRowCount": 100,
            "rowHeight": 40,
            "headerHeight": 44,
            "suppressCellFocus": False,
            "multiSortKey": "ctrl",
            "theme": {"function": "themeQuartz"},
        },
        className="customer-grid",
    )
    address = download_address(view.filters.query(), {})
    download = html.A([icon("download"), "Download CSV"], id=ids.DOWNLOAD, href=address, className="button primary")
    count = html.P(id=ids.GRID_COUNT, className="sentence", **{"aria-live": "polite"})
    return [
        html.H1("Customers", className="visually-hidden"),
        html.Div(
            [
                html.Div([count, download], className="bar"),
                html.P(
                    "The download holds exactly the customers listed here, each with three offers of either kind.",
                    className="about",
                ),
            ]
        ),
        html.Div(grid, className="panel grid-panel"),
    ]


def _columns(view: View) -> list[dict[str, Any]]:
    """The grid's columns; a shop whose orders name no country has no use for that one."""
    nowhere = not shop.choices(view.snapshot).countries
    return [dict(column) for column in _COLUMNS if not (nowhere and column["field"] == "country")]


PAGE = Page(
    path="/customers",
    title="Customers",
    icon="customers",
    layout=layout,
    slots={},
    ignores="Recency, orders and spend are over the whole history. A period, department or category that is chosen "
    "keeps the customers who bought then and there.",
)
