"""Facts about the time of the next refresh: once a local day, whatever the clocks do to it."""

import time as clock
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.pipeline.schedule import next_time

ZONE = "Europe/Berlin"


@pytest.fixture(autouse=True, scope="module")
def berlin() -> Iterator[None]:
    """The machine is in Berlin, where clocks go forward on 2026-03-29 at 2 and back on 2026-10-25 at 3."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", ZONE)
        clock.tzset()
        yield
    clock.tzset()


def following(last: str, at: str) -> str:
    """In UTC."""
    due = next_time(datetime.fromisoformat(f"{last}+00:00"), time.fromisoformat(at))
    return due.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("last", "at", "due"),
    [
        ("2026-06-01 02:00", "04:00", "2026-06-02 02:00"),  # it began on time
        ("2026-06-01 01:59:59", "04:00", "2026-06-01 02:00"),  # it began by hand, just before
        ("2026-06-01 09:17", "04:00", "2026-06-02 02:00"),  # it was made up for in the morning
        ("2026-12-31 22:59", "00:00", "2026-12-31 23:00"),
        ("2026-12-31 23:00", "00:00", "2027-01-01 23:00"),
        ("2026-03-28 03:00", "04:00", "2026-03-29 02:00"),  # a day of 23 hours
        ("2026-10-24 02:00", "04:00", "2026-10-25 03:00"),  # a day of 25 hours
        ("2026-03-28 01:30", "02:30", "2026-03-29 01:30"),  # there is no 2:30 on that day: at 3:30
        ("2026-03-29 01:30", "02:30", "2026-03-30 00:30"),
        ("2026-10-24 00:30", "02:30", "2026-10-25 00:30"),  # there are two: at the first
        ("2026-10-25 00:30", "02:30", "2026-10-26 01:30"),
        ("2026-10-25 01:10", "02:30", "2026-10-26 01:30"),  # not at the second
    ],
)
def test_the_next_time_is_the_next_on_the_wall(last: str, at: str, due: str) -> None:
    assert following(last, at) == due


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
)
def test_each_local_day_has_one(last: datetime, at: time) -> None:
    due = [last]
    for _ in range(5):
        due.append(next_time(due[-1], at))
    assert due == sorted(set(due))
    days = [moment.astimezone(ZoneInfo(ZONE)).date() for moment in due[1:]]
    assert days == [days[0] + timedelta(days=number) for number in range(5)]
    assert due[1] - last <= timedelta(hours=25)
    for moment in due[1:]:
        wall = moment.astimezone(ZoneInfo(ZONE))
        skipped = wall.date().isoformat() == "2026-03-29" and wall.hour == 3
        assert wall.time() == at or skipped
