"""Sessions: a signed cookie names the user and the key it began under; the record says whether both still stand."""

import hmac
import time
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

from flask import Flask, Request, session
from flask_login import LoginManager, UserMixin, login_user

from db import users
from db.secret import SESSIONS, secret
from db.serving import Database
from db.users import User
from errors import DatabaseError
from permissions import OPERATOR, Viewer
from settings import Settings

_FRESH_SECONDS = 5.0
_STALE_SECONDS = 15 * 60.0
_BEGAN = "began"


@dataclass
class SignedIn(UserMixin):  # type: ignore[misc]  # flask-login carries no types
    """The user of a request, as flask-login and `dashboard.who` see them."""

    viewer: Viewer
    key: str

    def get_id(self) -> str:
        """What the cookie carries: the number and the key, neither of which is a name."""
        return self.key


class Known:
    """The users of late, so that not every request asks Postgres, and who is in stays in while it is away for a while.

    A role that changes, or a user who is shut out, is noticed within five seconds.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._of: dict[int, tuple[float, User | None]] = {}
        self._failed_at = float("-inf")
        self._lock = Lock()

    def user(self, user_id: int) -> User | None:
        """Who has the number; None where nobody has, or it cannot be told."""
        now = time.monotonic()
        with self._lock:
            asked_at, found = self._of.get(user_id, (float("-inf"), None))
        if now - asked_at < _FRESH_SECONDS:
            return found
        if now - self._failed_at < _FRESH_SECONDS:  # nobody else waits for a database that hangs
            return found if now - asked_at < _STALE_SECONDS else None
        try:
            found = self._database.ask(lambda engine: users.by_id(engine, user_id))
        except DatabaseError:
            self._failed_at = time.monotonic()
            return found if now - asked_at < _STALE_SECONDS else None
        with self._lock:
            self._of[user_id] = now, found
        return found

    def forget(self) -> None:
        """Ask anew."""
        with self._lock:
            self._of.clear()


def manage(server: Flask, settings: Settings, known: Known, report_key: str | None) -> None:
    """Let flask-login find the user of each request. With a `report_key` whoever sends it is the operator: the browser
    that prints a report."""
    server.secret_key = secret(settings, SESSIONS)
    lifetime = timedelta(hours=settings.session_hours)
    is_https = settings.public_url != ""
    server.config.update(
        SESSION_COOKIE_NAME="__Host-spectrum" if is_https else "spectrum",
        SESSION_COOKIE_SECURE=is_https,  # without a public address only this machine's own names are answered
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=lifetime,
        SESSION_REFRESH_EACH_REQUEST=False,
        REMEMBER_COOKIE_DURATION=timedelta(0),
    )
    manager = LoginManager(server)
    manager.session_protection = None  # an address changes on a phone; the key in the record ends a session

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(key: str) -> SignedIn | None:
        began = session.get(_BEGAN)
        if not isinstance(began, int | float) or not 0 <= time.time() - began <= lifetime.total_seconds():
            return None
        number, _, _ = key.partition(".")
        user = known.user(int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else None
        if user is None or user.disabled_at is not None or not hmac.compare_digest(_key(user), key):
            return None
        return SignedIn(user.viewer, key)

    @manager.request_loader  # type: ignore[untyped-decorator]
    def of_report(request: Request) -> SignedIn | None:
        sent = request.headers.get("X-Spectrum-Report", "")
        if report_key is None or not hmac.compare_digest(sent.encode(), report_key.encode()):
            return None
        return SignedIn(OPERATOR, "")


def begin(user: User) -> None:
    """A session of its own for the user: nothing of what was before stays in the cookie."""
    session.clear()
    session.permanent = True
    session[_BEGAN] = time.time()
    login_user(SignedIn(user.viewer, _key(user)))


def _key(user: User) -> str:
    return f"{user.user_id}.{user.session_key}"


def end() -> None:
    """Leave nothing of the session in the cookie."""
    session.clear()
