"""The record itself, for what must be live: the loads and the saved audiences. All else reads the snapshot."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from itertools import islice
from typing import TypeVar

from sqlalchemy import Engine

from db import accounts, audiences, rejects
from db.accounts import Account, Load
from db.audiences import Audience
from db.engine import make_engine, ping
from db.rejects import Reject
from errors import DatabaseError
from settings import Settings

T = TypeVar("T")

_GLANCE, _SOON, _LATER = 0.5, 5.0, 35.0
"""Seconds that a page waits: for whether Postgres is there, for few rows, for the sums of a load's lines."""
_AGAIN_SECONDS = 5.0
_AT_ONCE = 8


class Record:
    """Reads what Postgres says of loads; connects when first asked, and anew after a failure.

    A question is put by a thread of its own and given up after a while: a Postgres that hangs holds no page.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine: Engine | None = None
        self._free = threading.BoundedSemaphore(_AT_ONCE)
        self._looking = threading.Lock()
        self._looked = -_AGAIN_SECONDS
        self._away = False

    def loads(self) -> list[Load]:
        """All loads, the newest first. Raises DatabaseError while Postgres is away."""
        return self._ask(accounts.all_loads)

    def account(self, load_id: int) -> Account:
        """The account of a load. Raises ConfigurationError where there is none, DatabaseError."""
        return self._ask(lambda engine: accounts.report(engine, load_id), _LATER)

    def rejects(self, load_id: int, most: int) -> list[Reject]:
        """The first rejected rows of a load. Raises DatabaseError."""
        return self._ask(lambda engine: list(islice(rejects.rejects(engine, load_id), most)), _LATER)

    def audiences(self) -> list[Audience]:
        """The saved audiences by name. Raises DatabaseError."""
        return self._ask(audiences.saved)

    def audience(self, audience_id: int) -> Audience | None:
        """One of them, or None. Raises DatabaseError."""
        return self._ask(lambda engine: audiences.one(engine, audience_id))

    def save_audience(self, name: str, query: str, user: str) -> str:
        """Keep filters under a name. Raises InputError where that does not do, DatabaseError."""
        return self._ask(lambda engine: audiences.save(engine, name, query, user))

    def rename_audience(self, audience_id: int, name: str) -> str:
        """Call it otherwise. Raises the same."""
        return self._ask(lambda engine: audiences.rename(engine, audience_id, name))

    def remove_audience(self, audience_id: int) -> None:
        """Forget it. Raises DatabaseError."""
        self._ask(lambda engine: audiences.remove(engine, audience_id))

    def is_away(self) -> bool:
        """Whether Postgres was away when it was last asked, which is at most every few seconds.

        The embedded server is away whenever nobody uses it, and comes when it is asked: it is never said to be away.
        """
        if self._settings.database_url is None:
            return False
        if time.monotonic() - self._looked > _AGAIN_SECONDS and self._looking.acquire(blocking=False):
            looking = threading.Thread(target=self._look, name="record-look", daemon=True)
            looking.start()
            looking.join(_GLANCE)
        return self._away

    def _look(self) -> None:
        try:
            self._ask(ping)
            self._away = False
        except DatabaseError:
            self._away = True
        finally:
            self._looked = time.monotonic()
            self._looking.release()

    def _ask(self, question: Callable[[Engine], T], patience: float = _SOON) -> T:
        answer: Future[T] = Future()
        too_long = DatabaseError("The database takes too long to answer; try again in a minute.")
        if not self._free.acquire(timeout=_GLANCE):
            raise too_long
        threading.Thread(target=self._put, args=(question, answer), name="record", daemon=True).start()
        try:
            return answer.result(patience)
        except TimeoutError:
            raise too_long from None

    def _put(self, question: Callable[[Engine], T], answer: Future[T]) -> None:
        try:
            answer.set_result(self._answer(question))
        except BaseException as error:  # it is the page that must hear of it
            answer.set_exception(error)
        finally:
            self._free.release()

    def _answer(self, question: Callable[[Engine], T]) -> T:
        engine = self._engine or make_engine(self._settings, impatient=True)
        self._engine = engine
        try:
            return question(engine)
        except DatabaseError:
            engine.dispose()
            self._engine = None
            raise
