"""Association rules: a published example as fractions, the same as by FP-growth, and what makes no rule."""

from fractions import Fraction
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from mlxtend.frequent_patterns import association_rules, fpgrowth

from db import result_schema
from db.columns import Columns as C
from models.baskets import product_pairs, together

PAIR = [C.PRODUCT_ID, C.OTHER_PRODUCT_ID]
MEASURES = [C.BASKETS, C.SUPPORT, C.CONFIDENCE, C.LIFT, C.LEVERAGE]
# Tan, Steinbach and Kumar, Introduction to Data Mining, chapter 6, table 6.1
MARKET = [
    ["Bread", "Milk"],
    ["Bread", "Diapers", "Beer", "Eggs"],
    ["Milk", "Diapers", "Beer", "Cola"],
    ["Bread", "Milk", "Diapers", "Beer"],
    ["Bread", "Milk", "Diapers", "Cola"],
]


def as_baskets(orders: list[list[str]]) -> pd.DataFrame:
    rows = [(str(number), product) for number, order in enumerate(orders) for product in order]
    return pd.DataFrame(rows, columns=[C.ORDER_ID, C.PRODUCT_ID]).astype("category")


def named(**names: str) -> pd.DataFrame:
    return pd.DataFrame({C.PRODUCT_ID: [*names], C.NAME: [*names.values()]}, dtype=object)


NAMELESS = named()


def rules(orders: list[list[str]], floor: int, products: pd.DataFrame = NAMELESS) -> pd.DataFrame:
    return together(as_baskets(orders), products, floor).rules.set_index(PAIR)


def measures(rules: pd.DataFrame, pair: tuple[str, str]) -> list[float]:
    return [float(rules[measure][pair]) for measure in MEASURES]


def test_the_market_of_the_textbook() -> None:
    found = rules(MARKET, 2)
    expected = {
        ("Beer", "Diapers"): (3, Fraction(3, 5), Fraction(1), Fraction(5, 4), Fraction(3, 25)),
        ("Diapers", "Beer"): (3, Fraction(3, 5), Fraction(3, 4), Fraction(5, 4), Fraction(3, 25)),
        ("Cola", "Milk"): (2, Fraction(2, 5), Fraction(1), Fraction(5, 4), Fraction(2, 25)),
        ("Milk", "Cola"): (2, Fraction(2, 5), Fraction(1, 2), Fraction(5, 4), Fraction(2, 25)),
        ("Cola", "Diapers"): (2, Fraction(2, 5), Fraction(1), Fraction(5, 4), Fraction(2, 25)),
        ("Diapers", "Cola"): (2, Fraction(2, 5), Fraction(1, 2), Fraction(5, 4), Fraction(2, 25)),
    }
    assert set(found.index) == set(expected)  # bread and milk are together in 3 of 5, but by chance in 3.2
    for pair, values in expected.items():
        assert measures(found, pair) == pytest.approx([float(value) for value in values], abs=1e-12)


def test_what_is_left_out_is_told() -> None:
    found = together(as_baskets(MARKET), NAMELESS, 2)
    assert (found.baskets, found.floor, found.left_out) == (5, 2, 1)  # eggs stand in one order


@pytest.mark.parametrize(("orders", "floor"), [(50, 10), (100_000, 10), (100_001, 11), (250_000, 25)])
def test_ten_orders_or_one_in_ten_thousand(orders: int, floor: int) -> None:
    numbers = pd.Categorical(np.arange(orders).astype(str))
    baskets = pd.DataFrame({C.ORDER_ID: numbers, C.PRODUCT_ID: pd.Categorical(["A"] * orders)})
    assert together(baskets, NAMELESS).floor == floor


def by_fp_growth(baskets: pd.DataFrame, floor: int) -> pd.DataFrame:
    """All rules between two products by the package mlxtend."""
    table = pd.crosstab(baskets[C.ORDER_ID], baskets[C.PRODUCT_ID]).astype(bool)
    table = table.loc[:, table.sum() >= floor]
    if table.empty:
        return pd.DataFrame(columns=MEASURES)
    sets = fpgrowth(table, min_support=(floor - 0.5) / len(table), use_colnames=True, max_len=2)
    found = association_rules(sets, metric="support", min_threshold=0)
    found[C.BASKETS] = (found["support"] * len(table)).round()
    pairs = [found[side].map(lambda one: next(iter(one))) for side in ("antecedents", "consequents")]
    found.index = pd.MultiIndex.from_arrays(pairs, names=PAIR)
    return pd.DataFrame(found[MEASURES])


@how(max_examples=50)
@given(
    st.lists(st.lists(st.sampled_from("ABCDEF"), min_size=1, unique=True), min_size=1, max_size=30),
    st.integers(1, 3),
)
def test_the_rules_are_those_of_fp_growth(orders: list[list[str]], floor: int) -> None:
    found, expected = rules(orders, floor), by_fp_growth(as_baskets(orders), floor)
    assert set(expected.index[expected[C.LIFT] > 1 + 1e-9]) <= set(found.index)
    assert (found[C.LIFT] > 1).all()
    for pair in found.index:
        assert measures(found, pair) == pytest.approx(measures(expected, pair), abs=1e-12)


