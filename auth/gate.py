"""The gate before every request: whose name it was sent to, who sends it, and what the table of permissions says."""

from urllib.parse import quote, urlsplit

from flask import Flask, Response, jsonify, make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from auth.frame import message, viewer
from permissions import ROUTES, Right, Viewer
from settings import Settings

_OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
_WITHOUT_NAME = ("/health/live", "/health/ready", "/metrics")
"""Routes that are asked by monitors of the same network, under whatever name they know."""
_MACHINES = ("/_dash-", "/download/", "/upload", "/_reload-hash")
"""Where scripts of our pages ask: they are told, not led elsewhere."""


def stand_before(server: Flask, settings: Settings) -> None:
    """Refuse what the table does not allow, before anything else sees it."""
    names = {urlsplit(settings.public_url).netloc} if settings.public_url else None

    @server.before_request
    def check() -> AnyResponse | None:
        if request.path not in _WITHOUT_NAME and not _is_ours(request.host, names):
            return Response("This dashboard is not served under this name.\n", 421, mimetype="text/plain")
        rule = request.url_rule.rule if request.url_rule else None
        right = ROUTES.get(rule) if rule else Right.TOTALS  # what is nowhere is told to be so only to who is in
        who = viewer()
        if who.may(right):
            return None
        return _turned_away() if who.role is None else _refused(who)


def safe_target(target: str | None) -> str:
    """Where to go on after sign-in: a path of this server, else the first page."""
    target = target or "/"
    parts = urlsplit(target)
    is_path = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return target if is_path and target.isprintable() and "\\" not in target else "/"


def _is_ours(host: str, names: set[str] | None) -> bool:
    if names is not None:
        return host in names
    return host.rpartition(":")[0] in _OWN_NAMES or host in _OWN_NAMES


def refused(title: str, sentence: str, status: int = 403) -> AnyResponse:
    """Why something is refused: to a script as JSON, to who reads it as a page."""
    if request.path.startswith(_MACHINES):
        reply = jsonify(error=sentence)
        reply.status_code = status
        return reply
    return make_response(message(title, sentence, status))


def _turned_away() -> AnyResponse:
    if request.path.startswith(_MACHINES) or request.method not in ("GET", "HEAD"):
        return refused("Sign in", "Your session has ended; sign in again.", 401)
    asked = safe_target(request.full_path.rstrip("?"))
    return redirect(f"/sign-in?next={quote(asked, safe='/')}" if asked != "/" else "/sign-in", 303)


def _refused(who: Viewer) -> AnyResponse:
    return refused("This is not for you", f"This is not for your account ({who.role}); ask an admin of the dashboard.")
