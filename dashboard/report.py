"""A page as a PDF: the application is served to a headless chromium, which prints it once all of it is there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe
from threading import Thread
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from werkzeug.serving import WSGIRequestHandler, make_server

from dashboard import devtools
from dashboard.app import create_app
from dashboard.pages import PAGES, match
from dashboard.view import Views
from db.filters import Filters
from errors import ConfigurationError, ReportError
from settings import Settings

_WIDTH = 703
"""Pixels of CSS between the margins of an A4 sheet (assets/print.css)."""
_NO_LINKS = "document.querySelectorAll('a[href]').forEach(a => a.removeAttribute('href'))"
"""They would lead to a server that is gone."""
_SECRETS = ("DATABASE_URL", "SPECTRUM_SECRET_KEY")
_FOOTER = (
    '<div style="width: 100%; padding: 0 12mm; font: 8px sans-serif; color: #667085; text-align: right">'
    'page <span class="pageNumber"></span> of <span class="totalPages"></span></div>'
)


def write_report(settings: Settings, page: str, query: str, out: Path) -> None:
    """Print a page under filters to a file, which is there whole or not at all.

    Raises ConfigurationError where the page, the query or the file cannot be, SnapshotError before the first load, and
    ReportError where there is no browser, nothing matches, or a part of the page fails.
    """
    address = _address(page, query)
    if out.is_dir() or not out.parent.is_dir():
        raise ConfigurationError(f"{out} is no file that can be written; give --out a file in a folder that exists.")
    chromium = devtools.find(settings.chromium)
    Views(settings).view("")
    environment = {name: value for name, value in settings.environment().items() if name not in _SECRETS}
    key = token_urlsafe(32)
    with _served(settings, key) as server, devtools.browser(chromium, environment) as browser:
        browser.say({"X-Spectrum-Report": key})
        browser.open(server + address, _WIDTH, "window.spectrumReport && window.spectrumReport()", _is_ready)
        browser.run(_NO_LINKS)
        printed = browser.pdf(_FOOTER)
    _write(printed, out)


def _address(page: str, query: str) -> str:
    """The canonical address; what the dashboard would leave out unsaid is refused, for the report would not say it."""
    found, _ = match(page)
    if found is None or found.record:
        there = ", ".join(page.path for page in PAGES if page.icon and not page.record)
        raise ConfigurationError(f"There is no page {page} to report on; choose one of {there}.")
    canonical = Filters.from_query(query).query()
    try:
        lost = sorted(set(parse_qs(query.lstrip("?"))) - set(parse_qs(canonical.lstrip("?"))))
    except ValueError:
        lost = [query]
    if lost or (query.strip("? ") and not canonical):
        what = ", ".join(lost) or query
        raise ConfigurationError(f"The query holds what is not understood ({what}); copy a link from the dashboard.")
    return page + canonical


def _is_ready(state: devtools.State) -> bool:
    if state["state"] == "nothing":
        raise ReportError(f"There is nothing to report: {state['words']}")
    if state["state"] == "failed":
        raise ReportError(f"A part of the page failed, so no report was written: {state['words']}")
    return state["state"] == "ready"


class _Quiet(WSGIRequestHandler):
    """Answers without a line for each request on the terminal."""

    def log_request(self, *_: Any) -> None:
        pass


@contextmanager
def _served(settings: Settings, key: str) -> Iterator[str]:
    """The address of the application on a free port of this machine; who has the key is let in."""
    server = make_server("127.0.0.1", 0, create_app(settings, key).server, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _write(content: bytes, out: Path) -> None:
    """Beside its place first, then into it."""
    beside = out.with_name(f".{out.name}.{uuid4().hex[:8]}")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(out)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ConfigurationError(f"{out} cannot be written ({error.strerror}).") from error
