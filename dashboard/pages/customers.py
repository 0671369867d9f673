"""Customers: the list, searched, refined, sorted and paged by the database, downloaded, and saved under a name."""

from typing import Any

from dash import dcc, html

from dashboard import helps, ids
from dashboard.components.grid import grid
from dashboard.components.icons import icon
from dashboard.components.states import empty, slot
from dashboard.downloads import CUSTOMERS, address_of, left_out_in_words
from dashboard.pages.audiences import ADDRESS as AUDIENCES
from dashboard.pages.audiences import LONGEST_NAME
from dashboard.pages.customers_columns import definitions, label
from dashboard.pages.customers_refine import refine
from dashboard.trail import trail
from dashboard.view import CONTROL, Component, Page, View
from db.queries import customers as queries
from db.queries import shop
from db.runs import SEGMENTS
from permissions import Right

NOBODY = "No customers match: remove a filter above or in the head of a column."


def layout(view: View) -> Component:
    """The grid asks for its rows itself; see `callbacks.grid`. Before the first run what to do alone."""
    heading = html.H1("Customers", className="visually-hidden")
    if shop.published_run(view.snapshot, SEGMENTS) is None:
        words = " to list them with their segments and forecasts; it needs orders that name a customer."
        return [heading, empty("No customers to list yet", "Run ", html.Code("python -m models run"), words)]
    columns = definitions(queries.filled(view.snapshot))
    lists = [_saving(), _download(view)] if view.may(Right.LISTS) else []
    tools = [_search(), _chooser(columns), *lists]
    return [
        heading,
        slot("customers.trail", "strip"),
        html.Div(
            [
                html.P(id=ids.GRID_COUNT, className="sentence", **{"aria-live": "polite"}),
                html.Div(tools, className="tools list-tools"),
            ],
            className="bar",
        ),
        slot("customers.refine", "strip"),
        html.Div(
            grid(
                ids.GRID,
                columns,
                "customer_id",
                localeText={"noRowsToShow": NOBODY},
                rowClassRules={"row-waiting": "!params.data"},
            ),
            className="panel grid-panel",
        ),
    ]


def _search() -> Component:
    words = "Search id, segment, country"
    return dcc.Input(
        id=ids.GRID_SEARCH, type="search", debounce=0.4, placeholder=words, maxLength=200, className="list-search"
    )


def _chooser(columns: list[dict[str, Any]]) -> Component:
    """Which columns are seen; remembered by the browser, as their widths and their order are."""
    chosen = [column for column in columns if "pinned" not in column]
    choices = dcc.Checklist(
        id=ids.GRID_COLUMNS,
        options=[{"label": label(column), "value": column["field"]} for column in chosen],
        value=[column["field"] for column in chosen if "hide" not in column],
        persistence=True,
        persistence_type="local",
    )
    again = html.Button("Usual widths and order", id="reset-columns", className="button", type="button")
    return _folded("Columns", [html.Div(choices, className="choices"), again])


def _saving() -> Component:
    name = dcc.Input(id=ids.AUDIENCE_NAME, type="text", maxLength=LONGEST_NAME, autoComplete="off")
    about = "Kept are the filters at the top and below; not the search, nor what the heads of columns leave out."
    return _folded(
        "Audiences",
        [
            dcc.Link("Open a saved audience", href=AUDIENCES),
            html.Label(["Save this one as", name]),
            html.Div(html.Button("Save", id=ids.AUDIENCE_SAVE, className="button primary", type="button")),
            html.Div(id=ids.AUDIENCE_SAID, role="status"),
            html.P(about, className="about"),
        ],
    )


def _download(view: View) -> Component:
    """The links lead to the whole list; what is chosen here is added as one is followed (assets/lists.js)."""
    address = address_of(CUSTOMERS, view.filters.query())
    which = dcc.RadioItems(
        id=ids.DOWNLOAD_COLUMNS,
        options={"seen": "The columns that are seen, in their order", "all": "All columns"},
        value="seen",
        persistence=True,
        persistence_type="local",
    )
    offers = dcc.Checklist(
        id=ids.DOWNLOAD_OFFERS,
        options={"offers": "Three offers of either kind for each"},
        value=["offers"],
        persistence=True,
        persistence_type="local",
    )
    links = [
        html.A([icon("download"), "Download CSV"], id=ids.DOWNLOAD, href=address, className="button primary"),
        html.Button("Download Excel", id="download-xlsx", className="button", type="button"),
    ]
    missing = left_out_in_words(view)
    about = (
        f"{missing or 'Exactly the customers listed here.'} Once all of it has arrived there is a manifest: what is in "
        "the file, and its checksum."
    )
    return _folded("Download", [which, offers, html.Div(links, className="links"), html.P(about, className="about")])


def _folded(words: str, content: list[Component]) -> Component:
    return html.Details([html.Summary(words, className="button"), html.Div(content)], className="chooser")


PAGE = Page(
    path="/customers",
    title="Customers",
    help=helps.CUSTOMERS,
    icon="customers",
    layout=layout,
    slots={"customers.trail": trail, "customers.refine": refine},
    ignoring={"customers.refine": CONTROL},
    whole_history=True,
    about="Recency, orders and spend are over the whole history. A period, department or category that is chosen "
    "keeps the customers who bought then and there; a cohort or a bar of the bridge says itself when they bought.",
)
