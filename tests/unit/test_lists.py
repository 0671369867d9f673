"""The lists as customers get them, against a walk down each list by hand, and what the long tail may and may not do."""

from collections import Counter
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from db.columns import Columns as C
from models.lists import LENGTH, SHOWN, Lists, lists
from models.recommenders.base import Places, Recommender, Scores, Tick
from models.recommenders.training import AGE, CUSTOMER, ORDER, PRODUCT, Kind, Training
from models.rules import read_rules

RULES = read_rules(None)
Categories = list[str | None]


class Given(Recommender):
    """Its scores are given."""

    name = "given"

    def __init__(self, scores: np.ndarray) -> None:
        super().__init__(0)
        self._given = scores

    def _fit(self, training: Training, tick: Tick) -> None: ...

    def _scores(self, rows: Places) -> Scores:
        return self._given[rows].copy()

    def _reasons(self, rows: Places, columns: Places) -> list[str]:
        return ["given"] * len(rows)


def shop(customers: int, categories: Categories, bought: list[tuple[int, int]] | None = None) -> Training:
    """Products p000 and so on of these categories; who bought what, by places."""
    rows = pd.DataFrame(bought or [], columns=[CUSTOMER, PRODUCT], dtype=int).assign(**{ORDER: 0, AGE: 1.0})
    return Training(
        datetime.fromisoformat("2024-07-01"),
        pd.DataFrame({C.CUSTOMER_ID: [f"c{who:02}" for who in range(customers)]}),
        pd.DataFrame(
            {
                C.PRODUCT_ID: [f"p{number:03}" for number in range(len(categories))],
                C.CATEGORY: pd.Series(categories, dtype=object),
            }
        ),
        rows,
    )


def made(scores: np.ndarray, categories: Categories, per_category: int, long_tail: int, kind: Kind = "any") -> Lists:
    known = shop(len(scores), categories)
    model = Given(scores).fit(known)
    rules = RULES.model_copy(update={"per_category": per_category, "long_tail": long_tail})
    return lists(model, kind, rules, known.products[C.PRODUCT_ID].tolist())


def walked(row: np.ndarray, categories: Categories, most: int) -> list[int]:
    """Down the list, again and again: what would be one too many of its category waits for the next round."""
    waiting = sorted(np.flatnonzero(np.isfinite(row)).tolist(), key=lambda place: (-row[place], place))
    listed: list[int] = []
    while waiting:
        taken: Counter[str | None] = Counter()
        put_off = []
        for place in waiting:
            category = categories[place]
            if category is None or not most or taken[category] < most:
                taken[category] += 1
                listed.append(place)
            else:
                put_off.append(place)
        waiting = put_off
    return listed[:LENGTH]


def by_customer(found: Lists) -> dict[str, list[str]]:
    """Customer -> the products of their list, whose ranks are 1, 2, ..."""
    ranked = found.frame.groupby(C.CUSTOMER_ID)[C.RANK].agg(list)
    assert all(ranks == list(range(1, len(ranks) + 1)) for ranks in ranked)
    return {str(who): rows[C.PRODUCT_ID].tolist() for who, rows in found.frame.groupby(C.CUSTOMER_ID)}


SIZES = st.tuples(st.integers(1, 9), st.integers(1, 45))
SCORES = SIZES.flatmap(
    lambda size: st.tuples(
        arrays(np.float64, size, elements=st.sampled_from([-np.inf, *np.arange(40.0)])),
        st.lists(st.sampled_from(["Tea", "Soap", "Toys", None]), min_size=size[1], max_size=size[1]),
    )
)


@given(SCORES, st.integers(0, 6))
def test_a_cap_is_a_walk_down_the_list_in_rounds(shape: tuple[np.ndarray, Categories], most: int) -> None:
    scores, categories = shape
    found = by_customer(made(scores, categories, most, 0))
    for who, row in enumerate(scores):
        expected = [f"p{place:03}" for place in walked(row, categories, most)]
        assert found.get(f"c{who:02}", []) == expected


@given(SCORES, st.integers(1, 6), st.integers(0, 10))
def test_in_ten_there_are_more_of_a_category_only_where_there_is_nothing_else(
    shape: tuple[np.ndarray, Categories], most: int, places: int
) -> None:
    """The long tail keeps the cap too."""
    scores, categories = shape
    for who, products in by_customer(made(scores, categories, most, places, "discover")).items():
        ten = [categories[int(product[1:])] for product in products[:SHOWN]]
        open_ = [categories[place] for place in np.flatnonzero(np.isfinite(scores[int(who[1:])]))]
        within = sum(min(count, most) for name, count in Counter(open_).items() if name) + open_.count(None)
        if any(count > most for name, count in Counter(ten).items() if name):
            assert within < SHOWN
        assert len(products) == min(len(open_), LENGTH), "the list is as long as without a cap"


