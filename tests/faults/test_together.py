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


def files(base: Base) -> tuple[Callable[[Copy], Job], Callable[[Copy], Job]]:
    """Two files, of which the second has some lines of the first."""
    head, *rows = base.more.read_text().splitlines(keepends=True)
    for name, some in (("one", rows[:4_000]), ("two", rows[3_000:7_000])):
        (base.files / f"{name}.csv").write_text("".join([head, *some]))
    return tuple(  # type: ignore[return-value]
        lambda copy, name=name: (apart.load_file, (copy.settings, base.files / f"{name}.csv"))
        for name in ("one", "two")
    )


def run(seed: int) -> Callable[[Copy], Job]:
    return lambda copy: (apart.run_models, (copy.settings, seed))


def pair(base: Base, kind: str) -> tuple[Callable[[Copy], Job], Callable[[Copy], Job]]:
    match kind:
        case "loads":
            return files(base)
        case "runs":
            return run(11), run(12)
        case _:
            return files(base)[0], run(11)


@pytest.mark.parametrize("kind", ["loads", "runs", "load and run"])
def test_two_at_once_are_as_one_after_the_other(base: Base, tried: Tried, kind: str) -> None:
    one, two = pair(base, kind)
    allowed = [in_turn(base, order) for order in ((one, two), (two, one))]
    for attempt in range(3):
        with base.copy() as copy:
            started = [apart.start(work, *arguments) for work, arguments in (job(copy) for job in (one, two))]
            for process in started:
                process.join(120)
                assert process.exitcode == 0
            tried(f"two at once: {kind}", f"attempt {attempt}")
            apart.done(apart.refresh, copy.settings)
            assert content.record(copy.engine) in allowed
            content.must_be_settled(copy.engine, copy.settings.data_dir)


def test_the_two_orders_differ(base: Base) -> None:
    """Else the test above would find nothing."""
    one, two = pair(base, "runs")
    assert in_turn(base, (one, two)) != in_turn(base, (two, one))
