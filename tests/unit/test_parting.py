"""Customers parted three ways, and since when their segments are there."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from db.columns import Columns as C
from models.configuration import Method, read_plan
from models.parting import Before, Left, Parting, parting
from models.points import Transform

EARLY, NOW, LATE = (datetime.fromisoformat(day) for day in ("2024-01-01", "2024-06-01", "2024-12-01"))
GROUPINGS = (C.SEGMENT, C.RFM_GROUP, C.ALTERNATIVE)


@pytest.fixture(scope="module")
def features() -> pd.DataFrame:
    random = np.random.default_rng(3)
    orders = random.geometric(0.3, 200)
    recency = random.integers(0, 300, 200)
    spent = orders * random.gamma(3, 10, 200)
    return pd.DataFrame({C.RECENCY: recency, C.FREQUENCY: orders, C.MONETARY: spent, C.SILENCE: recency / 40})


def parted(
    features: pd.DataFrame, as_of: datetime, before: Before, transform: Transform = "log", method: Method = "kmeans"
) -> Parting:
    plan = read_plan(None)
    plan = plan.model_copy(update={"clusters": plan.clusters.model_copy(update={"method": method})})
    how = {"clusters": 3, "n_init": 2, "seed": 1, "currency": "$"}
    return parting(features, plan, as_of=as_of, before=before, transform=transform, **how)  # type: ignore[arg-type]


def since(found: Parting) -> list[datetime]:
    return [one for grouping in GROUPINGS for one in found.profiles[grouping].profile[C.SINCE].dt.to_pydatetime()]


def left_by(found: Parting) -> Before:
    """What a later run knows of it."""
    since = {
        grouping: dict(zip(one.profile[C.SEGMENT], one.profile[C.SINCE].dt.to_pydatetime(), strict=True))
        for grouping, one in found.profiles.items()
    }
    clusters = {
        one.yardstick.fitted.method: Left(one.yardstick, found.profiles[grouping].names, since[grouping])
        for grouping, one in found.clusters.items()
    }
    return Before(clusters, since[C.RFM_GROUP])


def test_a_segment_is_there_since_the_run_that_first_had_it_and_not_after_the_day_of_a_look_back(
    features: pd.DataFrame,
) -> None:
    first = parted(features, NOW, Before())
    assert set(since(first)) == {NOW}
    assert set(since(parted(features, LATE, left_by(first)))) == {NOW}
    assert set(since(parted(features, EARLY, left_by(first)))) == {EARLY}


def test_another_transform_names_its_segments_from_scratch(features: pd.DataFrame) -> None:
    first = parted(features, NOW, Before())
    raw = parted(features, LATE, left_by(first), transform="none")
    afresh = parted(features, LATE, Before(), transform="none")
    for grouping in (C.SEGMENT, C.ALTERNATIVE):
        assert list(raw.profiles[grouping].names.values()) == list(afresh.profiles[grouping].names.values())
        assert set(raw.profiles[grouping].names).isdisjoint(first.profiles[grouping].names), "but their numbers are new"
    assert set(raw.profiles[C.SEGMENT].profile[C.SINCE]) == {pd.Timestamp(LATE)}


def test_the_other_method_keeps_its_names_when_it_becomes_the_first(features: pd.DataFrame) -> None:
    first = parted(features, NOW, Before())
    swapped = parted(features, NOW, left_by(first), method="mixture")
    assert swapped.profiles[C.SEGMENT].names == first.profiles[C.ALTERNATIVE].names
    assert swapped.profiles[C.ALTERNATIVE].names == first.profiles[C.SEGMENT].names
