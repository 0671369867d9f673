"""Totals, courses and shares of odd little shops, against what a few lines of Python say of the same lines.

Orders here go on for days, into other countries and among several customers; guests and returns are among them.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db import sales
from db.filters import Filters, Period
from db.queries import overview
from db.snapshot import Snapshot

FIRST = datetime.fromisoformat("2023-11-20")
GOODS = {"p1": ("tea", "food"), "p2": ("soap", "home"), "p3": ("tea", "home"), "p4": (None, None)}
COUNTRIES = ("Malta", "Chile", None)


@dataclass(frozen=True)
class Line:
    """One accepted line; no customer is a guest."""

    order: str
    customer: str | None
    product: str
    country: str | None
    at: datetime
    amount: int
    is_return: bool

    @property
    def day(self) -> date:
        return self.at.date()


class Shop:
    """The tables of `db.sales` of some lines, in memory; answers as a snapshot does."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._connection = duckdb.connect()
        run = self._connection.execute
        run(
            "CREATE TABLE line (order_id VARCHAR, customer_id VARCHAR, product_id VARCHAR, country VARCHAR, "
            "ordered_at TIMESTAMP, amount DECIMAL(18, 4), is_return BOOLEAN, quantity DECIMAL(18, 3), "
            "unit_price DECIMAL(18, 6))"
        )
        run("CREATE TABLE customer (customer_id VARCHAR, attributes VARCHAR)")
        run("CREATE TABLE product (product_id VARCHAR, category VARCHAR, department VARCHAR)")
        rows = [(e.order, e.customer, e.product, e.country, e.at, e.amount, e.is_return, 1, 1) for e in lines]
        self._connection.executemany("INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        run("INSERT INTO customer SELECT DISTINCT customer_id, '{}' FROM line WHERE customer_id IS NOT NULL")
        self._connection.executemany("INSERT INTO product VALUES (?, ?, ?)", [(p, *of) for p, of in GOODS.items()])
        for name, sql in sales.TABLES.items():
            run(f"CREATE TABLE {name} AS {sql}")

    def frame(self, sql: str, parameters: Sequence[Any] = (), **tables: pa.Table) -> pd.DataFrame:
        cursor = self._connection.cursor()
        for name, table in tables.items():
            cursor.register(name, table)
        return cursor.execute(sql, list(parameters)).df()

    def table(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        return self._connection.cursor().sql(sql, params=list(parameters)).to_arrow_table()


LINES = st.lists(
    st.builds(
        Line,
        st.sampled_from([f"o{number}" for number in range(14)]),
        st.sampled_from([None, "a", "b", "c", "d"]),
        st.sampled_from(sorted(GOODS)),
        st.sampled_from(COUNTRIES),
        st.integers(0, 90 * 24).map(lambda hours: FIRST + timedelta(hours=hours)),
        st.integers(-50, 90),
        st.booleans() | st.just(False),
    ),
    min_size=3,
    max_size=30,
)
FILTERS = st.sampled_from(
    [
        Filters(),
        Filters(countries=("Malta",)),
        Filters(countries=("Chile", "Malta")),
        Filters(categories=("tea",)),
        Filters(departments=("home",), countries=("Malta",)),
        Filters(products=("p1", "p4")),
    ]
)
PERIODS = st.tuples(st.integers(0, 89), st.integers(1, 60)).map(
    lambda of: Period((FIRST + timedelta(days=of[0])).date(), (FIRST + timedelta(days=sum(of))).date())
)


def plain(lines: Sequence[Line]) -> list[Line]:
    """The same lines, as a shop without oddities has them: an order is of one customer, one moment and one country, and
    so are all orders of a customer of one country."""
    first: dict[str, Line] = {}
    home: dict[str | None, str | None] = {None: None}
    told = []
    for line in lines:
        of = first.setdefault(line.order, line)
        country = home.setdefault(of.customer, of.country) if of.customer else of.country
        told.append(Line(line.order, of.customer, line.product, country, of.at, line.amount, line.is_return))
    return told


def left(lines: Sequence[Line], filters: Filters, period: Period | None = None) -> list[Line]:
    """The lines that the filters leave."""
    return [
        line
        for line in lines
        if (not filters.countries or line.country in filters.countries)
        and (not filters.categories or GOODS[line.product][0] in filters.categories)
        and (not filters.departments or GOODS[line.product][1] in filters.departments)
        and (not filters.products or line.product in filters.products)
        and (period is None or period.start <= line.day <= period.end)
    ]


def told(lines: Sequence[Line]) -> dict[str, float]:
    """The totals of some lines."""
    sold = [line for line in lines if not line.is_return]
    orders = defaultdict(set)
    for line in sold:
        orders[line.customer].add(line.order)
    guests = orders.pop(None, set())
    of_customers = set().union(*orders.values())
    return {
        "revenue": sum(line.amount for line in lines),
        "customer_revenue": sum(line.amount for line in lines if line.customer),
        "orders": len(guests | of_customers),
        "customer_orders": len(of_customers),
        "customers": len(orders),
        "repeat_customers": sum(len(of) > 1 for of in orders.values()),
    }


def silent(lines: Sequence[Line], day: date) -> tuple[int, int]:
    """Repeat customers known at the end of a day, and how many of them are late."""
    night = datetime.combine(day, datetime.min.time()) + timedelta(days=1)
    placed: dict[str, dict[str, datetime]] = defaultdict(dict)
    for line in lines:
        if line.customer and not line.is_return:
            orders = placed[line.customer]
            orders[line.order] = min(line.at, orders.get(line.order, line.at))
    known = late = 0
    for orders in placed.values():
        times = sorted(at for at in orders.values() if at < night)
        if len(times) > 1:
            known += 1
            gap = max((times[-1] - times[0]) / (len(times) - 1), timedelta(days=1))
            late += night - times[-1] > 2 * gap
    return known, late


@pytest.mark.parametrize("kind", [list, plain], ids=["odd", "plain"])
@settings(max_examples=25)
@given(lines=LINES, filters=FILTERS, period=PERIODS)
def test_numbers_equal_plain_python(
    kind: Callable[[Sequence[Line]], list[Line]], lines: list[Line], filters: Filters, period: Period
) -> None:
    lines = kind(lines)
    shop = cast(Snapshot, Shop(lines))
    chosen = left(lines, filters, period)
    assert counts(overview.totals(shop, filters, period)) == told(chosen)
    for _, bin_ in overview.trend(shop, filters, period, 7).iterrows():
        start = bin_["start"].date()
        days = Period(start, start + timedelta(days=int(bin_["days"]) - 1))
        assert counts(bin_) == told(left(chosen, filters, days))

    for dimension, of in (("country", lambda line: line.country), ("category", lambda line: GOODS[line.product][0])):
        shares = overview.breakdown(shop, filters, period, cast(overview.Dimension, dimension)).set_index("value")
        by: dict[str | None, list[Line]] = defaultdict(list)
        for line in chosen:
            by[of(line)].append(line)
        shown = {value if isinstance(value, str) else None: row for value, row in shares.iterrows()}
        assert set(shown) == set(by)
        for value, row in shown.items():
            expected = told(by[value])
            assert (row["revenue"], row["orders"]) == (expected["revenue"], expected["orders"])

    days_ = [pd.Timestamp(FIRST + timedelta(days=number)).normalize() for number in (10, 40, 70, 95)]
    expected_risk = {day: silent(left(lines, filters), day.date()) for day in days_}
    risk = overview.at_risk(shop, filters, days_).set_index("day")
    found = {day: (int(row["repeat_customers"]), int(row["at_risk"])) for day, row in risk.iterrows()}
    assert found == {day: numbers for day, numbers in expected_risk.items() if numbers[0]}


def counts(row: pd.Series) -> dict[str, float]:
    """The totals that both say."""
    names = ("revenue", "customer_revenue", "orders", "customer_orders", "customers", "repeat_customers")
    return {name: float(row[name]) for name in names}


def test_attributes_are_told_as_the_filters_ask_for_them() -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE customer (customer_id VARCHAR, attributes VARCHAR)")
    attributes = '{"a/b": "x", "c~d": 2, "": "none", "e": null, "f": true}'
    connection.execute("INSERT INTO customer VALUES ('2', ?), ('1', '{}')", [attributes])
    for name in ("buyer", "attribute"):
        connection.execute(f"CREATE TABLE {name} AS {sales.TABLES[name]}")
    rows = connection.execute("FROM attribute ORDER BY name").fetchall()
    assert [row for row in rows if row[0]] == [("a/b", "x", 2), ("c~d", "2", 2), ("f", "true", 2)]
