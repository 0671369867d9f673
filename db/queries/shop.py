"""What the shop as a whole holds: its span of days, the choices of the filters, the runs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.filters import LONGEST_VALUE, Period
from db.remembered import remembered
from db.runs import SEGMENTS
from db.snapshot import Snapshot


@dataclass(frozen=True)
class Choices:
    """The values each filter can take, in the order to show them."""

    countries: tuple[str, ...]
    departments: tuple[str, ...]
    categories: tuple[str, ...]
    segments: tuple[str, ...]
    groups: tuple[str, ...]


@remembered
def span(snapshot: Snapshot) -> Period | None:
    """The first and the last day with an order, or None where there is no line."""
    first, last = (snapshot.scalar(f"SELECT {end}(day) FROM purchase") for end in ("min", "max"))
    return Period(first, last) if first else None


@remembered
def choices(snapshot: Snapshot) -> Choices:
    """Every country, department and category that sold, by revenue; every segment and group, most valuable first."""

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
    )


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
