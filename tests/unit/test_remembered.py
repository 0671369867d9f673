"""A read is made once for each snapshot and filters, and what is handed out can be changed without harm."""

import gc
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import ref

import pandas as pd
import pytest

from db import remembered as memory
from db.filters import Filters
from db.remembered import remembered


class Opened:
    """Stands for a snapshot: anything with an identity."""


def test_many_who_ask_at_once_cause_one_read() -> None:
    calls: list[Any] = []

    @remembered
    def read(snapshot: Any, filters: Filters) -> pd.DataFrame:
        calls.append((snapshot, filters))
        return pd.DataFrame({"a": [len(calls)]})

    one, other = Opened(), Opened()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: read(one, Filters()), range(40)))  # type: ignore[arg-type]
    assert {answer["a"].iloc[0] for answer in answers} == {1}
    answers[0]["a"] = 99
    assert read(one, Filters())["a"].iloc[0] == 1  # type: ignore[arg-type]
    read(other, Filters())  # type: ignore[arg-type]
    read(one, Filters(segments=("A",)))  # type: ignore[arg-type]
    assert len(calls) == 3


def test_a_failure_is_not_kept_and_a_snapshot_is_not_held() -> None:
    fails = [True]

    @remembered
    def read(snapshot: Any, filters: Filters) -> pd.DataFrame:
        if fails.pop():
            raise ValueError
        return pd.DataFrame()

    fails.insert(0, False)
    opened = Opened()
    with pytest.raises(ValueError, match=r"^$"):
        read(opened, Filters())  # type: ignore[arg-type]
    assert read(opened, Filters()).empty  # type: ignore[arg-type]
    gone = ref(opened)
    del opened
    gc.collect()
    assert gone() is None


def test_of_answers_that_are_large_together_the_longest_unused_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_MOST_BYTES", 25_000)
    calls: list[str] = []

    @remembered
    def read(snapshot: Any, name: str) -> pd.DataFrame:
        calls.append(name)
        return pd.DataFrame({"a": [0]})

    opened: Any = Opened()
    for name in ("a", "b", "a", "c", "a", "b"):
        read(opened, name)
    assert calls == ["a", "b", "c", "b"]
