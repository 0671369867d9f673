"""Customers parted three ways, and since when their segments are there."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from db.columns import Columns as C
from models.configuration import read_plan
from models.parting import Before, Parting, parting

EARLY, NOW, LATE = (datetime.fromisoformat(day) for day in ("2024-01-01", "2024-06-01", "2024-12-01"))
GROUPINGS = (C.SEGMENT, C.RFM_GROUP, C.ALTERNATIVE)


@pytest.fixture(scope="module")
def features() -> pd.DataFrame:
    random = np.random.default_rng(3)
    orders = random.geometric(0.3, 200)
    recency = random.integers(0, 300, 200)
    spent = orders * random.gamma(3, 10, 200)
    return pd.DataFrame({C.RECENCY: recency, C.FREQUENCY: orders, C.MONETARY: spent, C.SILENCE: recency / 40})


def parted(features: pd.DataFrame, as_of: datetime, before: Before) -> Parting:
    wanted = {"transform": "log", "clusters": 3, "n_init": 2, "seed": 1, "currency": "$"}
    return parting(features, read_plan(None), as_of=as_of, before=before, **wanted)  # type: ignore[arg-type]


def since(found: Parting) -> list[datetime]:
    return [one for grouping in GROUPINGS for one in found.profiles[grouping].profile[C.SINCE].dt.to_pydatetime()]


def left_by(found: Parting) -> Before:
    """What a later run knows of it."""
    return Before(
        {grouping: clusters.yardstick for grouping, clusters in found.clusters.items()},
        {grouping: found.profiles[grouping].names for grouping in found.clusters},
        {
            (row[C.GROUPING], row[C.SEGMENT]): row[C.SINCE].to_pydatetime()
            for grouping in GROUPINGS
            for row in found.profiles[grouping].profile.to_dict("records")
        },
    )


def test_a_segment_is_there_since_the_run_that_first_had_it_and_not_after_the_day_of_a_look_back(
    features: pd.DataFrame,
) -> None:
    first = parted(features, NOW, Before())
    assert set(since(first)) == {NOW}
    assert set(since(parted(features, LATE, left_by(first)))) == {NOW}
    assert set(since(parted(features, EARLY, left_by(first)))) == {EARLY}
