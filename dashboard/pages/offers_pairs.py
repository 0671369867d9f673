"""What goes with a product: bought together with it, and bought by the same customers."""

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard import offering
from dashboard.components.card import card
from dashboard.components.product import product_label, with_product
from dashboard.components.table import Column, table
from dashboard.view import Component, View
from db.queries import audience as queries

_MOST_PAIRS = 10

AGAIN = "The published run was made before it could tell this. Run "

COMMAND = html.Code("python -m models run")


def together(view: View) -> Component:
    """What is bought with it, by lift."""
    frame = _pairs(view)
    if frame is None:
        return []
    rules = frame[frame["baskets"].notna()].sort_values("lift", ascending=False, kind="stable").head(_MOST_PAIRS)
    if rules.empty:
        return _no_pairs(view, "Bought together", "Nothing is bought together with it often enough to tell.")
    columns = [
        Column("product", "Product", product_label, href=lambda row: offering.product_href(view, row["product_id"])),
        Column("lift", "Lift", fmt.times, numeric=True),
        Column("confidence", "Confidence", fmt.percent, numeric=True),
        Column("baskets", "Baskets", fmt.number, numeric=True),
    ]
    first = rules.iloc[0]
    title = (
        f"Bought together: {fmt.shortened(first['name'], 40)}, {fmt.number(first['lift'], 1)} times as often as usual"
    )
    about = "Lift: how many times as often as in all baskets; confidence: the share of its baskets with the other too"
    return card(title, table(with_product(rules), columns), about=about)


def alike(view: View) -> Component:
    """What has the same buyers."""
    frame = _pairs(view)
    if frame is None:
        return []
    near = frame[frame["similarity"].notna()].sort_values("similarity", ascending=False, kind="stable")
    if near.empty:
        return _no_pairs(view, "Like it", "Nothing is near enough to it to tell.")
    columns = [
        Column("product", "Product", product_label, href=lambda row: offering.product_href(view, row["product_id"])),
        Column("similarity", "Likeness", lambda v: fmt.number(v, 2), numeric=True),
    ]
    about = "Products that the same customers buy; 1 is wholly alike. To offer instead where it is out of stock"
    return card("Like it", table(with_product(near.head(_MOST_PAIRS)), columns), about=about)


def _pairs(view: View) -> pd.DataFrame | None:
    """None where no product is shown."""
    if not queries.is_known(view.snapshot, view.subject):
        return None
    return queries.pairs(view.snapshot, view.subject)


def _no_pairs(view: View, title: str, lacking: str) -> Component:
    words = [lacking] if queries.has_pairs(view.snapshot) else [AGAIN, COMMAND, " again to have it."]
    return card(title, html.P(words, className="about"))