def test_the_rules_of_a_real_shop_are_those_of_fp_growth(retail_path: Path) -> None:
    lines = pd.read_parquet(retail_path, columns=["InvoiceNo", "StockCode", "Quantity"]).query("Quantity > 0")
    baskets = (
        lines[["InvoiceNo", "StockCode"]].astype(str).drop_duplicates().set_axis([C.ORDER_ID, C.PRODUCT_ID], axis=1)
    )
    floor = 400
    found = together(baskets.astype("category"), NAMELESS, floor).rules
    sold = baskets.groupby(C.PRODUCT_ID)[C.ORDER_ID].transform("size")
    expected = by_fp_growth(baskets[sold >= floor], floor)
    orders = baskets[C.ORDER_ID].nunique()
    expected = expected.assign(**{C.LIFT: expected[C.LIFT] * orders / baskets[sold >= floor][C.ORDER_ID].nunique()})
    strongest = expected[(expected[C.LIFT] > 1) & (expected[C.CONFIDENCE] >= 0.05)].reset_index()
    strongest = strongest.sort_values(C.LIFT, ascending=False).groupby(C.PRODUCT_ID).head(20)
    assert len(found) > 10
    merged = found.merge(strongest, on=PAIR, suffixes=("", "_expected"), how="outer", validate="1:1")
    for measure in (C.BASKETS, C.CONFIDENCE, C.LIFT):
        np.testing.assert_allclose(merged[measure], merged[f"{measure}_expected"], rtol=1e-9)
    np.testing.assert_allclose(found[C.SUPPORT], found[C.BASKETS] / orders)


def test_two_of_one_name_make_no_rule() -> None:
    orders = [["A", "B", "C"]] * 3 + [["D"]] * 3
    found = rules(orders, 1, named(A="Tea  cup", B=" TEA CUP", C="Milk"))
    assert set(found.index) == set(permutations("ABC", 2)) - {("A", "B"), ("B", "A")}


def test_products_without_a_name_are_not_of_one_name() -> None:
    nameless = pd.DataFrame({C.PRODUCT_ID: ["A", "B"], C.NAME: [None, None]})
    assert set(rules([["A", "B"]] * 3 + [["D"]], 1, nameless).index) == {("A", "B"), ("B", "A")}


def test_a_product_keeps_its_twenty_strongest_and_none_that_few_take() -> None:
    others = [f"{number:02}" for number in range(30)]
    orders = [["A", *others]] * 2 + [[other] for number, other in enumerate(others) for _ in range(number)]
    found = rules(orders + [["B"]] * 60, 1)
    assert found.loc["A"].index.tolist() == others[:20]  # the fewer buy it without A, the stronger
    rare = rules([["A", "B"], *[["A"]] * 20, *[["C"]] * 500], 1)
    assert set(rare.index) == {("B", "A")}  # of 21 who buy A one takes B: 4.8%


def test_nothing_bought_makes_no_rules_and_no_pairs() -> None:
    none = together(as_baskets([]), NAMELESS)
    assert (none.baskets, none.left_out, len(none.rules)) == (0, 0, 0)
    assert product_pairs(none.rules, ALIKE[:0]).empty
    assert product_pairs(none.rules, ALIKE)[C.SIMILARITY].tolist() == [0.9, 0.5]


ALIKE = pd.DataFrame(
    {C.PRODUCT_ID: ["Beer", "Milk"], C.OTHER_PRODUCT_ID: ["Diapers", "Bread"], C.SIMILARITY: [0.9, 0.5], C.RANK: 1}
)


def test_a_pair_has_its_rule_and_its_likeness_in_one_row() -> None:
    pairs = product_pairs(together(as_baskets(MARKET), NAMELESS, 2).rules, ALIKE)
    columns = set(result_schema.product_pair.columns.keys()) - {C.RUN_ID}
    assert set(pairs.columns) == columns
    assert not pairs.duplicated(PAIR).any()
    assert len(pairs) == 7
    rows = pairs.set_index(PAIR)
    assert rows[C.BASKETS]["Beer", "Diapers"] == 3
    assert rows[C.SIMILARITY].dropna().to_dict() == {("Beer", "Diapers"): 0.9, ("Milk", "Bread"): 0.5}
    assert list(rows.index[rows[MEASURES].isna().any(axis=1)]) == [("Milk", "Bread")]


def test_blocks_of_many_products_are_one_list() -> None:
    random = np.random.default_rng(1)
    orders = [[str(number) for number in random.choice(1_200, 40, replace=False)] for _ in range(400)]
    baskets = as_baskets(orders)
    found = together(baskets, NAMELESS, 3).rules
    table = pd.crosstab(baskets[C.ORDER_ID], baskets[C.PRODUCT_ID]).astype(np.int32)
    both = table.T @ table
    others = (both >= 3).sum(axis=1) - 1
    assert found.groupby(C.PRODUCT_ID).size().to_dict() == others[others > 0].clip(upper=20).to_dict()
    row, column = (both.index.get_indexer(pd.Index(found[side])) for side in PAIR)
    assert (both.to_numpy()[row, column] == found[C.BASKETS]).all()
