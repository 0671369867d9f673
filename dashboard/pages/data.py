"""Data: what is loaded, the account of each load, and where files come in."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard import helps, ids
from dashboard.components.card import card
from dashboard.components.table import Column, table
from dashboard.view import Component, Page
from db.accounts import Load


def layout(_: object) -> Component:
    """The frame; `callbacks.data` fills it by the address."""
    return [
        html.H1("Data", className="visually-hidden"),
        dcc.Store(id=ids.DATA_NEXT),
        dcc.Interval(id=ids.DATA_POLL, interval=1000, disabled=True),
        html.Div(id=ids.DATA_SAID, role="alert"),
        html.Div(id=ids.DATA_BODY, className="data-page"),
    ]


def drop_zone(limit_mb: int) -> Component:
    """Where a file is dropped or chosen; `assets/app.js` sends it."""
    choose = html.Button("Choose a file", id="choose-file", className="button primary", type="button")
    return html.Section(
        [
            html.H2("Drop a file here"),
            html.P(
                "Orders, customers, products, events or campaigns as CSV, Excel or Parquet, up to "
                f"{fmt.number(limit_mb)} MB. Nothing is loaded before you have seen what was understood.",
                className="about",
            ),
            html.Div([choose, html.Span(id="upload-progress", **{"aria-live": "polite"})], className="bar start"),
        ],
        id="drop-zone",
        className="drop-zone",
        **{"aria-label": "Load a file"},
    )


def action(name: str, label: str, css: str = "button") -> Component:
    """A button that `callbacks.data` acts on."""
    return html.Button(label, id=ids.data_action(name), className=css, type="button")


def nothing_loaded() -> Component:
    """Before the first load."""
    return html.Div(
        [
            html.H2("Nothing is loaded yet"),
            html.P("Drop a file above, or look around first with a year of a real grocer: 1.47 million lines."),
            action("sample", "Load the sample"),
        ],
        className="empty",
    )


def listed(loads: Sequence[Load], currency: str) -> Component:
    """All loads, the newest first, each leading to its account."""
    standing = [load for load in loads if load.status == "done"]
    rows = sum(load.rows_accepted for load in standing)
    read = sum(load.rows_read for load in standing)
    frame = pd.DataFrame(
        {
            "load_id": [load.load_id for load in loads],
            "name": [load.name for load in loads],
            "kind": [load.kind for load in loads],
            "started": [f"{load.started_at:%Y-%m-%d %H:%M}" for load in loads],
            "status": [load.status for load in loads],
            "read": [load.rows_read for load in loads],
            "accepted": [load.rows_accepted for load in loads],
            "rejected": [load.rows_rejected for load in loads],
            "amount": [load.amount_accepted for load in loads],
            "months": [_span(load.months) for load in loads],
        }
    )
    columns = [
        Column("load_id", "Load", style="secondary"),
        Column("name", "Name", href=lambda row: f"/data?load={row['load_id']}"),
        Column("kind", "Rows are", style="secondary"),
        Column("started", "Loaded (UTC)", style="secondary"),
        Column("status", "Status"),
        Column("read", "Read", fmt.number, numeric=True),
        Column("accepted", "Accepted", fmt.number, numeric=True),
        Column("rejected", "Rejected", fmt.number, numeric=True),
        Column("amount", f"Amount ({currency})", cents, numeric=True),
        Column("months", "Months", style="secondary"),
    ]
    title = f"{fmt.plural(len(standing), 'load')}: {fmt.number(rows)} of {fmt.number(read)} rows accepted"
    return card(title, table(frame, columns), about="The newest first; open one to see where every row and cent went")


def words(code: str) -> str:
    """A reason code as words."""
    return code.replace("_", " ")


def _span(months: Sequence[str]) -> str:
    if not months:
        return ""
    return months[0] if len(months) == 1 else f"{months[0]} – {months[-1]}"


def cents(value: Any) -> str:
    """An amount to the cent."""
    return fmt.number(value, 2)


PAGE = Page(path="/data", title="Data", help=helps.DATA, icon="data", layout=layout, slots={}, record=True)
