"""What the shop as a whole holds: its span of days, the choices of the filters, the runs."""

from dataclasses import dataclass

import pandas as pd

from db.filters import Period
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
            f"SELECT {column} AS value FROM transaction_line {table} WHERE {column} IS NOT NULL "
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


def runs(snapshot: Snapshot) -> pd.DataFrame:
    """Every finished run: run_id, kind, status, as_of, parameters, metrics (JSON text), message; newest first."""
    return snapshot.frame(
        "SELECT run_id, kind, status, as_of, parameters, metrics, message, data_version, finished_at "
        "FROM model_run ORDER BY run_id DESC"
    )
