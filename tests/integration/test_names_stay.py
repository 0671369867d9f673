"""Names, colours and dates hold from run to run while the data of Online Retail grow by months."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, text

from console import progress
from db import result_schema, runs, snapshot
from db.columns import Columns as C
from db.engine import make_engine
from etl.load import load
from etl.readers import open_source
from models.pipeline import Options
from models.pipeline.segments import publish_segments
from models.segments import ClusterYardstick
from settings import Settings

MONTHS = [datetime.fromisoformat(f"2011-{month:02}-01") for month in (10, 11, 12)]


@pytest.fixture
def shop(settings: Settings, retail_path: Path) -> Iterator[Engine]:
    engine = make_engine(settings)
    load(engine, open_source(str(retail_path)))
    yield engine
    engine.dispose()


def run(engine: Engine, settings: Settings, as_of: datetime) -> dict[str, pd.DataFrame]:
    """Publish the segments of a moment as `python -m models run` does, and read what was published."""
    snapshot.refresh(engine, settings.data_dir)
    data = snapshot.open_newest(settings.data_dir)
    publish_segments(engine, settings, Options(), data, as_of, progress())
    with engine.connect() as connection:
        found = {}
        for table in result_schema.SEGMENT_TABLES:
            key = [column.name for column in table.primary_key if column.name != C.RUN_ID]
            result = connection.execute(text(f"SELECT * FROM current_{table.name}"))
            frame = pd.DataFrame(result.all(), columns=list(result.keys())).drop(columns=C.RUN_ID)
            found[table.name] = frame.sort_values(key, ignore_index=True)
        return found


def test_names_hold_as_months_are_added_and_a_rerun_changes_nothing(shop: Engine, settings: Settings) -> None:
    published = [run(shop, settings, month) for month in MONTHS]
    again = run(shop, settings, MONTHS[-1])
    for name, frame in published[-1].items():
        pd.testing.assert_frame_equal(again[name], frame, obj=name)
    profiles = [one["segment_profile"] for one in published]
    clusters = [one[one[C.GROUPING] == C.SEGMENT].set_index(C.CLUSTER) for one in profiles]
    for before, after in pairwise(clusters):
        kept = before.index.intersection(after.index)
        assert len(kept) == len(after), "none is new"
        for cluster in kept:
            passed = after.index[after[C.SEGMENT] == before.loc[cluster, C.SEGMENT]]
            assert set(passed) <= {cluster}, "no name passes to another cluster"
            if after.loc[cluster, C.SEGMENT] == before.loc[cluster, C.SEGMENT]:
                assert after.loc[cluster, C.COLOUR] == before.loc[cluster, C.COLOUR]
                assert after.loc[cluster, C.SINCE] == before.loc[cluster, C.SINCE]
            else:
                assert before.loc[cluster, C.SEGMENT] in after.loc[cluster, C.REASON], "what it was called is told"
    held = [(a[C.SEGMENT] == b[C.SEGMENT].reindex(a.index)).mean() for a, b in pairwise(clusters)]
    assert np.mean(held) > 0.5


def test_the_yardstick_of_a_run_is_what_its_customers_were_parted_by(shop: Engine, settings: Settings) -> None:
    found = run(shop, settings, MONTHS[0])["customer_segment"]
    published = runs.published(shop, runs.SEGMENTS)
    assert published is not None
    yardstick = ClusterYardstick.from_json(published.metrics["yardstick"])
    features = found.astype({C.MONETARY: float})
    assert (yardstick.labels(features) == found[C.CLUSTER].to_numpy()).all()
