"""How good the recommendations of a run are, and what was decided of each run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from db.judged import Judged
from db.snapshot import Snapshot


@dataclass(frozen=True)
class Decision:
    """A run of recommendations and what became of it; `sentence` says why."""

    run_id: int
    status: str
    started_at: datetime
    as_of: datetime
    sentence: str
    metrics: Mapping[str, Any]

    @property
    def forced(self) -> bool:
        """Whether it was published against the gate."""
        return bool(self.metrics.get("forced"))


def decisions(snapshot: Snapshot) -> list[Decision]:
    """All runs of recommendations that were decided on, newest first."""
    rows = snapshot.frame(
        "SELECT run_id, status, started_at, as_of, coalesce(message, '') AS sentence, metrics FROM model_run "
        "WHERE kind = 'recommendations' ORDER BY run_id DESC"
    )
    return [
        Decision(
            run_id=int(run["run_id"]),
            status=str(run["status"]),
            started_at=run["started_at"].to_pydatetime(),
            as_of=run["as_of"].to_pydatetime(),
            sentence=str(run["sentence"]),
            metrics=json.loads(run["metrics"]),
        )
        for _, run in rows.iterrows()
    ]


def seen(snapshot: Snapshot, judged: Judged) -> Decision | None:
    """The run that is asked for, else the published one, else the newest; None before the first."""
    found = decisions(snapshot)
    asked = (run for run in found if run.run_id == judged.run_id)
    published = (run for run in found if run.status == "published")
    return next(asked, next(published, next(iter(found), None)))


def folds(snapshot: Snapshot, run_id: int) -> list[int]:
    """The windows a run was tested on, 0 (all together) among them; empty where it was not tested."""
    frame = snapshot.frame("SELECT DISTINCT fold FROM every_evaluation WHERE run_id = ? ORDER BY fold", (run_id,))
    return [int(fold) for fold in frame["fold"]]


def values(snapshot: Snapshot, run_id: int, judged: Judged) -> pd.DataFrame:
    """Every model's own values over all customers: model, metric, k, value, ci_low, ci_high, customers; best first.

    Of the slice and the window asked for, at 5 and at 10; best by NDCG@10.
    """
    return snapshot.frame(
        """
        SELECT model, metric, k, value, ci_low, ci_high, customers FROM every_evaluation
        WHERE run_id = ? AND slice = ? AND fold = ? AND against = '' AND subset = 'all'
        ORDER BY max(value) FILTER (metric = 'ndcg' AND k = 10) OVER (PARTITION BY model) DESC NULLS LAST,
            model, metric, k
        """,
        (run_id, judged.of, judged.fold),
    )


def differences(snapshot: Snapshot, run_id: int, judged: Judged) -> pd.DataFrame:
    """Models against others by NDCG@10, customer by customer: model, against, subset, value, ci_low, ci_high,
    customers."""
    return snapshot.frame(
        """
        SELECT model, against, subset, value, ci_low, ci_high, customers FROM every_evaluation
        WHERE run_id = ? AND slice = ? AND fold = ? AND against <> '' AND metric = 'ndcg' AND k = 10
        ORDER BY model, against, subset
        """,
        (run_id, judged.of, judged.fold),
    )


def subsets(snapshot: Snapshot, run_id: int, judged: Judged) -> pd.DataFrame:
    """NDCG at the depth asked for, of parts of the customers or products: model, subset, value, ci_low, ci_high,
    customers; the whole among them."""
    return snapshot.frame(
        """
        SELECT model, subset, value, ci_low, ci_high, customers FROM every_evaluation
        WHERE run_id = ? AND slice = ? AND fold = ? AND against = '' AND metric = 'ndcg' AND k = ?
        ORDER BY subset, model
        """,
        (run_id, judged.of, judged.fold, judged.k),
    )
