"""Profiles: sizes that add up, quartiles of who has a value, the customers who bring 80%, and the play's numbers."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.columns import Columns as C
from models.behaviour import known
from models.configuration import read_plan
from models.plays import Stakes, play_reason
from models.profiles import cluster_profiles, group_profiles

SPREAD = [C.Q1, C.MEDIAN, C.Q3, C.MEAN]


def shop_of(monetary: list[float], **columns: object) -> pd.DataFrame:
    """Customers alike save for what they spent and what is told."""
    alike = {C.RECENCY: 10, C.FREQUENCY: 2, C.SILENCE: 0.5, C.TENURE: 100}
    return pd.DataFrame({**alike, C.MONETARY: monetary, **columns})


def test_the_pareto_share_is_the_part_of_a_segment_among_who_brings_80_percent() -> None:
    """Of 100, 60 and 20 are the smallest set that brings 80; half of cluster 0 is in it, and a third of cluster 1."""
    labels = np.array([0, 0, 1, 1, 1])
    profile = cluster_profiles(shop_of([60, 10, 20, 5, 5]), labels, "$").profile.set_index(C.CLUSTER)
    assert profile[C.PARETO_SHARE].to_dict() == {0: 1 / 2, 1: pytest.approx(1 / 3)}


def test_equal_customers_share_the_edge_of_the_pareto_set_whatever_their_order() -> None:
    """Eight of ten equal customers bring 80%: none of the ten is more among them than another."""
    labels = np.arange(10) % 2
    profile = cluster_profiles(shop_of([10.0] * 10), labels, "$").profile
    assert profile[C.PARETO_SHARE].tolist() == pytest.approx([0.8, 0.8])


@pytest.mark.parametrize("monetary", [[0.0, 0.0, 0.0], [-5.0, 2.0, 1.0], [-1.0, -1.0, -1.0]])
def test_totals_that_are_not_positive_have_no_shares(monetary: list[float]) -> None:
    profile = cluster_profiles(shop_of(monetary), np.array([0, 0, 1]), "£").profile
    assert profile[C.REVENUE_SHARE].tolist() == [0.0, 0.0]
    assert profile[C.PARETO_SHARE].isna().all()
    assert profile[C.REVENUE].sum() == pytest.approx(sum(monetary))


def test_who_brought_less_than_nothing_is_not_among_who_brings_80_percent() -> None:
    profile = cluster_profiles(shop_of([90.0, 20.0, -10.0]), np.array([0, 1, 2]), "£").profile.set_index(C.CLUSTER)
    assert profile[C.PARETO_SHARE].to_dict() == {0: 1.0, 1: 0.0, 2: 0.0}, "90 is 80% of 100"


def test_measures_are_quartiles_of_the_customers_who_have_the_value() -> None:
    gaps = [np.nan, 10.0, 20.0, 30.0, 40.0, np.nan, np.nan]
    labels = np.array([0, 0, 0, 0, 0, 1, 1])
    told = cluster_profiles(shop_of([50, 40, 30, 20, 10, 1, 1], **{C.GAP: gaps}), labels, "$")
    measures = told.measures.set_index([C.MEASURE, C.SEGMENT])
    first, second = (told.names[label] for label in (0, 1))
    assert list(measures.loc[(C.GAP, first), SPREAD]) == [17.5, 25, 32.5, 25]
    assert (C.GAP, second) not in measures.index, "nobody there has a gap: the row is absent"
    assert list(measures.loc[(C.MONETARY, first), SPREAD]) == [20, 30, 40, 30]
    assert not told.measures.isna().any().any()
    assert C.DISCOUNT_SHARE not in told.measures[C.MEASURE].tolist(), "the data have none"


@pytest.mark.parametrize(
    ("play", "sentence"),
    [
        ("retain", "Retain: 412 customers brought $510,880 of revenue so far (24% of the shop's), $1,240 each."),
        (
            "grow",
            "Grow: one more order each, at their own average, from 412 customers is worth $30,900; "
            "$510,880 of revenue so far (24% of the shop's) is theirs.",
        ),
        (
            "win_back",
            "Win back: 412 customers who spent $1,240 each are silent for 2.1 of their usual gaps; "
            "$510,880 of revenue so far (24% of the shop's) is theirs.",
        ),
        (
            "leave",
            "Leave alone: 412 customers who spent $1,240 each are silent for 2.1 of their usual gaps; all of them "
            "together brought $510,880 of revenue so far (24% of the shop's).",
        ),
    ],
)
def test_the_play_names_its_numbers(play: str, sentence: str) -> None:
    assert play_reason(play, Stakes(412, 510_880.0, 0.24, 2.1, 63.0, 0.2, 30_900.0), "$") == sentence


@pytest.mark.parametrize("play", ["win_back", "leave"])
def test_a_play_speaks_of_no_gaps_where_most_ordered_once(play: str) -> None:
    said = play_reason(play, Stakes(412, 510_880.0, 0.24, 2.1, 63.0, 0.73, 30_900.0), "$")
    assert "gap" not in said
    assert "silent for 63 days, 73% of them after one order" in said


def test_who_is_left_alone_is_promised_no_revenue() -> None:
    said = play_reason("leave", Stakes(686, 174_745.0, 0.1, 3.4, 90.0, 0.1, 9_000.0, 244_625.0, 686), "$")
    assert "244,625" not in said
    assert said.endswith("of 686 an order in the next 90 days is unlikely.")


def test_the_play_uses_a_forecast_where_there_is_one() -> None:
    columns = {C.CLV: [100.0, 50.0, np.nan], C.CHURN_RISK: [0.9, 0.1, np.nan]}
    profile = cluster_profiles(shop_of([60, 60, 60], **columns), np.zeros(3, np.int16), "€").profile
    assert profile[C.PLAY_REASON].tolist() == [
        "Grow: one more order each, at their own average, from 3 customers is worth €90; €180 of revenue so far "
        "(100% of the shop's) is theirs; €150 of revenue is expected of them in the next year; of 1 an order in the "
        "next 90 days is unlikely."
    ]


def test_groups_have_the_names_of_their_table_and_the_reason_their_cells_and_ranges() -> None:
    table = next(table for table in read_plan(None).tables if table.from_customers == 0)
    best = next(place for place, group in enumerate(table.groups) if (5, 5) in group.cells())
    worst = next(place for place, group in enumerate(table.groups) if (1, 1) in group.cells())
    shop = shop_of([90.0, 80.0, 5.0], **{C.RECENCY: [1, 4, 300], C.FREQUENCY: [9, 7, 1]})
    profile = group_profiles(shop, np.array([best, best, worst], np.int16), table.groups, "£").profile
    assert profile[C.SEGMENT].tolist() == [table.groups[best].name, table.groups[worst].name], (
        "empty groups have no row"
    )
    assert profile[C.COLOUR].tolist() == [table.groups[place].colour for place in (best, worst)]
    assert profile[C.GROUPING].unique().tolist() == [C.RFM_GROUP]
    assert "the last purchase was 1 to 4 days ago, after 7 to 9 orders worth £80 to £90." in profile[C.REASON].iloc[0]
    assert profile[C.REASON].iloc[1].endswith("the last purchase was 300 days ago, after 1 order worth £5.")


amounts = st.floats(-1_000, 5_000, allow_nan=False).map(lambda amount: round(amount, 2))
lines = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 300), amounts), min_size=1, max_size=40)


@given(lines, st.integers(1, 4))
def test_any_shop_has_profiles_without_a_hole(orders: list[tuple[int, int, float]], k: int) -> None:
    """(customer, day, amount) an order: one customer, all equal, no spend and negative totals are among them."""
    days = pd.Timestamp(2024, 1, 1) + pd.to_timedelta([day for _, day, _ in orders], unit="D")
    frame = pd.DataFrame({"customer": [who for who, _, _ in orders], "at": days, "amount": [a for _, _, a in orders]})
    each = frame.groupby("customer").agg(
        orders=("at", "size"),
        days=("at", "nunique"),
        first_at=("at", "min"),
        last_at=("at", "max"),
        amount=("amount", "sum"),
    )
    sold = frame["amount"].clip(lower=0).groupby(frame["customer"]).sum()
    periods = each.assign(sold=sold, on_discount=sold / 2, returned=0.0, categories=1, period=0).reset_index()
    moment = datetime(2025, 1, 1)  # noqa: DTZ001  (the shop's own time)
    features = next(iter(known(np.arange(7).astype(object), periods, [moment]))).features
    told = cluster_profiles(features, np.arange(len(features)) % k, "$")
    assert not told.measures.isna().any().any()
    assert np.isfinite(told.measures[SPREAD].to_numpy()).all()
    assert (told.measures[C.Q1] <= told.measures[C.MEDIAN]).all()
    assert (told.measures[C.MEDIAN] <= told.measures[C.Q3]).all()
    assert not told.profile.drop(columns=C.PARETO_SHARE).isna().any().any()
    words = told.profile[[C.REASON, C.PERSONA, C.PLAY_REASON]]
    assert not words.apply(lambda column: column.str.contains(r"\bnan\b|\binf\b")).any().any()
    if features[C.MONETARY].sum() > 0:
        inside = (told.profile[C.PARETO_SHARE] * told.profile[C.CUSTOMERS]).sum()
        assert inside == pytest.approx(round(inside)), "the set has whole customers"
