"""Offers for one customer: both lists, each product with its reason, and what its score is the sum of."""

from dash import dcc, html

from dashboard import helps, offering
from dashboard.components.card import segment_chip
from dashboard.components.states import empty, slot
from dashboard.pages.recommendations import customer_box
from dashboard.view import CONTROL, Component, Ignores, Page, View
from db.queries import customers
from db.queries import recommendations as queries


def layout(view: View) -> Component:
    """The frame of the page; before the first run what to do alone."""
    top = [html.H1("Recommendations", className="visually-hidden"), *offering.head("offers_customer")]
    if not offering.is_published(view):
        return top[:2]
    return [
        *top,
        offering.rule_bar(view, offering.LIST_RULES),
        html.Div([slot("offers_customer.head", "strip"), customer_box()], className="bar offers-bar"),
        html.Div(
            [slot("offers_customer.discover", "list"), slot("offers_customer.buy_again", "list")],
            className="grid halves",
        ),
    ]


def head(view: View) -> Component:
    """Whose lists these are."""
    back = html.P(dcc.Link("← Customers in view", href=view.href(offering.CUSTOMERS)), className="crumb")
    customer = customers.one(view.snapshot, view.subject)
    if customer is None:
        words = "Type the start of an id to find one." if not view.subject else "Nobody with this id has a purchase."
        return [back, empty(f"No customer {view.subject}".strip(), words)]
    colour = customers.colours(view.snapshot).get(("segment", customer["segment"]), "other")
    more = dcc.Link("All about this customer →", href=view.customer_href(view.subject))
    name = html.H2(f"Offers for customer {view.subject}", className="name")
    rules = view.filters.rules
    cleared = offering.without_rules(view, offering.offered_href(view, view.subject).partition("?")[0])
    said = html.P(["The first ten of each list that pass the rules. ", cleared]) if rules.narrow else None
    return [back, html.Div([name, segment_chip(customer["segment"], colour), more], className="bar start"), said]


def discover(view: View) -> Component:
    """Products to introduce: never bought by this customer."""
    return _offers(view, "discover", "New to them", "Never bought by this customer, best match first")


def buy_again(view: View) -> Component:
    """Products to bring back to mind: bought before."""
    return _offers(view, "buy_again", "Buy again", "Bought before and likely to be wanted again")


def _offers(view: View, kind: str, title: str, about: str) -> Component:
    if not view.subject or not offering.is_published(view):
        return []
    frame = queries.for_customer(view.snapshot, view.subject, view.filters.rules)
    narrow = "The rules leave nothing of this list: loosen or clear them."
    lacking = narrow if view.filters.rules.narrow else "The published run has no such list for this customer."
    return offering.list_card(view, frame, kind, title, about, lacking)


PAGE = Page(
    path=offering.ONE_CUSTOMER,
    title="Recommendations",
    help=helps.RECOMMENDATIONS,
    layout=layout,
    slots={
        **offering.head_slots("offers_customer", offering.CUSTOMERS),
        "offers_customer.head": head,
        "offers_customer.discover": discover,
        "offers_customer.buy_again": buy_again,
    },
    whole_history=True,
    ignoring={
        "offers_customer.sentence": Ignores(of="The run as a whole"),
        "offers_customer.views": CONTROL,
        **{f"offers_customer.{name}": Ignores(of="All of one customer") for name in ("head", "discover", "buy_again")},
    },
)
