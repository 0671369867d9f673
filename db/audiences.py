"""Saved audiences: names for the filters of an address, kept in the record."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from db.engine import clear_errors
from db.schema import audience
from errors import InputError

LONGEST_NAME = 80
_LONGEST_QUERY = 8_000  # longer addresses no server takes
MOST = 200
"""So many are kept: each is counted when they are listed."""


@dataclass(frozen=True)
class Audience:
    """One saved audience; `query` is canonical (`db.filters.Filters`)."""

    audience_id: int
    name: str
    query: str
    saved_by: str
    saved_at: datetime


def saved(engine: Engine) -> list[Audience]:
    """All, by name. Raises DatabaseError."""
    with _in_record(engine, "the audiences were listed") as connection:
        rows = connection.execute(select(audience).order_by(func.lower(audience.c.name), audience.c.name)).mappings()
        return [Audience(**row) for row in rows]


def one(engine: Engine, audience_id: int) -> Audience | None:
    """One of them, or None. Raises DatabaseError."""
    with _in_record(engine, "an audience was read") as connection:
        row = connection.execute(select(audience).where(audience.c.audience_id == audience_id)).mappings().first()
        return None if row is None else Audience(**row)


def save(engine: Engine, name: str, query: str, saved_by: str) -> str:
    """Keep filters under a name; gives the name as it is kept. Raises InputError if it does not do, DatabaseError."""
    kept = _proper(name)
    if len(query) > _LONGEST_QUERY:
        raise InputError("These filters are too many to keep; remove some of them.")
    with _in_record(engine, "an audience was saved", kept) as connection:
        connection.execute(select(func.pg_advisory_xact_lock(0x4155_4449)))  # counted and added by one at a time
        if connection.execute(select(func.count()).select_from(audience)).scalar_one() >= MOST:
            raise InputError(f"{MOST} audiences are saved already; delete one that is not needed any more.")
        connection.execute(insert(audience).values(name=kept, query=query, saved_by=saved_by))
    return kept


def rename(engine: Engine, audience_id: int, name: str) -> str:
    """Call it otherwise; gives the name as it is kept. Raises InputError where that does not do, DatabaseError."""
    kept = _proper(name)
    with _in_record(engine, "an audience was renamed", kept) as connection:
        changed = connection.execute(update(audience).where(audience.c.audience_id == audience_id).values(name=kept))
        if not changed.rowcount:
            raise InputError("This audience is not there any more.")
    return kept


def remove(engine: Engine, audience_id: int) -> None:
    """Forget it; one that is gone already is as good. Raises DatabaseError."""
    with _in_record(engine, "an audience was deleted") as connection:
        connection.execute(delete(audience).where(audience.c.audience_id == audience_id))


def _proper(name: str) -> str:
    """On one line, without blanks around it and signs that cannot be seen."""
    kept = " ".join("".join(sign for sign in name if sign.isprintable() or sign.isspace()).split())
    if not kept:
        raise InputError("Give the audience a name.")
    if len(kept) > LONGEST_NAME:
        raise InputError(f"A name has at most {LONGEST_NAME} letters; this one has {len(kept)}.")
    return kept


@contextmanager
def _in_record(engine: Engine, happening: str, name: str = "") -> Iterator[Connection]:
    with clear_errors(happening, "try again when it is back"):
        try:
            with engine.begin() as connection:
                yield connection
        except IntegrityError as error:
            raise InputError(f"There is an audience called “{name}” already; choose another name.") from error
