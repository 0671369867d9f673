"""Recommendations: tested on the past, fitted on all, and published where the gate lets them."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from threading import Event
from typing import Any

import pandas as pd
from rich.progress import Progress, TaskID
from sqlalchemy import Engine
from threadpoolctl import threadpool_limits

from db import result_schema, runs
from db.columns import Columns as C
from db.judged import BASELINES
from db.queries import features
from db.snapshot import Snapshot
from models.baskets import together
from models.evaluation import PUBLISHED, Evaluation, evaluation
from models.gate import Verdict, verdict
from models.pipeline.advice import advice
from models.pipeline.building import REASON, building, must_stand
from models.pipeline.history import History, history
from models.pipeline.options import Options
from models.pipeline.workshop import Workshop
from models.recommenders.base import Recommender, Tick
from models.recommenders.factorised import Factorised
from models.recommenders.own_history import OwnHistory
from models.recommenders.ranker import LISTS
from models.recommenders.training import Kind
from settings import Settings


def publish_recommendations(
    engine: Engine,
    settings: Settings,
    options: Options,
    data: Snapshot,
    as_of: datetime,
    segments: pd.DataFrame,
    clusters: int,
    display: Progress,
) -> tuple[bool, str]:
    """Whether they were published, and the sentence why.

    `segments` has customer_id and segment as of now, from so many clusters. Raises NotEnoughDataError where nothing can
    be tested.
    """
    task = display.add_task("Recommendations", total=None)
    parameters = options.parameters(runs.RECOMMENDATIONS, settings)
    with (
        building(engine, runs.RECOMMENDATIONS, as_of, parameters, data) as run_id,
        _threads(display, task) as (pool, tick),
    ):
        past = history(data, options, as_of, segments, clusters)
        work = Workshop(past, options, pool, tick)
        display.update(task, total=work.steps)
        counting = pool.submit(_together, data, as_of)
        work.fit()
        judging = pool.submit(evaluation, past.folds, work.models, options.seed, work.published, tick)
        advising = pool.submit(advice, work, counting.result(), tick)
        judged = judging.result()
        decided = {
            kind: verdict(judged, kind, PUBLISHED, BASELINES[kind], options.seed)
            for kind in LISTS
            if _is_judged(judged, kind)
        }
        chosen = _chosen(work, decided)
        if work.again is not OwnHistory and chosen["buy_again"] == OwnHistory.name:
            beaten = verdict(judged, "buy_again", PUBLISHED, BASELINES["buy_again"], options.seed, work.again.name)
            sentence = f"{beaten.sentence} Customers get what their own history says."
            decided["buy_again"] = replace(beaten, model=work.again.name, sentence=sentence)
        rows = _rows(judged, chosen)
        passed, sentence = decided["discover"].passed, decided["discover"].sentence
        if not passed and options.force:
            sentence = f"Published by --force. {sentence}"
        results, coverage = advising.result().results(chosen["buy_again"] == OwnHistory.name)
        metrics = {
            **_told(past, work, options),
            "customers_tested": decided["discover"].customers,
            "gate": {kind: asdict(found) for kind, found in decided.items()},
            "forced": options.force and not passed,
            "published": chosen,
            "coverage": coverage,
            REASON: sentence,
        }
        evidence = {result_schema.evaluation: rows}
        if passed or options.force:
            must_stand(run_id, runs.publish(engine, run_id, {**results, **evidence}, metrics, sentence))
        else:
            runs.refuse(engine, run_id, sentence, evidence, metrics)
    return passed or options.force, sentence


def _together(data: Snapshot, as_of: datetime) -> pd.DataFrame:
    """What is bought together, by all orders."""
    return together(features.baskets(data, as_of), features.products(data, as_of)).rules


def _is_judged(judged: Evaluation, kind: Kind) -> bool:
    """Whether somebody could be judged by."""
    return any(slice_ == kind for _, _, slice_ in judged.by_customer)


def _chosen(work: Workshop, decided: Mapping[Kind, Verdict]) -> dict[str, str]:
    """Kind -> the model whose lists customers get: where own history is better at its own, that stands in."""
    again = decided.get("buy_again")
    better = again is not None and again.difference >= 0
    return {"discover": work.chosen.name, "buy_again": work.again.name if better else OwnHistory.name}


def _rows(judged: Evaluation, chosen: Mapping[str, str]) -> pd.DataFrame:
    """The table of the evaluation; where own history stands in, its figures are those of what customers get."""
    rows = judged.rows
    if chosen["buy_again"] != OwnHistory.name:
        return rows
    replaced = (rows[C.MODEL] == PUBLISHED) & (rows[C.SLICE] == "buy_again")
    own = rows[(rows[C.MODEL] == OwnHistory.name) & (rows[C.SLICE] == "buy_again") & (rows[C.AGAINST] == "")]
    return pd.concat([rows[~replaced], own.assign(**{C.MODEL: PUBLISHED})], ignore_index=True)


def _told(past: History, work: Workshop, options: Options) -> dict[str, Any]:
    """What a run tells of how it came about; plain JSON."""
    newest = past.folds[0]
    return {
        "holdout_days": past.days,
        "split_at": newest.training.at.isoformat(),
        "folds": [{"fold": fold.number, "at": fold.training.at.isoformat(), "days": past.days} for fold in past.folds],
        "customers_served": len(past.now.customers),
        "candidate_products": len(past.now.products),
        "models": {model.name: _of_model(model, work) for model in work.models(newest.training)},
        "quick": options.quick,
        "rules": options.rules.as_json(),
    }


def _of_model(model: Recommender, work: Workshop) -> dict[str, Any]:
    course = [list(point) for point in model.course] if isinstance(model, Factorised) else None
    return {"seconds": work.seconds(model), "settings": dict(model.settings), "course": course}


@contextmanager
def _threads(display: Progress, task: TaskID) -> Iterator[tuple[ThreadPoolExecutor, Tick]]:
    """Two threads, and a tick for their work that ends it once the run is broken off: else Ctrl-C would wait."""
    broken_off = Event()

    def tick() -> None:
        if broken_off.is_set():
            raise InterruptedError("The run was broken off.")
        display.advance(task)

    with ThreadPoolExecutor(
        2, "recommendations", threadpool_limits, (1,)
    ) as pool:  # two, with no more threads of theirs
        try:
            yield pool, tick
        except BaseException:
            broken_off.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
