"""The users in the record: found at sign-in, locked out after failures, changed by whoever may."""

import hashlib
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from db.engine import clear_errors
from db.user_schema import app_user, sign_in_link
from errors import InputError
from permissions import Role, Viewer
from settings import Settings

MOST_FAILURES = 5
LOCKED = timedelta(minutes=15)
LINK_LASTS = timedelta(hours=24)
LINK = "/sign-in/link/"
"""Where the dashboard takes links; what stands in one follows."""
FIRST = "owner"
"""The user that is made where there is none."""
LONGEST_NAME = 100
_NAME = re.compile(rf"[a-z0-9][a-z0-9._@+-]{{0,{LONGEST_NAME - 1}}}")


@dataclass(frozen=True)
class User:
    """One user as the record has them."""

    user_id: int
    name: str
    role: Role
    countries: tuple[str, ...]
    session_key: str
    password_hash: str | None
    failures: int
    locked_until: datetime | None
    disabled_at: datetime | None
    signed_in_at: datetime | None
    created_at: datetime

    @property
    def viewer(self) -> Viewer:
        """What the permissions know of them."""
        return Viewer(self.name, self.role, self.countries)


def users(engine: Engine) -> list[User]:
    """All of them by name."""
    with _asking(engine) as connection:
        return [_user(row._mapping) for row in connection.execute(select(app_user).order_by(app_user.c.name))]


def by_name(engine: Engine, name: str) -> User | None:
    """Who has a name, in whatever case it is written."""
    return _one(engine, app_user.c.name == name.strip().lower())


def by_id(engine: Engine, user_id: int) -> User | None:
    """Who has a number."""
    return _one(engine, app_user.c.user_id == user_id)


def add(engine: Engine, name: str, role: Role, password_hash: str | None = None, countries: Sequence[str] = ()) -> User:
    """A new user. Raises InputError where the name will not do or is taken."""
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} is no name for a user; write up to 100 letters, digits and . _ @ + -, as in an e-mail address."
        )
    row = {
        "name": name,
        "role": role.value,
        "password_hash": password_hash,
        "countries": list(countries),
        "session_key": _key(),
    }
    try:
        with engine.begin() as connection:
            made = connection.execute(insert(app_user).values(row).returning(app_user)).one()
    except IntegrityError as error:
        raise InputError(
            f"There is a user {name} already; `python -m auth role {name} ROLE` changes the role."
        ) from error
    return _user(made._mapping)


def change_role(engine: Engine, user: User, role: Role, countries: Sequence[str]) -> None:
    """Another role, other countries; all of the user's sessions end. Raises InputError for the last admin's."""
    with _changing(engine) as connection:
        if role is not Role.ADMIN or countries:
            _keep_an_admin(connection, user)
        _set(connection, user, role=role.value, countries=list(countries), session_key=_key())


def change_password(engine: Engine, user: User, password_hash: str) -> str:
    """Another password; unlocks, and ends all sessions: gives the key of those that begin now."""
    key = _key()
    with _changing(engine) as connection:
        _set(connection, user, password_hash=password_hash, session_key=key, failures=0, locked_until=None)
        connection.execute(delete(sign_in_link).where(sign_in_link.c.user_id == user.user_id))
    return key


def disable(engine: Engine, user: User) -> None:
    """Let a user in no more, from now on. Raises InputError for the last admin."""
    with _changing(engine) as connection:
        _keep_an_admin(connection, user)
        _set(connection, user, disabled_at=func.now(), session_key=_key())
        connection.execute(delete(sign_in_link).where(sign_in_link.c.user_id == user.user_id))


def enable(engine: Engine, user: User) -> None:
    """Let a user in again, and forget the failures."""
    with _changing(engine) as connection:
        _set(connection, user, disabled_at=None, failures=0, locked_until=None)


