"""Read -> fit -> evaluate -> gate -> write -> publish: segments first, recommendations when they are there."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pandas as pd
from rich.progress import Progress, TaskID
from sqlalchemy import Engine

from db import result_schema, runs, snapshot
from db.columns import Columns as C
from db.queries import features
from db.runs import Run
from db.snapshot import Snapshot
from errors import ConfigurationError, DatabaseError, NotEnoughDataError, SpectrumError
from models.configuration import read_plan
from models.evaluation import DISCOVER, evaluation
from models.gate import verdict
from models.points import Transform
from models.products import segment_product
from models.profiles import cluster_profiles
from models.recommenders import RECOMMENDERS
from models.recommenders.base import Recommender, Tick
from models.recommenders.hybrid import Hybrid
from models.recommenders.own_history import OwnHistory
from models.recommenders.popular import Popular
from models.recommenders.training import Training, training
from models.rfm import cut_points, rfm, scored
from models.segments import Segmentation, segmentation
from models.split import split
from settings import Settings

BUY_AGAIN = "buy_again"

_LIST_LENGTH = 10
_FAR = timedelta(days=3_650)
_REASON = "reason"
"""The metric of every run that came to a decision; one broken off has none."""


@dataclass(frozen=True)
class Options:
    """What a run may be asked for; stored with it."""

    as_of: datetime | None = None
    """The moment the models look back from; None for the last order's time plus one day."""
    returns: features.Returns = "net"
    transform: Transform = "log"
    clusters: int | None = None
    n_init: int = 10
    seed: int = 42
    holdout_days: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a run: one sentence each, and whether recommendations were published."""

    segments: str
    recommendations: str
    published: bool


@dataclass(frozen=True)
class _Segments:
    customers: pd.DataFrame
    profile: pd.DataFrame
    cuts: Mapping[str, list[float]]
    segmentation: Segmentation


def run(engine: Engine, settings: Settings, options: Options, display: Progress) -> Outcome:
    """Compute and publish segments, then recommendations, from all that is loaded.

    Where recommendations lack data their run is refused, and the outcome says why. Raises NotEnoughDataError where not
    even segments can be published. What was published before stays until there is better.
    """
    snapshot.refresh(engine, settings.data_dir)
    data = snapshot.open_newest(settings.data_dir)
    as_of = _as_of(data, options)
    segments = _publish_segments(engine, settings, options, data, as_of, display)
    snapshot.refresh(engine, settings.data_dir)
    try:
        published, sentence = _publish_recommendations(engine, settings, options, data, as_of, segments, display)
    except NotEnoughDataError as error:
        published, sentence = False, str(error)
    snapshot.refresh(engine, settings.data_dir)
    return Outcome(segments.segmentation.reason, sentence, published)


def is_current(engine: Engine, settings: Settings, options: Options) -> bool:
    """Whether all that is loaded, this as-of and these parameters have been decided on: another run would repeat it.

    Segments must be published; recommendations may have been refused, for the same data would be refused again.
    """
    snapshot.refresh(engine, settings.data_dir)
    data = snapshot.open_newest(settings.data_dir)
    as_of = _as_of(data, options)

    def is_of_now(run: Run | None) -> bool:
        if run is None or _REASON not in run.metrics:
            return False
        wanted = (data.manifest.data_version, as_of, _parameters(run.kind, options, settings))
        return (run.data_version, run.as_of, run.parameters) == wanted

    recommendations = (find(engine, runs.RECOMMENDATIONS) for find in (runs.published, runs.latest))
    return is_of_now(runs.published(engine, runs.SEGMENTS)) and any(is_of_now(run) for run in recommendations)


def _as_of(data: Snapshot, options: Options) -> datetime:
    last = features.last_ordered_at(data)
    if last is None:
        raise NotEnoughDataError(
            "Nothing has been loaded yet; run `python -m etl load sample` or `python -m etl load FILE`."
        )
    if options.as_of is not None and options.as_of - last > _FAR:
        raise ConfigurationError(
            f"--as-of {options.as_of:%Y-%m-%d} is more than ten years after the last order, of {last:%Y-%m-%d}; "
            "choose a day nearer to it."
        )
    return options.as_of or last + timedelta(days=1)


def _parameters(kind: str, options: Options, settings: Settings) -> dict[str, Any]:
    """What decides a run's results beside the data and the moment; personas hold the currency."""
    parameters = {name: value for name, value in asdict(options).items() if name != "as_of"}
    return {**parameters, "currency": settings.currency} if kind == runs.SEGMENTS else parameters


@contextmanager
def _building(
    engine: Engine, kind: str, as_of: datetime, parameters: Mapping[str, Any], data: Snapshot
) -> Iterator[int]:
    """An open run, refused with the reason should anything go wrong."""
    run_id = runs.open_run(engine, kind, as_of, parameters, data.manifest.data_version)
    try:
        yield run_id
    except NotEnoughDataError as error:
        runs.refuse(engine, run_id, str(error), metrics={_REASON: str(error)})
        raise
    except BaseException as error:
        cause = "Ctrl-C" if isinstance(error, KeyboardInterrupt) else repr(error)
        message = str(error) if isinstance(error, SpectrumError) else f"Broken off by {cause}; run the models again."
        with suppress(DatabaseError):  # the run is closed already, or the database is gone: the first error says more
            runs.refuse(engine, run_id, message)
        raise
    runs.prune(engine, kind)


