"""Offers for a product: whom to write to about it, what is bought together with it, and what is like it."""

from urllib.parse import quote

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard import helps, ids, offering
from dashboard.components.card import card, segment_chip
from dashboard.components.product import product_label, with_product
from dashboard.components.states import empty, slot
from dashboard.components.table import Column, table
from dashboard.downloads import left_out_in_words
from dashboard.pages.offers_pairs import AGAIN, COMMAND, alike, together
from dashboard.view import CONTROL, Component, Ignores, Page, View
from db.filters import Filters
from db.queries import audience as queries
from db.queries import customers, recommendations


def layout(view: View) -> Component:
    """The frame of the page; before the first run what to do alone."""
    top = [html.H1("Recommendations for a product", className="visually-hidden"), *offering.head("offers_product")]
    if not offering.is_published(view):
        return top[:2]
    box = dcc.Dropdown(id=ids.PICK_PRODUCT, placeholder="Type a name or an id", options=[], clearable=True)
    pick = html.Div([html.Label("Product", htmlFor=ids.PICK_PRODUCT), box], className="pick wide")
    pairs = [slot("offers_product.together", "table"), slot("offers_product.alike", "table")]
    return [
        *top,
        html.Div([pick], className="bar start"),
        slot("offers_product.head", "table"),
        slot("offers_product.audience", "table"),
        html.Div(pairs, className="grid halves"),
    ]


def head(view: View) -> Component:
    """What the product is and how it sells; where none is picked, those that are offered most."""
    if not view.subject:
        return _suggested(view)
    product = queries.product(view.snapshot, view.subject)
    if product is None:
        words = "No product of this shop has this id: type a part of its name above."
        return empty(f"No product {fmt.shortened(view.subject, 60)}", words)
    known = {name.capitalize(): product[name] for name in ("category", "department", "brand")}
    facts = [(name, str(value)) for name, value in known.items() if not fmt.missing(value)]
    facts += [
        ("Price, the median", fmt.money(product["price"], view.currency)),
        ("Customers who bought it", fmt.number(product["buyers"])),
        ("Net revenue", fmt.short_money(product["revenue"], view.currency)),
        ("Last sold", fmt.day(product["last_ordered_at"])),
        ("On lists of new products", fmt.number(product["discover"])),
        ("On lists to buy again", fmt.number(product["buy_again"])),
    ]
    name = html.H2(product_label((product["name"], product["product_id"])), className="name")
    service = html.P("A service, such as postage: it is never offered.", className="notice")
    listed = html.Dl([html.Div([html.Dt(term), html.Dd(value)]) for term, value in facts], className="facts")
    return html.Section([name, listed, service if product["is_service"] else None], className="panel")


def _suggested(view: View) -> Component:
    found = recommendations.for_customers(view.snapshot, Filters())
    frame = found[found["kind"] == "discover"]
    columns = [
        Column("product", "Product", product_label, href=lambda row: offering.product_href(view, row["product_id"])),
        Column("customers", "On lists", fmt.number, numeric=True),
    ]
    about = "Type a name or an id above to see whom to write to about any other"
    return card("Pick a product; these are offered to most as new", table(with_product(frame), columns), about=about)


def audience(view: View) -> Component:
    """Whom to write to: customer, segment, why, last seen, value."""
    if not queries.is_known(view.snapshot, view.subject):
        return []
    frame, whole = (
        queries.audience(view.snapshot, view.filters, view.subject),
        queries.size(view.snapshot, view.subject),
    )
    if not whole:
        words = [AGAIN, COMMAND, " again to have it."]
        if queries.has_audiences(view.snapshot):
            words = ["Too few customers bought it to learn from, a rule of the run leaves it out, or all bought it."]
        return card("Nobody to write to about it", html.P(words, className="about"))
    if frame.empty:
        words = [f"None of the {fmt.plural(whole, 'customer')} is in this view: remove a filter above."]
        return card("Nobody in this view to write to", html.P(words, className="about"))
    colours = customers.colours(view.snapshot)

    def chip(segment: str) -> Component:
        return segment_chip(segment, colours.get(("segment", segment), "other"))

    value = "clv" if frame["clv"].notna().any() else "monetary"
    columns = [
        Column("customer_id", "Customer", href=lambda row: offering.offered_href(view, row["customer_id"])),
        Column("segment", "Segment", chip),
        Column("reason", "Why"),
        Column("last_ordered_at", "Last seen", fmt.day, numeric=True),
        Column("monetary", "Spent", lambda v: fmt.short_money(v, view.currency), numeric=True),
    ]
    if value == "clv":
        expected = Column("clv", "Next year", lambda v: fmt.short_money(v, view.currency), numeric=True)
        columns.append(expected)
    about = f"Who is likeliest to want it and has not bought it, best first. Worth {_worth(frame, value, view)}"
    about = f"{about} {left_out_in_words(view)}".rstrip()
    narrowed = f" of {whole} in this view" if len(frame) < whole else ""
    title = f"Write to {fmt.plural(len(frame), 'customer')}{narrowed}"
    query = view.filters.query()
    address = f"/download/audience.csv{query or '?'}{'&' if query else ''}about={quote(view.subject, safe='')}"
    shown = html.Div(table(frame, columns), className="scroll audience")
    return card(title, shown, about=about, aside=offering.download(address))


def _worth(frame: pd.DataFrame, value: str, view: View) -> str:
    words = "expected in the next year" if value == "clv" else "spent so far"
    return f"{fmt.short_money(frame[value].sum(), view.currency)} {words}, all together"


PAGE = Page(
    path=offering.PRODUCTS,
    title="Recommendations",
    help=helps.RECOMMENDATIONS,
    layout=layout,
    slots={
        **offering.head_slots("offers_product", offering.PRODUCTS),
        "offers_product.head": head,
        "offers_product.audience": audience,
        "offers_product.together": together,
        "offers_product.alike": alike,
    },
    whole_history=True,
    ignoring={
        "offers_product.sentence": Ignores(of="The run as a whole"),
        "offers_product.views": CONTROL,
        **{f"offers_product.{name}": Ignores(of="The whole shop") for name in ("head", "together", "alike")},
    },
)
