"""One customer: who they are, what they bought, what to offer them."""

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard import helps, offering
from dashboard.components import charts
from dashboard.components.card import card
from dashboard.components.course import WHY, finding, strip
from dashboard.components.graph import graph
from dashboard.components.product import product_label, with_product
from dashboard.components.states import slot
from dashboard.components.table import Column, table
from dashboard.pages.customer_head import head
from dashboard.view import Component, Ignores, Page, Slot, View
from db.offer_rules import NO_RULES
from db.queries import customers as queries
from db.queries import recommendations


def layout(_: View) -> Component:
    """The frame of the page."""
    return [
        html.H1("Customer", className="visually-hidden"),
        slot("customer.head", "head"),
        slot("customer.course", "head"),
        html.Div([slot("customer.discover", "list"), slot("customer.buy_again", "list")], className="grid halves"),
        html.Div(
            [slot("customer.history", "chart"), slot("customer.favourites", "table")],
            className="grid",
        ),
        slot("customer.orders", "table"),
    ]


def course(view: View) -> Component:
    """The customer's way through segments and groups, with the cause of each change."""
    frame = queries.course(view.snapshot, view.subject)
    known = {name: of for name, of in frame.groupby("grouping", sort=False) if of["segment"].notna().any()}
    if not known:
        return []
    names = {"segment": "Segment", "rfm_group": "RFM group"}
    strips = html.Div([strip(names[str(name)], of) for name, of in known.items()], className="spreads")
    twin = frame.assign(grouping=frame["grouping"].map(names), why=frame["cause"].map(WHY).fillna(""))
    columns = [
        Column("as_of", "On", fmt.day, style="date"),
        Column("grouping", "By"),
        Column("segment", "Stood in", lambda v: "no order yet" if fmt.missing(v) else str(v)),
        Column("why", "Changed because"),
    ]
    about = "At each of the run's moments; the yardstick moves where the shop as a whole changes, not the customer"
    title = f"History of segments: {finding(next(iter(known.values())))}"
    return card(title, strips, about=about, twin=(twin, columns))


def discover(view: View) -> Component:
    """Products to introduce: never bought by this customer."""
    return _offers(view, "discover", "New to them", "Products this customer never bought, best match first")


def buy_again(view: View) -> Component:
    """Products to bring back to mind: bought before."""
    return _offers(view, "buy_again", "Buy again", "Products this customer bought before and is likely to want again")


def _offers(view: View, kind: str, title: str, about: str) -> Component:
    frame = recommendations.for_customer(view.snapshot, view.subject, NO_RULES)
    lacking = "Nothing to offer here: no published recommendations for this customer."
    return offering.list_card(view, frame, kind, title, about, lacking)


def history(view: View) -> Component:
    """Spend over time, a bar an order."""
    orders = queries.orders(view.snapshot, view.subject)
    if orders.empty:
        return []
    title = f"{_counted(orders)} since {fmt.day(orders['ordered_at'].min())}"
    picture = charts.spend_over_time(orders, view.theme, view.currency)
    return card(title, graph("history", picture, 340, title), about="Net amount of each order, returns below zero")


def _counted(orders: pd.DataFrame) -> str:
    """21 orders and 1 return."""
    returns = int(orders["is_return"].sum())
    said = fmt.plural(len(orders) - returns, "order")
    return f"{said} and {fmt.plural(returns, 'return')}" if returns else said


def favourites(view: View) -> Component:
    """What they buy most often."""
    frame = queries.favourites(view.snapshot, view.subject)
    if frame.empty:
        return []
    columns = [
        Column("product", "Product", product_label),
        Column("orders", "Orders", fmt.number, numeric=True),
        Column("last_ordered_at", "Last", fmt.day, numeric=True),
    ]
    return card("Bought most often", table(with_product(frame), columns), about="By the number of orders it was in")


def orders(view: View) -> Component:
    """The orders themselves, newest first."""
    frame = queries.orders(view.snapshot, view.subject)
    if frame.empty:
        return []
    shown = frame.head(200)
    columns = [
        Column("order_id", "Order"),
        Column("ordered_at", "Date", fmt.day, style="date"),
        Column("lines", "Lines", fmt.number, numeric=True),
        Column("items", "Items", fmt.number, numeric=True),
        Column("amount", f"Net amount ({view.currency})", lambda v: fmt.number(v, 2), numeric=True),
        Column("is_return", "Kind", lambda v: "return" if v else "order"),
    ]
    about = _counted(frame) if len(shown) == len(frame) else f"The newest {len(shown)} of {_counted(frame)}"
    return card("Orders", html.Div(table(shown, columns), className="scroll"), about=about)


_SLOTS: dict[str, Slot] = {
    "customer.head": head,
    "customer.course": course,
    "customer.discover": discover,
    "customer.buy_again": buy_again,
    "customer.history": history,
    "customer.favourites": favourites,
    "customer.orders": orders,
}

PAGE = Page(
    path="/customers/",
    title="Customer",
    help=helps.CUSTOMER,
    layout=layout,
    slots=_SLOTS,
    whole_history=True,
    ignoring=dict.fromkeys(_SLOTS, Ignores(of="All of one customer")),
)
