"""The lines of a load on the Data page that stand out, and those that were rejected."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card
from dashboard.components.table import Column, table
from dashboard.pages.data import cents, words
from dashboard.view import Component
from db.accounts import Load
from db.findings import RULES
from db.queries.findings import Finding
from db.rejects import Reject

PREVIEWED = 20

_MEANINGS = {rule.code: rule.meaning for rule in RULES}


def standing_out(findings: Sequence[Finding], currency: str) -> Component:
    """What looks like a mistake, with an example of each kind."""
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
        Column("amount", f"Amount ({currency})", cents, numeric=True),
        Column("such", "Such as", style="secondary"),
        Column("meaning", "What it means", style="prose"),
    ]
    title = f"{fmt.number(sum(found.rows for found in findings))} lines stand out; all of them count"
    return card(title, table(pd.DataFrame(rows), columns), about="Findings change nothing: the lines stay as they are")


def rejected(load: Load, rejects: Sequence[Reject]) -> Component:
    """The first rejected rows as they came, and the file of all of them."""
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
