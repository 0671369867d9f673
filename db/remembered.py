"""What several parts of one page ask at once is computed once, and kept for as long as its snapshot is open."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from functools import wraps
from threading import Lock
from weakref import WeakKeyDictionary

import pandas as pd

from db.filters import Filters
from db.snapshot import Snapshot

Read = Callable[[Snapshot, Filters], pd.DataFrame]

_MOST = 16


def remembered(read: Read) -> Read:
    """The read, which answers from memory where it was asked the same of the same snapshot; each gets its own copy.

    Small frames only. What fails is not kept.
    """
    known: WeakKeyDictionary[Snapshot, OrderedDict[Filters, Future[pd.DataFrame]]] = WeakKeyDictionary()
    lock = Lock()

    @wraps(read)
    def asked(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
        with lock:
            answers = known.setdefault(snapshot, OrderedDict())
            answer = answers.get(filters)
            if waits := answer is not None:
                answers.move_to_end(filters)
            else:
                answer = answers[filters] = Future()
                while len(answers) > _MOST:
                    answers.popitem(last=False)
        if not waits:
            try:
                answer.set_result(read(snapshot, filters))
            except BaseException as error:
                with lock:
                    answers.pop(filters, None)
                answer.set_exception(error)
        return answer.result().copy()

    return asked
