"""Recommendations: tested on the past, fitted on all, and published where the gate lets them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from threading import Event

import pandas as pd
from rich.progress import Progress, TaskID
from sqlalchemy import Engine

from db import result_schema, runs
from db.columns import Columns as C
from db.queries import features
from db.snapshot import Snapshot
from models.evaluation import Fold, evaluation
from models.gate import verdict
from models.pipeline.building import REASON, building, must_stand
from models.pipeline.options import Options
from models.pipeline.segments import segments_at
from models.recommenders import RECOMMENDERS
from models.recommenders.base import Recommender, Tick
from models.recommenders.hybrid import Hybrid
from models.recommenders.own_history import OwnHistory
from models.recommenders.popular import Popular
from models.recommenders.training import Kind, Training, training
from models.split import split
from settings import Settings

_LIST_LENGTH = 10


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
    testing = display.add_task("Recommendations: tested on the past", total=sum(r.steps for r in RECOMMENDERS) + 1)
    fitting = display.add_task("Recommendations: fitted", total=Hybrid.steps + OwnHistory.steps + 2)
    parameters = options.parameters(runs.RECOMMENDATIONS, settings)
    with (
        building(engine, runs.RECOMMENDATIONS, as_of, parameters, data) as run_id,
        _beside(display, testing) as (pool, tested),
    ):
        bought = features.purchases(data, as_of)
        parts = split(bought, options.holdout_days)
        products, customers = features.products(data, parts.at), features.customers(data)

        def known(purchases: pd.DataFrame, at: datetime, who: pd.DataFrame) -> Training:
            return training(purchases, products, customers.merge(who, on=C.CUSTOMER_ID), at)

        past = known(parts.before, parts.at, segments_at(data, parts.at, options, clusters))
        now = known(bought, as_of, segments)
        display.advance(testing)
        display.advance(fitting)

        def models(known: Training) -> Iterator[Recommender]:
            return (recommender(options.seed).fit(known, tested) for recommender in RECOMMENDERS)

        judging = pool.submit(evaluation, [Fold(1, past, parts.after)], models, options.seed)
        discover = Hybrid(options.seed).fit(now, lambda: display.advance(fitting))
        buy_again = OwnHistory(options.seed).fit(now, lambda: display.advance(fitting))
        lists = [_list(discover, "discover"), _list(buy_again, "buy_again")]
        display.advance(fitting)
        judged = judging.result()
        decision = verdict(judged, "discover", Hybrid.name, [Popular.name], options.seed)
        metrics = {
            "holdout_days": parts.days,
            "split_at": parts.at.isoformat(),
            "customers_served": len(now.customers),
            "candidate_products": len(now.products),
            "customers_tested": decision.customers,
            REASON: decision.sentence,
        }
        if decision.passed:
            results = {result_schema.recommendation: pd.concat(lists), result_schema.evaluation: judged.rows}
            must_stand(run_id, runs.publish(engine, run_id, results, metrics, decision.sentence))
        else:
            runs.refuse(engine, run_id, decision.sentence, {result_schema.evaluation: judged.rows}, metrics)
    return decision.passed, decision.sentence


@contextmanager
def _beside(display: Progress, task: TaskID) -> Iterator[tuple[ThreadPoolExecutor, Tick]]:
    """A second thread, and a tick for its work that ends it once the first is broken off: else Ctrl-C would wait."""
    broken_off = Event()

    def tick() -> None:
        if broken_off.is_set():
            raise InterruptedError("The run was broken off.")
        display.advance(task)

    with ThreadPoolExecutor(1, thread_name_prefix="evaluation") as pool:
        try:
            yield pool, tick
        except BaseException:
            broken_off.set()
            raise


def _list(model: Recommender, kind: Kind) -> pd.DataFrame:
    customers = model.training.customers[C.CUSTOMER_ID].tolist()
    recommended = model.recommend(customers, _LIST_LENGTH, kind)
    return recommended.assign(**{C.KIND: kind, C.REASON: model.reasons(recommended)})
