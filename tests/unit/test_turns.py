"""Turns are taken in the order in which they were asked for, and no more at once than there are."""

import time
from threading import Lock, Thread

from db.turns import Turns


def test_who_waits_is_not_overtaken_and_no_more_are_in_than_may_be() -> None:
    turns, order, lock = Turns(1), [], Lock()

    def work(name: str, times: int) -> None:
        for _ in range(times):
            with turns:
                with lock:
                    order.append(name)
                time.sleep(0.02)

    threads = [Thread(target=work, args=of) for of in (("a", 4), ("b", 1), ("c", 4), ("d", 1))]
    for thread in threads:
        thread.start()
        time.sleep(0.004)
    for thread in threads:
        thread.join()
    assert order[:4] == ["a", "b", "c", "d"]


def test_as_many_as_there_are_and_a_turn_that_fails_is_given_back() -> None:
    turns, inside, most, lock = Turns(2), 0, 0, Lock()

    def work() -> None:
        nonlocal inside, most
        try:
            with turns:
                with lock:
                    inside += 1
                    most = max(most, inside)
                time.sleep(0.01)
                with lock:
                    inside -= 1
                raise ValueError
        except ValueError:
            pass

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, inside) == (2, 0)
