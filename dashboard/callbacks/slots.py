"""Every slot and picture of every page is filled by these two callbacks: parse, query, component."""

import logging

from dash import MATCH, Dash, Input, Output, State, html
from flask import request

from dashboard import answers, ids
from dashboard.components.graph import nothing, seen_from
from dashboard.components.plain import plain
from dashboard.components.states import empty, failed
from dashboard.pages import PICTURES, SLOTS, match
from dashboard.reference import failed as marked_failed
from dashboard.shell import SHELL_SLOTS
from dashboard.theme import as_theme
from dashboard.view import Component, View, Views
from errors import SnapshotError, WholeShopError
from permissions import for_part

_log = logging.getLogger(__name__)


def register(app: Dash, views: Views) -> None:
    """A place that fails says so in itself and leaves the rest of the page alone."""

    def view(search: str | None, pathname: str | None) -> View:
        page, subject = match(pathname)
        return views.view(search or "", as_theme(request.cookies.get("theme")), subject, page.path if page else "")

    def fill(
        _changed: object, _theme: object, slot: dict[str, str], pathname: str | None, search: str | None
    ) -> Component:
        name = _name(slot)
        if name not in SLOTS and name not in SHELL_SLOTS:
            return html.Div()
        try:
            seen = view(search, pathname)
            if name in SHELL_SLOTS and not seen.viewer.may(for_part(name)):
                return []
            return plain(SHELL_SLOTS[name](seen)) if name in SHELL_SLOTS else answers.filled(name, seen)
        except WholeShopError as error:
            return [] if name in SHELL_SLOTS else empty("Of the whole shop alone", str(error))
        except SnapshotError as error:
            return [] if name in SHELL_SLOTS else empty("Nothing to show yet", str(error))
        except Exception:  # whatever went wrong stays in its slot, and the log has it
            return failed(_logged(slot, search))

    # a page that is left for another one under other filters is asked for nothing any more; what is around it stays
    for place, changed in (
        (ids.slot(MATCH), Input(ids.STAYED, "data")),
        (ids.shell_slot(MATCH), Input(ids.URL, "search")),
    ):
        app.callback(
            Output(place, "children"),
            changed,
            Input(ids.THEME, "data"),
            State(place, "id"),
            State(ids.URL, "pathname"),
            State(ids.URL, "search"),
        )(fill)

    @app.callback(
        Output(ids.picture(MATCH), "figure"),
        Input(ids.STAYED, "data"),
        Input(ids.THEME, "data"),
        State(ids.picture(MATCH), "id"),
        State(ids.camera(MATCH), "data"),
        State(ids.URL, "pathname"),
        State(ids.URL, "search"),
    )
    def draw(
        _changed: object,
        _theme: object,
        picture: dict[str, str],
        camera: object,
        pathname: str | None,
        search: str | None,
    ) -> Component:
        name = _name(picture)
        theme = as_theme(request.cookies.get("theme"))
        if name not in PICTURES:
            return nothing(theme, "")
        try:
            return seen_from(answers.drawn(name, view(search, pathname)), camera)
        except SnapshotError as error:
            return nothing(theme, str(error))
        except Exception:  # as above
            return nothing(
                theme, f"This picture could not be drawn; the log has the cause under {_logged(picture, search)}"
            )


def _name(place: object) -> str:
    """What a place is called; nothing of what is none."""
    return str(place.get("name")) if isinstance(place, dict) else ""


def _logged(place: dict[str, str], search: str | None) -> str:
    """Log what just went wrong; gives the reference that finds it, which the browser then says too."""
    reference = marked_failed()
    _log.exception("%s failed (reference %s, search %r)", place, reference, search)
    return reference
