"""Turns go to whose request came first, and no more are taken at once than there are."""

import time
from threading import Lock, Thread

from db.turns import ASKED, Turns


def test_who_came_first_goes_before_who_waits_longer_but_came_later() -> None:
    turns, order, lock = Turns(1), [], Lock()

    def work(name: str, times: int) -> None:
        ASKED.set(time.monotonic())
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
    assert order[:3] == ["a", "b", "a"]  # while a works on what it got, who waits is served
    assert order.index("d") > max(place for place, name in enumerate(order) if name == "a"), order


def test_without_a_request_who_waits_is_not_overtaken() -> None:
    turns, order = Turns(1), []

    def work(name: str) -> None:
        with turns:
            order.append(name)
            time.sleep(0.05)

    threads = [Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
        time.sleep(0.005)
    for thread in threads:
        thread.join()
    assert order == list("abcd")


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
