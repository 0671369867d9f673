"""What several parts of one page ask at once is computed once, and kept for as long as its snapshot is open."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from functools import wraps
from threading import Lock
from typing import Concatenate, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

import pandas as pd
import pyarrow as pa

from db.snapshot import Snapshot

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
Read = Callable[Concatenate[Snapshot, Asked], Answer]

_MOST_BYTES = 128_000_000  # of each read's answers
_SMALL = 200_000  # bytes that an answer is taken for where nobody can say


def remembered(read: Read[Asked, Answer]) -> Read[Asked, Answer]:
    """The read, which answers from memory where it was asked the same of the same snapshot.

    What can be changed (frames and series) is copied for each who asks. What fails is not kept; of answers that
    together are large the oldest are forgotten.
    """
    known: WeakKeyDictionary[Snapshot, OrderedDict[Hashable, Future[Answer]]] = WeakKeyDictionary()
    lock = Lock()

    @wraps(read)
    def asked(snapshot: Snapshot, /, *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        key = (args, tuple(sorted(kwargs.items())))
        with lock:
            answers = known.setdefault(snapshot, OrderedDict())
            answer = answers.get(key)
            if waits := answer is not None:
                answers.move_to_end(key)
            else:
                answer = answers[key] = Future()
        if not waits:
            try:
                answer.set_result(read(snapshot, *args, **kwargs))
            except BaseException as error:
                with lock:
                    answers.pop(key, None)
                answer.set_exception(error)
            with lock:
                _forget(answers)
        found = answer.result()
        return cast(Answer, found.copy()) if isinstance(found, pd.DataFrame | pd.Series) else found

    return asked


def _forget(answers: OrderedDict[Hashable, Future[Answer]]) -> None:
    """The oldest, until the rest is small enough; the newest stays."""
    sizes = {key: _size(answer.result()) for key, answer in answers.items() if answer.done() and not answer.exception()}
    while len(sizes) > 1 and sum(sizes.values()) > _MOST_BYTES:
        oldest = next(iter(sizes))
        del answers[oldest], sizes[oldest]


def _size(answer: object) -> int:
    if isinstance(answer, pa.Table):
        return int(answer.nbytes)
    if isinstance(answer, pd.DataFrame):
        return int(answer.memory_usage().sum())
    return _SMALL