def _stands(run_id: int, published: bool) -> None:
    if not published:
        raise SpectrumError(f"While run {run_id} was computed a newer one was published; that one stays.")


def _publish_segments(
    engine: Engine, settings: Settings, options: Options, data: Snapshot, as_of: datetime, display: Progress
) -> _Segments:
    task = display.add_task("Segments", total=3)
    parameters = _parameters(runs.SEGMENTS, options, settings)
    with _building(engine, runs.SEGMENTS, as_of, parameters, data) as run_id:
        segments = _segments(data, as_of, options, settings.currency)
        display.advance(task)
        sales = features.segment_sales(data, segments.customers[[C.CUSTOMER_ID, C.SEGMENT]], as_of)
        results = {
            result_schema.customer_segment: segments.customers,
            result_schema.segment_profile: segments.profile,
            result_schema.segment_product: segment_product(sales, segments.profile),
        }
        display.advance(task)
        metrics = {
            "customers": len(segments.customers),
            "cut_points": segments.cuts,
            "curves": segments.segmentation.curves and asdict(segments.segmentation.curves),
            "k": segments.segmentation.k,
            "inertia": segments.segmentation.inertia,
            _REASON: segments.segmentation.reason,
        }
        _stands(run_id, runs.publish(engine, run_id, results, metrics, segments.segmentation.reason))
    display.advance(task)
    return segments


def _segments(data: Snapshot, as_of: datetime, options: Options, currency: str) -> _Segments:
    """RFM, clusters and names from what was known at `as_of`."""
    values = rfm(features.customer_history(data, as_of, options.returns), as_of)
    plan = read_plan(None)
    cuts = cut_points(values, plan.scores)
    clusters = segmentation(
        values,
        plan.clusters,
        transform=options.transform,
        clusters=options.clusters,
        n_init=options.n_init,
        seed=options.seed,
    )
    clustered = scored(values, cuts).assign(**{C.CLUSTER: clusters.labels})
    profile = cluster_profiles(clustered, clusters.labels, currency).profile
    named = clustered.merge(profile[[C.CLUSTER, C.SEGMENT]], on=C.CLUSTER, how="left")
    return _Segments(named, profile, cuts, clusters)


def _publish_recommendations(
    engine: Engine,
    settings: Settings,
    options: Options,
    data: Snapshot,
    as_of: datetime,
    segments: _Segments,
    display: Progress,
) -> tuple[bool, str]:
    testing = display.add_task("Recommendations: tested on the past", total=sum(r.steps for r in RECOMMENDERS) + 1)
    fitting = display.add_task("Recommendations: fitted", total=Hybrid.steps + OwnHistory.steps + 2)
    parameters = _parameters(runs.RECOMMENDATIONS, options, settings)
    with (
        _building(engine, runs.RECOMMENDATIONS, as_of, parameters, data) as run_id,
        _beside(display, testing) as (pool, tested),
    ):
        bought = features.purchases(data, as_of)
        parts = split(bought, options.holdout_days)
        products, customers = features.products(data), features.customers(data)

        def known(purchases: pd.DataFrame, at: datetime, who: _Segments) -> Training:
            segmented = customers.merge(who.customers[[C.CUSTOMER_ID, C.SEGMENT]], on=C.CUSTOMER_ID)
            return training(purchases, products, segmented, at)

        past = known(parts.before, parts.at, _segments(data, parts.at, options, settings.currency))
        now = known(bought, as_of, segments)
        display.advance(testing)
        display.advance(fitting)
        judging = pool.submit(evaluation, past, parts.after, options.seed, tested)
        discover = Hybrid(options.seed).fit(now, lambda: display.advance(fitting))
        buy_again = OwnHistory(options.seed).fit(now, lambda: display.advance(fitting))
        lists = [_list(discover, DISCOVER), _list(buy_again, BUY_AGAIN)]
        display.advance(fitting)
        judged = judging.result()
        decision = verdict(
            judged.by_customer[Hybrid.name, DISCOVER], judged.by_customer[Popular.name, DISCOVER], options.seed
        )
        metrics = {
            "holdout_days": parts.days,
            "split_at": parts.at.isoformat(),
            "customers_served": len(now.customers),
            "candidate_products": len(now.products),
            "customers_tested": len(judged.by_customer[Popular.name, DISCOVER]),
            _REASON: decision.sentence,
        }
        if decision.passed:
            results = {result_schema.recommendation: pd.concat(lists), result_schema.evaluation: judged.rows}
            _stands(run_id, runs.publish(engine, run_id, results, metrics, decision.sentence))
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


def _list(model: Recommender, kind: str) -> pd.DataFrame:
    customers = model.training.customers[C.CUSTOMER_ID].tolist()
    recommended = model.recommend(customers, _LIST_LENGTH, discover=kind == DISCOVER)
    return recommended.assign(**{C.KIND: kind, C.REASON: model.reasons(recommended)})
