"""Saved audiences: kept from the page of customers, and opened, renamed and deleted on a page of their own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import ALL, MATCH, Dash, Input, Output, State, ctx, dcc, html, no_update

from dashboard import format as fmt
from dashboard import ids
from dashboard.components.states import empty
from dashboard.pages import audiences
from dashboard.record import Record
from dashboard.trail import in_words
from dashboard.view import Component, View, Views
from dashboard.who import current_user
from db.audiences import Audience
from db.filters import Filters
from db.queries import customers
from errors import SnapshotError, SpectrumError

_LARGEST = 2**31 - 1


def register(app: Dash, views: Views, record: Record) -> None:
    """Save, list, count, rename and delete. While Postgres is away each says so in its own place."""

    @app.callback(
        Output(ids.AUDIENCE_SAID, "children"),
        Output(ids.AUDIENCE_NAME, "value"),
        Input(ids.AUDIENCE_SAVE, "n_clicks"),
        Input(ids.AUDIENCE_NAME, "n_submit"),
        State(ids.AUDIENCE_NAME, "value"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    def save(clicks: Any, entered: Any, name: Any, search: str | None) -> tuple[Any, Any]:
        if not clicks and not entered:
            return no_update, no_update
        try:
            filters = views.view(search or "").filters
            kept = record.save_audience(str(name or ""), Filters(**filters.active()).query(), current_user())
        except SpectrumError as error:
            return html.P(str(error), className="notice"), no_update
        return html.P(["Saved as ", dcc.Link(kept, href=audiences.ADDRESS), "."]), ""

    @app.callback(
        Output(ids.AUDIENCES_BODY, "children"), Input(ids.URL, "search"), Input(ids.AUDIENCES_CHANGED, "data")
    )
    def show(_search: object, _changed: object) -> Component:
        try:
            kept = record.audiences()
        except SpectrumError as error:
            return empty("The saved audiences cannot be read now", str(error))
        try:
            view = views.view("")
        except SnapshotError:
            return audiences.listed([(audience, [audience.query.lstrip("?")]) for audience in kept])
        return audiences.listed([(audience, in_words(_seen(view, audience))) for audience in kept])

    def _seen(view: View, audience: Audience) -> View:
        filters = Filters.from_query(audience.query)
        return views.view(audience.query) if filters.run else replace(view, filters=filters.dated(view.span))

    @app.callback(Output(ids.audience_count(MATCH), "children"), Input(ids.audience_count(MATCH), "id"))
    def count(asked: Any) -> str:
        try:
            audience = record.audience(_number(asked))
            if audience is None:
                return "–"
            view = views.view(audience.query)
            return fmt.number(customers.number(view.snapshot, view.filters))
        except SpectrumError:
            return "–"

    @app.callback(
        Output(ids.AUDIENCES_CHANGED, "data"),
        Output(ids.AUDIENCES_SAID, "children"),
        Input(ids.audience_action(ALL, ALL), "n_clicks"),
        State(ids.audience_name(ALL), "value"),
        State(ids.audience_name(ALL), "id"),
        prevent_initial_call=True,
    )
    def act(clicks: Any, names: Any, of: Any) -> tuple[Any, Any]:
        pressed = ctx.triggered_id
        if not isinstance(pressed, Mapping) or not any(click for click in clicks or ()):
            return no_update, no_update
        number = _number(pressed)
        try:
            match pressed.get("do"):
                case "rename":
                    typed = {_number(id_): name for id_, name in zip(_list(of), _list(names), strict=False)}
                    record.rename_audience(number, str(typed.get(number) or ""))
                case "remove":
                    record.remove_audience(number)
                case _:
                    return no_update, no_update
        except SpectrumError as error:
            return no_update, html.P(str(error), className="notice", role="alert")
        return {"of": number, "by": sum(click or 0 for click in clicks if isinstance(click, int))}, None


def _number(asked: Any) -> int:
    """The number of an audience that an id of the page carries; 0, which none has, for anything else."""
    number = asked.get("audience") if isinstance(asked, Mapping) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and 0 < number <= _LARGEST else 0


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
