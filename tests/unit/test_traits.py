"""Over- and under-representation: published tests, a shop made by hand, and chance that is told to be chance."""

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from db.columns import Columns as C
from models.traits import STRATUM, hypergeometric_p, q_values, segment_trait

Customer = tuple[str, int, set[str]]
"""Segment, stratum, and the values that they have."""

COLUMNS = [C.GROUPING, C.SEGMENT, C.TRAIT, STRATUM, C.VALUE, C.CUSTOMERS]


def counted(customers: Iterable[Customer], trait: str = "category", grouping: str = "segment") -> pd.DataFrame:
    """What the database counts of these customers."""
    counts: Counter[tuple[str, int, str | None]] = Counter()
    for segment, stratum, values in customers:
        counts.update((segment, stratum, value) for value in [None, *values])
    rows = [(grouping, s, trait, stratum, value, n) for (s, stratum, value), n in counts.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def by_place(found: pd.DataFrame) -> dict[tuple[str, str], dict[Hashable, Any]]:
    """(Segment, value) -> its row."""
    return {(row[C.SEGMENT], row[C.VALUE]): row for row in found.to_dict("records")}


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    """Their example (1995, section 3.1): of 15 hypotheses on thrombolysis four are rejected at 0.05, as at 0.013."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    p += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    q = q_values(np.array(p))
    assert (q <= 0.05).tolist() == [True] * 4 + [False] * 11
    assert q[0] == pytest.approx(0.0001 * 15)
    assert q[3] == pytest.approx(0.0095 * 15 / 4)


def test_one_stratum_has_the_exact_test_of_fisher() -> None:
    draw = np.random.default_rng(5)
    everyone = draw.integers(30, 90, 60)
    having, segment = draw.integers(1, everyone), draw.integers(1, everyone)
    count = draw.hypergeometric(having, everyone - having, segment)
    p = hypergeometric_p(*(numbers.astype(float) for numbers in (count, segment, having, everyone)))
    for k, n, with_it, of, found in zip(count, segment, having, everyone, p, strict=True):
        cross = [[k, n - k], [with_it - k, of - with_it - n + k]]
        tails = [stats.fisher_exact(cross, alternative=side).pvalue for side in ("less", "greater")]
        assert found == pytest.approx(min(1.0, 2 * min(tails)))


def test_strata_have_the_test_of_mantel_and_haenszel() -> None:
    """Admissions to Berkeley (Bickel, Hammel, O'Connell 1975): chi-square 1.4269, p 0.2323 with continuity correction.

    More of the men were admitted, and yet within departments women were as often, or a little oftener.
    """
    admitted = {"men": (512, 353, 120, 138, 53, 22), "women": (89, 17, 202, 131, 94, 24)}
    refused = {"men": (313, 207, 205, 279, 138, 351), "women": (19, 8, 391, 244, 299, 317)}
    counts = pd.concat(
        counted([(who, at, {"admitted"})] * yes + [(who, at, set())] * no)
        for who in admitted
        for at, (yes, no) in enumerate(zip(admitted[who], refused[who], strict=True))
    )
    found = by_place(segment_trait(counts))
    men, women = found["men", "admitted"], found["women", "admitted"]
    assert (men[C.P_VALUE], women[C.P_VALUE]) == pytest.approx((0.2323, 0.2323), abs=5e-5)
    assert men[C.SHARE] == pytest.approx(1198 / 2691)
    assert men[C.SHARE] > women[C.SHARE]
    assert men[C.LIFT] < 1 < women[C.LIFT]


def test_a_segment_that_buys_only_one_category_is_found() -> None:
    """Of 100 customers of one category each: all 20 of X buy tea, the other 80 buy tea, milk, bread and beer alike."""
    others = [("Y", 0, {value}) for value in ("tea", "milk", "bread", "beer") for _ in range(20)]
    found = by_place(segment_trait(counted([("X", 0, {"tea"})] * 20 + others)))
    tea, milk = found["X", "tea"], found["X", "milk"]
    assert [tea[column] for column in (C.CUSTOMERS, C.SHARE, C.SHOP_SHARE, C.LIFT)] == [20, 1.0, 0.4, 2.5]
    assert tea[C.Q_VALUE] < 1e-6
    assert [milk[column] for column in (C.CUSTOMERS, C.SHARE, C.LIFT)] == [0, 0.0, 0.0]
    assert milk[C.P_VALUE] == pytest.approx(2 * stats.fisher_exact([[0, 20], [20, 60]], alternative="less").pvalue)
    assert found["Y", "tea"][C.LIFT] == (20 / 80) / (40 / 100)


def shoppers(draw: np.random.Generator, favourite: int | None = None) -> list[Customer]:
    """600 active customers buy from 8 to 12 of 15 categories, 1,400 others from 3 to 9, the larger ones more often."""
    weight = np.arange(15, 0, -1.0)
    result = []
    for number in range(2_000):
        is_active = number < 600
        breadth = int(draw.integers(8, 13) if is_active else draw.integers(3, 10))
        liking = weight * np.where(np.arange(15) == favourite, 3.0, 1.0) if is_active else weight
        bought = draw.choice(15, breadth, replace=False, p=liking / liking.sum())
        result.append(("active" if is_active else "quiet", breadth, {f"{value:02}" for value in bought}))
    return result


def test_who_buys_of_everything_favours_nothing_by_that_alone() -> None:
    """All choose alike, and the active choose more: without strata that would be a preference for each category."""
    customers = shoppers(np.random.default_rng(1))
    found = segment_trait(counted(customers))
    assert len(found) == 30
    assert (found[C.Q_VALUE] > 0.05).all()
    blind = segment_trait(counted((segment, 0, values) for segment, _, values in customers))
    assert (blind[C.Q_VALUE] < 0.05).mean() > 0.9


def test_a_true_preference_shows_through_the_strata() -> None:
    found = by_place(segment_trait(counted(shoppers(np.random.default_rng(1), favourite=12))))
    assert found["active", "12"][C.Q_VALUE] <= 0.05
    assert found["active", "12"][C.LIFT] > 1.1
    assert found["quiet", "12"][C.LIFT] < 1


def test_chance_alone_is_rarely_told() -> None:
    """In 200 shops without any difference, at most one in ten has a finding with q of 0.05 or less."""
    draw = np.random.default_rng(2)
    told = 0
    for _ in range(200):
        segments, values = draw.choice(list("abcd"), 400), draw.choice(list("klmnop"), 400)
        counts = counted((str(segment), 0, {str(value)}) for segment, value in zip(segments, values, strict=True))
        told += bool((segment_trait(counts)[C.Q_VALUE] <= 0.05).any())
    assert told <= 20


def test_groupings_are_tested_each_by_itself() -> None:
    """Fewer tests in one grouping do not make the other's findings rarer."""
    one = counted([("X", 0, {"tea"})] * 20 + [("Y", 0, {"tea"})] * 30 + [("Y", 0, {"beer"})] * 30)
    other = one.assign(grouping="rfm_group")
    more = counted([("X", 0, {"UK"})] * 20 + [("Y", 0, {"UK"})] * 40 + [("Y", 0, {"DE"})] * 20, "country")
    alone = segment_trait(one)
    both = segment_trait(pd.concat([one, more, other]))
    again = both[both[C.GROUPING] == "rfm_group"].drop(columns=C.GROUPING).reset_index(drop=True)
    pd.testing.assert_frame_equal(again, alone.drop(columns=C.GROUPING))
    together = both[(both[C.GROUPING] == "segment") & (both[C.TRAIT] == "category")]
    assert (together[C.Q_VALUE].to_numpy() >= alone[C.Q_VALUE].to_numpy()).all()


@pytest.mark.parametrize(("customers", "rows"), [(6, 0), (60, 2)])
def test_of_strata_too_few_customers_say_nothing(customers: int, rows: int) -> None:
    """Of six customers three are expected to have the value: a test by the normal distribution cannot be trusted."""
    few = [("X", number % 2, {"tea"}) for number in range(customers)]
    many = [("Y", number % 2, {"tea"} if number < 100 else set()) for number in range(200)]
    assert len(segment_trait(counted([*few, *many]))) == rows


def test_of_many_values_those_are_kept_that_tell_the_segments_apart() -> None:
    """40 values are bought alike, and one of fewer customers by one segment alone."""
    alike = [(segment, 0, {f"v{value:02}"}) for value in range(40) for segment in ("X", "Y") for _ in range(20)]
    found = segment_trait(counted([*alike, *[("X", 0, {"rare"})] * 21]))
    assert found[C.VALUE].nunique() == 30
    assert "rare" in found[C.VALUE].tolist()


@pytest.mark.parametrize(
    "customers",
    [
        [("X", 0, {"tea"})],
        [("X", 0, {"tea"})] * 50,
        [("X", 0, {"tea"})] * 50 + [("Y", 0, {"tea"})] * 50,
        [("X", 0, {"tea"})] * 10 + [("Y", 0, {"milk"})] * 9,
        [("X", 0, {"tea"})] * 50 + [("Y", 1, {"milk", "tea"})] * 50,
        [],
    ],
    ids=["one customer", "one segment", "all alike", "few", "nobody to compare with", "nothing known"],
)
def test_where_nothing_can_be_compared_there_are_no_rows(customers: list[Customer]) -> None:
    found = segment_trait(counted(customers))
    assert found.empty
    assert C.Q_VALUE in found
