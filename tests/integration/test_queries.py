"""What the pages show, computed from the snapshot, equals what plain SQL on the record says."""

from datetime import date

import pandas as pd
import pytest
from sqlalchemy import Engine

from db.filters import Filters, Period
from db.grid import GridRequest
from db.queries import customer_list, customers, overview, recommendations, segments
from db.snapshot import Snapshot
from tests.integration.plain import COMBINATIONS, ask, lines, random_filters, who


@pytest.mark.parametrize("seed", range(0, COMBINATIONS, 3))
def test_the_list_holds_exactly_the_customers_the_filters_leave(snapshot: Snapshot, record: Engine, seed: int) -> None:
    filters = random_filters(snapshot, seed)
    bought = filters.departments or filters.categories or filters.products or filters.start or filters.end
    period = Period(filters.start or date(1900, 1, 1), filters.end or date(2199, 1, 1))
    chosen, values = lines(record, filters, period)
    sql = f"SELECT customer_id FROM current_customer_segment AS s WHERE true {who(filters, values)}"
    if bought:
        sql += f" AND customer_id IN (SELECT customer_id FROM ({chosen}) AS c WHERE NOT is_return)"
    expected = set(ask(record, sql, values)["customer_id"])
    frame, total = customers.page(snapshot, filters, GridRequest(rows=1000))
    assert total == len(expected)
    assert set(frame["customer_id"]) == expected
    whole = customer_list.whole_list(snapshot, filters, GridRequest(rows=None), "opt-out")
    assert sorted(row for batch in whole.batches for row in batch.column("customer_id").to_pylist()) == sorted(expected)
    assert whole.total == len(expected)


def test_at_risk_equals_each_customers_own_gaps(snapshot: Snapshot, record: Engine) -> None:
    day = pd.Timestamp("2017-09-30")
    orders = ask(
        record,
        "SELECT customer_id, order_id, min(ordered_at) AS at FROM transaction_line "
        "WHERE NOT is_return AND customer_id IS NOT NULL AND ordered_at < '2017-10-01' GROUP BY 1, 2",
        {},
    )
    at_risk = known = 0
    for _, times in orders.groupby("customer_id")["at"]:
        if len(times) < 2:
            continue
        known += 1
        gap = (times.max() - times.min()) / (len(times) - 1)
        at_risk += pd.Timestamp("2017-10-01") - times.max() > 2 * max(gap, pd.Timedelta(days=1))
    row = overview.at_risk(snapshot, Filters(), [day]).iloc[0]
    assert (row["repeat_customers"], row["at_risk"]) == (known, at_risk)
    assert row["share"] == pytest.approx(at_risk / known)


def test_bins_cover_the_period_once_and_end_with_it(snapshot: Snapshot) -> None:
    period = Period(date(2017, 3, 1), date(2017, 5, 17))
    for days in (1, 7, 28):
        starts = overview.trend(snapshot, Filters(), period, days)["start"].dt.date.to_list()
        assert starts[0] == period.start
        assert (period.end - starts[-1]).days == days - 1
        assert starts == sorted(set(starts))


def test_one_customer_in_full(snapshot: Snapshot, record: Engine) -> None:
    someone = "17"
    row = customers.one(snapshot, someone)
    assert row is not None
    expected = ask(record, "SELECT * FROM current_customer_segment WHERE customer_id = :id", {"id": someone}).iloc[0]
    for name in ("segment", "recency_days", "frequency", "r_score", "f_score", "m_score"):
        assert row[name] == expected[name]
    orders = customers.orders(snapshot, someone)
    assert orders["amount"].sum() == pytest.approx(float(expected["monetary"]))
    assert len(orders) == expected["frequency"]
    assert customers.one(snapshot, "' OR true --") is None


def test_offers_of_a_segment_count_its_customers_lists(snapshot: Snapshot, record: Engine) -> None:
    segment = segments.profiles(snapshot).iloc[0]["segment"]
    expected = ask(
        record,
        "SELECT product_id, count(*) AS customers FROM current_recommendation JOIN current_customer_segment "
        "USING (customer_id) WHERE kind = 'discover' AND rank <= 10 AND segment = :segment GROUP BY 1",
        {"segment": segment},
    ).set_index("product_id")["customers"]
    offered = recommendations.for_customers(snapshot, Filters(segments=(segment,)))
    offered = offered[offered["kind"] == "discover"].head(10)
    assert offered["customers"].is_monotonic_decreasing
    assert offered["customers"].to_list() == expected.sort_values(ascending=False).head(10).to_list()
    for _, row in offered.iterrows():
        assert row["customers"] == expected[row["product_id"]]
