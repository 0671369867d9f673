"""Postgres as the dashboard reaches it while it serves: with the privileges that it needs and no others, never waiting
long, and anew after a failure."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import ContextVar, copy_context
from functools import partial
from threading import BoundedSemaphore, Lock, Thread
from typing import Any, TypeVar

from sqlalchemy import Engine, event

from db.engine import make_engine, ping
from db.role import dashboard_engine
from db.secret import DATABASE, secret
from errors import DatabaseError
from settings import Settings

T = TypeVar("T")

REQUEST: ContextVar[str] = ContextVar("request", default="")
"""The reference of the request at hand, which the database's sessions carry in their name."""

_SECONDS = 5
_SLOW_SECONDS = 60
_GLANCE, _AGAIN_SECONDS = 0.5, 5.0
_AT_ONCE = 8
_limit: ContextVar[int] = ContextVar("limit", default=_SECONDS)


class Database:
    """Asks Postgres; connects when first asked, and anew after a failure.

    A question is put by a thread of its own and given up after a while: a Postgres that hangs holds no page.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine: Engine | None = None
        self._lock = Lock()
        self._free = BoundedSemaphore(_AT_ONCE)
        self._looking = Lock()
        self._looked = -_AGAIN_SECONDS
        self._away = False

    def ask(self, question: Callable[[Engine], T], *, is_slow: bool = False) -> T:
        """The answer to a question. Raises DatabaseError while Postgres is away, or takes longer than five seconds a
        statement (a slow one: a minute)."""
        seconds = _SLOW_SECONDS if is_slow else _SECONDS
        too_long = DatabaseError("The database takes too long to answer; try again in a minute.")
        if not self._free.acquire(timeout=_GLANCE):
            raise too_long
        answer: Future[T] = Future()
        limit = _limit.set(seconds)
        try:
            put = partial(copy_context().run, self._put, question, answer)
            Thread(target=put, name="record", daemon=True).start()
            return answer.result(seconds + 1)
        except TimeoutError:
            raise too_long from None
        finally:
            _limit.reset(limit)

    def is_away(self) -> bool:
        """Whether Postgres was away when it was last asked, which is at most every few seconds.

        The embedded server is away whenever nobody uses it, and comes when it is asked: it is never said to be away.
        """
        if self._settings.database_url is None:
            return False
        if time.monotonic() - self._looked > _AGAIN_SECONDS and self._looking.acquire(blocking=False):
            looking = Thread(target=self._look, name="record-look", daemon=True)
            looking.start()
            looking.join(_GLANCE)
        return self._away

    def _look(self) -> None:
        try:
            self.ask(ping)
            self._away = False
        except DatabaseError:
            self._away = True
        finally:
            self._looked = time.monotonic()
            self._looking.release()

    def _put(self, question: Callable[[Engine], T], answer: "Future[T]") -> None:
        try:
            answer.set_result(self._answer(question))
        except BaseException as error:  # it is the page that must hear of it
            answer.set_exception(error)
        finally:
            self._free.release()

    def _answer(self, question: Callable[[Engine], T]) -> T:
        engine = self._connected()
        try:
            return question(engine)
        except DatabaseError:
            engine.dispose()
            with self._lock:
                if self._engine is engine:
                    self._engine = None
            raise

    def _connected(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = _engine(self._settings)
            return self._engine


def _engine(settings: Settings) -> Engine:
    served = dashboard_engine(make_engine(settings, impatient=True), secret(settings, DATABASE).hex())

    @event.listens_for(served, "begin")
    def name(connection: Any) -> None:
        connection.exec_driver_sql(
            "SELECT set_config('application_name', %s, true), set_config('statement_timeout', %s, true)",
            (f"shopper-spectrum {REQUEST.get()}".strip(), f"{_limit.get()}s"),
        )

    return served
