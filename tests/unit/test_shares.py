"""Labels beside a column keep apart, in their order, and inside the plot."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dashboard.components.shares import spread_out

PLACES = st.lists(st.floats(0, 1), max_size=30).map(sorted)


@given(PLACES, st.floats(0.01, 0.2))
def test_labels_are_spread_out(places: list[float], apart: float) -> None:
    found = spread_out(places, apart)
    room = min(apart, 1 / max(len(places), 1))
    assert len(found) == len(places)
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in found)
    assert all(later - earlier >= room - 1e-9 for earlier, later in pairwise(found))


def test_labels_with_room_enough_stay_where_they_are() -> None:
    assert spread_out([0.2, 0.5, 0.8], 0.1) == [0.2, 0.5, 0.8]
    assert spread_out([], 0.1) == []
