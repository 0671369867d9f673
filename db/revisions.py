"""The revisions of the schema, by Alembic: which there are, which one a database has, how it gets a newer one."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from errors import DatabaseError

VERSION_TABLE = "alembic_version"
_LOCK = 0x5350_4543  # any number, as long as every version takes the same
_CONFIG = {"script_location": str(Path(__file__).parent / "migrations")}


def known() -> list[str]:
    """Every revision this version knows, the oldest first; the last is its own."""
    scripts = ScriptDirectory.from_config(_config())
    return [script.revision for script in reversed(list(scripts.walk_revisions()))]


def applied(connection: Connection) -> str | None:
    """The revision of the database; None: it has no schema yet."""
    revision: str | None = MigrationContext.configure(connection).get_current_revision()
    return revision


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the schema up to a revision within the caller's transaction, one process at a time.

    Raises DatabaseError where the database is newer than this version.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    standing, revisions = applied(connection), known()
    if standing == (revisions[-1] if revision == "head" else revision):
        return
    if standing is not None and standing not in revisions:
        raise DatabaseError(
            f"The database has schema {standing}, which is newer than this version of Shopper Spectrum; "
            "install the version that wrote it, or point DATABASE_URL elsewhere."
        )
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _config() -> Config:
    config = Config()
    for name, value in _CONFIG.items():
        config.set_main_option(name, value)
    return config
