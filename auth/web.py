"""All of it, mounted on the dashboard's server."""

from urllib.parse import urlsplit

from flask import Flask, request
from flask_wtf.csrf import generate_csrf, validate_csrf
from jinja2 import PackageLoader
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response
from wtforms import ValidationError

from auth import admin, gate, pages, provider, sessions
from auth.gate import refused
from auth.sessions import Known
from db.serving import Database
from settings import Settings

_COOKIE = "_csrf_token"
"""The cookie that Dash's own requests, and ours, say again in a header."""


def mount(server: Flask, settings: Settings, database: Database, report_key: str | None) -> None:
    """Put the gate before every request, tokens into every form, and the pages of sign-in where they belong."""
    server.jinja_loader = PackageLoader("auth")
    server.config["WTF_CSRF_TIME_LIMIT"] = None  # it lasts as long as the session that it is of
    server.jinja_env.globals["csrf_token"] = generate_csrf
    if settings.public_url:
        server.wsgi_app = ProxyFix(server.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    known = Known(database)
    sessions.manage(server, settings, known, report_key)
    gate.stand_before(server, settings)
    _ask_for_tokens(server)
    pages.register(server, database, known, provider.name(settings))
    admin.register(server, database, known, settings.public_url)
    provider.register(server, settings, database, known)

    @server.after_request
    def hand_out(response: Response) -> Response:
        """A page gets the token that its scripts send back; another one where the session is another."""
        if response.mimetype == "text/html" and request.method == "GET":
            secure = settings.public_url != ""
            response.set_cookie(_COOKIE, generate_csrf(), secure=secure, samesite="Strict")
        return response


def _ask_for_tokens(server: Flask) -> None:
    """Refuse what changes something unless it brings the token of its session, and was sent by a page of ours."""

    @server.before_request
    def check() -> Response | None:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return None
        token = request.headers.get("X-CSRFToken")
        if token is None and request.mimetype == "application/x-www-form-urlencoded":
            token = request.form.get("csrf_token")
        try:
            validate_csrf(token)
        except ValidationError:
            return refused("Load the page again", "The page is older than your session; load it again.")
        origin = request.headers.get("Origin")
        is_ours = origin is None or urlsplit(origin).netloc == request.host
        if not is_ours or request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return refused("Not from here", "Only the pages of this dashboard may ask for this.")
        return None
