"""From settings to a SQLAlchemy engine whose schema is the one this version knows."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from db import revisions
from db.embedded import embedded_url
from errors import ConfigurationError, DatabaseError
from settings import Settings

_SESSION = {"options": "-c timezone=UTC", "application_name": "shopper-spectrum"}
_IMPATIENT = {
    **_SESSION,
    "options": f"{_SESSION['options']} -c lock_timeout=3s -c statement_timeout=30s",
    "connect_timeout": 3,
}
_GIVEN_UP = (psycopg2.errors.LockNotAvailable, psycopg2.errors.QueryCanceled)


def database_url(settings: Settings, *, keep_running: bool = False) -> str:
    """The address in use, as any SQL client takes it; starts the embedded server where no DATABASE_URL is set."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return embedded_url(settings.data_dir, keep_running=keep_running)


def make_engine(settings: Settings, *, impatient: bool = False) -> Engine:
    """An engine on the database in use, migrated. Raises DatabaseError or ConfigurationError.

    What an `impatient` one asks for somebody who waits fails within seconds, not after as long as it takes.
    """
    engine = engine_as_it_is(settings, impatient=impatient)
    migrate(engine)
    return engine


def engine_as_it_is(settings: Settings, *, impatient: bool = False) -> Engine:
    """The same with the schema as it stands, or none. Raises ConfigurationError, DatabaseError."""
    try:
        url = make_url(database_url(settings))
    except ArgumentError as error:
        raise ConfigurationError(
            "DATABASE_URL is not an address; write it as postgresql://user:password@host:5432/name."
        ) from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigurationError(f"DATABASE_URL names {url.get_backend_name()}; Shopper Spectrum needs Postgres.")
    return engine_at(url, impatient=impatient)


def engine_at(url: URL, *, impatient: bool = False) -> Engine:
    """The same for an address that is known to be of Postgres."""
    driver = url.set(drivername="postgresql+psycopg2")
    session = _IMPATIENT if impatient else _SESSION
    return create_engine(driver, pool_pre_ping=True, connect_args=session, hide_parameters=True)


def migrate(engine: Engine) -> None:
    """Bring the schema up to this version, one process at a time; a newer database is refused."""
    try:
        with engine.begin() as connection:
            revisions.upgrade(connection)
    except OperationalError as error:
        if isinstance(error.orig, _GIVEN_UP):
            raise DatabaseError(f"The database takes too long ({_said(error)}); try again in a minute.") from error
        where = engine.url.render_as_string(hide_password=True)
        raise DatabaseError(
            f"The database at {where} cannot be reached ({_said(error)}); start it, or correct DATABASE_URL."
        ) from error
    except DBAPIError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise DatabaseError(
            f"The database at {where} does not take the schema ({_said(error)}); "
            "point DATABASE_URL at an empty database in which its user may create tables."
        ) from error


def schema_revision(engine: Engine) -> str:
    """The revision that the schema is of, which is this version's. Raises DatabaseError where it is another one."""
    with clear_errors("the schema was looked at", "nothing was changed"), engine.connect() as connection:
        applied = revisions.applied(connection)
    if applied is None or applied != revisions.known()[-1]:
        raise DatabaseError(
            f"The schema is {applied or 'none'}, not that of this version; run `python -m db migrate`, or start anew."
        )
    return applied


def ping(engine: Engine) -> None:
    """Raise DatabaseError where the database does not answer."""
    with clear_errors("it was asked for a sign of life", "start it, or wait until it is back"), engine.connect() as it:
        it.execute(text("SELECT 1"))


@contextmanager
def clear_errors(happening: str, advice: str) -> Iterator[None]:
    """A failure of the database becomes a DatabaseError: "The database failed while {happening} (...); {advice}."

    In brackets stands the first line of what the server or the driver said: what follows it are values and statements.
    One that an impatient engine did not wait for takes too long.
    """
    try:
        yield
    except (SQLAlchemyError, psycopg2.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        said = next(iter(str(cause).splitlines()), type(cause).__name__)
        failed = "takes too long" if isinstance(cause, _GIVEN_UP) else "failed"
        raise DatabaseError(f"The database {failed} while {happening} ({said}); {advice}.") from error


def _said(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())
