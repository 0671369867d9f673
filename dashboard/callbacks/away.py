"""Whether Postgres is away is said above every page, which go on from the snapshot meanwhile."""

from contextlib import suppress

from dash import Dash, Input, Output, html

from dashboard import format as fmt
from dashboard import ids
from dashboard.record import Record
from dashboard.view import Component, Views
from db.queries import state
from errors import SnapshotError


def register(app: Dash, views: Views, record: Record) -> None:
    """Told anew with every page and every change of filters, so that it goes when Postgres is back."""

    @app.callback(Output(ids.AWAY, "children"), Input(ids.URL, "pathname"), Input(ids.URL, "search"))
    def tell(_pathname: object, _search: object) -> Component:
        return banner(views) if record.is_away() else []


def banner(views: Views) -> Component:
    """What is seen, and what is not possible meanwhile."""
    of = ""
    with suppress(SnapshotError):
        moment = state.written_at(views.snapshot())
        of = "" if moment is None else f"; what you see is of {fmt.day(moment)}, {moment:%H:%M} UTC"
    return html.P(f"The database is away{of}. Nothing can be loaded or saved until it is back.", className="notice")
