"""The evaluation: who and what counts, in which subset, by what alone; and settings tried on a window of the past."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.columns import Columns as C
from db.result_schema import evaluation as table
from errors import NotEnoughDataError
from models.evaluation import Evaluation, Fold, evaluation, new_products, relevant
from models.gate import verdict
from models.metrics import by_customer
from models.recommenders.base import Places, Recommender, Scores, Tick
from models.recommenders.own_history import OwnHistory
from models.recommenders.popular import Popular
from models.recommenders.training import Kind, Training, training
from models.split import splits
from models.tuning import tried, tuned, windows_before

START = pd.Timestamp("2024-01-01")
DAYS, HOLDOUT, CUSTOMERS, PRODUCTS = 200, 20, 60, 30


class Fixed(Recommender):
    """The products in one order for everyone; `turn` begins it elsewhere."""

    name = "hybrid"
    grid: ClassVar[tuple[Mapping[str, Any], ...]] = ({"turn": 0}, {"turn": 10}, {"turn": 20})
    fits: ClassVar[list[int]] = []

    def _fit(self, training: Training, tick: Tick) -> None:
        self.fits.append(self.settings["turn"])

    def _scores(self, rows: Places) -> Scores:
        order = np.roll(np.arange(len(self.training.products), 0, -1.0), self.settings["turn"])
        return np.tile(order, (len(rows), 1))

    def _reasons(self, rows: Places, columns: Places) -> list[str]:
        return ["" for _ in rows]


class Settled(Fixed):
    """There is nothing to choose."""

    grid = ({"turn": 5},)


@pytest.fixture(scope="module")
def purchases() -> pd.DataFrame:
    """Customers of two segments, and p28 and p29 sold of late; before the newest split c00 to c09 come twice, c10 to
    c14 three times."""
    random = np.random.default_rng(8)
    rows = []
    for who, day in product(range(CUSTOMERS), range(0, DAYS + 1, 10)):
        if who < 15 and day not in (0, 70, DAYS - 10, *([90] if who >= 10 else [])):
            continue
        newest = 30 if day >= DAYS - 40 else 28
        rows += [(f"c{who:02}", f"p{one:02}", day) for one in random.choice(newest, 4, replace=False)]
    frame = pd.DataFrame(rows, columns=[C.CUSTOMER_ID, C.PRODUCT_ID, "day"])
    frame[C.ORDER_ID] = frame[C.CUSTOMER_ID] + " " + frame["day"].astype(str)
    frame[C.ORDERED_AT] = START + pd.to_timedelta(frame.pop("day"), unit="D")
    return frame


def folds_of(purchases: pd.DataFrame, windows: int = 3) -> list[Fold]:
    products = pd.DataFrame({C.PRODUCT_ID: [f"p{one:02}" for one in range(PRODUCTS)]})
    customers = pd.DataFrame(
        {
            C.CUSTOMER_ID: [f"c{who:02}" for who in range(CUSTOMERS)],
            C.SEGMENT: ["Loyal" if who % 2 else "At risk" for who in range(CUSTOMERS)],
        }
    )
    return [
        Fold(number, training(purchases, products, customers, window.at), window.after)
        for number, window in enumerate(splits(purchases, HOLDOUT, windows), 1)
    ]


def models(known: Training) -> Iterator[Recommender]:
    yield Popular(42).fit(known)
    yield OwnHistory(42).fit(known)
    yield Fixed(42).fit(known)


@pytest.fixture(scope="module")
def folds(purchases: pd.DataFrame) -> list[Fold]:
    return folds_of(purchases)


@pytest.fixture(scope="module")
def judged(folds: list[Fold]) -> Evaluation:
    def published(fold: Fold, kind: Kind, customers: Sequence[str], k: int) -> pd.DataFrame:
        return Popular(42).fit(fold.training).recommend(customers, k, kind)

    return evaluation(folds, models, 42, published)


def value(of: Evaluation, **where: Any) -> float:
    rows = of.rows
    for column, wanted in {"against": "", "subset": "all", "metric": "ndcg", "k": 10, "fold": 0, **where}.items():
        rows = rows[rows[column] == wanted]
    assert len(rows) == 1, f"{where}: {len(rows)} rows"
    return float(rows[C.VALUE].iloc[0])


def test_rows_fit_the_table(judged: Evaluation) -> None:
    keys = [column.name for column in table.primary_key if column.name != C.RUN_ID]
    assert set(judged.rows.columns) == {column.name for column in table.columns} - {C.RUN_ID}
    assert not judged.rows[keys].duplicated().any()
    assert not judged.rows[[*keys, C.VALUE, C.CUSTOMERS]].isna().any().any()
    measured = judged.rows[judged.rows[C.METRIC] != "coverage"]
    assert (measured[C.CI_LOW] <= measured[C.VALUE] + 1e-12).all()
    assert (measured[C.VALUE] <= measured[C.CI_HIGH] + 1e-12).all()


def test_relevant_products_of_the_slices_part_those_of_any(folds: list[Fold]) -> None:
    for fold in folds:
        known = fold.training
        new, again, both = (relevant(known, fold.after, kind) for kind in ("discover", "buy_again", "any"))
        pairs = [set(map(tuple, frame.to_numpy())) for frame in (new, again, both)]
        assert pairs[0] | pairs[1] == pairs[2]
        assert not pairs[0] & pairs[1]
        bought = set(
            zip(
                known.customers[C.CUSTOMER_ID].iloc[known.pairs["customer"]],
                known.products[C.PRODUCT_ID].iloc[known.pairs["product"]],
                strict=True,
            )
        )
        assert not pairs[0] & bought
        assert pairs[1] <= bought


def test_strangers_and_what_was_no_candidate_count_nowhere(folds: list[Fold]) -> None:
    known = folds[0].training
    after = pd.DataFrame(
        [("stranger", "p01"), ("c11", "unknown"), ("c11", "p01"), ("c11", "p01")], columns=[C.CUSTOMER_ID, C.PRODUCT_ID]
    )
    assert relevant(known, after, "any").to_numpy().tolist() == [["c11", "p01"]]
    assert relevant(known, after.iloc[:2], "discover").empty


def test_new_products_were_first_sold_in_the_last_tenth(folds: list[Fold]) -> None:
    assert new_products(folds[0].training) == []  # 20 days before the split, of 180
    later = folds_of_later()
    assert new_products(later) == ["p28", "p29"]


def folds_of_later() -> Training:
    """p28 and p29 sold for 9 of 100 days."""
    rows = [(f"c{who}", f"p{one}", 0 if one < 28 else 91) for who in range(6) for one in (1, 27, 28, 29)]
    frame = pd.DataFrame(rows, columns=[C.CUSTOMER_ID, C.PRODUCT_ID, "day"])
    frame[C.ORDER_ID] = frame[C.CUSTOMER_ID]
    frame[C.ORDERED_AT] = START + pd.to_timedelta(frame["day"], unit="D")
    products = pd.DataFrame({C.PRODUCT_ID: ["p1", "p27", "p28", "p29"]})
    customers = pd.DataFrame({C.CUSTOMER_ID: [f"c{who}" for who in range(6)], C.SEGMENT: "Loyal"})
    return training(frame, products, customers, START + timedelta(days=100))


def test_new_products_are_judged_by_where_the_same_lists_have_them() -> None:
    known = folds_of_later()
    stranger = pd.DataFrame({C.CUSTOMER_ID: ["c6", "c7"], C.SEGMENT: ["Loyal", "Loyal"]})
    purchases = pd.DataFrame({"customer": [6, 7], "product": [0, 0], "order": [6, 7], "age_days": [50.0, 50.0]})
    wider = Training(
        known.at,
        pd.concat([known.customers, stranger], ignore_index=True),
        known.products,
        pd.concat([known.purchases, purchases], ignore_index=True),
    )
    after = pd.DataFrame({C.CUSTOMER_ID: ["c6", "c6", "c7"], C.PRODUCT_ID: ["p27", "p29", "p27"]})
    result = evaluation([Fold(1, wider, after)], models, 42)
    of = {"model": "hybrid", "slice": "discover", "k": 5}
    assert value(result, **of, subset="all", metric="mrr") == 1, "p27 comes first, of three"
    assert value(result, **of, subset="products:new", metric="mrr") == 1 / 3, "p29 comes third, after p27 and p28"
    assert value(result, **of | {"k": 10}, subset="products:new", metric="coverage") == 1, "both new ones are listed"
    new = result.rows[(result.rows[C.SUBSET] == "products:new") & (result.rows[C.MODEL] == "hybrid")]
    assert set(new[C.CUSTOMERS]) == {1}, "c7 bought none"


def test_the_pooled_value_is_the_mean_over_customers_and_folds(judged: Evaluation, folds: list[Fold]) -> None:
    for model, slice_ in (("popular", "discover"), ("own_history", "buy_again"), ("hybrid", "any")):
        values = [judged.by_customer[fold.number, model, slice_]["ndcg", 10] for fold in folds]
        assert value(judged, model=model, slice=slice_) == pytest.approx(pd.concat(values).mean())
        for fold, own in zip(folds, values, strict=True):
            assert value(judged, model=model, slice=slice_, fold=fold.number) == pytest.approx(own.mean())


def test_segments_and_regulars_part_the_customers(judged: Evaluation) -> None:
    rows = judged.rows[
        (judged.rows[C.MODEL] == "popular") & (judged.rows[C.METRIC] == "ndcg") & (judged.rows[C.K] == 10)
    ]
    for fold, slice_ in product((1, 2, 3), ("discover", "any")):
        of = rows[(rows[C.FOLD] == fold) & (rows[C.SLICE] == slice_) & (rows[C.AGAINST] == "")].set_index(C.SUBSET)
        for parts in (["segment:Loyal", "segment:At risk"], ["customers:few", "customers:regular"]):
            here = of.reindex([part for part in parts if part in of.index])
            assert here[C.CUSTOMERS].sum() == of.loc["all", C.CUSTOMERS]
            mean = (here[C.VALUE] * here[C.CUSTOMERS]).sum() / here[C.CUSTOMERS].sum()
            assert mean == pytest.approx(of.loc["all", C.VALUE])
    few = rows[(rows[C.FOLD] == 1) & (rows[C.SLICE] == "any") & (rows[C.SUBSET] == "customers:few")]
    assert few[C.CUSTOMERS].tolist() == [10]


def test_a_difference_is_that_of_the_values(judged: Evaluation) -> None:
    for fold in range(4):
        own, other = (value(judged, model=model, slice="discover", fold=fold) for model in ("hybrid", "popular"))
        paired = value(judged, model="hybrid", against="popular", slice="discover", fold=fold)
        assert paired == pytest.approx(own - other)
    same = judged.rows[(judged.rows[C.MODEL] == "published") & (judged.rows[C.AGAINST] == "popular")]
    assert len(same) > 0
    assert (same[[C.VALUE, C.CI_LOW, C.CI_HIGH]] == 0).all().all(), "a model differs in nothing from itself"


def test_the_gate_and_the_table_tell_the_same(judged: Evaluation) -> None:
    found = verdict(judged, "discover", "hybrid", ["popular"], 42)
    row = judged.rows[
        (judged.rows[C.MODEL] == "hybrid")
        & (judged.rows[C.AGAINST] == "popular")
        & (judged.rows[C.SLICE] == "discover")
        & (judged.rows[C.FOLD] == 0)
        & (judged.rows[C.SUBSET] == "all")
    ].iloc[0]
    told = [found.difference, found.low, found.high, found.customers]
    assert told == pytest.approx(row[[C.VALUE, C.CI_LOW, C.CI_HIGH, C.CUSTOMERS]].tolist())


def test_a_model_is_judged_in_the_slices_of_its_kinds(judged: Evaluation) -> None:
    rows = judged.rows
    assert set(rows.loc[rows[C.MODEL] == "own_history", C.SLICE]) == set(OwnHistory.kinds)
    assert set(rows.loc[rows[C.MODEL] == "published", C.SLICE]) == {"discover", "buy_again"}


def test_a_customer_tested_in_three_windows_counts_once(judged: Evaluation) -> None:
    rows = judged.rows[judged.rows[C.SLICE] == "any"]
    assert rows[C.CUSTOMERS].max() == CUSTOMERS
    assert len(judged.by_customer[0, "popular", "any"]) > CUSTOMERS


def test_the_same_seed_gives_the_same_rows(folds: list[Fold]) -> None:
    once, twice, otherwise = (evaluation(folds[:1], models, seed).rows for seed in (42, 42, 7))
    pd.testing.assert_frame_equal(once, twice)
    assert not once.equals(otherwise)


def test_nobody_with_anything_new_is_a_sentence(folds: list[Fold]) -> None:
    with pytest.raises(NotEnoughDataError, match="something new to them"):
        evaluation([Fold(1, folds[0].training, folds[0].after.iloc[:0])], models, 42)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, CUSTOMERS - 1), st.integers(0, PRODUCTS - 1), st.integers(0, 39)), max_size=60)
)
def test_nothing_after_a_split_changes_a_list(purchases: pd.DataFrame, later: list[tuple[int, int, int]]) -> None:
    """Whatever is bought in the two newest windows: the lists of the third, made before them, stay as they are."""
    at = purchases[C.ORDERED_AT].max() - timedelta(days=2 * HOLDOUT)
    rows = [(f"c{who:02}", f"p{one:02}", f"later {day}", at + timedelta(days=day)) for who, one, day in later]
    columns = [C.CUSTOMER_ID, C.PRODUCT_ID, C.ORDER_ID, C.ORDERED_AT]
    changed = pd.concat([purchases[purchases[C.ORDERED_AT] < at], pd.DataFrame(rows, columns=columns)])
    for before, after in zip(models(_known(purchases, at)), models(_known(changed, at)), strict=True):
        everyone = before.training.customers[C.CUSTOMER_ID].tolist()
        for kind in before.kinds:
            pd.testing.assert_frame_equal(
                before.recommend(everyone, 10, kind), after.recommend(everyone, 10, kind), check_dtype=False
            )


def _known(purchases: pd.DataFrame, at: pd.Timestamp) -> Training:
    products = pd.DataFrame({C.PRODUCT_ID: [f"p{one:02}" for one in range(PRODUCTS)]})
    customers = pd.DataFrame({C.CUSTOMER_ID: [f"c{who:02}" for who in range(CUSTOMERS)], C.SEGMENT: "Loyal"})
    purchases = purchases.assign(**{C.ORDERED_AT: pd.to_datetime(purchases[C.ORDERED_AT])})
    return training(purchases, products, customers, at)


def test_tuning_takes_the_best_of_the_grid(folds: list[Fold]) -> None:
    known = folds[0].training
    ids = known.products[C.PRODUCT_ID]
    everyone = known.customers[C.CUSTOMER_ID]
    wanted = pd.MultiIndex.from_product([everyone, ids.iloc[20:26]]).to_frame(index=False)
    after = wanted.set_axis([C.CUSTOMER_ID, C.PRODUCT_ID], axis=1)
    found = tried(Fixed, known, after, 42)
    assert tuned(Fixed, [found]) == {"turn": 20}
    sought = relevant(known, after, "discover")
    scores = []
    for setting in Fixed.grid:
        lists = Fixed(42, **setting).fit(known).recommend(sorted(sought[C.CUSTOMER_ID].unique()), 10, "discover")
        scores.append(by_customer(lists, sought, (10,))["ndcg", 10].mean())
    assert max(scores) == scores[2]
    assert found.mean(axis=1) == pytest.approx(scores)


def test_tuning_weighs_all_windows_by_their_customers() -> None:
    few, many = np.array([[0.0], [0.9], [0.0]]), np.array([[0.0] * 4, [0.0] * 4, [0.3] * 4])
    assert tuned(Fixed, [few]) == Fixed.grid[1]
    assert tuned(Fixed, [few, many]) == Fixed.grid[2]


def test_a_test_is_tuned_for_on_every_window_that_was_over_before_it(folds: list[Fold]) -> None:
    known = folds[0].training
    second = replace(known, at=known.at - timedelta(days=10), before=None)
    first = replace(known, at=known.at - timedelta(days=5), before=second)
    newest = replace(known, before=first)
    assert [(a.at, b.at) for a, b in windows_before(newest)] == [(first.at, newest.at), (second.at, first.at)]
    assert windows_before(second) == []


def test_tuning_gives_the_default_where_nothing_tells_settings_apart(folds: list[Fold]) -> None:
    known = folds[0].training
    Fixed.fits.clear()
    nobody = folds[0].after.iloc[:0]
    assert tuned(Fixed, [tried(Fixed, known, nobody, 42)]) == tuned(Fixed, []) == {"turn": 0}
    assert tuned(Settled, [tried(Settled, known, folds[0].after, 42)]) == {"turn": 5}
    assert Fixed.fits == [], "nothing to judge by or to choose, nothing to fit"
    missed = pd.DataFrame({C.CUSTOMER_ID: ["c11"], C.PRODUCT_ID: ["unknown"]})
    assert tuned(Fixed, [tried(Fixed, known, missed, 42)]) == {"turn": 0}
