"""The head of a printed page: what its numbers are of, in words. On the screen the filters say it."""

from dash import html

from dashboard import format as fmt
from dashboard.chips import restrictions
from dashboard.pages import match
from dashboard.view import Component, View
from db.queries import shop
from db.runs import SEGMENTS


def printed(view: View) -> Component:
    """The days, every other filter, and how fresh the data are; a page over the whole history leaves the days out that
    nobody chose (see print.css)."""
    days = f"{fmt.days(view.period.start, view.period.end)} ({fmt.plural(view.period.days, 'day')})"
    page, _ = match(view.path)
    if view.before and page is not None and page.compares:
        days += f", compared with {fmt.days(view.before.start, view.before.end)}"
    chosen = view.filters.start or view.filters.end
    filters = [words for words, _ in restrictions(view)]
    run = shop.published_run(view.snapshot, SEGMENTS)
    facts = [
        html.Li(days, className="" if chosen else "days-not-chosen"),
        *(html.Li(words) for words in filters or ["All customers, countries and goods"]),
        html.Li(f"Data to {fmt.day(view.span.end)}"),
        html.Li(f"Segments of run {run.run_id}, as of {fmt.day(run.as_of)}") if run else None,
    ]
    return html.Div([html.Strong("Shopper Spectrum"), html.Ul(facts)], className="printed")
