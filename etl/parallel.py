"""Work on a stream in the background, with its results in order."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Full, Queue
from threading import Event
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 1  # so much waits between the one who makes and the one who takes: memory stays bounded
_PATIENCE = 0.1  # seconds until the maker looks again whether anybody still takes


def in_order(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """work(item) for each item, in their order. One thread draws the items, one works, the caller takes.

    Arrow and numpy let go of Python's lock, so these run at once. What `items` or `work` raise is raised here, in its
    place; whoever stops taking ends the rest.
    """
    queue: Queue[Future[Result] | None] = Queue(_AHEAD)
    stopped = Event()

    def put(future: Future[Result] | None) -> bool:
        while not stopped.is_set():
            try:
                queue.put(future, timeout=_PATIENCE)
            except Full:
                continue
            return True
        return False

    def draw() -> None:
        try:
            for item in items:
                if not put(pool.submit(work, item)):
                    return
            put(None)
        except BaseException as error:
            failed: Future[Result] = Future()
            failed.set_exception(error)
            put(failed)

    with ThreadPoolExecutor(2, thread_name_prefix="in-order") as pool:
        drawing = pool.submit(draw)
        try:
            while (future := queue.get()) is not None:
                yield future.result()
            drawing.result()
        finally:
            stopped.set()
