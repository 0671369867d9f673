"""Movement as published: everybody is counted at every pair, to the cent, and each flow has its customers."""

from itertools import combinations

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from db.columns import Columns as C

PAIRS = {C.SEGMENT: (C.SEGMENTS, C.SEGMENT_CAUSES), C.RFM_GROUP: (C.GROUPS, C.GROUP_CAUSES)}
CAUSES = {"=": "stayed", "b": "bought", "r": "returned", "q": "quiet", "y": "yardstick", "n": "new"}


def rows(engine: Engine, query: str, **values: object) -> pd.DataFrame:
    with engine.connect() as connection:
        result = connection.execute(text(query), values)
        return pd.DataFrame(result.all(), columns=list(result.keys()))


@pytest.fixture(scope="module")
def moments(record: Engine) -> pd.DataFrame:
    return rows(record, "SELECT * FROM current_movement_moment ORDER BY moment")


@pytest.fixture(scope="module")
def flows(record: Engine) -> pd.DataFrame:
    return rows(record, "SELECT * FROM current_movement")


def test_the_past_is_a_year_of_months(moments: pd.DataFrame) -> None:
    assert len(moments) >= 9, "all of 2017 but its first quarter"
    assert (moments[C.AS_OF].dt.day.iloc[:-1] == 1).all()
    assert moments[C.AS_OF].is_monotonic_increasing


def test_everybody_is_counted_once_at_every_pair(moments: pd.DataFrame, flows: pd.DataFrame) -> None:
    customers = moments.set_index(C.MOMENT)[C.CUSTOMERS]
    pairs = list(combinations(moments[C.MOMENT], 2))
    for grouping in PAIRS:
        of = flows[flows[C.GROUPING] == grouping]
        assert len(of.groupby([C.FROM_MOMENT, C.TO_MOMENT])) == len(pairs)
        for earlier, later in pairs:
            between = of[(of[C.FROM_MOMENT] == earlier) & (of[C.TO_MOMENT] == later)]
            counted = between.groupby(C.CAUSE)[C.CUSTOMERS].sum()
            is_mover = (between[C.FROM_SEGMENT] != between[C.TO_SEGMENT]) & (between[C.FROM_SEGMENT] != "")
            causes = counted.reindex(["bought", "returned", "quiet", "yardstick"], fill_value=0)
            assert causes.sum() == between.loc[is_mover, C.CUSTOMERS].sum()
            assert causes.sum() + counted["stayed"] == customers[earlier]
            assert counted.sum() == customers[later]


def test_revenue_of_the_flows_is_that_of_the_lines(record: Engine, moments: pd.DataFrame, flows: pd.DataFrame) -> None:
    at = moments.set_index(C.MOMENT)[C.AS_OF]
    for earlier, later in [(0, 1), (3, 9), (0, len(at) - 1)]:
        sold = rows(
            record,
            "SELECT sum(amount) AS revenue FROM transaction_line "
            "WHERE customer_id IN (SELECT customer_id FROM current_customer_segment) "
            "AND ordered_at >= :since AND ordered_at < :until",
            since=at[earlier].to_pydatetime(),
            until=at[later].to_pydatetime(),
        )["revenue"].iloc[0]
        for grouping in PAIRS:
            between = (flows[C.FROM_MOMENT] == earlier) & (flows[C.TO_MOMENT] == later)
            total = flows.loc[between & (flows[C.GROUPING] == grouping), C.REVENUE].sum()
            assert abs(total - sold) < 1e-2, "each flow is rounded to a hundredth of a cent"


def test_each_flow_has_as_many_customers_behind_it(record: Engine, flows: pd.DataFrame) -> None:
    people = rows(record, "SELECT * FROM current_customer_movement")
    letters = rows(record, "SELECT * FROM current_movement_letter")
    for grouping, (path, cause) in PAIRS.items():
        named = letters[letters[C.GROUPING] == grouping].set_index(C.LETTER)[C.SEGMENT].to_dict()
        for earlier, later in [(0, 1), (2, 8), (7, 8)]:
            place = later * (later - 1) // 2 + earlier
            behind = pd.DataFrame(
                {
                    C.FROM_SEGMENT: people[path].str[earlier].map({**named, ".": ""}),
                    C.TO_SEGMENT: people[path].str[later].map(named),
                    C.CAUSE: people[cause].str[place].map(CAUSES),
                }
            ).dropna()
            counted = behind.value_counts().to_dict()
            between = (flows[C.FROM_MOMENT] == earlier) & (flows[C.TO_MOMENT] == later)
            told = flows[between & (flows[C.GROUPING] == grouping)]
            assert counted == told.set_index([C.FROM_SEGMENT, C.TO_SEGMENT, C.CAUSE])[C.CUSTOMERS].to_dict()


def test_the_last_moment_is_the_runs_own(record: Engine) -> None:
    told = rows(
        record,
        "SELECT c.segment, l.segment AS by_letter, c.rfm_group, g.segment AS group_by_letter "
        "FROM current_customer_segment AS c JOIN current_customer_movement AS m USING (customer_id) "
        "JOIN current_movement_letter AS l ON l.grouping = 'segment' AND l.letter = right(m.segments, 1) "
        "JOIN current_movement_letter AS g ON g.grouping = 'rfm_group' AND g.letter = right(m.groups, 1)",
    )
    assert len(told) == len(rows(record, "SELECT 1 FROM current_customer_segment"))
    assert (told["segment"] == told["by_letter"]).all()
    assert (told["rfm_group"] == told["group_by_letter"]).all()
