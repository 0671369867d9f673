"""What the shop as a whole holds: its span of days, the choices of the filters, the runs."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.drill import RANGES
from db.filters import LONGEST_VALUE, Period
from db.remembered import remembered
from db.runs import SEGMENTS
from db.snapshot import Snapshot

MOST_VALUES = 30
"""An attribute with more values than these is offered as no filter: it is a number, a date or a name."""


@dataclass(frozen=True)
class Attribute:
    """An attribute of customers with its values, each with the number of buyers who have it."""

    name: str
    values: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Number:
    """A number of customers that the run knows, and where it lies."""

    column: str
    low: float
    high: float


@dataclass(frozen=True)
class Choices:
    """The values each filter can take, in the order to show them."""

    countries: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    numbers: tuple[Number, ...] = ()


@remembered
def span(snapshot: Snapshot) -> Period | None:
    """The first and the last day with an order, or None where there is no line."""
    first, last = (snapshot.scalar(f"SELECT {end}(day) FROM purchase") for end in ("min", "max"))
    return Period(first, last) if first else None


@remembered
def choices(snapshot: Snapshot) -> Choices:
    """Every country, department and category that sold, by revenue; every segment and group, most valuable first;
    attributes of few values by name; numbers of the run that differ among customers."""

    def sold(column: str, table: str) -> tuple[str, ...]:
        frame = snapshot.frame(
            f"SELECT {column} AS value FROM {table} WHERE length({column}) <= {LONGEST_VALUE} "
            "GROUP BY ALL ORDER BY sum(amount) DESC, value"
        )
        return tuple(frame["value"])

    def named(grouping: str) -> tuple[str, ...]:
        sql = "SELECT segment FROM segment_profile WHERE grouping = ? ORDER BY position"
        return tuple(snapshot.frame(sql, (grouping,))["segment"])

    return Choices(
        countries=sold("country", "purchase"),
        departments=sold("department", "sale"),
        categories=sold("category", "sale"),
        segments=named("segment"),
        groups=named("rfm_group"),
        alternatives=named("alternative"),
        attributes=tuple(_attributes(snapshot)),
        numbers=tuple(_numbers(snapshot)),
    )


def _attributes(snapshot: Snapshot) -> Iterator[Attribute]:
    """Of customers who bought; what is a list or an object in itself is left out."""
    frame = snapshot.frame(
        f"""
        WITH alike AS (
            SELECT attributes::JSON AS attributes, count(*) AS customers FROM customer
            WHERE attributes <> '{{}}' AND customer_id IN (SELECT customer_id FROM transaction_line WHERE NOT is_return)
            GROUP BY ALL
        ), counted AS (
            SELECT key AS name, value ->> '$' AS value, sum(customers)::BIGINT AS customers
            FROM alike, json_each(alike.attributes) WHERE type NOT IN ('NULL', 'ARRAY', 'OBJECT') GROUP BY ALL
        )
        SELECT name, value, customers FROM counted
        WHERE value <> '' AND name <> '' AND greatest(length(name), length(value)) <= {LONGEST_VALUE}
            AND NOT contains(name || value, chr(0))
        QUALIFY count(*) OVER (PARTITION BY name) <= ? ORDER BY name
        """,
        (MOST_VALUES,),
    )
    for name, rows in frame.groupby("name", sort=False):
        pairs = zip(map(str, rows["value"]), map(int, rows["customers"]), strict=True)
        yield Attribute(str(name), tuple(sorted(pairs, key=lambda pair: by_size(pair[0]))))


def by_size(value: str) -> tuple[float, bool, str]:
    """By the first number in a text, so that `Under 15K` comes before `15-24K` and that before `100-124K`."""
    number = re.search(r"\d+(?:\.\d+)?", value)
    below = re.match(r"\s*(under|below|less|up to|<)", value, re.IGNORECASE)
    return float(number[0]) if number else math.inf, not below, value


def _numbers(snapshot: Snapshot) -> Iterator[Number]:
    ends = ", ".join(f"min({name})::DOUBLE AS {name}_low, max({name})::DOUBLE AS {name}_high" for name in RANGES)
    row = snapshot.frame(f"SELECT {ends} FROM customer_segment").iloc[0]
    for name in RANGES:
        low, high = float(row[f"{name}_low"]), float(row[f"{name}_high"])
        if low < high:
            yield Number(name, low, high)


def product_names(snapshot: Snapshot, product_ids: Sequence[str]) -> dict[str, str]:
    """Id -> name, of the products that have one."""
    sql = "SELECT product_id, name FROM product WHERE name IS NOT NULL AND list_contains(?::VARCHAR[], product_id)"
    frame = snapshot.frame(sql, (list(product_ids),))
    return dict(zip(frame["product_id"], frame["name"], strict=True))


@dataclass(frozen=True)
class PublishedRun:
    """The run whose results are shown, or of segments an earlier one."""

    run_id: int
    as_of: datetime
    data_version: str
    metrics: Mapping[str, Any]
    parameters: Mapping[str, Any]
    is_published: bool
    """Whether it still is; else a newer one took its place."""


def published_run(snapshot: Snapshot, kind: str) -> PublishedRun | None:
    """The run of a kind (`db.runs` names them) whose results this snapshot shows, or None before the first."""
    if kind == SEGMENTS and snapshot.run_id is not None:
        return _runs(snapshot, "run_id = ?", snapshot.run_id)[0]
    return next(iter(_runs(snapshot, "kind = ? AND status = 'published'", kind)), None)


def segment_runs(snapshot: Snapshot) -> list[PublishedRun]:
    """The runs whose segments can be seen, newest first."""
    return _runs(snapshot, "kind = ? AND status IN ('published', 'superseded')", SEGMENTS)


def _runs(snapshot: Snapshot, condition: str, value: object) -> list[PublishedRun]:
    rows = snapshot.frame(f"SELECT * FROM model_run WHERE {condition} ORDER BY run_id DESC", (value,))
    return [
        PublishedRun(
            run_id=int(run["run_id"]),
            as_of=run["as_of"].to_pydatetime(),
            data_version=run["data_version"],
            metrics=json.loads(run["metrics"]),
            parameters=json.loads(run["parameters"]),
            is_published=run["status"] == "published",
        )
        for _, run in rows.iterrows()
    ]


def refusal(snapshot: Snapshot, kind: str) -> str | None:
    """Why the newest run of a kind was not published; None where it was, or where there is none."""
    newest = snapshot.frame(
        "SELECT status, message FROM model_run WHERE kind = ? ORDER BY run_id DESC LIMIT 1", (kind,)
    )
    refused = newest[newest["status"] == "refused"]
    return None if refused.empty else str(refused.iloc[0]["message"])
