"""What was known at each moment of a run of recommendations: only what had happened by then, and in its own words."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine

from db import snapshot
from db.columns import Columns as C
from errors import NotEnoughDataError
from etl.load import load
from etl.mapping import detect
from etl.readers import open_source
from models.pipeline import Options
from models.pipeline.history import History, history
from models.recommenders.training import ORDER, Training
from settings import Settings

DAYS = 20
FIRST, LAST = pd.Timestamp("2024-01-01 10:00"), pd.Timestamp("2024-06-29 10:00")
AS_OF = (LAST + timedelta(days=1)).to_pydatetime()
OPTIONS = Options(holdout_days=DAYS)


def lines(late: bool) -> pd.DataFrame:
    """40 customers buy for half a year; `late` adds what changes the last days: prices, newcomers, a new product."""
    random = np.random.default_rng(4)
    days = (LAST - FIRST).days
    rows = [
        (f"{who}-{day}", f"c{who:02}", f"p{random.integers(12):02}", day, 2.0)
        for who in range(40)
        for day in range(who % 6, days + 1, 6)
    ]
    rows += [("first", "c00", "p00", 0, 2.0), ("last", "c00", "p00", days, 2.0)]
    if late:
        after = days - DAYS + 1
        rows += [(f"l{who}", f"late{who}", f"p{who % 12:02}", after, 9.0) for who in range(30)]
        rows += [(f"n{who}", f"c{who:02}", "new", after, 9.0) for who in range(30)]
    frame = pd.DataFrame(rows, columns=[C.ORDER_ID, C.CUSTOMER_ID, C.PRODUCT_ID, "day", C.UNIT_PRICE])
    frame[C.ORDERED_AT] = FIRST + pd.to_timedelta(frame["day"], unit="D")
    return frame.drop(columns="day").assign(**{C.QUANTITY: 1})


def known(engine: Engine, settings: Settings, frame: pd.DataFrame, path: Path, options: Options = OPTIONS) -> History:
    frame.to_csv(path, index=False)
    load(engine, open_source(str(path)))
    snapshot.refresh(engine, settings.data_dir)
    segments = pd.DataFrame({C.CUSTOMER_ID: frame[C.CUSTOMER_ID].unique(), C.SEGMENT: "Of now"})
    return history(snapshot.open_newest(settings.data_dir), options, AS_OF, segments, 3)


def pairs(frame: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(frame[C.CUSTOMER_ID], frame[C.PRODUCT_ID], strict=True))


def shown(training: Training) -> list[pd.DataFrame]:
    purchases = training.purchases.drop(columns=ORDER)  # only a number for each
    return [training.customers, training.products, purchases]


def test_the_moments_are_a_holdout_apart_and_linked(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    options = replace(OPTIONS, windows=3)
    past = known(engine, settings, lines(late=False), tmp_path / "shop.csv", options)
    tests = [(LAST - timedelta(days=number * DAYS)).to_pydatetime() for number in (1, 2, 3)]
    memory = [(LAST - timedelta(days=number * DAYS)).to_pydatetime() for number in (4, 5)]
    assert past.days == DAYS
    assert [fold.number for fold in past.folds] == [1, 2, 3]
    assert [fold.training.at for fold in past.folds] == tests
    assert [training.at for training in past.trainings] == [AS_OF, *tests, *memory]
    assert past.oldest is past.folds[-1]
    assert set(past.now.customers[C.SEGMENT]) == {"Of now"}


def test_each_moment_knows_what_had_been_bought_by_then(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    frame = lines(late=True)
    past = known(engine, settings, frame, tmp_path / "shop.csv")
    for training in past.trainings:
        then = frame[frame[C.ORDERED_AT] < training.at]
        buyers = then.groupby(C.PRODUCT_ID)[C.CUSTOMER_ID].nunique()
        candidates = buyers[buyers >= 5]
        assert training.products[C.PRODUCT_ID].tolist() == sorted(candidates.index)
        assert training.buyers().tolist() == candidates.sort_index().tolist()
        assert len(training.purchases) == len(then[[C.CUSTOMER_ID, C.PRODUCT_ID, C.ORDER_ID]].drop_duplicates())
        assert training.customers[C.CUSTOMER_ID].tolist() == sorted(then[C.CUSTOMER_ID].unique())
        prices = then.groupby(C.PRODUCT_ID)[C.UNIT_PRICE].median().reindex(training.products[C.PRODUCT_ID])
        assert training.products[C.PRICE].astype(float).tolist() == pytest.approx(prices.tolist())
    for fold in past.folds:
        after = frame[frame[C.ORDERED_AT] >= fold.training.at]
        assert set(map(tuple, fold.after.to_numpy())) == set(
            map(tuple, after[[C.CUSTOMER_ID, C.PRODUCT_ID]].to_numpy())
        )


def test_what_came_later_changes_nothing_that_was_known(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    """Neither purchases nor prices nor segments: the last days bring other prices, newcomers and a new product."""
    before = known(engine, settings, lines(late=False), tmp_path / "first.csv")
    added = pd.concat([lines(late=True), lines(late=False)]).drop_duplicates(keep=False)
    after = known(engine, settings, added, tmp_path / "second.csv")
    assert [fold.training.at for fold in after.folds] == [fold.training.at for fold in before.folds]
    assert len(after.now.purchases) > len(before.now.purchases)
    for one, other in zip(before.trainings[1:], after.trainings[1:], strict=True):
        assert one.at == other.at
        assert one.customers[C.SEGMENT].notna().all()
        for mine, theirs in zip(shown(one), shown(other), strict=True):
            pd.testing.assert_frame_equal(mine, theirs)


@pytest.mark.parametrize(
    ("days", "memory"),
    [(DAYS, 2), (50, 1), (80, 0)],
    ids=["two windows to learn from", "one window to learn from", "none"],
)
def test_a_short_history_has_fewer_moments(
    engine: Engine, settings: Settings, tmp_path: Path, days: int, memory: int
) -> None:
    """Half a year: one window is tested, and what leaves a holdout of history before it is learnt from."""
    past = known(engine, settings, lines(late=False), tmp_path / "shop.csv", replace(OPTIONS, holdout_days=days))
    assert len(past.folds) == 1
    assert len(past.trainings) == 2 + memory
    assert (past.folds[0].training.before is None) == (memory == 0)


def test_too_short_a_history_is_a_sentence(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(NotEnoughDataError, match="at least 200 days"):
        known(engine, settings, lines(late=False), tmp_path / "shop.csv", replace(OPTIONS, holdout_days=100))


def test_who_never_bought_is_known_now_alone(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    people = pd.DataFrame({C.CUSTOMER_ID: ["c00", "newcomer"], "age": ["40", "20"]})
    people.to_csv(tmp_path / "people.csv", index=False)
    source = open_source(str(tmp_path / "people.csv"))
    load(engine, source, layout=detect(source, "customers"))
    past = known(engine, settings, lines(late=False), tmp_path / "shop.csv")
    assert "newcomer" in set(past.now.customers[C.CUSTOMER_ID])
    assert all("newcomer" not in set(training.customers[C.CUSTOMER_ID]) for training in past.trainings[1:])
    assert datetime.fromisoformat("2024-06-30T10:00") == past.now.at
