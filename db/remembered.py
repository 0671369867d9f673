"""What several parts of one page ask at once is computed once, and kept for as long as its snapshot is open."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from functools import wraps
from threading import Lock
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

import pandas as pd
import pyarrow as pa

from db.snapshot import Snapshot

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
Read = Callable[Concatenate[Snapshot, Asked], Answer]

_MOST_BYTES = 256_000_000
_SMALL = 100_000
"""Bytes that an answer is taken for where nobody can say."""


class _Answers:
    """The answers of one snapshot by who was asked what, the longest unused first."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        self._sizes: dict[Hashable, int] = {}
        self._lock = Lock()

    def answer(self, key: Hashable, read: Callable[[], Any]) -> Any:
        with self._lock:
            if is_known := key in self._known:
                self._known.move_to_end(key)
            answer = self._known.setdefault(key, Future())
        if not is_known:
            try:
                answer.set_result(read())
            except BaseException as error:
                with self._lock:
                    self._known.pop(key, None)
                answer.set_exception(error)
            else:
                self._weigh(key, answer.result())
        return answer.result()

    def _weigh(self, key: Hashable, answer: object) -> None:
        """Forget the longest unused until the rest is small enough; the newest stays."""
        with self._lock:
            self._sizes[key] = _size(answer)
            total = sum(self._sizes.values())
            while total > _MOST_BYTES and len(self._sizes) > 1:
                oldest = next(other for other in self._known if other in self._sizes)
                del self._known[oldest]
                total -= self._sizes.pop(oldest)


_of: WeakKeyDictionary[Snapshot, _Answers] = WeakKeyDictionary()
_lock = Lock()


def remembered(read: Read[Asked, Answer]) -> Read[Asked, Answer]:
    """The read, which answers from memory where it was asked the same of the same snapshot.

    What can be changed (frames and series) is copied for each who asks. What fails is not kept; of answers that
    together are large those longest unused are forgotten.
    """

    @wraps(read)
    def asked(snapshot: Snapshot, /, *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        with _lock:
            answers = _of.setdefault(snapshot, _Answers())
        key = (read, args, tuple(sorted(kwargs.items())))
        found = answers.answer(key, lambda: read(snapshot, *args, **kwargs))
        return cast(Answer, found.copy() if isinstance(found, pd.DataFrame | pd.Series) else found)

    return asked


def forget() -> None:
    """Forget all answers, as benchmarks do before each question."""
    with _lock:
        _of.clear()


def _size(answer: object) -> int:
    if isinstance(answer, pa.Table):
        return int(answer.nbytes)
    if isinstance(answer, pd.DataFrame):
        return max(int(answer.memory_usage().sum()), _SMALL // 10)
    return _SMALL
