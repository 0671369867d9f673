"""The Data page: the address says what is shown; buttons act on an upload."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from flask import request

from dashboard import ids, jobs
from dashboard.components.states import empty
from dashboard.jobs import Upload
from dashboard.pages import data, data_account, upload
from dashboard.pages.data_lines import PREVIEWED
from dashboard.record import Record
from dashboard.theme import as_theme
from dashboard.view import Component, Views
from db.queries import findings
from errors import InputError, SnapshotError, SpectrumError
from settings import Settings


def register(app: Dash, views: Views, settings: Settings, record: Record) -> None:
    """Fill the page, and act on its buttons."""

    @app.callback(
        Output(ids.DATA_BODY, "children"),
        Output(ids.DATA_POLL, "disabled"),
        Input(ids.URL, "search"),
        Input(ids.THEME, "data"),
        Input(ids.DATA_NEXT, "data"),
        Input(ids.DATA_POLL, "n_intervals"),
    )
    def show(search: str | None, _theme: object, _next: object, _polled: object) -> tuple[Any, Any]:
        asked = parse_qs(str(search or "").lstrip("?"))
        token, load = asked.get("upload", [""])[0], asked.get("load", [""])[0]
        try:
            if token:
                kept = Upload(settings, token)
                if ctx.triggered_id == ids.DATA_POLL and not kept.progress().running:
                    return no_update, no_update  # `ended` stops the clock first: an account takes longer than a tick
                return _upload(kept)
            if load:
                return _account(load), True
            loads = record.loads()
            below = data.listed(loads, settings.currency) if loads else data.nothing_loaded()
            return [data.drop_zone(settings.upload_mb), below], True
        except SpectrumError as error:
            return [html.P(html.A("← All loads", href="/data"), className="crumb"), empty("Not now", str(error))], True

    @app.callback(
        Output(ids.DATA_NEXT, "data", allow_duplicate=True),
        Output(ids.DATA_POLL, "disabled", allow_duplicate=True),
        Input(ids.DATA_POLL, "n_intervals"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    def ended(polled: int | None, search: str | None) -> tuple[Any, Any]:
        token = parse_qs(str(search or "").lstrip("?")).get("upload", [""])[0]
        try:
            running = bool(token) and Upload(settings, token).progress().running
        except SpectrumError:
            running = False
        return (no_update, no_update) if running else ({"go": None, "tick": polled}, True)

    def _upload(kept: Upload) -> tuple[Component, bool]:
        progress = kept.progress()
        if progress.running:
            return upload.loading(kept.name, progress), False
        if progress.load is not None:
            there = None if progress.fresh else html.P("Its content was loaded already.", className="notice")
            failure = html.P(progress.error, className="notice", role="alert") if progress.error else None
            return [there, failure, *_account(str(progress.load))], True
        failure = html.P(progress.error, className="notice", role="alert") if progress.error else None
        if kept.what == jobs.SAMPLE:
            return [failure, data.nothing_loaded()], True
        try:
            return [failure, *upload.understood(kept.name, kept.inspection())], True
        except InputError as error:
            return [failure, *upload.unreadable(kept.name, str(error))], True

    def _account(number: str) -> list[Component]:
        if not number.isascii() or not number.isdigit() or len(number) > 9:
            return [empty("There is no such load", "Go back to ", html.A("all loads", href="/data"), ".")]
        told = record.account(int(number))
        try:
            found = findings.of_load(views.snapshot(), told.load.load_id)
        except SnapshotError:
            found = []
        rejects = record.rejects(told.load.load_id, PREVIEWED)
        theme = as_theme(request.cookies.get("theme"))
        return list(data_account.account(told, found, rejects, settings.currency, theme))

    @app.callback(
        Output(ids.DATA_NEXT, "data"),
        Output(ids.DATA_SAID, "children"),
        Input(ids.data_action(ALL), "n_clicks"),
        State(ids.URL, "search"),
        State(ids.meaning(ALL), "value"),
        State(ids.meaning(ALL), "id"),
        State(ids.how(ALL), "value"),
        State(ids.how(ALL), "id"),
        prevent_initial_call=True,
    )
    def act(clicks: Any, search: Any, columns: Any, meanings: Any, values: Any, hows: Any) -> tuple[Any, Any]:
        pressed = ctx.triggered_id
        if not isinstance(pressed, Mapping) or not any(click for click in clicks or ()):
            return no_update, no_update
        try:
            if pressed.get("name") == "sample":
                sample = jobs.new(settings, jobs.SAMPLE)
                sample.start()
                return {"go": f"/data?upload={sample.token}"}, None
            kept = Upload(settings, parse_qs(str(search or "").lstrip("?")).get("upload", [""])[0])
            match pressed.get("name"):
                case "cancel":
                    kept.cancel()
                case "remove":
                    kept.cancel()
                    kept.remove()
                    return {"go": "/data"}, None
                case "look" | "load":
                    _reread(kept, _by_name(meanings, columns), _by_name(hows, values))
                    if pressed["name"] == "load":
                        kept.start()
        except SpectrumError as error:
            return no_update, html.P(str(error), className="notice")
        return {"go": None}, None


def _by_name(names: Any, values: Any) -> dict[str, Any]:
    if not isinstance(names, list) or not isinstance(values, list):
        return {}
    pairs = zip(names, values, strict=False)
    return {str(id_.get("name")): value for id_, value in pairs if isinstance(id_, dict)}


def _reread(kept: Upload, columns: Mapping[str, Any], how: Mapping[str, Any]) -> None:
    """Look at the file again where something else was chosen; what no control offers is left aside."""
    told = kept.inspection()
    if how.get("kind") in told["kinds"] and how["kind"] != told["kind"]:
        kept.inspect(how["kind"], None)
        return
    mapping = corrected(told, columns, how)
    if mapping != told["mapping"]:
        kept.inspect(told["kind"], mapping)


def corrected(told: Mapping[str, Any], columns: Mapping[str, Any], how: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping of an inspection with what was chosen instead."""
    there: Sequence[str] = [column["name"] for column in told["columns"]]
    mapping = dict(told["mapping"])
    mapping["columns"] = {name: columns[name] for name in told["meanings"] if columns.get(name) in there}
    mapping["constants"] = {name: value for name, value in told["constants"].items() if name not in mapping["columns"]}
    mapping["carried"] = [name for name in mapping.get("carried", ()) if name in mapping["columns"]]
    if how.get("day_first") in ("true", "false"):
        mapping["day_first"] = how["day_first"] == "true"
    else:
        mapping.pop("day_first", None)
    if how.get("decimals") in (".", ","):
        numbers = {part["meaning"] for part in told["numbers"]}
        mapping["decimals"] = dict.fromkeys(sorted(numbers & set(mapping["columns"])), how["decimals"])
    line = how.get("header_line")
    if isinstance(line, int) and line >= 1 and line != told["form"]["header_line"]:
        mapping["file"] = {**mapping.get("file", {}), "header_line": line}
    return {name: value for name, value in mapping.items() if value not in ([], {})}
