"""The pages of the product, in the order of the menu. A new page is one file and one line here."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import unquote

from dashboard.pages import (
    audiences,
    customer,
    customers,
    data,
    guide,
    movement,
    offers_bundles,
    offers_customer,
    offers_product,
    offers_segments,
    overview,
    quality,
    recommendations,
    segments,
    value,
)
from dashboard.view import Page, Picture, Slot

PAGES: tuple[Page, ...] = (
    overview.PAGE,
    segments.PAGE,
    value.PAGE,
    movement.PAGE,
    customers.PAGE,
    customer.PAGE,
    audiences.PAGE,
    recommendations.PAGE,
    offers_customer.PAGE,
    offers_segments.PAGE,
    offers_product.PAGE,
    offers_bundles.PAGE,
    quality.PAGE,
    data.PAGE,
    guide.PAGE,
)

SLOTS: Mapping[str, Slot] = MappingProxyType({name: fill for page in PAGES for name, fill in page.slots.items()})

OF_SLOT: Mapping[str, Page] = MappingProxyType({name: page for page in PAGES for name in page.slots})
"""Slot -> the page that it is of."""

OF_PICTURE: Mapping[str, Page] = MappingProxyType({name: page for page in PAGES for name in page.pictures})
"""Picture -> the page that it is of."""

PICTURES: Mapping[str, Picture] = MappingProxyType(
    {name: draw for page in PAGES for name, draw in page.pictures.items()}
)


def match(pathname: str | None) -> tuple[Page | None, str]:
    """The page at an address and its subject; no page where there is none."""
    path = pathname or "/"
    for page in PAGES:
        if path == page.path or (path.rstrip("/") or "/") == page.path:
            return page, ""
    for page in PAGES:
        if page.path.endswith("/") and page.path != "/" and path.startswith(page.path):
            return page, unquote(path[len(page.path) :])
    return None, ""
