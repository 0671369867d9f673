"""One customer: who they are, what they bought, what to offer them."""

import json

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard import offering
from dashboard.components import charts
from dashboard.components.card import card, segment_chip
from dashboard.components.course import WHY, finding, strip
from dashboard.components.graph import graph
from dashboard.components.product import product_label, with_product
from dashboard.components.states import empty, slot
from dashboard.components.table import Column, table
from dashboard.measures import COVERED
from dashboard.view import Component, Ignores, Page, Slot, View
from db.offer_rules import NO_RULES
from db.queries import customers as queries
from db.queries import recommendations
from db.queries import segments as segment_queries
from db.queries.value import PROBABLY


def layout(_: View) -> Component:
    """The frame of the page."""
    return [
        html.H1("Customer", className="visually-hidden"),
        slot("customer.head", "sentence"),
        slot("customer.course", "strip"),
        html.Div([slot("customer.discover", "table"), slot("customer.buy_again", "table")], className="grid halves"),
        html.Div(
            [slot("customer.history", "chart"), slot("customer.favourites", "table")],
            className="grid",
        ),
        slot("customer.orders", "table"),
    ]


def head(view: View) -> Component:
    """Segment, scores and attributes."""
    customer = queries.one(view.snapshot, view.subject)
    if customer is None:
        return empty(
            f"No customer {view.subject}",
            "Nobody with this id has a purchase in the published run. ",
            dcc.Link("Look through the list", href=view.href("/customers")),
            ".",
        )
    profiles = segment_queries.profiles(view.snapshot).set_index("segment")
    profile = profiles.loc[customer["segment"]]
    silence = fmt.plural(int(customer["recency_days"]), "day")
    facts = [
        ("Last order", f"{silence} ago, {fmt.day(customer['last_ordered_at'])}"),
        ("Orders", fmt.number(customer["frequency"])),
        ("Spend", fmt.money(customer["monetary"], view.currency)),
        ("Scores R F M", f"{customer['r_score']} · {customer['f_score']} · {customer['m_score']} of 5"),
    ]
    if not fmt.missing(customer["country"]):
        facts.append(("Country", customer["country"]))
    facts += [(name.replace("_", " ").capitalize(), str(value)) for name, value in _attributes(customer).items()]
    return html.Section(
        [
            html.P(dcc.Link("← All customers", href=view.href("/customers")), className="crumb"),
            html.Div(
                [
                    html.H2(f"Customer {view.subject}", className="name"),
                    segment_chip(customer["segment"], profile["colour"], profile["emoji"]),
                    *_group(customer, view),
                ],
                className="bar start",
            ),
            html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts], className="facts"),
            *_forecast(customer, view),
            html.P([html.Strong("What to do: "), advice(customer, profile)]),
        ],
        className="panel",
    )


def advice(customer: pd.Series, profile: pd.Series) -> str:
    """The segment's playbook; first what the forecast says, where the playbook takes for granted that they come."""
    risk = customer["churn_risk"]
    if fmt.missing(risk) or risk < PROBABLY or profile["play"] not in ("retain", "grow"):
        return str(profile["playbook"])
    first = f"Win back first: no order within 90 days is likely ({fmt.percent(risk, 0)})."
    return f"{first} Then, as with all {customer['segment']}: {profile['playbook']}"


def _group(customer: pd.Series, view: View) -> list[Component]:
    group = customer["rfm_group"]
    if fmt.missing(group):
        return []
    colour = queries.colours(view.snapshot).get(("rfm_group", group), "other")
    return [html.Span(["RFM group ", segment_chip(group, colour)], className="about")]


def _forecast(customer: pd.Series, view: View) -> list[Component]:
    """What is expected of the customer, in words; nothing where the run made no forecast.

    The model lets nobody leave before a second order: of who ordered once it cannot tell whether they are active.
    """
    if fmt.missing(customer["p_alive"]):
        return []
    parts = [f"{fmt.percent(customer['p_alive'], 0)} likely still active"] if customer["frequency"] > 1 else []
    if not fmt.missing(customer["next_order_at"]):
        parts.append(f"next order expected about {fmt.day(customer['next_order_at'])}")
    if not fmt.missing(customer["churn_risk"]):
        parts.append(f"{fmt.percent(customer['churn_risk'], 0)} risk of no order within 90 days")
    if not fmt.missing(customer["clv"]):
        low, high = (fmt.money(customer[end], view.currency) for end in ("clv_low", "clv_high"))
        expected = f"{fmt.money(customer['clv'], view.currency)} expected in the next 365 days"
        parts.append(f"{expected} ({fmt.percent(COVERED, 0)} between {low} and {high})")
    words = ", ".join(parts)
    return [html.P([html.Strong("Forecast: "), f"{words}."])]


def _attributes(customer: pd.Series) -> dict[str, object]:
    if fmt.missing(customer["attributes"]):
        return {}
    return {name: value for name, value in json.loads(customer["attributes"]).items() if value is not None}


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
        Column("is_return", "", lambda v: "return" if v else ""),
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
    layout=layout,
    slots=_SLOTS,
    whole_history=True,
    ignoring=dict.fromkeys(_SLOTS, Ignores(of="All of one customer")),
)
