"""Another database as a source: the rows of one query, streamed in a transaction that only reads."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from errors import ConfigurationError, DatabaseError, InputError

Rows: TypeAlias = Iterator[Sequence[Any]]

_READS_ONLY = {
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}
_READS = re.compile(r"(?i)^(?:\s|\(|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*(?:SELECT|WITH)\b")
_AS_IT_STANDS = {"stream_results": True, "no_parameters": True}  # so that a % in it is but a %
_AT_ONCE = 10_000


def is_database(address: str) -> bool:
    """Whether SQLAlchemy has a dialect for this address."""
    try:
        _url(address).get_dialect()
    except (ConfigurationError, NoSuchModuleError):
        return False
    except ImportError:
        return True
    return True


def shown(address: str) -> str:
    """The address without the password and without options, which may hold secrets too."""
    url = _url(address)
    return URL.create(url.drivername, url.username, None, url.host, url.port, url.database).render_as_string()


@contextmanager
def selected(address: str, query: str) -> Iterator[tuple[list[str], Rows]]:
    """The names of the query's columns and its rows, which stream while the context lasts; nothing is ever written.

    The session is set to read only where the dialect knows how, and is rolled back in any case. Raises
    ConfigurationError where the address is none or its driver is missing, DatabaseError where the database cannot be
    reached, InputError where the query is no SELECT (ATTACH and VACUUM INTO write files in any session), the database
    refuses it, or it gives no rows to read.
    """
    engine = _engine(address)
    if not _READS.match(query):
        raise InputError(f"The query to {shown(address)} is no SELECT; write one SELECT that gives the rows.")
    try:
        connection = engine.connect()
    except SQLAlchemyError as error:
        said = _said(error, engine)
        raise DatabaseError(
            f"The database at {shown(address)} cannot be reached ({said}); check its address and password."
        ) from error
    with connection:  # which is rolled back as it is closed
        try:
            if (statement := _READS_ONLY.get(engine.dialect.name)) is not None:
                connection.exec_driver_sql(statement)
                connection.commit()
            result = connection.exec_driver_sql(query, execution_options=_AS_IT_STANDS)
            if not result.returns_rows:
                raise InputError(f"The query to {shown(address)} gives no rows; write one SELECT.")
            yield list(result.keys()), (row for part in result.partitions(_AT_ONCE) for row in part)
        except (SQLAlchemyError, ValueError) as error:  # drivers raise ValueError for a date before the year 1
            said = _said(error, engine)
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise DatabaseError(
                    f"The connection to the database at {shown(address)} was lost ({said}); load it again."
                ) from error
            raise InputError(
                f"The database at {shown(address)} refuses the query ({said}); write one SELECT that it understands."
            ) from error


def _engine(address: str) -> Engine:
    url = _url(address)
    file = url.database if url.get_backend_name() == "sqlite" else None
    if file and file != ":memory:" and not file.startswith("file:") and not Path(file).is_file():
        raise InputError(f"There is no SQLite file {file}; check the path.")  # SQLite would make an empty one
    try:
        return create_engine(url, poolclass=NullPool)
    except NoSuchModuleError as error:
        raise ConfigurationError(
            f"No database is known as {url.drivername}; write the address as postgresql://user:password@host/name."
        ) from error
    except ImportError as error:
        raise ConfigurationError(
            f"The driver {error.name} of {shown(address)} is not installed; install its package into .venv, "
            "or name another driver (mysql+pymysql://...)."
        ) from error
    except (SQLAlchemyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"The address {shown(address)} has options that do not fit; correct them.") from error


def _url(address: str) -> URL:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            "What is to be queried is no address of a database; write it as postgresql://user:password@host/name."
        ) from error
    return url.set(drivername="postgresql+psycopg2") if url.drivername in ("postgres", "postgresql") else url


def _said(error: Exception, engine: Engine) -> str:
    """The first line of what the server or the driver said, without the password."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    said = next(iter(str(cause).splitlines()), type(cause).__name__)
    password = engine.url.password
    return said.replace(password, "***") if password else said
