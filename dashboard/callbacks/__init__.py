"""The callbacks every page shares, registered on one application."""

from dash import Dash

from dashboard.callbacks import browser, filters, grid, pick, router, slots
from dashboard.view import Views


def register(app: Dash, views: Views) -> None:
    """Register all of them."""
    router.register(app, views)
    slots.register(app, views)
    filters.register(app, views)
    grid.register(app, views)
    pick.register(app, views)
    browser.register(app)
