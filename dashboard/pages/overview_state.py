"""What the Overview rests on, in one line: how fresh the data are, what was refused, which run the segments are of."""

from dash import dcc, html

from dashboard import format as fmt
from dashboard.view import Component, View
from db.queries import shop
from db.queries import state as queries
from db.runs import SEGMENTS


def state(view: View) -> Component:
    """It is of all the data, whatever the filters."""
    of = queries.state(view.snapshot)
    read = f"{fmt.plural(of.rows_read, 'row')} read"
    if of.rows_read:
        read += f", {_share(of.rows_refused / of.rows_read)} refused"
    parts: list[Component] = [
        f"Data to {fmt.day(view.span.end)}",
        dcc.Link(read, href="/data"),
        dcc.Link(f"{fmt.plural(of.findings, 'finding')} worth a look", href="/data") if of.findings else None,
        f"last load on {fmt.day(of.loaded_at)}" if of.loaded_at else None,
        _run(view),
    ]
    told = [part for part in parts if part is not None]
    return html.P([piece for part in told for piece in ("; ", part)][1:], className="about data-state")


def _share(share: float) -> str:
    """None at all is not the same as very few."""
    return "none" if share == 0 else "under 0.1%" if share < 0.001 else fmt.percent(share)


def _run(view: View) -> str:
    run = shop.published_run(view.snapshot, SEGMENTS)
    return f"segments of run {run.run_id}, as of {fmt.day(run.as_of)}" if run else "no run of segments yet"
