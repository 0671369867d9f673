"""The revenue bridge and the cohorts, against what a few lines of Python say of the same lines."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, cast

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db import sales
from db.conditions import Period
from db.filters import Filters
from db.queries import movement
from db.snapshot import Snapshot
from db.standing import STANDINGS, compared, whole_month

FIRST = date(2023, 11, 20)


class Line(NamedTuple):
    """One line of a small shop; no customer is a guest."""

    customer: str | None
    day: date
    amount: Decimal
    is_return: bool


class Shop:
    """The tables that the queries ask, in memory."""

    def __init__(self, lines: Sequence[Line] | pd.DataFrame, known: Sequence[str] = ()) -> None:
        self._connection = duckdb.connect()
        self._connection.execute(
            "CREATE TABLE transaction_line (customer_id VARCHAR, ordered_at TIMESTAMP, amount DECIMAL(38, 4), "
            "is_return BOOLEAN)"
        )
        self._connection.execute("CREATE TABLE customer_segment (customer_id VARCHAR)")
        if isinstance(lines, pd.DataFrame):
            self._connection.execute("INSERT INTO transaction_line SELECT * FROM lines")
        elif lines:
            self._connection.executemany("INSERT INTO transaction_line VALUES (?, ?, ?, ?)", lines)
        for customer in known:
            self._connection.execute("INSERT INTO customer_segment VALUES (?)", [customer])
        self._connection.execute("CREATE VIEW known AS SELECT customer_id AS customer_no FROM customer_segment")
        self._connection.execute(
            "CREATE VIEW purchase AS SELECT customer_id AS customer_no, ordered_at::DATE AS day, amount, "
            "NOT is_return AS is_sold FROM transaction_line"
        )
        self._connection.execute(f"CREATE VIEW month AS {sales.TABLES['month']}")

    def frame(self, sql: str, parameters: Sequence[Any] = (), **frames: pd.DataFrame) -> pd.DataFrame:
        """As `Snapshot.frame` does."""
        cursor = self._connection.cursor()
        for name, frame in frames.items():
            cursor.register(name, frame)
        return cursor.execute(sql, list(parameters)).df()


def snapshot(lines: Sequence[Line] | pd.DataFrame, known: Sequence[str] = ()) -> Snapshot:
    return cast(Snapshot, Shop(lines, known))


LINES = st.lists(
    st.builds(
        Line,
        st.sampled_from([None, "a", "b", "c", "d", "e"]),
        st.integers(0, 150).map(lambda days: FIRST + timedelta(days=days)),
        st.decimals(-500, 500, places=3, allow_nan=False),
        st.booleans(),
    ),
    min_size=12,
    max_size=40,
)
PERIODS = st.tuples(st.integers(20, 120), st.integers(1, 40)).map(
    lambda given: Period(FIRST + timedelta(days=given[0]), FIRST + timedelta(days=sum(given)))
) | st.sampled_from([whole_month(date(2024, month, 1)) for month in (1, 2, 3)])


def within(line: Line, period: Period) -> bool:
    return period.start <= line.day <= period.end


def standing(lines: Sequence[Line], period: Period, before: Period) -> str | None:
    """How a customer with these lines stands, said a second time."""
    bought = [line.day for line in lines if not line.is_return and line.day <= period.end]
    here = any(period.start <= day for day in bought)
    there = any(before.start <= day <= before.end for day in bought)
    if here and min(bought) >= period.start:
        return "new"
    if here:
        return "kept" if there else "won_back"
    if there:
        return "lapsed"
    return "returns_only" if any(within(line, period) or within(line, before) for line in lines) else None


@settings(max_examples=50)
@given(lines=LINES, period=PERIODS)
def test_the_bridge_adds_up_and_parts_the_customers(lines: list[Line], period: Period) -> None:
    before = compared(period)
    bridge = movement.bridge(snapshot(lines, ["a", "b"]), Filters(), period)
    now = sum((line.amount for line in lines if within(line, period)), Decimal())
    then = sum((line.amount for line in lines if within(line, before)), Decimal())
    assert bridge["change"].sum() == pytest.approx(float(now - then), abs=1e-6)
    assert bridge["now"].sum() == pytest.approx(float(now), abs=1e-6)
    assert list(bridge.index) == [*STANDINGS, "guests"]
    for name in STANDINGS:
        who = {
            customer
            for customer in "abcde"
            if standing([line for line in lines if line.customer == customer], period, before) == name
        }
        assert bridge.loc[name, "customers"] == len(who)
        assert bridge.loc[name, "listed"] == len(who & {"a", "b"})
        brought = sum((line.amount for line in lines if line.customer in who and within(line, period)), Decimal())
        assert bridge.loc[name, "now"] == pytest.approx(float(brought), abs=1e-6)


@settings(max_examples=50)
@given(lines=LINES)
def test_each_month_of_the_year_is_the_bridge_of_that_month(lines: list[Line]) -> None:
    shop = snapshot(lines)
    months = [date(2023, 12, 1), date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)]
    monthly = movement.monthly(shop, Filters(), months[0], months[-1])
    for month in months:
        bridge = movement.bridge(shop, Filters(), whole_month(month))
        of = monthly[monthly["month"] == pd.Timestamp(month)].set_index("standing")
        assert of["change"].sum() == pytest.approx(bridge["change"].sum(), abs=1e-6)
        for name in of.index:
            assert of.loc[name, "customers"] == bridge.loc[name, "customers"]


def test_a_whole_month_is_held_against_the_month_before() -> None:
    assert compared(whole_month(date(2024, 3, 9))) == Period(date(2024, 2, 1), date(2024, 2, 29))
    assert compared(whole_month(date(2024, 1, 1))) == Period(date(2023, 12, 1), date(2023, 12, 31))
    assert compared(Period(date(2024, 3, 1), date(2024, 3, 30))) == Period(date(2024, 1, 31), date(2024, 2, 29))


def test_a_shop_by_hand() -> None:
    lines = [
        Line("kept", date(2024, 1, 5), Decimal("10.10"), False),
        Line("kept", date(2024, 2, 5), Decimal("30.25"), False),
        Line("lapsed", date(2024, 1, 6), Decimal("7.00"), False),
        Line("lapsed", date(2024, 2, 6), Decimal("-2.00"), True),
        Line("back", date(2023, 12, 31), Decimal("1.00"), False),
        Line("back", date(2024, 2, 29), Decimal("5.00"), False),
        Line("new", date(2024, 2, 1), Decimal("4.00"), False),
        Line("returner", date(2024, 1, 31), Decimal("-3.00"), True),
        Line(None, date(2024, 2, 10), Decimal("9.99"), False),
    ]
    bridge = movement.bridge(snapshot(lines), Filters(), whole_month(date(2024, 2, 1)))
    changes = {"new": 4, "kept": 20.15, "won_back": 5, "lapsed": -9, "returns_only": 3, "guests": 9.99}
    assert bridge["change"].to_dict() == pytest.approx(changes)
    assert bridge["customers"].to_dict() == dict.fromkeys(STANDINGS, 1) | {"guests": 0}


def test_retention_of_online_retail(retail_path: Path) -> None:
    """The first cohort of this data set is known: 885 customers bought in December 2010, 324 of them in January."""
    raw = pd.read_parquet(retail_path).drop_duplicates()
    raw = raw[(raw["UnitPrice"] > 0) & raw["CustomerID"].notna()]
    back = raw["InvoiceNo"].astype(str).str.startswith("C") | (raw["Quantity"] <= 0)
    lines = pd.DataFrame(
        {
            "customer_id": raw["CustomerID"].astype(float).astype(int).astype(str),
            "ordered_at": pd.to_datetime(raw["InvoiceDate"]),
            "amount": (raw["Quantity"] * raw["UnitPrice"]).astype(float),
            "is_return": back,
        }
    )
    found = movement.retention(snapshot(lines), Filters())
    bought = lines[~lines["is_return"]]
    month = lines["ordered_at"].dt.to_period("M")
    first = lines["customer_id"].map(bought.groupby("customer_id")["ordered_at"].min()).dt.to_period("M")
    dated = lines.assign(cohort=first, age=(month - first).map(lambda gap: getattr(gap, "n", None)))
    counts = dated[~dated["is_return"]].groupby(["cohort", "age"])["customer_id"].nunique()
    sums = dated[dated["age"] >= 0].groupby(["cohort", "age"])["amount"].sum()
    for _, row in found.iterrows():
        key = (pd.Period(row["cohort"], "M"), row["age"])
        assert row["customers"] == counts.get(key, 0)
        assert row["revenue"] == pytest.approx(sums.get(key, 0.0), abs=0.01)
        assert row["share"] == row["customers"] / counts.get((key[0], 0), 0)
    assert len(found) == 13 * 14 / 2
    assert list(found["customers"].head(2)) == [885, 324]
    assert found.loc[found["age"] == 0, "size"].sum() == bought["customer_id"].nunique() == 4338


def test_cohorts_follow_a_customer_who_skips_a_month() -> None:
    lines = [Line("a", date(2024, month, 3), Decimal(1), False) for month in (1, 3)]
    found = movement.retention(snapshot([*lines, Line("b", date(2024, 1, 9), Decimal(2), True)]), Filters())
    assert list(found["customers"]) == [1, 0, 1]
    assert list(found["size"]) == [1, 1, 1]
