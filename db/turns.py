"""So many at a time, and of those who wait the one first whose request came first, however often it asks."""

import time
from contextvars import ContextVar
from heapq import heappop, heappush
from itertools import count
from threading import Event, Lock

ASKED: ContextVar[float | None] = ContextVar("asked", default=None)
"""When the request at hand came, by `time.monotonic`; without a request each asks anew."""


def since_asked() -> float:
    """Seconds since the request at hand came; 0 without one."""
    asked = ASKED.get()
    return 0.0 if asked is None else time.monotonic() - asked


class Turns:
    """A context that at most `many` threads are in at once; it is not to be entered twice by one."""

    def __init__(self, many: int) -> None:
        self._free = many
        self._waiting: list[tuple[float, int, Event]] = []
        self._numbers = count()
        self._lock = Lock()

    def __enter__(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn, asked = Event(), ASKED.get()
            heappush(self._waiting, (time.monotonic() if asked is None else asked, next(self._numbers), turn))
        turn.wait()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                heappop(self._waiting)[2].set()
            else:
                self._free += 1
