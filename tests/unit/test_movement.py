"""Movement: everybody is counted once, and each cause is what it says."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.columns import Columns as C
from models.movement import CAUSES, Labels, Movement, Stand, movement

START = datetime.fromisoformat("2024-01-01")


@dataclass(frozen=True)
class Cut:
    """Label 1 for who spent at least so much and bought within so many days, else 0."""

    spend: float
    days: int

    def labels(self, features: pd.DataFrame) -> Labels:
        good = (features[C.MONETARY] >= self.spend) & (features[C.RECENCY] <= self.days)
        return good.to_numpy().astype(np.int16)


def stand(moment: int, cut: Cut, rows: dict[int, tuple[int, int, float, float]]) -> Stand:
    """Customer -> recency, orders, spend, returned."""
    columns = [C.RECENCY, C.FREQUENCY, C.MONETARY, "returned"]
    features = pd.DataFrame.from_dict(rows, orient="index", columns=columns).sort_index()
    return Stand(START + timedelta(days=30 * moment), features, cut)


def letters(found: Movement) -> list[str]:
    return [str(one) for one in found.causes.to_pylist()]


def test_each_cause_is_what_it_says() -> None:
    before = {
        0: (5, 3, 100.0, 0.0),  # orders again, stays
        1: (5, 1, 10.0, 0.0),  # buys its way up
        2: (5, 3, 100.0, 0.0),  # buys nothing for a month
        3: (5, 3, 100.0, 0.0),  # sends back what made it good
        4: (5, 2, 55.0, 0.0),  # the bar rises above it, and it bought meanwhile
        6: (3, 3, 52.0, 0.0),  # bought too little for the new bar, but enough for the old one: only the bar moved
    }
    after = {
        0: (2, 4, 130.0, 0.0),
        1: (1, 2, 90.0, 0.0),
        2: (35, 3, 100.0, 0.0),
        3: (30, 3, 20.0, 80.0),
        4: (5, 3, 58.0, 0.0),
        5: (1, 1, 5.0, 0.0),  # was no customer yet
        6: (3, 3, 52.0, 0.0),
    }
    found = movement([stand(0, Cut(50, 30), before), stand(1, Cut(60, 30), after)], customers=7)
    assert letters(found) == ["=", "b", "q", "r", "y", "n", "y"]
    assert found.path.to_pylist() == ["BB", "AB", "BA", "BA", "BA", ".A", "BA"]
    flows = found.flows.set_index([C.FROM_SEGMENT, C.TO_SEGMENT, C.CAUSE])
    assert flows[C.CUSTOMERS].to_dict() == {
        (-1, 0, "new"): 1,
        (0, 1, "bought"): 1,
        (1, 0, "quiet"): 1,
        (1, 0, "returned"): 1,
        (1, 0, "yardstick"): 2,
        (1, 1, "stayed"): 1,
    }
    assert flows[C.REVENUE].to_dict() == {
        (-1, 0, "new"): 5.0,
        (0, 1, "bought"): 80.0,
        (1, 0, "quiet"): 0.0,
        (1, 0, "returned"): -80.0,
        (1, 0, "yardstick"): 3.0,
        (1, 1, "stayed"): 30.0,
    }


def test_one_moment_has_paths_and_no_flows() -> None:
    found = movement([stand(0, Cut(50, 30), {1: (5, 1, 60.0, 0.0)})], customers=3)
    assert found.path.to_pylist() == [".", "A", "."]
    assert letters(found) == ["", "", ""]
    assert found.flows.empty


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Stand], int]:
    """Customers who begin at some moment and then buy, return or do nothing, under moving cuts."""
    customers = draw(st.integers(1, 12))
    moments = draw(st.integers(1, 5))
    starts = draw(st.lists(st.integers(0, moments - 1), min_size=customers, max_size=customers))
    starts[0] = 0
    known: dict[int, tuple[int, int, float, float]] = {}
    stands = []
    for moment in range(moments):
        for who, start in enumerate(starts):
            recency, orders, spend, returned = known.get(who, (0, 0, 0.0, 0.0))
            match (
                draw(st.sampled_from(["buy", "return", "rest"])) if start < moment else ("buy", "none")[start > moment]
            ):
                case "buy":
                    worth = draw(st.integers(1, 80))
                    known[who] = (draw(st.integers(0, 29)), orders + 1, spend + worth, returned)
                case "return":
                    worth = draw(st.integers(1, 40))
                    known[who] = (recency + 30, orders, spend - worth, returned + worth)
                case "rest":
                    known[who] = (recency + 30, orders, spend, returned)
        cut = Cut(draw(st.integers(0, 100)), draw(st.integers(0, 90)))
        stands.append(stand(moment, cut, dict(known)))
    return stands, customers


@given(histories())
def test_everybody_is_counted_once_for_every_pair(history: tuple[list[Stand], int]) -> None:
    stands, customers = history
    found = movement(stands, customers)
    paths, causes = found.path.to_pylist(), letters(found)
    of = {letter: label for label, letter in found.letters.items()}
    for later in range(len(stands)):
        for earlier in range(later):
            flows = found.flows[(found.flows[C.FROM_MOMENT] == earlier) & (found.flows[C.TO_MOMENT] == later)]
            assert flows[C.CUSTOMERS].sum() == len(stands[later].features)
            assert flows.loc[flows[C.CAUSE] != "new", C.CUSTOMERS].sum() == len(stands[earlier].features)
            same = flows[C.FROM_SEGMENT] == flows[C.TO_SEGMENT]
            assert (flows.loc[same, C.CAUSE] == "stayed").all()
            assert not (flows.loc[~same, C.CAUSE] == "stayed").any()
            grown = stands[later].features[C.MONETARY].sum() - stands[earlier].features[C.MONETARY].sum()
            assert flows[C.REVENUE].sum() == pytest.approx(grown)
            for row in flows.to_dict("records"):  # the customers behind a flow are as many as it says
                behind = [
                    who
                    for who in range(customers)
                    if paths[who][later] in of
                    and of[paths[who][later]] == row[C.TO_SEGMENT]
                    and of.get(paths[who][earlier], -1) == row[C.FROM_SEGMENT]
                    and CAUSES.get(causes[who][later * (later - 1) // 2 + earlier]) == row[C.CAUSE]
                ]
                assert len(behind) == row[C.CUSTOMERS]


@given(histories())
def test_who_did_not_change_moves_by_the_yardstick_alone(history: tuple[list[Stand], int]) -> None:
    stands, customers = history
    frozen = [Stand(one.as_of, stands[0].features, one.yardstick) for one in stands]
    assert set("".join(letters(movement(frozen, customers)))) <= set("=y.")


@given(histories())
def test_under_one_yardstick_nobody_moves_by_it(history: tuple[list[Stand], int]) -> None:
    stands, customers = history
    found = movement([Stand(one.as_of, one.features, stands[0].yardstick) for one in stands], customers)
    assert set("".join(letters(found))) <= set("=bqrn.")
