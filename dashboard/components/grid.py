"""A table of any length: the browser asks for its rows a block at a time, see `callbacks.grid`."""

from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag

from dashboard.view import Component


def grid(id_: str, columns: Sequence[dict[str, Any]], key: str, **options: Any) -> Component:
    """AG Grid over columns (its definitions); `key` is the field that tells rows apart, `options` go to the grid."""
    return dag.AgGrid(
        id=id_,
        columnDefs=list(columns),
        defaultColDef={
            "filter": "agTextColumnFilter",
            "sortable": True,
            "resizable": True,
            "minWidth": 80,
            "flex": 1,
            "filterParams": {"maxNumConditions": 2, "buttons": ["reset"], "debounceMs": 400},
        },
        rowModelType="infinite",
        getRowId=f"params.data.{key}",
        dashGridOptions={
            "cacheBlockSize": 100,
            "maxConcurrentDatasourceRequests": 1,  # dash-ag-grid answers the last of several alone
            "maxBlocksInCache": 20,
            "infiniteInitialRowCount": 100,
            "rowHeight": 40,
            "headerHeight": 44,
            "multiSortKey": "ctrl",
            "theme": {"function": "themeQuartz"},
            **options,
        },
        className="customer-grid",
    )
