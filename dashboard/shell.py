"""The frame around every page: menu, filters, and where the page goes."""

import dash_bootstrap_components as dbc
from dash import dcc, html

from dashboard import format as fmt
from dashboard import ids
from dashboard.chips import LABELS, chips
from dashboard.components.icons import icon
from dashboard.components.states import slot
from dashboard.pages import PAGES
from dashboard.view import Component, Slot, View, Views
from db.filters import DEFAULT_DAYS
from db.queries import shop
from db.queries.shop import Choices
from errors import SnapshotError

PRESETS = {
    "28": "Last 4 weeks",
    str(DEFAULT_DAYS): "Last 13 weeks",
    "182": "Last 26 weeks",
    "364": "Last 52 weeks",
    "all": "All days",
    "custom": "Other days",
}
LIST_FIELDS = ("countries", "departments", "categories", "segments", "groups")
_NO_CHOICES = Choices((), (), (), (), ())


def shell(views: Views) -> Component:
    """Built anew for every visit, so that the choices of the filters are those of the newest data."""
    try:
        choices = shop.choices(views.snapshot())
    except SnapshotError:
        choices = _NO_CHOICES
    return html.Div(
        [
            dcc.Location(id=ids.URL, refresh="callback-nav"),
            dcc.Store(id=ids.THEME),
            html.A("Skip to the content", href="#page", className="skip"),
            _header(),
            _filter_bar(choices),
            html.Main(id=ids.PAGE, tabIndex=-1),
        ]
    )


def _header() -> Component:
    links = [
        dcc.Link([icon(page.icon), page.title], href=page.path, id=ids.nav_link(page.path))
        for page in PAGES
        if page.icon is not None
    ]
    return html.Header(
        [
            dcc.Link([html.Span(className="mark"), "Shopper Spectrum"], href="/", className="brand"),
            html.Nav(links, id=ids.NAV, **{"aria-label": "Pages"}),
            html.Div(
                [
                    slot("shell.freshness", "strip"),
                    html.Button([icon("link"), "Copy link"], id=ids.COPY, className="button", type="button"),
                    html.Button(
                        icon("theme"),
                        id="toggle-theme",
                        className="button square",
                        type="button",
                        title="Light or dark",
                        **{"aria-label": "Switch between light and dark"},
                    ),
                ],
                className="tools",
            ),
        ],
        className="top",
    )


def _filter_bar(choices: Choices) -> Component:
    lists = [
        html.Div(
            [
                html.Label(LABELS[field]),
                dcc.Dropdown(
                    id=ids.filter_field(field),
                    options=list(getattr(choices, field)),
                    multi=True,
                    placeholder="All",
                    debounce=True,
                    closeOnSelect=False,
                    maxHeight=360,
                ),
            ],
            className="control",
            hidden=not getattr(choices, field),
        )
        for field in LIST_FIELDS
    ]
    dates = [
        html.Div(
            [
                html.Label([label, dbc.Input(id=ids.filter_field(field), type="date", debounce=True)]),
            ],
            className="control",
        )
        for field, label in (("start", "From"), ("end", "To"))
    ]
    preset = html.Div(
        [
            html.Label("Period"),
            dcc.Dropdown(id=ids.PRESET, options=PRESETS, clearable=False, searchable=False),
        ],
        className="control",
    )
    return html.Section(
        [
            html.Button("Filters", className="fold", type="button", **{"aria-expanded": "true"}),
            html.Div([preset, *dates, *lists], className="controls filters"),
            slot("shell.chips", "strip"),
        ],
        className="filter-bar",
        **{"aria-label": "Filters"},
    )


def freshness(view: View) -> Component:
    """Up to when the data reach."""
    return html.Span(f"Data to {fmt.day(view.span.end)}", className="freshness")


SHELL_SLOTS: dict[str, Slot] = {"shell.freshness": freshness, "shell.chips": chips}
