"""What the shop as a whole holds: its span of days, the choices of the filters, the runs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.filters import LONGEST_VALUE, Period
from db.snapshot import Snapshot


@dataclass(frozen=True)
class Choices:
    """The values each filter can take, in the order to show them."""

    countries: tuple[str, ...]
    departments: tuple[str, ...]
    categories: tuple[str, ...]
    segments: tuple[str, ...]


def span(snapshot: Snapshot) -> Period | None:
    """The first and the last day with an order, or None where there is no line."""
    first = snapshot.scalar("SELECT min(ordered_at)::DATE FROM transaction_line")
    last = snapshot.scalar("SELECT max(ordered_at)::DATE FROM transaction_line")
    return Period(first, last) if first else None


def choices(snapshot: Snapshot) -> Choices:
    """Every country, department and category that sold, by revenue; every segment, most valuable first."""

    def sold(column: str, table: str) -> tuple[str, ...]:
        frame = snapshot.frame(
            f"SELECT {column} AS value FROM transaction_line {table} WHERE length({column}) <= {LONGEST_VALUE} "
            "GROUP BY ALL ORDER BY sum(amount) DESC, value"
        )
        return tuple(frame["value"])

    segments = snapshot.frame("SELECT segment AS value FROM segment_profile ORDER BY position")
    return Choices(
        countries=sold("country", ""),
        departments=sold("department", "JOIN product USING (product_id)"),
        categories=sold("category", "JOIN product USING (product_id)"),
        segments=tuple(segments["value"]),
    )


@dataclass(frozen=True)
class PublishedRun:
    """The run whose results are shown."""

    run_id: int
    as_of: datetime
    metrics: Mapping[str, Any]


def published_run(snapshot: Snapshot, kind: str) -> PublishedRun | None:
    """The published run of a kind (`db.runs` names them), or None before the first."""
    runs = snapshot.frame("SELECT * FROM model_run WHERE kind = ? AND status = 'published'", (kind,))
    if runs.empty:
        return None
    run = runs.iloc[0]
    return PublishedRun(int(run["run_id"]), run["as_of"].to_pydatetime(), json.loads(run["metrics"]))


def refusal(snapshot: Snapshot, kind: str) -> str | None:
    """Why the newest run of a kind was not published; None where it was, or where there is none."""
    newest = snapshot.frame(
        "SELECT status, message FROM model_run WHERE kind = ? ORDER BY run_id DESC LIMIT 1", (kind,)
    )
    refused = newest[newest["status"] == "refused"]
    return None if refused.empty else str(refused.iloc[0]["message"])
