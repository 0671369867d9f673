"""The columns of the grid of customers: how each is called, shown and filtered."""

from collections.abc import Mapping
from typing import Any

from dashboard.measures import MEASURES
from db.filters import GROUPING_FIELDS
from db.queries.customers import COLUMNS

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

_TEXTS = {
    "segment": "Segment",
    "rfm_group": "RFM group",
    "alternative": "Other method",
    "country": "Country",
    "consent": "Consent",
}
_DATES = {"first_ordered_at": "First order", "last_ordered_at": "Last order", "next_order_at": "Next order"}
_SHARES = ("discount_share", "return_rate", "p_alive", "churn_risk")
_FORMATS = {"gap_days": ",.1f", "average_order": ",.2f", "monetary": ",.2f", "clv": ",.2f"}
_FORMATS |= {"clv_low": ",.2f", "clv_high": ",.2f", "orders_30": ",.2f", "orders_90": ",.2f", "orders_365": ",.2f"}
_FORMATS |= dict.fromkeys(_SHARES, ".0%")
SHOWN: tuple[str, ...] = (
    "customer_id",
    "segment",
    "rfm_group",
    "country",
    "consent",
    "last_ordered_at",
    "frequency",
    "monetary",
)
SHOWN += ("p_alive", "churn_risk", "next_order_at", "clv", "r_score", "f_score", "m_score")
"""The columns that are seen at first, in this order; the others follow in that of the list."""


def definitions(there: frozenset[str]) -> list[dict[str, Any]]:
    """Of AG Grid, for the columns that have a value for anybody: those seen at first, then the others."""
    names = [*SHOWN, *(name for name in COLUMNS if name not in SHOWN)]
    return [_column(name) for name in names if name in there or name in ("customer_id", "segment")]


def label(column: Mapping[str, Any]) -> str:
    """What a column is called where there is room."""
    return str(MEASURES[column["field"]].label if column["field"] in MEASURES else column["headerName"])


def _column(name: str) -> dict[str, Any]:
    hidden = {"hide": True} if name not in SHOWN else {}
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
    written = f"written(d3.format('{_FORMATS.get(name, ',')}')(params.value))"
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
