"""What the pages show, computed from the snapshot, equals what plain SQL on the record says."""

from datetime import date, timedelta
from random import Random
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from db.drill import Range, Trait
from db.filters import Filters, Period
from db.grid import GridRequest
from db.queries import customer_list, customers, overview, recommendations, segments, shop
from db.snapshot import Snapshot

COMBINATIONS = 48


def random_filters(snapshot: Snapshot, seed: int) -> Filters:
    """A combination of filters a visitor could choose."""
    random, choices, span = Random(seed), shop.choices(snapshot), shop.span(snapshot)
    assert span is not None
    start = span.start + timedelta(days=random.randrange(span.days))

    def some(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(random.sample(values, min(len(values), random.choice([0, 0, 1, 3]))))

    return Filters(
        start=random.choice([None, start]),
        end=random.choice([None, start + timedelta(days=random.randrange(1, 120))]),
        departments=some(choices.departments),
        categories=some(choices.categories) if random.random() < 0.3 else (),
        segments=some(choices.segments),
        groups=some(choices.groups) if random.random() < 0.3 else (),
        products=tuple(sorted(random.sample(_sold_products(snapshot), 60))) if random.random() < 0.2 else (),
        traits=_some_traits(random, choices) if random.random() < 0.3 else (),
        ranges=(Range("frequency", random.randrange(30), 60),) if random.random() < 0.3 else (),
    )


def _sold_products(snapshot: Snapshot) -> list[str]:
    return list(snapshot.frame("SELECT DISTINCT product_id FROM transaction_line ORDER BY 1")["product_id"])


def _some_traits(random: Random, choices: shop.Choices) -> tuple[Trait, ...]:
    of = random.choice(choices.attributes)
    values = [value for value, _ in of.values]
    return tuple(sorted(Trait(of.name, value) for value in random.sample(values, min(2, len(values)))))


def who(filters: Filters, values: dict[str, Any]) -> str:
    """The conditions on a customer and the row `s` of their segment, said for Postgres; their values are added."""
    sql = ""
    for field, column in (("segments", "s.segment"), ("groups", "s.rfm_group")):
        if chosen := getattr(filters, field):
            sql += f" AND {column} = ANY(:{field})"
            values[field] = list(chosen)
    for kept in filters.ranges:
        sql += f" AND s.{kept.column} BETWEEN {kept.low} AND {kept.high}"
    if filters.traits:
        values |= {"trait": filters.traits[0].name, "told": [trait.value for trait in filters.traits]}
        sql += " AND s.customer_id IN (SELECT customer_id FROM customer WHERE attributes ->> :trait = ANY(:told))"
    return sql


def lines(record: Engine, filters: Filters, period: Period | None) -> tuple[str, dict[str, Any]]:
    """The lines a view is about, said a second time, for Postgres."""
    sql = (
        "SELECT line.* FROM transaction_line AS line JOIN product USING (product_id) "
        "LEFT JOIN current_customer_segment AS s USING (customer_id) WHERE true"
    )
    values: dict[str, Any] = {}
    if period:
        sql += " AND line.ordered_at::date BETWEEN :start AND :end"
        values |= {"start": period.start, "end": period.end}
    goods = (("departments", "department"), ("categories", "category"), ("products", "line.product_id"))
    for field, column in goods:
        if chosen := getattr(filters, field):
            sql += f" AND {column} = ANY(:{field})"
            values[field] = list(chosen)
    return sql + who(filters, values), values


def ask(record: Engine, sql: str, values: dict[str, Any]) -> pd.DataFrame:
    with record.connect() as connection:
        result = connection.execute(text(sql), values)
        return pd.DataFrame(result.fetchall(), columns=list(result.keys()))


@pytest.mark.parametrize("seed", range(COMBINATIONS))
def test_totals_and_shares_equal_plain_sql(snapshot: Snapshot, record: Engine, seed: int) -> None:
    filters = random_filters(snapshot, seed)
    span = shop.span(snapshot)
    assert span is not None
    period = filters.period(span)
    chosen, values = lines(record, filters, period)
    expected = ask(
        record,
        f"""
        WITH chosen AS ({chosen}), buyer AS (
            SELECT customer_id, count(DISTINCT order_id) AS orders FROM chosen
            WHERE NOT is_return AND customer_id IS NOT NULL GROUP BY 1
        )
        SELECT (SELECT coalesce(sum(amount), 0) FROM chosen) AS revenue,
            (SELECT count(DISTINCT order_id) FROM chosen WHERE NOT is_return) AS orders,
            (SELECT coalesce(sum(orders), 0) FROM buyer) AS customer_orders,
            (SELECT coalesce(sum(amount), 0) FROM chosen WHERE customer_id IS NOT NULL) AS customer_revenue,
            (SELECT count(*) FROM buyer) AS customers, (SELECT count(*) FROM buyer WHERE orders > 1) AS repeat_customers
        """,
        values,
    ).iloc[0]
    totals = overview.totals(snapshot, filters, period)
    assert totals["revenue"] == pytest.approx(float(expected["revenue"]), abs=0.005)
    assert totals["customer_revenue"] == pytest.approx(float(expected["customer_revenue"]), abs=0.005)
    for name in ("orders", "customers", "repeat_customers", "customer_orders"):
        assert totals[name] == expected[name]
    if expected["orders"]:
        assert totals["average_order"] == pytest.approx(float(expected["revenue"]) / expected["orders"])

    for part in (
        overview.trend(snapshot, filters, period, 7),
        overview.breakdown(snapshot, filters, period, "department"),
        overview.segment_revenue(snapshot, filters, period),
    ):
        assert part["revenue"].sum() == pytest.approx(float(expected["revenue"]), abs=0.005)


@pytest.mark.parametrize("seed", range(0, COMBINATIONS, 4))
def test_what_moved_is_the_difference_of_two_plain_sums(snapshot: Snapshot, record: Engine, seed: int) -> None:
    filters = random_filters(snapshot, seed)
    now, before = Period(date(2017, 6, 1), date(2017, 8, 31)), Period(date(2017, 3, 1), date(2017, 5, 31))
    of_lines, values = lines(record, filters, None)
    expected = ask(
        record,
        f"""
        SELECT p.category AS value,
            coalesce(sum(amount) FILTER (WHERE ordered_at::date BETWEEN '2017-06-01' AND '2017-08-31'), 0) AS revenue,
            coalesce(sum(amount) FILTER (WHERE ordered_at::date BETWEEN '2017-03-01' AND '2017-05-31'), 0) AS before
        FROM ({of_lines}) AS line JOIN product AS p USING (product_id)
        WHERE ordered_at::date BETWEEN '2017-03-01' AND '2017-08-31' GROUP BY 1
        """,
        values,
    ).astype({"revenue": float, "before": float})
    found = overview.moved(snapshot, filters, now, before, "category")
    assert found["change"].is_monotonic_decreasing
    compared = found.merge(expected, on="value", how="outer", suffixes=("", "_expected"))
    compared = compared.fillna(dict.fromkeys(compared.columns.drop("value"), 0.0))
    assert len(compared) == len(expected)
    for name in ("revenue", "before"):
        assert compared[name].to_numpy() == pytest.approx(compared[f"{name}_expected"].to_numpy(), abs=0.005)
    assert (found["revenue"] - found["before"]).to_numpy() == pytest.approx(found["change"].to_numpy())


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
    count, batches = customer_list.whole_list(snapshot, filters, GridRequest(rows=None))
    assert sorted(row for batch in batches for row in batch.column("customer_id").to_pylist()) == sorted(expected)
    assert count == len(expected)


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
