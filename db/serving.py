"""Postgres as the dashboard reaches it while it serves: with the privileges that it needs and no others, never waiting
long, and anew after a failure."""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from db.engine import make_engine
from errors import DatabaseError
from settings import Settings

T = TypeVar("T")

ROLE = "spectrum_dashboard"
PRIVILEGES = {
    "load": "SELECT",
    "load_customer": "SELECT (load_id, customer_id)",
    "load_product": "SELECT (load_id, product_id)",
    "transaction_line": "SELECT (load_id, order_id, customer_id, product_id, ordered_at, amount)",
    "rejected_row": "SELECT",
    "model_run": "SELECT",
    "alembic_version": "SELECT",
    "audience": "SELECT, INSERT, UPDATE, DELETE",
    "app_user": "SELECT, INSERT, UPDATE",
    "sign_in_link": "SELECT, INSERT, DELETE",
    "audit_event": "SELECT, INSERT",
}
"""Table -> what the dashboard may do with it (lines: count those of a load); of all others nothing."""

REQUEST: ContextVar[str] = ContextVar("request", default="")
"""The reference of the request at hand, which the database's sessions carry in their name."""

_SECONDS = 5
_SLOW_SECONDS = 60
_limit: ContextVar[int] = ContextVar("limit", default=_SECONDS)
_GRANT_LOCK = 0x5350_4752
_log = logging.getLogger(__name__)


class Database:
    """Asks Postgres; connects when first asked, and anew after a failure."""

    def __init__(self, settings: Settings, seconds: int = _SECONDS) -> None:
        self._settings = settings
        self._seconds = seconds
        self._engine: Engine | None = None
        self._lock = Lock()

    def ask(self, question: Callable[[Engine], T], *, is_slow: bool = False) -> T:
        """The answer to a question. Raises DatabaseError while Postgres is away, or takes longer than five seconds a
        statement (a slow one: a minute)."""
        engine = self._connected()
        limit = _limit.set(_SLOW_SECONDS if is_slow else self._seconds)
        try:
            return question(engine)
        except DatabaseError:
            engine.dispose()
            with self._lock:
                if self._engine is engine:
                    self._engine = None
            raise
        finally:
            _limit.reset(limit)

    def _connected(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = _engine(self._settings)
            return self._engine


def _engine(settings: Settings) -> Engine:
    owner = make_engine(settings)
    has_role = _grant(owner)
    if not has_role:
        _log.warning("The database's user may not make the role %s; the dashboard serves with all its rights.", ROLE)

    @event.listens_for(owner, "connect")
    def limit(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{_SECONDS}s'")
            if has_role:
                cursor.execute(f"SET ROLE {ROLE}")
        connection.commit()

    @event.listens_for(owner, "begin")
    def name(connection: Any) -> None:
        connection.exec_driver_sql(
            "SELECT set_config('application_name', %s, true), set_config('statement_timeout', %s, true)",
            (f"shopper-spectrum {REQUEST.get()}".strip(), f"{_limit.get()}s"),
        )

    owner.dispose()  # what was opened as the owner is not served with
    return owner


def _grant(owner: Engine) -> bool:
    """Give the role what it may do, and nothing else; False where this user may not make one."""
    try:
        with owner.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _GRANT_LOCK})
            connection.execute(
                text(f"""
                DO $$ BEGIN
                    CREATE ROLE {ROLE} NOLOGIN;
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
                END $$
            """)
            )
            connection.execute(text(f"GRANT {ROLE} TO CURRENT_USER"))
            connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {ROLE}"))
            connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {ROLE}"))
            for table, privileges in PRIVILEGES.items():
                connection.execute(text(f"GRANT {privileges} ON {table} TO {ROLE}"))
    except SQLAlchemyError:
        _log.debug("no role to serve as", exc_info=True)
        return False
    return True
