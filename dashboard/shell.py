"""The frame around every page: menu, filters, and where the page goes."""

from contextlib import suppress

from dash import dcc, html
from flask import has_request_context
from flask_wtf.csrf import generate_csrf

from dashboard import filter_bar, ids
from dashboard import format as fmt
from dashboard.chips import chips
from dashboard.components.icons import icon
from dashboard.components.states import slot
from dashboard.components.user_menu import user_menu
from dashboard.pages import PAGES, match
from dashboard.printed import printed
from dashboard.scope import of_page
from dashboard.view import Component, Slot, View, Views
from dashboard.who import viewer
from db.queries import shop
from db.queries.shop import Choices
from errors import SnapshotError
from permissions import Viewer, closed_to, for_page


def shell(views: Views) -> Component:
    """Built anew for every visit, so that the choices of the filters are those of the newest data."""
    who = viewer()
    choices, span, offered = Choices(), None, None
    with suppress(SnapshotError):  # before the first load there is nothing to choose from
        snapshot = views.snapshot()
        choices, span = shop.choices(snapshot), shop.span(snapshot)
        offered = filter_bar.offered(snapshot, ())
    return html.Div(
        [
            dcc.Location(id=ids.URL, refresh="callback-nav"),
            dcc.Store(id=ids.THEME),
            dcc.Store(id=ids.STAYED),
            dcc.Store(id=ids.CANONICAL),
            dcc.Store(id=ids.OFFERED, data=offered),
            html.A("Skip to the content", href="#page", className="skip"),
            _header(who),
            html.Div(id=ids.AWAY, role="status"),
            filter_bar.bar(choices, span, views.currency),
            slot("shell.printed", "strip", "on-paper", of=ids.shell_slot),
            html.Main(id=ids.PAGE, tabIndex=-1),
        ],
        id=ids.FRAME,
        **{"data-closed": " ".join(closed_to(who))},
    )


def _header(who: Viewer) -> Component:
    links = [
        dcc.Link([icon(page.icon), page.title], href=page.path, id=ids.nav_link(page.path))
        for page in PAGES
        if page.icon is not None and who.may(for_page(page.path))
    ]
    return html.Header(
        [
            dcc.Link([html.Span(className="mark"), "Shopper Spectrum"], href="/", className="brand"),
            html.Nav(links, id=ids.NAV, **{"aria-label": "Pages"}),
            html.Div(
                [
                    slot("shell.freshness", "strip", of=ids.shell_slot),
                    html.Button(
                        [icon("link"), html.Span("Copy link", className="said")],
                        id=ids.COPY,
                        className="button",
                        type="button",
                        title="Copy link",
                    ),
                    html.Button(
                        "?",
                        id="toggle-help",
                        className="button square",
                        type="button",
                        title="About this page",
                        **{"aria-label": "Help on this page", "aria-expanded": "false", "aria-controls": ids.HELP},
                    ),
                    html.Button(
                        icon("theme"),
                        id="toggle-theme",
                        className="button square",
                        type="button",
                        title="Light or dark",
                        **{"aria-label": "Switch between light and dark"},
                    ),
                    user_menu(who, generate_csrf() if has_request_context() else ""),
                ],
                className="tools",
            ),
        ],
        className="top",
    )


def freshness(view: View) -> Component:
    """Up to when the data reach."""
    return html.Span(f"Data to {fmt.day(view.span.end)}", className="freshness")


def scope(view: View) -> Component:
    """What of the filters does not apply to the page at all."""
    page, _ = match(view.path)
    return of_page(view, page) if page else []


SHELL_SLOTS: dict[str, Slot] = {
    "shell.freshness": freshness,
    "shell.chips": chips,
    "shell.scope": scope,
    "shell.printed": printed,
}
