"""The address -> the page's frame. What fills the frame is `slots`."""

from dash import Dash, Input, Output, State, dcc, html

from dashboard import ids
from dashboard.components.help import help_panel
from dashboard.components.plain import plain
from dashboard.components.states import empty
from dashboard.noted import Noted
from dashboard.pages import match
from dashboard.pages.first_run import first_run
from dashboard.scope import of_page
from dashboard.view import Component, Page, Views
from dashboard.who import viewer
from errors import SnapshotError
from permissions import for_page


def register(app: Dash, views: Views, noted: Noted) -> None:
    """One callback: it runs when the path changes, never when only the filters do.

    What the page is like stands as CSS classes around it and the filters.
    """

    @app.callback(
        Output(ids.PAGE, "children"),
        Output(ids.FRAME, "className"),
        Input(ids.URL, "pathname"),
        State(ids.URL, "search"),
    )
    def show(pathname: str | None, search: str | None) -> tuple[Component, str]:
        page, subject = match(pathname)
        if page is None:
            home = dcc.Link("Go to the overview", href="/")
            found = [html.H1("Not found", className="visually-hidden"), empty("There is no such page", home, ".")]
            return found, _UNFILTERED
        if not viewer().may(for_page(page.path)):
            return refused(page), _UNFILTERED
        told = help_panel(page.title, page.help) if page.help else None
        helped = "helped" * bool(told)
        if page.record:
            return [told, *page.layout(subject)], f"{_UNFILTERED} {helped}"
        try:
            if views.is_empty():
                return first_run(), _UNFILTERED
            view = views.view(search or "", subject=subject, path=page.path)
            laid_out = page.layout(view)
        except SnapshotError as error:
            return [
                html.H1(page.title, className="visually-hidden"),
                empty("This cannot be shown", str(error), " ", html.Br(), dcc.Link("See the loads", href="/data")),
            ], ""
        if subject and page.path in ONE_CUSTOMER:
            noted.saw_customer(subject)
        kinds = [helped, "whole-history" * page.whole_history, "compares" * page.compares]
        frame = [
            told,
            html.Div(of_page(view, page), id=ids.slot("shell.scope"), className="page-scope"),
            html.P(page.about, className="ignores") if page.about else None,
            *laid_out,
        ]
        return plain(frame), " ".join(kinds)


def refused(page: Page) -> Component:
    """What stands where a page is not for whoever asks."""
    who = viewer()
    why = f"limited to {', '.join(who.countries)}" if who.countries else f"of the role {who.role}"
    home = dcc.Link("Go to the overview", href="/")
    words = f"Your account is {why}, and that does not open it. An admin of the dashboard can change this. "
    return [html.H1(page.title, className="visually-hidden"), empty("This page is not for you", words, home, ".")]


ONE_CUSTOMER = ("/customers/", "/recommendations/customers/")
_UNFILTERED = "unfiltered"
