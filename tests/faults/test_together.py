"""Two at once: what comes of it is what one after the other gives, in one of the two orders; never a mix."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.faults import apart, content
from tests.faults.conftest import Base, Copy, Tried

Job = tuple[Callable[..., None], tuple[Any, ...]]


def in_turn(base: Base, jobs: Sequence[Callable[[Copy], Job]]) -> content.Content:
    """The record after one job and then the other."""
    with base.copy() as copy:
        for job in jobs:
            work, arguments = job(copy)
            apart.done(work, *arguments)
        return content.record(copy.engine)


def file(base: Base, name: str) -> Callable[[Copy], Job]:
    """One of two files that have a thousand lines in common."""
    head, *rows = base.more.read_text().splitlines(keepends=True)
    path = base.files / f"{name}.csv"
    path.write_text("".join([head, *(rows[:4_000] if name == "one" else rows[3_000:7_000])]))
    return lambda copy: (apart.load_file, (copy.settings, path))


def run(seed: int) -> Callable[[Copy], Job]:
    return lambda copy: (apart.run_models, (copy.settings, seed))


def pair(base: Base, kind: str) -> tuple[Callable[[Copy], Job], Callable[[Copy], Job]]:
    match kind:
        case "loads":
            return file(base, "one"), file(base, "two")
        case "runs":
            return run(11), run(12)
        case _:
            return file(base, "one"), run(11)


@pytest.mark.parametrize("kind", ["loads", "runs", "load and run"])
def test_two_at_once_are_as_one_after_the_other(base: Base, tried: Tried, kind: str) -> None:
    one, two = pair(base, kind)
    allowed = [in_turn(base, order) for order in ((one, two), (two, one))]
    assert allowed[0] != allowed[1] or kind == "loads", "else a mix could pass for either"
    for attempt in range(2):
        with base.copy() as copy:
            started = [apart.start(work, *arguments) for work, arguments in (job(copy) for job in (one, two))]
            for process in started:
                process.join(120)
                assert process.exitcode == 0
            tried(f"two at once: {kind}", f"attempt {attempt}")
            apart.done(apart.refresh, copy.settings)
            assert content.record(copy.engine) in allowed
            content.must_be_settled(copy.engine, copy.settings.data_dir)
