"""What the numbers rest on: the loads, what was refused of them, and what was found among their lines."""

from dataclasses import dataclass
from datetime import datetime

from db.findings import RETURNED
from db.snapshot import Snapshot


@dataclass(frozen=True)
class State:
    """Of the loads that stand: how many, when the last one ended, rows read and refused, and how many rules found
    something that looks like a mistake."""

    loads: int
    loaded_at: datetime | None
    rows_read: int
    rows_refused: int
    findings: int


def written_at(snapshot: Snapshot) -> datetime | None:
    """Up to when (UTC) loads and runs are in a snapshot, by the newest load and the newest run; None without any."""
    moment: datetime | None = snapshot.scalar(
        "SELECT max(ended)::TIMESTAMP FROM (SELECT arg_max(finished_at, load_id) AS ended FROM load "
        "UNION ALL SELECT arg_max(finished_at, run_id) FROM model_run)"
    )
    return moment


def state(snapshot: Snapshot) -> State:
    """The state of the data of a snapshot, whatever a view is restricted to.

    A return that undoes a purchase is no mistake. A snapshot from before there were findings has none.
    """
    row = snapshot.frame(
        "SELECT count(*) AS loads, arg_max(finished_at, load_id) AS loaded_at, "
        "coalesce(sum(rows_read), 0)::BIGINT AS rows_read, "
        "coalesce(sum(rows_rejected), 0)::BIGINT AS rows_refused FROM load WHERE status = 'done'"
    ).iloc[0]
    found = 0
    if "line_flag" in snapshot.manifest.tables:
        found = snapshot.scalar("SELECT count(DISTINCT rule) FROM line_flag WHERE rule <> ?", (RETURNED.code,))
    return State(
        loads=int(row["loads"]),
        loaded_at=row["loaded_at"].to_pydatetime() if row["loaded_at"] == row["loaded_at"] else None,
        rows_read=int(row["rows_read"]),
        rows_refused=int(row["rows_refused"]),
        findings=int(found),
    )
