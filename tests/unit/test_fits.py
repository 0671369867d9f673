"""What is fitted is fitted once for a training, whoever asks, and nobody waits for what they did not ask for."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from models.recommenders.fits import Fits
from models.recommenders.item_knn import ItemKNN
from models.recommenders.popular import Popular
from models.recommenders.training import Training
from tests.two_tastes import AS_OF, WINDOW, known


@pytest.fixture(scope="module")
def shop() -> Training:
    return known(windows=1)


def test_a_model_is_fitted_once_for_a_training(shop: Training) -> None:
    ticks: list[None] = []
    fits = Fits(7, {"popular": {"days": 14}})
    first = fits.of(Popular, shop, lambda: ticks.append(None))
    assert fits.of(Popular, shop, lambda: ticks.append(None)) is first
    assert len(ticks) == Popular.steps
    assert shop.before is not None
    assert fits.of(Popular, shop.before) is not first
    assert fits.of(ItemKNN, shop).training is shop
    assert (first.seed, first.settings) == (7, {"days": 14})
    assert set(fits.seconds) == {"popular", "item_knn"}


def test_a_training_that_is_alike_is_another(shop: Training) -> None:
    fits = Fits(7)
    assert fits.of(Popular, shop) is not fits.of(Popular, known(windows=1))
    made = {id(fits.of(Popular, known(at=AS_OF - days * WINDOW / 60, windows=0))) for days in range(5)}
    assert len(made) == 5, "the place of one that is gone in memory is not taken for it"


def test_many_threads_get_the_same(shop: Training) -> None:
    fits, made, all_ask = Fits(7), [], Barrier(8, timeout=20)

    def make() -> object:
        made.append(object())
        return made[-1]

    def ask(_: int) -> object:
        all_ask.wait()
        return fits.once("slow", shop, make)

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(ask, range(8)))
    assert found == set(made)
    assert len(made) == 1


def test_who_asks_for_something_else_does_not_wait(shop: Training) -> None:
    fits, one, other = Fits(7), Event(), Event()

    def after(mine: Event, theirs: Event) -> Callable[[], bool]:
        def make() -> bool:
            mine.set()
            return theirs.wait(20)

        return make

    with ThreadPoolExecutor(2) as pool:
        asked = [
            pool.submit(fits.once, "one", shop, after(one, other)),
            pool.submit(fits.once, "other", shop, after(other, one)),
        ]
        assert [answer.result() for answer in asked] == [True, True]


def test_what_failed_is_tried_again(shop: Training) -> None:
    fits = Fits(7)
    with pytest.raises(ZeroDivisionError):
        fits.once("model", shop, lambda: 1 // 0)
    assert fits.once("model", shop, lambda: 3) == 3


def test_what_is_let_go_of_is_made_anew(shop: Training) -> None:
    fits = Fits(7)
    assert shop.before is not None
    gone, kept = fits.of(Popular, shop), fits.of(Popular, shop.before)
    fits.forget(shop)
    assert fits.of(Popular, shop) is not gone
    assert fits.of(Popular, shop.before) is kept
