"""The picture of the customers: what it weighs, what its marks say, and who is in a sample."""

import json
from itertools import pairwise

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from plotly.utils import PlotlyJSONEncoder

from dashboard.components import scatter
from dashboard.components.axes import ticks
from dashboard.pages.segment_scatter import MOST_POINTS
from db.bins import AXES, Bins
from db.queries.scatter import cells, shares

COLOURS = {"Loyal": "loyal", "Other": "loyal", "At risk": "at_risk"}
sizes = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 400_000), min_size=1)


@given(sizes, st.integers(8, 50_000), st.integers(0, 400))
def test_a_sample_has_a_floor_a_segment_and_the_share_of_the_rest(of: dict[str, int], most: int, floor: int) -> None:
    given_ = shares(of, most, floor)
    assert sum(given_.values()) == min(most, sum(of.values()))
    least = min(floor, most // len(of))
    assert all(min(of[name], least) <= given_[name] <= of[name] for name in of)
    ordered = sorted(of, key=lambda name: of[name])
    assert all(given_[one] <= given_[other] + 1 for one, other in pairwise(ordered))


def test_shares_by_hand() -> None:
    assert shares({"a": 900, "b": 90, "c": 10}, 100, 20) == {
        "a": 66,
        "b": 24,
        "c": 10,
    }  # 50 by the floor; 880 and 70 of 950 share the rest
    assert shares({"a": 3, "b": 4}, 7, 2) == {"a": 3, "b": 4}


def test_the_fullest_picture_of_points_weighs_less_than_3_mb() -> None:
    rng = np.random.default_rng(1)
    ids = [f"5c1f0e9a-7b1d-4d0e-9a51-{number:012}" for number in range(MOST_POINTS)]
    points = pd.DataFrame({"customer_id": ids, "segment": rng.choice([*COLOURS], MOST_POINTS)})
    points = points.assign(recency_days=rng.integers(0, 3000, MOST_POINTS), frequency=rng.integers(1, 900, MOST_POINTS))
    points["monetary"] = rng.lognormal(7, 2, MOST_POINTS) - 50
    drawn = scatter.points_in_space(points, COLOURS, "light", "$")
    assert sum(len(trace.x) for trace in drawn.data) == MOST_POINTS
    assert len(json.dumps(drawn, cls=PlotlyJSONEncoder)) < 3_000_000


def test_a_point_tells_the_true_numbers_where_the_axis_cannot() -> None:
    points = pd.DataFrame({"customer_id": ["a<b>", "c"], "segment": "Loyal", "recency_days": [0, 3], "frequency": 2})
    points["monetary"] = [-12.344, 0.5]
    (trace,) = scatter.points_in_space(points, COLOURS, "light", "$").data
    assert (list(trace.x), list(trace.z)) == ([1, 3], [1, 1])
    assert [list(row) for row in trace.customdata] == [["#a<b>", 0, -12.34], ["#c", 3, 0.5]]
    assert list(trace.hovertext) == ["a&lt;b&gt;", "c"]


def test_a_cell_has_the_colour_of_most_and_tells_its_customers() -> None:
    counted = pd.DataFrame(
        [(0, 0, 0, "Loyal", 5), (0, 0, 0, "At risk", 7), (0, 0, 1, "Loyal", 2), (0, 0, 1, "At risk", 2)],
        columns=[*AXES, "segment", "customers"],
    )
    found = cells(counted)
    assert found[["customers", "segment", "of_segment"]].to_numpy().tolist() == [[12, "At risk", 7], [4, "At risk", 2]]
    assert cells(counted, ["recency_days"])[["customers", "segment"]].to_numpy().tolist() == [[16, "At risk"]]
    bins = {axis: Bins(axis, (1, 2, 3)) for axis in AXES}
    (trace,) = scatter.cells_in_space(found, ["/a", "/b"], bins, COLOURS, "light", "$").data
    assert trace.hovertext[0].endswith("Spend: $1 to under $2<br>12 customers, 7 At risk")
    assert (trace.name, list(trace.customdata)) == ("At risk", ["/a", "/b"])


def test_axes_are_marked_as_people_speak() -> None:
    assert ticks("recency_days", 1, 700, "$")[1] == ["1 day", "1 week", "1 month", "3 months", "1 year"]
    assert ticks("recency_days", 401, 410, "$")[1] == ["401 days", "410 days"]
    assert ticks("frequency", 1, 256, "$") == ([1, 10, 100], ["1", "10", "100"])
    assert ticks("monetary", 0.9, 20_000, "£")[1] == ["≤ £1", "£10", "£100", "£1,000", "£10k"]
    assert ticks("monetary", 100, 990, "$")[1] == ["$100", "$200", "$500"]