@given(SCORES, st.integers(0, 10))
def test_the_long_tail_shows_more_of_the_shop_and_leaves_the_head(
    shape: tuple[np.ndarray, Categories], places: int
) -> None:
    scores, categories = shape
    plain, mixed = (made(scores, categories, 0, number, "discover") for number in (0, places))
    before, after = by_customer(plain), by_customer(mixed)
    assert {who: len(products) for who, products in before.items()} == {
        who: len(products) for who, products in after.items()
    }
    for who, products in after.items():
        assert len(set(products)) == len(products), "no product twice"
        assert products[: SHOWN - places] == before[who][: SHOWN - places]
    shown, shown_before = (
        {product for products in told.values() for product in products[:SHOWN]} for told in (after, before)
    )
    assert shown >= shown_before
    assert mixed.coverage(len(categories)) >= plain.coverage(len(categories))
    again = made(scores, categories, 0, places, "any")
    pd.testing.assert_frame_equal(again.frame, plain.frame)  # it is for what is new alone


@given(SCORES, st.integers(1, 10))
def test_every_product_that_asks_gets_a_place_while_there_are_places(
    shape: tuple[np.ndarray, Categories], places: int
) -> None:
    """Who still has a place for the long tail lists no product that is shown to nobody."""
    scores, categories = shape
    plain, mixed = (by_customer(made(scores, categories, 0, number, "discover")) for number in (0, places))
    heads = {product for products in plain.values() for product in products[: SHOWN - places]}
    shown = {product for products in mixed.values() for product in products[:SHOWN]}
    for who, products in mixed.items():
        is_open = {f"p{place:03}" for place in np.flatnonzero(np.isfinite(scores[int(who[1:])]))}
        tail = products[SHOWN - places : SHOWN]
        if len(tail) == places and any(product in heads for product in tail):
            assert is_open <= shown


def test_the_tail_goes_to_whom_it_suits_best() -> None:
    """All like the same; but of what stands behind the ten, each customer likes one better than the others do."""
    scores = np.tile(np.arange(30.0, 0, -1), (3, 1))
    for who, place in enumerate((28, 27, 29)):
        scores[who, place] = 19.5  # the twelfth place
    found = by_customer(made(scores, [None] * 30, 0, 1, "discover"))
    heads = [f"p{place:03}" for place in range(9)]
    assert [products[:10] for products in found.values()] == [
        [*heads, "p009"],  # the tenth of everybody, which the first customer keeps
        [*heads, "p027"],
        [*heads, "p029"],
    ]


def test_what_comes_far_behind_on_a_list_takes_no_place_of_it() -> None:
    """Of 200 products all like the same best; the one of the 150th rank gets the last place, that of the 151st none."""
    scores = np.tile(np.arange(200.0, 0, -1), (145, 1))
    found = by_customer(made(scores, [None] * 200, 0, 1, "discover"))
    assert {products[9] for products in found.values()} == {f"p{place:03}" for place in range(9, 150)}


def test_what_is_bought_is_not_new_and_the_rest_of_the_rules_is_kept() -> None:
    known = shop(2, [None] * 30, [(0, 0), (0, 29), (1, 5)])
    model = Given(np.tile(np.arange(30.0), (2, 1))).fit(known)
    allowed = [f"p{place:03}" for place in range(0, 30, 2)] + ["p029"]
    new = by_customer(lists(model, "discover", RULES, allowed))
    assert set(new["c00"]) == set(allowed) - {"p000", "p029"}
    assert set(new["c01"]) == set(allowed)
    assert by_customer(lists(model, "buy_again", RULES, allowed)) == {"c00": ["p029", "p000"]}


def test_coverage_counts_what_is_shown_and_lists_are_read_by_customer() -> None:
    rows = [("a", "p", 1), ("a", "q", 10), ("a", "r", 11), ("b", "p", 1)]
    frame = pd.DataFrame(rows, columns=[C.CUSTOMER_ID, C.PRODUCT_ID, C.RANK]).assign(**{C.SCORE: 0.0})
    found = Lists("discover", frame)
    assert found.coverage(4) == pytest.approx(2 / 4)
    assert found.coverage(0) == 0
    assert found.of(["a", "unknown"], 10)[C.PRODUCT_ID].tolist() == ["p", "q"]


def test_a_shop_without_customers_has_no_lists() -> None:
    assert made(np.zeros((0, 12)), [None] * 12, 2, 2, "discover").frame.empty
    assert made(np.full((3, 12), -np.inf), ["Tea"] * 12, 2, 2, "discover").frame.empty
