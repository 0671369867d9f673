"""The record itself, for what must be live: the loads and the saved audiences. All else reads the snapshot."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from db import accounts, audiences, audit, rejects
from db.accounts import Account, Load
from db.audiences import Audience
from db.engine import schema_revision
from db.rejects import Reject
from db.serving import Database


class Record:
    """Reads what Postgres says of loads, and keeps audiences."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._ask = database.ask

    def is_away(self) -> bool:
        """Whether Postgres was away when it was last asked, which is at most every few seconds."""
        return self.database.is_away()

    def schema(self) -> str:
        """The revision that the schema is of. Raises DatabaseError where it is not this version's."""
        return self._ask(schema_revision)

    def loads(self) -> list[Load]:
        """All loads, the newest first. Raises DatabaseError while Postgres is away."""
        return self._ask(accounts.all_loads)

    def account(self, load_id: int) -> Account:
        """The account of a load. Raises ConfigurationError where there is none, DatabaseError."""
        return self._ask(lambda engine: accounts.report(engine, load_id), is_slow=True)

    def rejects(self, load_id: int, most: int) -> list[Reject]:
        """The first rejected rows of a load. Raises DatabaseError."""
        return self._ask(lambda engine: list(islice(rejects.rejects(engine, load_id), most)))

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

    def note(self, actor: str, action: str, subject: str | None, rows: int | None, details: Mapping[str, Any]) -> None:
        """Add to the audit log. Raises DatabaseError."""
        self._ask(lambda engine: audit.note(engine, actor, action, subject, rows, details))

    def remove_audience(self, audience_id: int) -> None:
        """Forget it. Raises DatabaseError."""
        self._ask(lambda engine: audiences.remove(engine, audience_id))
