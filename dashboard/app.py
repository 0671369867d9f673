"""The only wiring: settings become an application."""

from dash import Dash

from dashboard import server, uploads
from dashboard.callbacks import register
from dashboard.guard import refuse_malformed
from dashboard.locales import known
from dashboard.shell import shell
from dashboard.theme import css
from dashboard.view import Views
from settings import Settings

_INDEX = """<!DOCTYPE html>
<html lang="en" data-separators="NUMBER_MARKS">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{%title%}</title>
<script>
(function () {
  var chosen = null;
  try { chosen = localStorage.getItem("theme"); } catch (e) {}
  var dark = matchMedia("(prefers-color-scheme: dark)").matches;
  var theme = chosen || (dark ? "dark" : "light");
  document.documentElement.setAttribute("data-bs-theme", theme);
  document.cookie = "theme=" + theme + "; path=/; SameSite=Lax";
})();
</script>
{%favicon%}
<link rel="stylesheet" href="/vendor/bootstrap.min.css">
<style>THEME_TOKENS</style>
{%css%}
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>
"""


def create_app(settings: Settings) -> Dash:
    """An application over the newest snapshot in `settings.data_dir`; several may live side by side."""
    views, locale = Views(settings), known(settings.locale)
    app = Dash(
        "shopper_spectrum",
        server=server.create_server(views, locale),
        assets_folder=str(server.ASSETS),
        title="Shopper Spectrum",
        update_title="",
        serve_locally=True,
        suppress_callback_exceptions=True,
        index_string=_INDEX.replace("THEME_TOKENS", css()).replace("NUMBER_MARKS", locale.separators),
        enable_mcp=False,
    )
    refuse_malformed(app)
    app.layout = lambda: shell(views)
    register(app, views, settings)
    uploads.register(app.server, settings)
    return app
