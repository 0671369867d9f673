"""The views of a visitor, drawn by a seed, and the same views said a second time, in plain SQL for Postgres."""

from datetime import timedelta
from random import Random
from typing import Any

import pandas as pd
from sqlalchemy import Engine, text

from db.drill import Range, Trait
from db.filters import Filters, Period
from db.queries import shop
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
