"""How a product is named: its name, and its id where names repeat."""

import pandas as pd
from dash import html

from dashboard.view import Component


def with_product(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a column `product` of (name, product_id), for `product_label` to show."""
    pairs = [(row["name"], row["product_id"]) for _, row in frame.iterrows()]
    return frame.assign(product=pd.Series(pairs, index=frame.index, dtype=object))


def product_label(product: tuple[str, str]) -> Component:
    """The name, then the id in small: several products may bear one name."""
    name, product_id = product
    if name == product_id:
        return html.Span(html.Bdi(name), className="product", title=name)
    return html.Span([html.Bdi(name), html.Span(product_id, className="sku")], className="product", title=name)
