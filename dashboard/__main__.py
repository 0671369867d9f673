"""python -m dashboard: serve the newest snapshot with gunicorn's threads, or print a page of it."""

import socket
from pathlib import Path
from typing import Annotated, Any

import typer
from gunicorn.app.base import BaseApplication

from console import complaints, console, says_errors
from dashboard import logs
from dashboard.app import create_app
from dashboard.locales import known
from dashboard.report import write_report
from db.embedded import release
from db.engine import make_engine
from db.snapshot import newest_version, refresh
from db.users import first_link, link_address
from errors import ConfigurationError, DatabaseError, SnapshotError
from settings import Settings, load_settings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn carries no types
    """Gunicorn with our application and settings, and none of its own command line."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": self._settings.threads,
            "timeout": 120,
            "limit_request_line": 8190,  # filters with many values make long addresses
            "graceful_timeout": 5,
            "loglevel": "warning",
            "control_socket_disable": True,
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        return create_app(self._settings).server


@app.callback(invoke_without_command=True)
def serve(context: typer.Context) -> None:
    """Serve the dashboard until Ctrl-C, or print a report."""
    if context.invoked_subcommand is None:
        _serve()


@app.command()
@says_errors
def report(
    out: Annotated[Path, typer.Option(help="The PDF to write; one that is there is replaced.")],
    query: Annotated[str, typer.Option(help="The filters, as they stand in an address: '?from=2011-09-01'.")] = "",
    page: Annotated[str, typer.Option(help="The address of the page.")] = "/",
) -> None:
    """Print a page of the newest snapshot as a PDF (A4), which needs a chromium."""
    settings = load_settings()
    _bring_up_to_date(settings)
    write_report(settings, page, query, out)
    console.print(f"{out} holds the report.", markup=False)


@says_errors
def _serve() -> None:
    settings = load_settings()
    logs.set_up(settings.logs)
    known(settings.locale)  # or the server's own process would end with a traceback
    _refuse_taken_port(settings)
    link = _first_link(settings)
    _bring_up_to_date(settings)
    console.print(f"Shopper Spectrum is at [bold]{settings.address}[/] (Ctrl-C ends it).")
    if link is not None:
        console.print("Nobody has a password yet. This lets you in, once, as its owner:")
        console.print(f"[bold]{link_address(settings, link)}[/]")
    _Server(settings).run()


def _first_link(settings: Settings) -> str | None:
    """What stands in the link of the first user, where nobody else can come in."""
    try:
        engine = make_engine(settings)
        link = None if settings.oidc_issuer else first_link(engine)
        engine.dispose()
    except DatabaseError:
        return None
    return link


def _bring_up_to_date(settings: Settings) -> None:
    """The snapshot may be behind a database that others load into; where it cannot follow, the last one is served."""
    try:
        engine = make_engine(settings)
        refresh(engine, settings.data_dir)
        engine.dispose()
    except (DatabaseError, SnapshotError) as error:
        if newest_version(settings.data_dir) is None:
            raise
        complaints.print(f"[yellow]The last snapshot is served as it is.[/] {error}")
    release(settings.data_dir)


def _refuse_taken_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigurationError(
                f"Nothing can listen on {settings.host}:{settings.port} ({error.strerror}); if the dashboard already "
                "runs there, open it, else choose another with SPECTRUM_PORT."
            ) from error


if __name__ == "__main__":
    app()
