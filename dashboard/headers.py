"""What every answer tells the browser to keep to: nothing from elsewhere, no script but ours, nothing kept."""

from dash import Dash
from flask import Response, request

from settings import Settings

_KEPT = ("/assets/", "/vendor/", "/_dash-component-suites/", "/_favicon.ico")
"""What is the same for everybody, and may be kept."""
_POLICY = {
    "default-src": "'none'",
    "connect-src": "'self'",
    "font-src": "'self' data:",
    "img-src": "'self' data: blob:",
    "manifest-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # plotly and the grid set styles as they draw
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


def protect(app: Dash, settings: Settings) -> None:
    """Set the headers of every answer. Scripts: our files, and Dash's own starting line by its hash."""
    scripts: list[str] = []
    """The hashes, once known: Dash has them only when all callbacks are registered."""

    @app.server.after_request  # type: ignore[untyped-decorator]  # the server comes as Any
    def set_headers(response: Response) -> Response:
        if not scripts:
            scripts.extend(app.csp_hashes())
        sources = " ".join(["'self'", *scripts])
        rules = [*(f"{what} {where}" for what, where in _POLICY.items()), f"script-src {sources}"]
        response.headers["Content-Security-Policy"] = "; ".join(rules)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if settings.public_url:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if not request.path.startswith(_KEPT):
            response.headers["Cache-Control"] = "no-store"
        return response
