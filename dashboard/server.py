"""The Flask server around the application: package files, health, downloads."""

import logging
import time
from pathlib import Path

import flask_bootstrap
from dash.exceptions import DependencyException
from flask import Flask, Response, g, request, send_from_directory
from flask_compress import Compress
from werkzeug.exceptions import HTTPException

from auth import limits, web
from dashboard import downloads, health, uploads
from dashboard.locales import LOCALE, known
from dashboard.logs import note_requests
from dashboard.noted import Noted
from dashboard.record import Record
from dashboard.reference import name_in, reference
from dashboard.theme import css
from dashboard.view import Views
from db.serving import REQUEST
from db.turns import ASKED
from settings import Settings

ASSETS = Path(__file__).parent / "assets"
_BOOTSTRAP = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5" / "css"
_log = logging.getLogger(__name__)


def create_server(settings: Settings, views: Views, record: Record, noted: Noted, report_key: str | None) -> Flask:
    """The server with its own routes, behind the gate of sign-in; Dash adds the rest."""
    server = Flask("shopper_spectrum", static_folder=None)
    locale = known(settings.locale)
    note_requests(server)

    @server.before_request
    def speak() -> None:
        g.locale = LOCALE.set(locale)
        ASKED.set(time.monotonic())
        REQUEST.set(reference())

    @server.teardown_request
    def fall_silent(_: BaseException | None) -> None:
        if "locale" in g:
            LOCALE.reset(g.pop("locale"))

    web.mount(server, settings, record.database, report_key)

    @server.get("/vendor/bootstrap.min.css")
    def bootstrap() -> Response:
        return send_from_directory(_BOOTSTRAP, "bootstrap.min.css", max_age=86_400)

    @server.get("/vendor/theme.css")
    def theme() -> Response:
        return Response(css(), mimetype="text/css", headers={"Cache-Control": "max-age=86400"})

    health.register(server, settings, views, record)
    downloads.register(server, views, noted)
    uploads.register(server, settings, noted)
    limits.apply(server)
    Compress(server)  # answers and package files; lists of customers are sent as they are

    @server.after_request
    def name(response: Response) -> Response:
        name_in(response)
        return response

    @server.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        if isinstance(error, HTTPException):
            return Response(f"{error.name}.\n", error.code, mimetype="text/plain")
        if isinstance(error, DependencyException):
            return Response("Not Found.\n", 404, mimetype="text/plain")
        _log.exception("%s failed (reference %s)", request.url_rule, reference())
        words = f"Something went wrong; the log has the cause under {reference()}.\n"
        return Response(words, 500, mimetype="text/plain")

    return server
