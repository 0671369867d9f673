"""The audit log: what was done is added, and nothing there is ever changed."""

import getpass
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, insert, select

from db.engine import clear_errors
from db.user_schema import audit_event

ACTIONS = (
    "signed in",
    "sign-in failed",
    "signed out",
    "changed password",
    "added user",
    "changed role",
    "made link",
    "shut out",
    "let in again",
    "saw customers",
    "saw customer",
    "downloaded list",
    "saved audience",
    "uploaded file",
    "ran command",
)
"""What is noted."""


@dataclass(frozen=True)
class Event:
    """One entry."""

    event_id: int
    at: datetime
    actor: str
    action: str
    subject: str | None
    rows: int | None
    details: Mapping[str, Any]


def operator() -> str:
    """How who calls a command stands in the log."""
    return f"command ({getpass.getuser()})"


def note(
    engine: Engine,
    actor: str,
    action: str,
    subject: str | None = None,
    rows: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry. Raises DatabaseError where it cannot be written, ValueError for an action of no name."""
    if action not in ACTIONS:
        raise ValueError(f"{action!r} is not among ACTIONS")
    row = {"actor": actor, "action": action, "subject": subject, "rows": rows, "details": dict(details or {})}
    with clear_errors("the audit log was written", "nothing was changed"), engine.begin() as connection:
        connection.execute(insert(audit_event).values(row))


def events(
    engine: Engine, actor: str = "", action: str = "", before: int | None = None, most: int = 200
) -> list[Event]:
    """The newest entries, of one actor, of one action, older than an entry, where those are given."""
    query = select(audit_event).order_by(audit_event.c.event_id.desc()).limit(most)
    if actor:
        query = query.where(audit_event.c.actor == actor)
    if action:
        query = query.where(audit_event.c.action == action)
    if before is not None:
        query = query.where(audit_event.c.event_id < before)
    with clear_errors("the audit log was read", "nothing was changed"), engine.connect() as connection:
        return [Event(**row._mapping) for row in connection.execute(query)]