def begin_trial(engine: Engine, name: str) -> tuple[User, bool] | None:
    """Who has the name and whether a password may be tried now; None where nobody has it.

    The try counts as a failure until `succeed` says otherwise: those who try at once cannot have more tries than there
    are.
    """
    with _changing(engine) as connection:
        found = connection.execute(
            select(app_user, func.now().label("moment"))
            .where(app_user.c.name == name.strip().lower(), app_user.c.disabled_at.is_(None))
            .with_for_update()
        ).one_or_none()
        if found is None:
            return None
        user = _user(found._mapping)
        if user.locked_until is not None and user.locked_until > found.moment:
            return user, False
        failures = user.failures % MOST_FAILURES + 1
        until = found.moment + LOCKED if failures >= MOST_FAILURES else None
        _set(connection, user, failures=failures, locked_until=until)
    return user, True


def succeed(engine: Engine, user: User) -> None:
    """Note a sign-in."""
    with _changing(engine) as connection:
        _set(connection, user, failures=0, locked_until=None, signed_in_at=func.now())


def make_link(engine: Engine, user: User, lasts: timedelta = LINK_LASTS) -> str:
    """What stands in a link that lets the user in once; the user's links of before are void."""
    token = secrets.token_urlsafe(32)
    with _changing(engine) as connection:
        connection.execute(delete(sign_in_link).where(sign_in_link.c.user_id == user.user_id))
        row = {"token_sha256": _digest(token), "user_id": user.user_id, "expires_at": func.now() + lasts}
        connection.execute(insert(sign_in_link).values(row))
    return token


def first_link(engine: Engine) -> str | None:
    """What stands in a link for the first admin, who is made where there is nobody; None once there is another user,
    or the first one has a password."""
    with _changing(engine) as connection:
        connection.execute(text("LOCK TABLE app_user IN SHARE ROW EXCLUSIVE MODE"))
        there = connection.execute(select(app_user).where(app_user.c.disabled_at.is_(None))).all()
    if any(row.password_hash or row.name != FIRST for row in there):
        return None
    owner = _user(there[0]._mapping) if there else add(engine, FIRST, Role.ADMIN)
    return make_link(engine, owner)


def link_address(settings: Settings, token: str) -> str:
    """The address of such a link."""
    return f"{settings.address}{LINK}{token}"


def take_link(engine: Engine, token: str) -> User | None:
    """Who a link lets in; it is void from then on. None where it is unknown, void or too old."""
    with _changing(engine) as connection:
        taken = connection.execute(
            delete(sign_in_link)
            .where(sign_in_link.c.token_sha256 == _digest(token), sign_in_link.c.expires_at > func.now())
            .returning(sign_in_link.c.user_id)
        ).scalar()
        if taken is None:
            return None
        where = app_user.c.user_id == taken, app_user.c.disabled_at.is_(None)
        noted = update(app_user).where(*where).values(signed_in_at=func.now()).returning(app_user)
        found = connection.execute(noted).one_or_none()
        return None if found is None else _user(found._mapping)


def _keep_an_admin(connection: Connection, user: User) -> None:
    """Raises InputError where nobody else would be left who can let others in."""
    connection.execute(text("LOCK TABLE app_user IN SHARE ROW EXCLUSIVE MODE"))
    admins = select(app_user.c.user_id).where(
        app_user.c.role == Role.ADMIN.value, app_user.c.disabled_at.is_(None), app_user.c.countries == []
    )
    if connection.execute(admins).scalars().all() == [user.user_id]:
        raise InputError(f"{user.name} is the last admin; make another one first (`python -m auth add NAME admin`).")


def _set(connection: Connection, user: User, **values: object) -> None:
    connection.execute(update(app_user).where(app_user.c.user_id == user.user_id).values(**values))


def _one(engine: Engine, condition: ColumnElement[bool]) -> User | None:
    with _asking(engine) as connection:
        row = connection.execute(select(app_user).where(condition)).one_or_none()
    return None if row is None else _user(row._mapping)


def _user(row: RowMapping) -> User:
    told = {name: row[name] for name in User.__dataclass_fields__}
    return User(**{**told, "role": Role(told["role"]), "countries": tuple(told["countries"])})


@contextmanager
def _asking(engine: Engine) -> Iterator[Connection]:
    with clear_errors("the users were asked for", "nothing was changed"), engine.connect() as connection:
        yield connection


@contextmanager
def _changing(engine: Engine) -> Iterator[Connection]:
    with clear_errors("a user was changed", "nothing was changed"), engine.begin() as connection:
        yield connection


def _key() -> str:
    return secrets.token_urlsafe(16)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
