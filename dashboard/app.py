"""The only wiring: settings become an application."""

from dash import Dash

from dashboard import server
from dashboard.callbacks import register
from dashboard.guard import refuse_malformed
from dashboard.headers import protect
from dashboard.locales import known
from dashboard.noted import Noted
from dashboard.record import Record
from dashboard.shell import shell
from dashboard.view import Views
from db.serving import Database
from settings import Settings

_INDEX = """<!DOCTYPE html>
<html lang="en" data-separators="NUMBER_MARKS">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{%title%}</title>
<script src="/assets/theme.js"></script>
{%favicon%}
<link rel="stylesheet" href="/vendor/bootstrap.min.css">
<link rel="stylesheet" href="/vendor/theme.css">
{%css%}
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>
"""


def create_app(settings: Settings, report_key: str | None = None) -> Dash:
    """An application over the newest snapshot in `settings.data_dir`; several may live side by side. Who sends the
    `report_key` is taken for the operator."""
    views, record = Views(settings), Record(Database(settings))
    noted = Noted(settings, record)
    app = Dash(
        "shopper_spectrum",
        server=server.create_server(settings, views, record, noted, report_key),
        assets_folder=str(server.ASSETS),
        assets_ignore=r"^(theme\.js|users\.css)$",  # the page names the one itself, and does without the other
        title="Shopper Spectrum",
        update_title="",
        serve_locally=True,
        suppress_callback_exceptions=True,
        index_string=_INDEX.replace("NUMBER_MARKS", known(settings.locale).separators),
        enable_mcp=False,
    )
    refuse_malformed(app)
    app.layout = lambda: shell(views)
    register(app, views, settings, record, noted)
    protect(app, settings)
    return app
