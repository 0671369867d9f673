"""How an uploaded file is read on the Data page: what its columns mean, how it is written, its first rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard import ids
from dashboard.components.card import card
from dashboard.components.table import Column, table
from dashboard.pages.data import words
from dashboard.view import Component

BY_THE_FILE = "found"

_DAYS = {BY_THE_FILE: "Found out", "true": "Day first: 31/12", "false": "Month first: 12/31"}

_MARKS = {BY_THE_FILE: "Found out", ".": "Point: 1,234.50", ",": "Comma: 1.234,50"}


def meanings(told: Mapping[str, Any]) -> Component:
    """The file's columns by what they mean, each to be corrected."""
    names = [column["name"] for column in told["columns"]]
    examples = {column["name"]: column["example"] for column in told["columns"]}
    chosen = told["mapping"].get("columns", {})
    rows = [
        html.Tr(
            [
                html.Th(words(meaning).capitalize(), scope="row"),
                html.Td(
                    dcc.Dropdown(
                        id=ids.meaning(meaning),
                        options=[{"label": fmt.shortened(name, 60) or "(no name)", "value": name} for name in names],
                        value=chosen.get(meaning),
                        placeholder=told["constants"].get(meaning) or "Not in the file",
                    )
                ),
                html.Td(examples.get(chosen.get(meaning, ""), ""), className="secondary example"),
            ]
        )
        for meaning in told["meanings"]
    ]
    head = html.Tr([html.Th("Meaning"), html.Th("The file's column"), html.Th("Such as", className="secondary")])
    body = html.Table([html.Thead(head), html.Tbody(rows)])
    used = len(set(chosen.values()))
    return card(f"{used} of {len(names)} columns have a meaning", body, about="Choose another column to correct one")


def writing(told: Mapping[str, Any]) -> Component:
    """What a row is about and how dates and numbers are written, to be corrected."""
    mapping = told["mapping"]
    marks = set(mapping.get("decimals", {}).values())
    day = mapping.get("day_first")
    choices = [
        ("kind", "A row is about", {kind: kind.capitalize() for kind in told["kinds"]}, told["kind"]),
        ("day_first", "Dates such as 3/4/2011", _DAYS, BY_THE_FILE if day is None else str(day).lower()),
        ("decimals", "Numbers", _MARKS, next(iter(marks)) if len(marks) == 1 else BY_THE_FILE),
    ]
    controls = [
        html.Div(
            [html.Label(label), dcc.Dropdown(id=ids.how(name), options=options, value=value, clearable=False)],
            className="how",
        )
        for name, label, options, value in choices
    ]
    line = told["form"].get("header_line")
    header = html.Div(
        [
            html.Label("Line of the column names"),
            dcc.Input(id=ids.how("header_line"), type="number", min=1, step=1, value=line, disabled=line is None),
        ],
        className="how",
    )
    read_as = [f"{part['example']} is read as {part['read_as']}" for part in told["dates"] if part["read_as"]]
    return card(
        "How it is written",
        *controls,
        header,
        html.P("; ".join(read_as) + "." if read_as else "", className="about"),
    )


def preview(told: Mapping[str, Any]) -> Component:
    """The first rows as they are understood."""
    rows = told["preview"]
    if not rows:
        return None
    columns = [Column(name, words(name).capitalize(), _text, style="date") for name in rows[0]]
    return card("The first rows, as they would be loaded", table(pd.DataFrame(rows), columns))


def would_be_rejected(rejected: Sequence[Mapping[str, Any]], looked_at: int) -> Component:
    """Which of the first rows a load would reject, and why."""
    if not rejected:
        return None
    columns = [
        Column("reason", "Because", words),
        Column("rows", "Rows", fmt.number, numeric=True),
        Column("first_row", "First in row", fmt.number, numeric=True),
        Column("example", "Such as", _text),
    ]
    rows = sum(part["rows"] for part in rejected)
    title = f"{fmt.number(rows)} of the first {fmt.number(looked_at)} rows would be rejected"
    return card(title, table(pd.DataFrame(rejected), columns), about="Repeated rows are found by the load itself")


def _text(cell: Any) -> str:
    return "" if fmt.missing(cell) else str(cell)
