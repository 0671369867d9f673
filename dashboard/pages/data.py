"""Data: what is loaded, the account of each load, and where files come in."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard import ids
from dashboard.components import charts
from dashboard.components.card import card
from dashboard.components.graph import graph
from dashboard.components.table import Column, table
from dashboard.theme import Theme
from dashboard.view import Component, Page
from db.accounts import Account, Load
from db.findings import RULES
from db.queries.findings import Finding
from db.rejects import Reject

PREVIEWED = 20
_MEANINGS = {rule.code: rule.meaning for rule in RULES}


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
                f"{limit_mb:,} MB. Nothing is loaded before you have seen what was understood.",
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
        Column("amount", f"Amount ({currency})", _cents, numeric=True),
        Column("months", "Months", style="secondary"),
    ]
    title = f"{fmt.plural(len(standing), 'load')}: {rows:,} of {read:,} rows accepted"
    return card(title, table(frame, columns), about="The newest first; open one to see where every row and cent went")


def account(
    told: Account, findings: Sequence[Finding], rejects: Sequence[Reject], currency: str, theme: Theme
) -> Component:
    """The account of a load, the same as `python -m etl report` tells."""
    load = told.load
    return [
        html.P(dcc.Link("← All loads", href="/data"), className="crumb"),
        html.P([html.Strong(f"{finding(load)} "), _facts(told)], className="sentence"),
        _remarks(load.options.get("remarks", ())),
        html.Div([_reconciliation(told, currency), _changes(told)], className="grid"),
        _months(told, currency, theme),
        _findings(findings, currency),
        _rejected(load, rejects),
        html.Details(
            [html.Summary("Options and mapping of this load"), html.Pre(json.dumps(dict(load.options), indent=2))],
            className="panel options",
        ),
    ]


def _remarks(remarks: Sequence[str]) -> Component:
    """What was assumed of the file, and what it has that counts in no line."""
    return html.Ul([html.Li(remark) for remark in remarks], className="notice points") if remarks else None


def finding(load: Load) -> str:
    """536,641 of 541,909 rows accepted; 5,268 rejected, most: duplicate."""
    said = f"{load.rows_accepted:,} of {load.rows_read:,} rows accepted"
    if not load.rejected:
        return f"{said}."
    reason, (rows, _) = next(iter(load.rejected.items()))
    most = f", most: {words(reason)} ({rows:,})" if len(load.rejected) > 1 else f": {words(reason)}"
    return f"{said}; {load.rows_rejected:,} rejected{most}."


def words(code: str) -> str:
    """A reason code as words."""
    return code.replace("_", " ")


def _facts(told: Account) -> str:
    load = told.load
    place = f" It took the place of load {load.replaces}." if load.replaces else ""
    status = "" if load.status == "done" else f" It is {load.status}"
    if status:
        status += f" by load {told.replaced_by}." if told.replaced_by else ": its lines are taken out again."
    return f"{load.name}, load {load.load_id}, {load.started_at:%Y-%m-%d %H:%M} UTC.{place}{status}"


def _reconciliation(told: Account, currency: str) -> Component:
    load = told.load
    lines: list[tuple[str, int, Decimal]] = [
        ("Read", load.rows_read, load.amount_read),
        ("Accepted", load.rows_accepted, load.amount_accepted),
        *((f"Rejected: {words(reason)}", *part) for reason, part in load.rejected.items()),
    ]
    meanings = load.options.get("reasons", {})
    columns = [
        Column("what", ""),
        Column("rows", "Rows", fmt.number, numeric=True),
        Column("amount", f"Amount ({currency})", _cents, numeric=True),
    ]
    frame = pd.DataFrame(lines, columns=["what", "rows", "amount"])
    if meanings:
        frame["meaning"] = ["", "", *(meanings.get(reason, "").replace("`", "") for reason in load.rejected)]
        columns.append(Column("meaning", "What it means", style="prose"))
    elsewhere = ", ".join(f"{rows:,} by load {number}" for number, rows in told.already_loaded.items())
    return card(
        "Every row and every cent",
        table(frame, columns),
        html.P(f"Already loaded: {elsewhere}.", className="about") if elsewhere else None,
        about="Read = accepted + rejected, each rejected row under the first reason that applies",
    )


def _changes(told: Account) -> Component:
    load, extent = told.load, told.extent
    facts = [("New customers", fmt.number(told.customers_new)), ("New products", fmt.number(told.products_new))]
    if extent.orders:
        facts = [
            ("Orders", fmt.number(extent.orders)),
            ("Customers", f"{extent.customers:,} ({told.customers_new:,} new)"),
            ("Products", f"{extent.products:,} ({told.products_new:,} new)"),
            ("Days", f"{fmt.day(extent.first_ordered_at)} – {fmt.day(extent.last_ordered_at)}"),
            ("Months touched", fmt.number(len(load.months))),
            ("Returns", fmt.number(load.returns)),
            ("Guests' lines", fmt.percent(extent.guest_rows / load.rows_accepted)),
        ]
        if load.amount_accepted:
            facts.append(("Guests' amount", fmt.percent(float(extent.guest_amount / load.amount_accepted))))
    rows = [html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts]
    hint = html.P(
        ["Segments and recommendations follow with ", html.Code("python -m models run"), "."], className="about"
    )
    return card("What it brought", html.Dl(rows, className="facts"), hint)


def _months(told: Account, currency: str, theme: Theme) -> Component:
    if not told.months:
        return None
    frame = pd.DataFrame([vars(part) for part in told.months])
    best = max(told.months, key=lambda part: part.amount)
    title = f"{best.month} holds the most: {fmt.short_money(best.amount, currency)}"
    columns = [
        Column("month", "Month"),
        Column("rows", "Accepted", fmt.number, numeric=True),
        Column("amount", f"Amount ({currency})", _cents, numeric=True),
        Column("rejected_rows", "Rejected", fmt.number, numeric=True),
        Column("rejected_amount", f"Amount ({currency})", _cents, numeric=True),
    ]
    about = "Amount of the accepted lines by month"
    if len(frame) == 1:  # one bar compares nothing
        return card(f"All of it in {best.month}", table(frame, columns), about=about)
    picture = charts.columns(list(frame["month"]), [float(v) for v in frame["amount"]], theme, currency)
    return card(title, graph("months", picture, 260, title), about=about, twin=(frame, columns))


def _findings(findings: Sequence[Finding], currency: str) -> Component:
    if not findings:
        return None
    rows = [
        {
            "rule": words(found.rule),
            "meaning": _MEANINGS.get(found.rule, ""),
            "rows": found.rows,
            "amount": found.amount,
            "such": "; ".join(
                f"row {row}, order {order}, {product}: {detail}" for row, order, product, detail in found.examples[:1]
            ),
        }
        for found in findings
    ]
    columns = [
        Column("rule", "Found", style="date"),
        Column("rows", "Lines", fmt.number, numeric=True),
        Column("amount", f"Amount ({currency})", _cents, numeric=True),
        Column("such", "Such as", style="secondary"),
        Column("meaning", "What it means", style="prose"),
    ]
    title = f"{sum(found.rows for found in findings):,} lines stand out; all of them count"
    return card(title, table(pd.DataFrame(rows), columns), about="Findings change nothing: the lines stay as they are")


def _rejected(load: Load, rejects: Sequence[Reject]) -> Component:
    if not rejects:
        return None
    names = load.options.get("columns") or list(rejects[0].cells)
    rows = [
        {
            "n": row.row_number,
            "why": words(row.reason),
            **{f"c{i}": row.cells.get(c) or "" for i, c in enumerate(names)},
        }
        for row in rejects
    ]
    columns = [
        Column("n", "Row", numeric=True),
        Column("why", "Rejected because", style="date"),
        *(Column(f"c{i}", fmt.shortened(str(name), 40), _cell, style="date") for i, name in enumerate(names)),
    ]
    offers = [html.A("Download CSV", href=f"/download/rejected/{load.load_id}.csv", className="button primary")]
    if load.options.get("mapping"):
        offers.append(html.A("Its mapping", href=f"/download/rejected/{load.load_id}.toml", className="button"))
    return card(
        "Rejected rows, to mend and load again",
        table(pd.DataFrame(rows), columns),
        about=f"The first {len(rows)}. The file has the cells exactly as they came, so that it loads after mending: "
        "in a spreadsheet open its columns as text",
        aside=html.Div(offers, className="bar"),
    )


def _cell(value: Any) -> str:
    return fmt.shortened(str(value), 60)


def _span(months: Sequence[str]) -> str:
    if not months:
        return ""
    return months[0] if len(months) == 1 else f"{months[0]} – {months[-1]}"


def _cents(value: Any) -> str:
    return f"{value:,.2f}".replace("-", "−")


PAGE = Page(path="/data", title="Data", icon="data", layout=layout, slots={}, record=True)
