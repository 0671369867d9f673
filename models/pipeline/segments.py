"""Segments: the customers valued, parted three ways, profiled and followed through the past; then published."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.progress import Progress
from sqlalchemy import Engine

from db import result_schema, runs
from db.columns import Columns as C
from db.queries import features, shop
from db.queries.shop import PublishedRun
from db.result_schema import GROUPINGS
from db.snapshot import Snapshot
from errors import NotEnoughDataError
from models.behaviour import RETURNED, Known, known
from models.configuration import FEATURES
from models.drift import drift
from models.followed import followed
from models.forecast import forecast
from models.forecast import moments as moments_to_value
from models.groups import group_yardstick
from models.moments import moments
from models.parting import Before, Left, Parting, parting
from models.pipeline.building import REASON, building, must_stand
from models.pipeline.options import Options
from models.products import segment_product
from models.profiles import cluster_profiles
from models.report_card import report
from models.rfm import SCORED
from models.segments import ClusterYardstick, Segmentation, segmentation
from models.traits import segment_trait
from settings import Settings

STEPS = ("history", "value", "clusters", "movement", "profiles", "writing")
"""What a run of segments does, in this order."""

_YARDSTICKS = {C.SEGMENT: "yardstick", C.ALTERNATIVE: "alternative_yardstick"}
"""Grouping -> the metric that keeps its yardstick for the next run."""
_OF_THE_PAST = (C.RECENCY, C.FREQUENCY, C.MONETARY, C.TENURE, C.SILENCE, C.AVERAGE_ORDER, RETURNED)
"""What of each customer is kept of a moment of the past, beside what the plan compares them by."""

Ids = npt.NDArray[np.object_]


@dataclass(frozen=True)
class _Compared:
    """An earlier run, and the snapshot that shows it."""

    data: Snapshot
    run: PublishedRun


def publish_segments(
    engine: Engine, settings: Settings, options: Options, data: Snapshot, as_of: datetime, display: Progress
) -> tuple[pd.DataFrame, Segmentation]:
    """Each customer's segment (customer_id, segment), and the clusters they come from.

    Raises NotEnoughDataError where no customer bought before `as_of`.
    """
    task = display.add_task("Segments", total=len(STEPS))
    parameters = options.parameters(runs.SEGMENTS, settings)
    with building(engine, runs.SEGMENTS, as_of, parameters, data) as run_id:
        compared = _compared(data, as_of, parameters)
        ids, past, to_value = _history(data, as_of, options)
        display.advance(task)
        expected, value = _value(to_value, options)
        now = replace(past[-1], features=past[-1].features.join(expected))
        display.advance(task)
        parted = _parted(now, options, settings.currency, _before(compared))
        display.advance(task)
        clusters = parted.clusters[C.SEGMENT]
        moved = followed(past, ids, clusters.yardstick, parted.groups, parted.profiles, options.plan, options.seed)
        display.advance(task)
        customers = parted.customers().assign(**{C.CUSTOMER_ID: ids[now.features.index]})
        profile = pd.concat([found.profile for found in parted.profiles.values()], ignore_index=True)
        labels = customers[[C.CUSTOMER_ID, *GROUPINGS]]
        sales = features.segment_sales(data, labels, as_of)
        results = {
            result_schema.customer_segment: now.features.join(customers),
            result_schema.segment_profile: profile,
            result_schema.segment_measure: pd.concat([found.measures for found in parted.profiles.values()]),
            result_schema.segment_trait: segment_trait(features.trait_counts(data, labels, as_of)),
            result_schema.segment_product: segment_product(sales, profile),
            result_schema.movement_moment: moved.moments,
            result_schema.movement_letter: moved.letters,
            result_schema.movement: moved.flows,
            result_schema.customer_movement: moved.customers,
        }
        display.advance(task)
        metrics = {
            "customers": len(customers),
            "cut_points": parted.groups.as_json()["cuts"],
            "k": clusters.k,
            "inertia": clusters.inertia,
            "curves": clusters.curves and asdict(clusters.curves),
            "capped": [asdict(one) for one in clusters.capped],
            "new": list(clusters.new),
            "pca": parted.picture.as_json(),
            "before": compared and compared.run.run_id,
            "drift": compared and _drift(compared, parted),
            **{metric: parted.clusters[grouping].yardstick.as_json() for grouping, metric in _YARDSTICKS.items()},
            "value": value,
            REASON: clusters.reason,
        }
        must_stand(run_id, runs.publish(engine, run_id, results, metrics, clusters.reason))
        display.advance(task)
    return customers[[C.CUSTOMER_ID, C.SEGMENT]], clusters


def segments_at(data: Snapshot, at: datetime, options: Options, clusters: int) -> pd.DataFrame:
    """Each customer's segment (customer_id, segment) in so many clusters, from what was known at a past moment alone.

    Raises NotEnoughDataError where there were fewer different histories than that.
    """
    periods = features.customer_periods(data, [at], options.returns)
    (then,) = known(periods.ids, periods.frame, [at])
    found = segmentation(
        then.features,
        options.plan.clusters,
        transform=options.transform,
        clusters=clusters,
        n_init=options.n_init,
        seed=options.seed,
        compare=False,
    )
    names = cluster_profiles(then.features, found.labels, "").named(found.labels)
    return pd.DataFrame({C.CUSTOMER_ID: periods.ids[then.features.index], C.SEGMENT: names.array})


def _history(
    data: Snapshot, as_of: datetime, options: Options
) -> tuple[npt.NDArray[np.object_], list[Known], list[Known] | str]:
    """The customers' ids; what was known of them at the moments of movement; and at those of the forecast, or why not.

    Of the past only what is needed is kept.
    """
    first = features.first_ordered_at(data)
    if first is None or first >= as_of:
        raise _nobody(as_of)
    followed_at = moments(first, as_of, options.months, options.at)
    valued_at: list[datetime] | str
    try:
        valued_at = [*moments_to_value(first, as_of), as_of]
    except NotEnoughDataError as error:
        valued_at = str(error)
    wanted = sorted({*followed_at, *(valued_at if isinstance(valued_at, list) else ())})
    periods = features.customer_periods(data, wanted, options.returns)
    kept = {*_OF_THE_PAST, *options.plan.clusters.features}
    found: dict[datetime, Known] = {}
    for one in known(periods.ids, periods.frame, wanted):
        columns = [name for name in one.features if one.as_of == as_of or name in kept]
        found[one.as_of] = Known(one.as_of, one.features[columns])
    if found[as_of].features.empty:
        raise _nobody(as_of)
    to_value = valued_at if isinstance(valued_at, str) else [found[moment] for moment in valued_at]
    return periods.ids, [found[moment] for moment in followed_at], to_value


def _nobody(as_of: datetime) -> NotEnoughDataError:
    return NotEnoughDataError(
        f"Segments need at least one customer with a purchase before {as_of:%Y-%m-%d %H:%M}, and none was found; "
        "load purchases that carry a customer id."
    )


def _value(to_value: list[Known] | str, options: Options) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The forecast of each customer, and what the run tells of it; no columns where there can be none."""
    if isinstance(to_value, str):
        return pd.DataFrame(), {REASON: to_value}
    try:
        made = forecast(to_value)
    except NotEnoughDataError as error:
        return pd.DataFrame(), {REASON: str(error)}
    told: dict[str, Any] = {"parameters": made.parameters, "sentence": made.sentence}
    then = to_value[-2].features
    try:
        groups = group_yardstick(then, options.plan).labels(then)
        told["report"] = asdict(report(to_value, groups, options.seed))
    except NotEnoughDataError as error:
        told["untested"] = str(error)
    return made.frame, told


