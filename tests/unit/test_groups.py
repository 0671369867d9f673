"""RFM groups: cases by hand, what holds for any shop, and shops too small or too even to score."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.configuration import Plan, read_plan
from models.groups import GroupYardstick, group_yardstick
from models.rfm import SCORED, cut_points, scores

PLAN = read_plan(None)
RFM = [C.RECENCY, C.FREQUENCY, C.MONETARY]

rows = st.tuples(
    st.integers(0, 60),
    st.integers(1, 12),
    st.sampled_from([-120.5, 0.0, 9.99]) | st.floats(-1e9, 1e9).map(lambda spent: round(spent, 2)),
)
shops = st.lists(rows, min_size=1, max_size=80).map(lambda rows: pd.DataFrame(rows, columns=RFM))


def shop(*rows: tuple[int, int, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=RFM)


def fixed(recency: list[float], frequency: list[float], monetary: list[float]) -> Plan:
    cuts = {"recency": tuple(recency), "frequency": tuple(frequency), "monetary": tuple(monetary)}
    return PLAN.model_copy(update={"scores": PLAN.scores.model_copy(update=cuts)})


BY_HAND = fixed([7, 30, 90, 180], [1, 2, 4, 9], [50, 100, 200, 400])


def names(yardstick: GroupYardstick, features: pd.DataFrame) -> list[str]:
    return [yardstick.table.groups[place].name for place in yardstick.labels(features)]


def test_customers_scored_by_hand() -> None:
    # R: 7 days and less 5, 30 and less 4, ... F: one order 1, two 2, up to four 3, up to nine 4, more 5; M alike
    customers = shop((0, 10, 401.0), (7, 1, 50.0), (8, 2, 50.01), (91, 9, 400.0), (180, 5, 100.0), (181, 1, -20.0))
    result = customers.assign(**scores(customers, cut_points(customers, BY_HAND.scores)))
    assert result[C.R_SCORE].tolist() == [5, 5, 4, 2, 2, 1]
    assert result[C.F_SCORE].tolist() == [5, 1, 2, 4, 4, 1]
    assert result[C.M_SCORE].tolist() == [5, 1, 2, 4, 2, 1]
    assert result[C.FM_SCORE].tolist() == [5, 1, 2, 4, 3, 1]
    yardstick = GroupYardstick(cut_points(customers, BY_HAND.scores), PLAN.table(5_000))
    assert names(yardstick, customers) == ["Champions", "New", "Promising", "At risk", "At risk", "Lost"]


@pytest.mark.parametrize(
    ("codes", "name"),
    [
        ("555 554 545 455 454 445", "Champions"),
        ("543 444 435 355 354 345 344 335", "Loyal"),
        ("533 532 442 423", "Potential loyalists"),
        ("511 512 521", "New"),
        ("411 412 421", "Promising"),
        ("333 324 342", "Needs attention"),
        ("311 312 321 331", "About to sleep"),
        ("244 243 235 144 133", "At risk"),
        ("155 154 145 255", "Cannot lose them"),
        ("222 211 212", "Hibernating"),
        ("111 112 121", "Lost"),
    ],
)
def test_codes_of_r_f_m_are_in_the_group_of_that_name(codes: str, name: str) -> None:
    days = {5: 1, 4: 20, 3: 50, 2: 100, 1: 300}
    orders = {1: 1, 2: 2, 3: 3, 4: 5, 5: 20}
    spent = {1: 10.0, 2: 80.0, 3: 150.0, 4: 300.0, 5: 900.0}
    customers = shop(*((days[r], orders[f], spent[m]) for r, f, m in (map(int, code) for code in codes.split())))
    yardstick = GroupYardstick(cut_points(customers, BY_HAND.scores), PLAN.table(5_000))
    assert set(names(yardstick, customers)) == {name}


def test_fifths_by_hand() -> None:
    # ten customers, 1 to 10 orders: the cuts lie between the second and third, fourth and fifth, ...
    customers = shop(*((10 * n, n, 100.0 * n) for n in range(1, 11)))
    cuts = cut_points(customers, PLAN.scores)
    assert cuts[C.FREQUENCY] == pytest.approx([2.8, 4.6, 6.4, 8.2])
    assert scores(customers, cuts)[C.F_SCORE].tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert scores(customers, cuts)[C.R_SCORE].tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]


def test_quantiles_lie_where_the_plan_says() -> None:
    customers = shop(*((0, n, 1.0) for n in range(101)))
    tail = PLAN.scores.model_copy(update={"quantiles": (0.5, 0.8, 0.95, 0.99)})
    assert cut_points(customers, tail)[C.FREQUENCY] == [50, 80, 95, 99]


def test_half_the_shop_ordered_once() -> None:
    customers = shop(*((0, 1, 1.0) for _ in range(5)), *((0, n, 1.0) for n in (2, 2, 3, 4, 9)))
    assert scores(customers, cut_points(customers, PLAN.scores))[C.F_SCORE].tolist() == [1] * 5 + [3, 3, 4, 5, 5]


@given(shops)
def test_equal_customers_are_equally_scored_and_in_one_group(customers: pd.DataFrame) -> None:
    yardstick = group_yardstick(customers, PLAN)
    result = customers.assign(**scores(customers, yardstick.cuts), group=yardstick.labels(customers))
    for score, column in SCORED.items():
        assert (result.groupby(column)[score].nunique() == 1).all()
    assert (result.groupby(RFM)["group"].nunique() == 1).all()


@given(shops)
def test_each_customer_is_in_the_one_group_that_covers_their_scores(customers: pd.DataFrame) -> None:
    for customers_of_the_shop in (0, 500, 5_000):
        yardstick = GroupYardstick(cut_points(customers, PLAN.scores), PLAN.table(customers_of_the_shop))
        given = scores(customers, yardstick.cuts)
        labels = yardstick.labels(customers)
        assert labels.dtype == np.int16
        for r, f, m, fm, place in zip(*given.values(), labels, strict=True):
            assert fm == {2: 1, 3: 2, 4: 2, 5: 3, 6: 3, 7: 4, 8: 4, 9: 5, 10: 5}[f + m]
            covering = [at for at, group in enumerate(yardstick.table.groups) if (r, fm) in group.cells()]
            assert covering == [place]


@given(shops, st.integers(0, 30), st.integers(0, 30), st.floats(0, 1e6))
def test_more_is_never_scored_lower(customers: pd.DataFrame, days: int, orders: int, spent: float) -> None:
    cuts = cut_points(customers, PLAN.scores)
    before = scores(customers, cuts)
    more = customers.assign(
        **{
            C.RECENCY: customers[C.RECENCY] + days,
            C.FREQUENCY: customers[C.FREQUENCY] + orders,
            C.MONETARY: customers[C.MONETARY] + spent,
        }
    )
    after = scores(more, cuts)
    assert (after[C.R_SCORE] <= before[C.R_SCORE]).all()
    for score in (C.F_SCORE, C.M_SCORE, C.FM_SCORE):
        assert (after[score] >= before[score]).all()


@given(shops)
def test_the_unit_of_money_and_the_order_of_rows_do_not_matter(customers: pd.DataFrame) -> None:
    labels = group_yardstick(customers, PLAN).labels(customers)
    in_halves = customers.assign(**{C.MONETARY: customers[C.MONETARY] * 2})
    assert (group_yardstick(in_halves, PLAN).labels(in_halves) == labels).all()
    turned = customers[::-1]
    assert (group_yardstick(turned, PLAN).labels(turned)[::-1] == labels).all()


@given(shops, shops)
def test_a_yardstick_that_was_stored_measures_another_day_the_same(then: pd.DataFrame, now: pd.DataFrame) -> None:
    yardstick = group_yardstick(now, PLAN)
    stored = json.dumps(yardstick.as_json(), allow_nan=False)
    again = GroupYardstick.from_json(json.loads(stored))
    assert (again.labels(then) == yardstick.labels(then)).all()
    assert json.dumps(again.as_json()) == stored


def test_the_size_of_the_shop_chooses_the_table() -> None:
    for customers, groups in ((499, 5), (500, 8), (5_000, 11)):
        even = pd.DataFrame({C.RECENCY: range(customers), C.FREQUENCY: 1, C.MONETARY: 1.0})
        assert len(group_yardstick(even, PLAN).table.groups) == groups


@pytest.mark.parametrize("customers", [shop((3, 1, 9.0)), shop(*[(3, 1, 9.0)] * 700), shop((0, 1, 0.0), (0, 1, 0.0))])
def test_customers_all_alike_are_in_one_group(customers: pd.DataFrame) -> None:
    yardstick = group_yardstick(customers, PLAN)
    assert set(names(yardstick, customers)) <= {"Promising", "New"}, "recent, and of nobody's more worth"
    assert json.dumps(yardstick.as_json(), allow_nan=False)


def test_no_customers() -> None:
    with pytest.raises(NotEnoughDataError, match="at least one customer"):
        group_yardstick(shop(), PLAN)
    assert group_yardstick(shop((3, 1, 9.0)), PLAN).labels(shop()).tolist() == []


def test_the_known_rows_of_online_retail(retail_path: Path) -> None:
    """Cancellations counted as orders: 12347 bought 2 days ago, 7 times, for 4310; 12350 310 days ago, once."""
    lines = pd.read_parquet(retail_path)
    lines = lines[lines["CustomerID"].notna()].assign(amount=lambda known: known["Quantity"] * known["UnitPrice"])
    by_customer = lines.groupby(lines["CustomerID"].astype(int))
    customers = pd.DataFrame(
        {
            C.RECENCY: (lines["InvoiceDate"].max() + timedelta(days=1) - by_customer["InvoiceDate"].max()).dt.days,
            C.FREQUENCY: by_customer["InvoiceNo"].nunique(),
            C.MONETARY: by_customer["amount"].sum().round(2),
        }
    )
    yardstick = group_yardstick(customers, PLAN)
    fifths = customers.quantile([0.2, 0.4, 0.6, 0.8])
    assert {column: pytest.approx(fifths[column].tolist()) for column in RFM} == dict(yardstick.cuts)
    # 4,372 customers: eight groups
    known = customers.loc[[12346, 12347, 12348, 12349, 12350]]
    assert names(yardstick, known) == ["Lost", "Champions", "At risk", "Potential loyalists", "Lost"]
