"""What was understood of an uploaded file, to be corrected, and how far its load is."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard import ids
from dashboard.components.card import card
from dashboard.components.table import Column, table
from dashboard.jobs import Progress
from dashboard.pages.data import action, words
from dashboard.view import Component

BY_THE_FILE = "found"
_DAYS = {BY_THE_FILE: "Found out", "true": "Day first: 31/12", "false": "Month first: 12/31"}
_MARKS = {BY_THE_FILE: "Found out", ".": "Point: 1,234.50", ",": "Comma: 1.234,50"}


def understood(name: str, told: Mapping[str, Any]) -> Component:
    """What the file's columns mean, with a choice for each; what is missing or open; the first rows."""
    open_points = [*(f"No column is known for {what}." for what in told["missing"]), *_asked(told["questions"])]
    system = f", the export of {told['export']}" if told["export"] else ""
    lead = f"{name} is understood{system}." if not open_points else f"{name} is not wholly understood{system}."
    rest = f" About {fmt.plural(told['rows'], 'row')} of {told['kind']}."
    load = None if open_points else action("load", "Load", "button primary")
    return [
        html.P(dcc.Link("← All loads", href="/data"), className="crumb"),
        html.P([html.Strong(lead), rest], className="sentence"),
        html.Ul([html.Li(point) for point in [*open_points, *told["remarks"]]], className="notice points")
        if open_points or told["remarks"]
        else None,
        html.Div([load, action("look", "Apply"), action("remove", "Forget the file")], className="bar start"),
        html.Div([_columns(told), _writing(told)], className="grid"),
        _preview(told),
        _would_be_rejected(told["rejected"], told["rows_looked_at"]),
    ]


def unreadable(name: str, why: str) -> Component:
    """The file cannot be read at all."""
    return [
        html.P(dcc.Link("← All loads", href="/data"), className="crumb"),
        html.Div(
            [html.H2(f"{name} cannot be read"), html.P(why), action("remove", "Forget the file")],
            className="empty failed",
        ),
    ]


def loading(name: str, progress: Progress) -> Component:
    """How far the load is."""
    share = min(progress.rows / progress.total, 1) if progress.total else None
    rows = f"{progress.rows:,} of about {progress.total:,} rows read" if progress.total else "Opening"
    if progress.load is not None:
        share, rows = 1.0, "The rows are in the record; the snapshot is being written"
    elif share is not None and share > 0.99:
        rows = "All rows are read; the record is being finished"
    return html.Section(
        [
            html.H2(f"Loading {name}"),
            html.Progress(value=None if share is None else f"{share:.3f}", max="1", **{"aria-label": "Progress"}),
            html.P(f"{rows}. It goes on when this page is closed.", className="about"),
            None if progress.load else action("cancel", "Cancel"),
        ],
        className="panel loading",
    )


def _asked(questions: Sequence[Mapping[str, Any]]) -> list[str]:
    """What follows the semicolon is for those who write a mapping file; here there are choices, where it has any."""
    return [
        f"{str(question['question']).partition(';')[0].rstrip('?.')}: choose below."
        if question["lines"]
        else str(question["question"])
        for question in questions
    ]


def _columns(told: Mapping[str, Any]) -> Component:
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


def _writing(told: Mapping[str, Any]) -> Component:
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


def _preview(told: Mapping[str, Any]) -> Component:
    rows = told["preview"]
    if not rows:
        return None
    columns = [Column(name, words(name).capitalize(), _text, style="date") for name in rows[0]]
    return card("The first rows, as they would be loaded", table(pd.DataFrame(rows), columns))


def _would_be_rejected(rejected: Sequence[Mapping[str, Any]], looked_at: int) -> Component:
    if not rejected:
        return None
    columns = [
        Column("reason", "Because", words),
        Column("rows", "Rows", fmt.number, numeric=True),
        Column("first_row", "First in row", fmt.number, numeric=True),
        Column("example", "Such as", _text),
    ]
    rows = sum(part["rows"] for part in rejected)
    title = f"{rows:,} of the first {looked_at:,} rows would be rejected"
    return card(title, table(pd.DataFrame(rejected), columns), about="Repeated rows are found by the load itself")


def _text(cell: Any) -> str:
    return "" if fmt.missing(cell) else str(cell)
