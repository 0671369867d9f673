"""The callbacks every page shares, registered on one application."""

from dash import Dash

from dashboard.callbacks import audiences, away, browser, data, filters, grid, pick, router, slots
from dashboard.noted import Noted
from dashboard.record import Record
from dashboard.view import Views
from settings import Settings


def register(app: Dash, views: Views, settings: Settings, record: Record, noted: Noted) -> None:
    """Register all of them."""
    router.register(app, views, noted)
    slots.register(app, views)
    filters.register(app, views)
    grid.register(app, views, noted)
    pick.register(app, views)
    data.register(app, views, settings, record)
    audiences.register(app, views, record, noted)
    away.register(app, views, record)
    browser.register(app)