def _parted(now: Known, options: Options, currency: str, before: Before) -> Parting:
    return parting(
        now.features,
        options.plan,
        as_of=now.as_of,
        transform=options.transform,
        clusters=options.clusters,
        n_init=options.n_init,
        seed=options.seed,
        currency=currency,
        before=before,
    )


def _compared(data: Snapshot, as_of: datetime, parameters: Mapping[str, Any]) -> _Compared | None:
    """The run to compare with: the published one, None before the first.

    Where the published one is of the same data, moment and parameters, it is the run that one was compared with: so the
    same again gives the same.
    """
    run = shop.published_run(data, runs.SEGMENTS)
    if run is None:
        return None
    if (run.data_version, run.as_of, run.parameters) == (data.manifest.data_version, as_of, parameters):
        before = run.metrics.get("before", run.run_id)
        if before is None:
            return None
        data = data.of_run(before) or data
    return _Compared(data, shop.published_run(data, runs.SEGMENTS) or run)


def _drift(compared: _Compared, parted: Parting) -> dict[str, Any] | None:
    """How far the customers have drifted from those of the run compared with; None where that has none.

    Both are parted by the yardstick of the run before: another yardstick is no drift of the customers.
    """
    names = [*SCORED.values(), *(name for name in FEATURES if name not in SCORED.values())]
    before, now = features.published_customers(compared.data, [*names, C.CLUSTER]), parted.features
    if before.empty:
        return None
    told = compared.run.metrics.get(_YARDSTICKS[C.SEGMENT])
    yardstick = ClusterYardstick.from_json(told) if told else None
    if yardstick is None or not set(yardstick.scale.features) <= set(now):
        return drift(before, now, names).as_json()
    return drift(before, now, names, (before[C.CLUSTER], yardstick.labels(now))).as_json()


def _before(compared: _Compared | None) -> Before:
    """What the run compared with left; nothing where there is none, or where it is of before yardsticks were kept."""
    if compared is None:
        return Before()
    metrics = compared.run.metrics
    if not all(metric in metrics for metric in _YARDSTICKS.values()):
        return Before()
    told = features.segment_names(compared.data)
    since = {
        grouping: {
            row[C.SEGMENT]: row[C.SINCE].to_pydatetime() for row in rows.to_dict("records") if not pd.isna(row[C.SINCE])
        }
        for grouping in GROUPINGS
        for rows in [told[told[C.GROUPING] == grouping]]
    }
    clusters = {}
    for grouping, metric in _YARDSTICKS.items():
        yardstick = ClusterYardstick.from_json(metrics[metric])
        rows = told[told[C.GROUPING] == grouping]
        names = dict(zip(rows[C.CLUSTER].tolist(), rows[C.SEGMENT].tolist(), strict=True))
        clusters[yardstick.fitted.method] = Left(yardstick, names, since[grouping])
    return Before(clusters, since[C.RFM_GROUP])
