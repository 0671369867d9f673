"""So many at a time, whoever asks first first; `threading.Semaphore` lets the last one in before those who wait."""

from collections import deque
from threading import Event, Lock


class Turns:
    """A context that at most `many` threads are in at once; it is not to be entered twice by one."""

    def __init__(self, many: int) -> None:
        self._free = many
        self._waiting: deque[Event] = deque()
        self._lock = Lock()

    def __enter__(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = Event()
            self._waiting.append(turn)
        turn.wait()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
