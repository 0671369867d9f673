"""The account of one load on the Data page: every row and every cent, what it brought, month by month."""

import json
from collections.abc import Sequence
from decimal import Decimal

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard.components import charts
from dashboard.components.card import card
from dashboard.components.graph import graph
from dashboard.components.table import Column, table
from dashboard.pages.data import cents, words
from dashboard.pages.data_lines import rejected, standing_out
from dashboard.theme import Theme
from dashboard.view import Component
from db.accounts import Account, Load
from db.queries.findings import Finding
from db.rejects import Reject


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
        standing_out(findings, currency),
        rejected(load, rejects),
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
    said = f"{fmt.number(load.rows_accepted)} of {fmt.number(load.rows_read)} rows accepted"
    if not load.rejected:
        return f"{said}."
    reason, (rows, _) = next(iter(load.rejected.items()))
    most = f", most: {words(reason)} ({fmt.number(rows)})" if len(load.rejected) > 1 else f": {words(reason)}"
    return f"{said}; {fmt.number(load.rows_rejected)} rejected{most}."


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
        Column("what", "Part"),
        Column("rows", "Rows", fmt.number, numeric=True),
        Column("amount", f"Amount ({currency})", cents, numeric=True),
    ]
    frame = pd.DataFrame(lines, columns=["what", "rows", "amount"])
    if meanings:
        frame["meaning"] = ["", "", *(meanings.get(reason, "").replace("`", "") for reason in load.rejected)]
        columns.append(Column("meaning", "What it means", style="prose"))
    elsewhere = ", ".join(f"{fmt.number(rows)} by load {number}" for number, rows in told.already_loaded.items())
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
            ("Customers", f"{fmt.number(extent.customers)} ({fmt.number(told.customers_new)} new)"),
            ("Products", f"{fmt.number(extent.products)} ({fmt.number(told.products_new)} new)"),
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
        Column("amount", f"Amount ({currency})", cents, numeric=True),
        Column("rejected_rows", "Rejected", fmt.number, numeric=True),
        Column("rejected_amount", f"Amount ({currency})", cents, numeric=True),
    ]
    about = "Amount of the accepted lines by month"
    if len(frame) == 1:  # one bar compares nothing
        return card(f"All of it in {best.month}", table(frame, columns), about=about)
    picture = charts.columns(list(frame["month"]), [float(v) for v in frame["amount"]], theme, currency)
    return card(title, graph("months", picture, 260, title), about=about, twin=(frame, columns))
