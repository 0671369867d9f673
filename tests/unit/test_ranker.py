"""The ranker: it learns from the past alone, says what its scores are made of, and repeats."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.recommenders.base import Recommender
from models.recommenders.fits import Fits
from models.recommenders.hybrid import Hybrid
from models.recommenders.popular import Popular
from models.recommenders.ranker import LISTS, Ranker
from models.recommenders.training import KINDS, Kind, Training
from tests.two_tastes import AS_OF, COLD, PRODUCTS, dated, known, purchases

K = 10
SHORT: dict[str, Any] = {"iterations": 30}
"""Enough to tell two rankers apart."""
TOGETHER = [C.CUSTOMER_ID, C.PRODUCT_ID]


@pytest.fixture(scope="module")
def shop() -> Training:
    return known()


@pytest.fixture(scope="module")
def ranker(shop: Training) -> Ranker:
    return Ranker(42, **SHORT).fit(shop)


def listed(model: Recommender, kind: Kind, k: int = K, candidates: list[str] | None = None) -> pd.DataFrame:
    return model.recommend(model.training.customers[C.CUSTOMER_ID].tolist(), k, kind, candidates)


def test_what_comes_after_the_moment_changes_no_score() -> None:
    """Neither of the lists of a past moment, nor of what is learnt from the window before it."""
    at = AS_OF - timedelta(days=30)
    later = dated([(f"c{who:02}", f"p{who % 7:02}", who % 25) for who in range(79) for _ in range(3)])
    known_then = purchases()
    known_then = known_then[known_then[C.ORDERED_AT] < at]
    whole = pd.concat([purchases(), later], ignore_index=True)
    then, since = (Ranker(42, **SHORT).fit(known(bought, at, windows=1)) for bought in (known_then, whole))
    for kind in LISTS:
        pd.testing.assert_frame_equal(listed(then, kind), listed(since, kind))


def test_it_learns_from_what_happened_between_the_moments() -> None:
    """In every window each customer goes on from one product to the next: they are told the next after theirs."""
    kinds, windows = 20, 6
    starts = np.random.default_rng(2).integers(0, kinds, 79)
    rows = [
        (f"c{who:02}", f"p{(start + number) % kinds:02}", 60 * (windows - number) - 1 - who % 50)
        for who, start in enumerate(starts)
        for number in range(windows)
    ]
    shop = known(dated(rows))
    expected = {(f"c{who:02}", f"p{(start + windows) % kinds:02}") for who, start in enumerate(starts)}

    def hits(model: Recommender) -> int:
        lists = model.fit(shop).recommend(list(dict(expected)), 1, "discover")
        return len(expected & set(zip(lists[C.CUSTOMER_ID], lists[C.PRODUCT_ID], strict=True)))

    assert hits(Ranker(42)) > 60
    assert hits(Popular(42)) < 20, "to most customers something else is next"


def test_without_an_earlier_moment_there_is_nothing_to_learn_from(shop: Training) -> None:
    with pytest.raises(NotEnoughDataError, match="history is too short"):
        Ranker(42).fit(replace(shop, before=None))


def test_one_window_is_enough_and_two_are_used(shop: Training, ranker: Ranker) -> None:
    assert shop.before is not None
    short = replace(shop, before=replace(shop.before, before=None))
    one = Ranker(42, **SHORT).fit(short)
    assert len(listed(one, "discover")) == len(listed(ranker, "discover"))
    assert not listed(ranker, "discover")[C.SCORE].equals(listed(one, "discover")[C.SCORE])


@pytest.mark.parametrize("kind", LISTS)
def test_an_explanation_is_of_the_score_and_adds_up_to_it(ranker: Ranker, kind: Kind) -> None:
    rows = listed(ranker, kind)
    rows = rows[rows[C.CUSTOMER_ID] != COLD].iloc[::37]
    for customer, product, score in zip(*(rows[name] for name in (*TOGETHER, C.SCORE)), strict=True):
        found = ranker.explain(customer, product)
        assert found is not None
        assert found.score == pytest.approx(score, abs=1e-9)
        assert sum(amount for _, amount in found.parts) == pytest.approx(score, abs=1e-5)
        amounts = [abs(amount) for _, amount in found.parts]
        assert amounts == sorted(amounts, reverse=True)


def test_the_parts_of_every_listed_row_add_up_to_its_score(ranker: Ranker) -> None:
    candidates = ranker.training.products[C.PRODUCT_ID].tolist()[::2]
    lists = {kind: listed(ranker, kind, K, candidates).sample(frac=1, random_state=1) for kind in LISTS}
    for kind, parts in ranker.parts(lists, candidates).items():
        is_cold = (lists[kind][C.CUSTOMER_ID] == COLD).tolist()
        for own, score, cold in zip(parts, lists[kind][C.SCORE], is_cold, strict=True):
            assert (own == {}) == cold, "of who never bought LightFM made the list"
            assert cold or sum(own.values()) == pytest.approx(score, abs=1e-3)
        assert {label for own in parts for label in own} > {"Bought together", "Taste", "Popular now"}
        assert ranker.parts({kind: lists[kind]}, candidates)[kind] == parts, "alone as beside another"
    assert ranker.parts({"discover": lists["discover"].head(0)}, candidates) == {"discover": []}


def test_who_never_bought_gets_the_list_of_lightfm(ranker: Ranker, shop: Training) -> None:
    for kind in ("discover", "any"):
        of_lightfm = Hybrid(42).fit(shop).recommend([COLD], K, kind)
        pd.testing.assert_frame_equal(ranker.recommend([COLD], K, kind), of_lightfm)
    assert ranker.explain(COLD, "p01") is None


def test_any_is_both_lists_in_the_order_of_their_scores(ranker: Ranker) -> None:
    both = pd.concat([listed(ranker, kind, PRODUCTS) for kind in LISTS])
    both = both.sort_values([C.CUSTOMER_ID, C.SCORE, C.PRODUCT_ID], ascending=[True, False, True])
    whole = listed(ranker, "any", PRODUCTS)
    assert whole[TOGETHER].to_numpy().tolist() == both[TOGETHER].to_numpy().tolist()


def test_the_models_below_are_shared_and_fitted_with_the_same_seed(shop: Training) -> None:
    fits = Fits(7)
    hybrid = fits.of(Hybrid, shop)
    first = Ranker(7, fits, **SHORT).fit(shop)
    assert fits.of(Hybrid, shop) is hybrid
    pd.testing.assert_frame_equal(listed(first, "discover"), listed(Ranker(7, **SHORT).fit(shop), "discover"))
    assert not listed(first, "discover").equals(listed(Ranker(8, **SHORT).fit(shop), "discover"))


def test_one_thread_or_two_give_the_same(shop: Training, ranker: Ranker) -> None:
    """Beside another fit that shares its models, and alone; however many threads the libraries take."""
    fits = Fits(42)
    assert shop.before is not None
    with ThreadPoolExecutor(2) as pool:
        beside = [pool.submit(Ranker(42, fits, **SHORT).fit, training) for training in (shop, shop.before)]
        first = beside[0].result()
        beside[1].result()
    with threadpool_limits(2):
        second = Ranker(42, **SHORT).fit(shop)
    for kind in KINDS:
        pd.testing.assert_frame_equal(listed(first, kind), listed(ranker, kind))
        pd.testing.assert_frame_equal(listed(second, kind), listed(ranker, kind))


def test_a_shop_that_knows_no_prices_is_ranked(shop: Training) -> None:
    def priceless(training: Training) -> Training:
        before = priceless(training.before) if training.before else None
        return replace(training, products=training.products.assign(**{C.PRICE: None}), before=before)

    rows = listed(Ranker(42, **SHORT).fit(priceless(shop)), "discover")
    assert np.isfinite(rows[C.SCORE]).all()


def test_where_next_to_nothing_was_bought_lightfm_stands_in() -> None:
    """A month in which nobody came teaches nothing; there are lists all the same."""
    silent = known(at=AS_OF + timedelta(days=90), windows=1)
    model = Ranker(42).fit(silent)
    rows = listed(model, "discover")
    pd.testing.assert_frame_equal(rows, listed(Hybrid(42).fit(silent), "discover"), rtol=1e-4)
    assert model.explain("c01", rows[C.PRODUCT_ID].iloc[0]) is None
