"""What goes into the audit log of who saw and downloaded customers: with filters and counts, without the customers."""

import json
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock
from typing import Any

from dashboard.record import Record
from dashboard.view import View
from dashboard.who import viewer
from db.grid import GridRequest
from db.scope import pseudonym
from db.secret import PSEUDONYMS, secret
from errors import DatabaseError
from permissions import Right
from settings import Settings

_AGAIN_SECONDS = 3600.0
"""The same view of the same customers is one thing that somebody does, however many blocks of rows it asks for."""
_MOST = 10_000
_log = logging.getLogger(__name__)


class Noted:
    """Adds to the audit log in the name of whoever asks."""

    def __init__(self, settings: Settings, record: Record) -> None:
        self._settings = settings
        self._record = record
        self._lately: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def did(self, action: str, subject: str | None = None, rows: int | None = None, **details: Any) -> None:
        """Note what is about to be done. Raises DatabaseError where it cannot be written: then it is not to be done."""
        self._record.note(viewer().name, action, subject, rows, details)

    def saw_customers(self, view: View, asked: GridRequest, rows: int) -> None:
        """Note that a list is looked at: by which filters, and of how many customers."""
        self._saw("saw customers", None, rows, told(view, asked))

    def saw_customer(self, customer_id: str) -> None:
        """Note that somebody's page is looked at."""
        if self._settings.pseudonyms and not viewer().may(Right.IDENTITY):
            self._saw("saw customer", customer_id, None, {})  # it is a pseudonym already
        else:
            self._saw("saw customer", pseudonym(secret(self._settings, PSEUDONYMS), customer_id), None, {})

    def _saw(self, action: str, subject: str | None, rows: int | None, details: Mapping[str, Any]) -> None:
        who = viewer().name
        key = json.dumps([who, action, subject, details], sort_keys=True)
        if self._is_again(key):
            return
        if not self._record.is_away():
            with suppress(DatabaseError):
                self._record.note(who, action, subject, rows, details)
                return
        # what is seen comes from the snapshot, and goes on
        _log.warning("not in the audit log: %s %s %s %s %s", who, action, subject, rows, dict(details))

    def _is_again(self, key: str) -> bool:
        now = time.monotonic()
        with self._lock:
            before = self._lately.pop(key, float("-inf"))
            is_again = now - before < _AGAIN_SECONDS
            self._lately[key] = before if is_again else now
            while len(self._lately) > _MOST:
                self._lately.popitem(last=False)
        return is_again


def told(view: View, asked: GridRequest) -> dict[str, Any]:
    """The filters, and by which columns more was asked for; not what for: that may be somebody's name."""
    narrowed = sorted({test.column for test in asked.tested})
    said: dict[str, Any] = {"filters": view.filters.query() or "none: everybody"}
    if narrowed:
        said["narrowed by"] = narrowed
    if asked.search:
        said["searched"] = "yes"
    return said
