"""The record itself, for what must be live: the loads. All else reads the snapshot."""

from collections.abc import Callable
from itertools import islice
from typing import TypeVar

from sqlalchemy import Engine

from db import accounts, rejects
from db.accounts import Account, Load
from db.engine import make_engine
from db.rejects import Reject
from errors import DatabaseError
from settings import Settings

T = TypeVar("T")


class Record:
    """Reads what Postgres says of loads; connects when first asked, and anew after a failure."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine: Engine | None = None

    def loads(self) -> list[Load]:
        """All loads, the newest first. Raises DatabaseError while Postgres is away."""
        return self._ask(accounts.all_loads)

    def account(self, load_id: int) -> Account:
        """The account of a load. Raises ConfigurationError where there is none, DatabaseError."""
        return self._ask(lambda engine: accounts.report(engine, load_id))

    def rejects(self, load_id: int, most: int) -> list[Reject]:
        """The first rejected rows of a load. Raises DatabaseError."""
        return self._ask(lambda engine: list(islice(rejects.rejects(engine, load_id), most)))

    def _ask(self, question: Callable[[Engine], T]) -> T:
        engine = self._engine or make_engine(self._settings)
        self._engine = engine
        try:
            return question(engine)
        except DatabaseError:
            engine.dispose()
            self._engine = None
            raise
