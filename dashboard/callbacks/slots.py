"""Every slot of every page is filled by this one callback: parse, query, component."""

import logging
from uuid import uuid4

from dash import MATCH, Dash, Input, Output, State, html
from flask import request

from dashboard import ids
from dashboard.components.states import empty, failed
from dashboard.pages import SLOTS, match
from dashboard.shell import SHELL_SLOTS
from dashboard.theme import as_theme
from dashboard.view import Component, Views
from errors import SnapshotError

_log = logging.getLogger(__name__)


def register(app: Dash, views: Views) -> None:
    """One callback; a slot that fails says so in its own place and leaves the rest of the page alone."""

    @app.callback(
        Output(ids.slot(MATCH), "children"),
        Input(ids.URL, "search"),
        Input(ids.THEME, "data"),
        State(ids.slot(MATCH), "id"),
        State(ids.URL, "pathname"),
    )
    def fill(search: str | None, _theme: str | None, slot: dict[str, str], pathname: str | None) -> Component:
        name = slot.get("name", "")
        function = SLOTS.get(name) or SHELL_SLOTS.get(name)
        if function is None:
            return html.Div()
        try:
            _, subject = match(pathname)
            return function(views.view(search or "", as_theme(request.cookies.get("theme")), subject))
        except SnapshotError as error:
            return empty("Nothing to show yet", str(error))
        except Exception:  # whatever went wrong stays in its slot, and the log has it
            reference = uuid4().hex[:8]
            _log.exception("slot %s failed (reference %s, search %r)", name, reference, search)
            return failed(reference)
