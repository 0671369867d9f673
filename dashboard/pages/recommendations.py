"""Recommendations: what the customers in view are offered most, and the way to one customer's lists."""

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard import helps, ids, offering
from dashboard.components.card import card
from dashboard.components.product import product_label, with_product
from dashboard.components.states import slot
from dashboard.components.table import Column, table
from dashboard.downloads import left_out_in_words
from dashboard.view import CONTROL, Component, Ignores, Page, View
from db.queries import recommendations as queries

_LETTERS = 40


def layout(view: View) -> Component:
    """The frame of the page; before the first run what to do alone."""
    top = [html.H1("Recommendations", className="visually-hidden"), *offering.head("recommendations")]
    if not offering.is_published(view):
        return top[:2]
    return [
        *top,
        offering.rule_bar(view, offering.LIST_RULES),
        html.Div([slot("recommendations.lists", "strip"), customer_box()], className="bar offers-bar"),
        html.Div(
            [slot("recommendations.discover", "list"), slot("recommendations.buy_again", "list")],
            className="grid halves",
        ),
    ]


def customer_box() -> Component:
    """Finds a customer by the start of the id."""
    chooser = dcc.Dropdown(id=ids.PICK_CUSTOMER, placeholder="Type a customer's id", options=[], clearable=True)
    return html.Div([html.Label("Lists of one customer", htmlFor=ids.PICK_CUSTOMER), chooser], className="pick")


def lists(view: View) -> Component:
    """How many lists the view has, what the rules do to them, and their download."""
    if not offering.is_published(view):
        return []
    found = queries.shortened(view.snapshot, view.filters)
    many, short, emptied = (int(found[name].sum()) for name in ("lists", "shorter", "emptied"))
    if not many:
        return html.P("No customer of this view has a list: remove a filter above.", className="about")
    words = [f"{fmt.plural(many, 'list')} in this view. "]
    if view.filters.rules.narrow:
        words += [offering.shorter(many, short, emptied), " ", offering.without_rules(view, offering.CUSTOMERS)]
    words += [" ", left_out_in_words(view)]
    button = offering.download(f"/download/recommendations.csv{view.filters.query()}", "Download the lists")
    return html.Div([html.P(words, className="lists-said", role="status"), button], className="bar start")


def discover(view: View) -> Component:
    """What is new to most of the customers in view."""
    return _most_offered(view, "discover", "New to them", "Products their customers never bought")


def buy_again(view: View) -> Component:
    """What most of the customers in view are likely to buy again."""
    return _most_offered(view, "buy_again", "Buy again", "Products their customers bought before")


def _most_offered(view: View, kind: str, title: str, about: str) -> Component:
    if not offering.is_published(view):
        return []
    found = queries.for_customers(view.snapshot, view.filters)
    frame = found[found["kind"] == kind]
    if frame.empty:
        narrow = view.filters.rules.narrow
        words = (
            "The rules leave nothing here: loosen or clear them." if narrow else "Nothing for the customers in view."
        )
        return card(title, html.P(words, className="about"))
    first = frame.iloc[0]
    name = fmt.shortened(str(first["name"]), _LETTERS)
    about = (
        f"{about}; how many of the customers in view have each on their list of ten. A product leads to whom to write"
    )
    finding = f"{title}: {name} is on most lists, {fmt.percent(first['share'], 0)} of customers"
    return card(finding, table(with_product(frame), columns(view, frame)), about=about)


def columns(view: View, frame: pd.DataFrame) -> list[Column]:
    """The columns of what is offered most."""
    category = Column("category", "Category", lambda v: "" if fmt.missing(v) else str(v), style="secondary")
    return [
        Column("product", "Product", product_label, href=lambda row: offering.product_href(view, row["product_id"])),
        *([category] if frame["category"].notna().any() else []),
        Column("customers", "Customers", fmt.number, numeric=True),
        Column("share", "Share", fmt.percent, numeric=True),
    ]


PAGE = Page(
    path=offering.CUSTOMERS,
    title="Recommendations",
    help=helps.RECOMMENDATIONS,
    icon="recommendations",
    layout=layout,
    slots={
        **offering.head_slots("recommendations", offering.CUSTOMERS),
        "recommendations.lists": lists,
        "recommendations.discover": discover,
        "recommendations.buy_again": buy_again,
    },
    whole_history=True,
    about="A period, department or category that is chosen keeps the customers who bought then and there; the rules "
    "below say what may be offered.",
    ignoring={
        "recommendations.sentence": Ignores(of="The run as a whole"),
        "recommendations.views": CONTROL,
    },
)
