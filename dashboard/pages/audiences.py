"""Saved audiences: names for the filters of an address, with how many customers they leave now."""

from dash import dcc, html

from dashboard import format as fmt
from dashboard import ids
from dashboard.components.states import empty
from dashboard.view import Component, Page
from db.audiences import LONGEST_NAME, Audience

__all__ = ["ADDRESS", "LONGEST_NAME", "PAGE", "listed"]

ADDRESS = "/audiences"


def layout(_: object) -> Component:
    """The frame; what is in it comes from the record (see `callbacks.audiences`)."""
    return [
        html.H1("Saved audiences", className="visually-hidden"),
        html.Div(
            [
                html.P(dcc.Link("← Customers", href="/customers"), className="crumb"),
                html.Div(id=ids.AUDIENCES_SAID, role="status"),
                html.Div(id=ids.AUDIENCES_BODY),
                dcc.Store(id=ids.AUDIENCES_CHANGED),
            ],
            className="data-page",
        ),
    ]


def listed(kept: list[tuple[Audience, list[str]]]) -> Component:
    """A row for each audience with what restricts it in words; how many customers it has is asked for afterwards."""
    if not kept:
        how = ". Filter the list there, then save it under “Audiences”."
        return empty("No audience is saved yet", "An audience is saved on the page ", _customers(), how)
    head = html.Tr([html.Th(words, scope="col", className=css) for words, css in _HEADS])
    body = [_row(audience, words) for audience, words in kept]
    return html.Section(
        [
            html.Header(html.H2(fmt.plural(len(kept), "saved audience"))),
            html.Div(html.Table([html.Thead(head), html.Tbody(body)]), className="table-frame", tabIndex=0),
        ],
        className="panel audiences",
    )


_HEADS = (("Audience", ""), ("Filters", ""), ("Customers now", "number"), ("Saved", "date"), ("By", ""), ("", ""))


def _row(audience: Audience, words: list[str]) -> Component:
    cells = [
        html.Th(dcc.Link(audience.name, href="/customers" + audience.query), scope="row"),
        html.Td("; ".join(words) or "Everybody", className="words"),
        html.Td(html.Span("…", id=ids.audience_count(audience.audience_id)), className="number"),
        html.Td(fmt.day(audience.saved_at), className="date"),
        html.Td(audience.saved_by),
        html.Td(_actions(audience), className="actions"),
    ]
    return html.Tr(cells)


def _actions(audience: Audience) -> Component:
    number = audience.audience_id
    name = dcc.Input(id=ids.audience_name(number), type="text", value=audience.name, maxLength=LONGEST_NAME)
    rename = html.Button("Rename", id=ids.audience_action("rename", number), className="button", type="button")
    sure = html.Button("Delete it", id=ids.audience_action("remove", number), className="button", type="button")
    return [
        _folded("Rename", f"Rename {audience.name}", [html.Label(["New name", name]), rename]),
        _folded("Delete", f"Delete {audience.name}", [html.P(f"“{audience.name}” is deleted for everybody."), sure]),
    ]


def _folded(words: str, said: str, content: list[Component]) -> Component:
    summary = html.Summary(words, className="button", **{"aria-label": said})
    return html.Details([summary, html.Div(content)], className="chooser")


def _customers() -> Component:
    return dcc.Link("Customers", href="/customers")


PAGE = Page(path=ADDRESS, title="Saved audiences", layout=layout, slots={}, record=True)
