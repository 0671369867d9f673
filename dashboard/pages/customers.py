"""Customers: the list, sorted, filtered and paged by the database, and its download."""

from collections.abc import Mapping
from typing import Any

from dash import dcc, html

from dashboard import ids
from dashboard.components.grid import grid
from dashboard.components.icons import icon
from dashboard.components.states import empty
from dashboard.downloads import CUSTOMERS, address_of
from dashboard.measures import MEASURES
from dashboard.view import Component, Page, View
from db.filters import GROUPING_FIELDS
from db.queries import customers as queries
from db.queries import shop
from db.runs import SEGMENTS

_SHORT = {
    "recency_days": "Days ago",
    "p_alive": "Active",
    "orders_30": "Expected in 30 days",
    "orders_90": "Expected in 90 days",
    "orders_365": "Expected in 365 days",
    "clv": "Next year",
    "r_score": "R",
    "f_score": "F",
    "m_score": "M",
    "fm_score": "FM",
    "value_decile": "Decile",
}
"""Heads of columns where the measure's own name is too long."""

_TEXTS = {"segment": "Segment", "rfm_group": "RFM group", "alternative": "Other method", "country": "Country"}
_DATES = {"first_ordered_at": "First order", "last_ordered_at": "Last order", "next_order_at": "Next order"}
_SHARES = ("discount_share", "return_rate", "p_alive", "churn_risk")
_FORMATS = {"gap_days": ",.1f", "average_order": ",.2f", "monetary": ",.2f", "clv": ",.2f"}
_FORMATS |= {"clv_low": ",.2f", "clv_high": ",.2f", "orders_30": ",.2f", "orders_90": ",.2f", "orders_365": ",.2f"}
_FORMATS |= dict.fromkeys(_SHARES, ".0%")
_SHOWN: tuple[str, ...] = ("customer_id", "segment", "rfm_group", "country", "last_ordered_at", "frequency", "monetary")
_SHOWN += ("p_alive", "churn_risk", "next_order_at", "clv", "r_score", "f_score", "m_score")
"""The columns that are seen at first, in this order; the others follow in that of the list."""


def layout(view: View) -> Component:
    """The grid asks for its rows itself; see `callbacks.grid`. Before the first run what to do alone."""
    heading = html.H1("Customers", className="visually-hidden")
    if shop.published_run(view.snapshot, SEGMENTS) is None:
        words = " to list them with their segments and forecasts; it needs orders that name a customer."
        return [heading, empty("No customers to list yet", "Run ", html.Code("python -m models run"), words)]
    there = queries.filled(view.snapshot)
    names = [*_SHOWN, *(name for name in queries.COLUMNS if name not in _SHOWN)]
    columns = [_column(name) for name in names if name in there or name in ("customer_id", "segment")]
    address = address_of(CUSTOMERS, view.filters.query())
    download = html.A([icon("download"), "Download CSV"], id=ids.DOWNLOAD, href=address, className="button primary")
    count = html.P(id=ids.GRID_COUNT, className="sentence", **{"aria-live": "polite"})
    return [
        heading,
        html.Div(
            [
                html.Div([count, html.Div([_chooser(columns), download], className="tools")], className="bar"),
                html.P(
                    "The download holds exactly the customers listed here, with every column and three offers of "
                    "either kind for each.",
                    className="about",
                ),
            ]
        ),
        html.Div(grid(ids.GRID, columns, "customer_id"), className="panel grid-panel"),
    ]


def _chooser(columns: list[dict[str, Any]]) -> Component:
    """Which columns are seen; remembered by the browser."""
    chosen = [column for column in columns if "pinned" not in column]
    choices = dcc.Checklist(
        id=ids.GRID_COLUMNS,
        options=[{"label": _label(column), "value": column["field"]} for column in chosen],
        value=[column["field"] for column in chosen if "hide" not in column],
        persistence=True,
        persistence_type="local",
    )
    return html.Details([html.Summary("Columns", className="button"), choices], className="chooser")


def _label(column: Mapping[str, Any]) -> str:
    return str(MEASURES[column["field"]].label if column["field"] in MEASURES else column["headerName"])


def _column(name: str) -> dict[str, Any]:
    hidden = {"hide": True} if name not in _SHOWN else {}
    if name == "customer_id":
        column: dict[str, Any] = {"headerName": "Customer", "cellRenderer": "Linked", "pinned": "left"}
        column |= {"width": 120, "cellRendererParams": {"link": "href"}}
    elif name in _TEXTS:
        column = {"headerName": _TEXTS[name], "minWidth": 140}
        if name in GROUPING_FIELDS:
            chip = {"cellRenderer": "SegmentChip", "cellRendererParams": {"colour": f"{name}_colour"}}
            column |= {"minWidth": 160, **chip}
    elif name in _DATES:
        shown = "params.data ? (params.value ? params.value.slice(0, 10) : '–') : ''"
        column = {"headerName": _DATES[name], "filter": "agDateColumnFilter", "minWidth": 124}
        column |= {"valueFormatter": {"function": shown}}
    else:
        column = _number(name)
    return {"field": name, **column, **hidden}


def _number(name: str) -> dict[str, Any]:
    measure = MEASURES[name]
    written = f"d3.format('{_FORMATS.get(name, ',')}')(params.value)"
    note = " Filter by the share: 0.9 is 90%." if name in _SHARES else ""
    column = {
        "headerName": _SHORT.get(name, measure.label),
        "headerTooltip": f"{measure.label}: {measure.definition}{note}",
        "filter": "agNumberColumnFilter",
        "type": "rightAligned",
        "minWidth": 132 if name in ("monetary", "churn_risk", "clv", "average_order") else 112,
        "valueFormatter": {"function": f"params.data ? (params.value == null ? '–' : {written}) : ''"},
    }
    if name in ("r_score", "f_score", "m_score", "fm_score"):
        column |= {"suppressHeaderFilterButton": True, "minWidth": 64, "maxWidth": 80}
    return column | ({"sort": "desc"} if name == "monetary" else {})


PAGE = Page(
    path="/customers",
    title="Customers",
    icon="customers",
    layout=layout,
    slots={},
    whole_history=True,
    about="Recency, orders and spend are over the whole history. A period, department or category that is chosen "
    "keeps the customers who bought then and there; a cohort or a bar of the bridge says itself when they bought.",
)
