"""Which models a run fits: all, fewer in quick mode, and LightFM with own history where the ranker cannot learn."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from db.columns import Columns as C
from db.judged import BASELINES
from models.evaluation import Fold
from models.pipeline import Options
from models.pipeline.history import History
from models.pipeline.workshop import Workshop
from models.recommenders import RECOMMENDERS
from models.recommenders.base import Recommender, Tick
from models.recommenders.ease import Ease
from models.recommenders.popular import Popular
from models.recommenders.ranker import Ranker
from models.recommenders.training import Training
from models.rules import read_rules
from models.tuning import Tried
from tests.two_tastes import AS_OF, COLD, WINDOW, known, purchases

SHORT = {"iterations": 20}


def history(memory: int) -> History:
    """One window of the test, with so many windows before it to learn from."""
    now = known(windows=1 + memory)
    assert now.before is not None
    bought = purchases()
    late = bought[bought[C.ORDERED_AT] >= now.before.at]
    return History(now, (Fold(1, now.before, late[[C.CUSTOMER_ID, C.PRODUCT_ID]]),), WINDOW.days)


def workshop(past: History, options: Options, threads: int = 2, tick: Tick = lambda: None) -> Workshop:
    work = Workshop(past, options, ThreadPoolExecutor(threads), tick)
    settings = {**work.fits.settings, "ranker": {**work.fits.settings.get("ranker", {}), **SHORT}}
    work.fits.settings = settings
    return work


def names(work: Workshop, training: Training) -> list[str]:
    return [model.name for model in work.models(training)]


def test_all_models_are_judged_and_the_ranker_makes_the_lists() -> None:
    past = history(1)
    work = workshop(past, Options())
    work.fit()
    assert names(work, past.folds[0].training) == [recommender.name for recommender in RECOMMENDERS]
    assert (work.chosen.name, work.again.name) == ("ranker", "ranker")
    assert set(work.fits.seconds) >= set(names(work, past.folds[0].training)) - {"ranker"}


def test_in_quick_mode_fewer_are_judged_but_every_baseline() -> None:
    past = history(1)
    work = workshop(past, Options(quick=True))
    work.fit()
    judged = set(names(work, past.folds[0].training))
    assert judged < {recommender.name for recommender in RECOMMENDERS}
    assert judged >= {name for baselines in BASELINES.values() for name in baselines} | {"hybrid"}
    ranker = work.of(work.chosen, past.now)
    assert ranker.name == "ranker", "it makes the lists, and they are judged as customers get them"
    assert ranker.settings["iterations"] < Ranker.grid[0]["iterations"]


def test_without_a_window_to_learn_from_lightfm_and_own_history_stand_in() -> None:
    past = history(0)
    work = workshop(past, Options())
    work.fit()
    judged = names(work, past.folds[0].training)
    assert "ranker" not in judged
    assert {"hybrid", "own_history", "lightfm_ids"} <= set(judged)
    assert (work.chosen.name, work.again.name) == ("hybrid", "own_history")
    assert len(work.published(past.folds[0], "buy_again", ["c01", "c02"], 10)) > 0


@pytest.mark.parametrize("memory", [0, 1])
def test_it_ticks_no_oftener_than_announced(memory: int) -> None:
    ticks: list[None] = []
    work = workshop(history(memory), Options(quick=True), tick=lambda: ticks.append(None))
    work.fit()
    assert 0.5 * work.steps < len(ticks) <= work.steps


def test_one_thread_or_two_give_the_same_lists() -> None:
    past = history(1)
    alone, beside = (workshop(past, Options(quick=True), threads) for threads in (1, 2))
    for work in (alone, beside):
        work.fit()
    for kind in ("discover", "buy_again"):
        pd.testing.assert_frame_equal(alone.lists(past.now, kind).frame, beside.lists(past.now, kind).frame)


def test_what_the_rules_leave_out_is_on_no_list_and_who_never_bought_has_one() -> None:
    past = history(0)
    rules = read_rules(None).model_copy(
        update={"exclude_categories": ("Taste 0",), "per_category": 3, "price_high": 30}
    )
    work = workshop(past, Options(quick=True, rules=rules))
    work.fit()
    products = past.now.products.set_index(C.PRODUCT_ID)
    for kind in ("discover", "buy_again"):
        frame = work.lists(past.now, kind).frame.join(products, on=C.PRODUCT_ID)
        assert set(frame[C.CATEGORY].dropna()) == {"taste 1"}
        assert frame[C.PRICE].max() <= 30
        assert (COLD in set(frame[C.CUSTOMER_ID])) == (kind == "discover")
    listed = work.lists(past.now, "discover").frame.join(products, on=C.PRODUCT_ID)
    first = listed[(listed[C.RANK] <= 3 + 1) & listed[C.CATEGORY].notna()]
    assert first.groupby(C.CUSTOMER_ID).size().max() <= 3 + 1


def test_the_lists_of_a_fold_are_those_of_its_own_moment() -> None:
    past = history(0)
    work = workshop(past, Options(quick=True))
    (fold,) = past.folds
    lists = work.published(fold, "discover", fold.training.customers[C.CUSTOMER_ID].tolist(), 10)
    earlier = workshop(replace(past, now=fold.training), Options(quick=True))
    pd.testing.assert_frame_equal(
        lists.reset_index(drop=True),
        earlier.lists(fold.training, "discover")
        .of(fold.training.customers[C.CUSTOMER_ID].tolist(), 10)
        .reset_index(drop=True),
    )
    bought = purchases()
    then = bought[bought[C.ORDERED_AT] < AS_OF - WINDOW]
    assert not lists.merge(then, on=[C.CUSTOMER_ID, C.PRODUCT_ID]).size


def test_baselines_are_tuned_on_the_windows_before_their_test(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, Training]] = []

    def tried(model: type[Recommender], training: Training, after: pd.DataFrame, seed: int) -> Tried:
        later = next(moment for moment in past.trainings if moment.before is training)
        bought = purchases()
        between = bought[(bought[C.ORDERED_AT] >= training.at) & (bought[C.ORDERED_AT] < later.at)]
        candidates = set(later.products[C.PRODUCT_ID])
        told = zip(between[C.CUSTOMER_ID], between[C.PRODUCT_ID], strict=True)
        assert set(zip(after[C.CUSTOMER_ID], after[C.PRODUCT_ID], strict=True)) == {
            pair for pair in told if pair[1] in candidates
        }
        assert seed == 3
        seen.append((model.name, training))
        best = 1 if model.name == "popular" else 0
        return np.eye(len(model.grid))[:, [best]]

    monkeypatch.setattr("models.pipeline.workshop.tried", tried)
    past = history(1)
    test = past.folds[0].training
    work = workshop(past, Options(tune=True, seed=3))
    assert test.before is not None
    assert len(seen) == 5
    assert all(moment is test.before for _, moment in seen)
    judged = {model.name: model for model in work.models(test)}
    assert judged["popular"].settings["days"] == 14
    assert judged["ease"].settings == dict(Ease.grid[0])
    assert work.seconds(judged["popular"]) is not None
    assert work.of(Popular, test).settings["days"] == 28, "the ranker learns from the same at every moment"


def test_without_an_earlier_window_nothing_is_tuned() -> None:
    past = history(0)
    judged = {model.name: model for model in workshop(past, Options(tune=True)).models(past.folds[0].training)}
    assert judged["popular"].settings == dict(Popular.grid[0])
