"""What was understood of an uploaded file, to be corrected, and how far its load is."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html

from dashboard import format as fmt
from dashboard.jobs import Progress
from dashboard.pages.data import action
from dashboard.pages.upload_reading import meanings, preview, would_be_rejected, writing
from dashboard.view import Component


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
        html.Div([meanings(told), writing(told)], className="grid"),
        preview(told),
        would_be_rejected(told["rejected"], told["rows_looked_at"]),
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
    rows = (
        f"{fmt.number(progress.rows)} of about {fmt.number(progress.total)} rows read" if progress.total else "Opening"
    )
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
