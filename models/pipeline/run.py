"""One run over all that is loaded: its moment, its order, and whether another would repeat it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.progress import Progress
from sqlalchemy import Engine

from db import runs, snapshot
from db.queries import features
from db.runs import Run
from db.snapshot import Snapshot
from errors import ChangedResultsError, ConfigurationError, ModelError, NotEnoughDataError
from models.pipeline.building import REASON
from models.pipeline.options import Options
from models.pipeline.recommendations import publish_recommendations
from models.pipeline.segments import publish_segments
from settings import Settings

_FAR = timedelta(days=3_650)


@dataclass(frozen=True)
class Outcome:
    """What became of a run: one sentence each, whether recommendations were published, and rules that name nothing."""

    segments: str
    recommendations: str
    published: bool
    unmet: tuple[str, ...]


def run(engine: Engine, settings: Settings, options: Options, display: Progress) -> Outcome:
    """Compute and publish segments, then recommendations, from all that is loaded; one such run at a time.

    Where recommendations lack data their run is refused, and the outcome says why. Raises NotEnoughDataError where not
    even segments can be published, ModelError where a model fails. What was published before stays until there is
    better.
    """
    with runs.one_at_a_time(engine, lambda: _say_waiting(display)):
        try:
            return _run(engine, settings, options, display)
        except ModelError:
            snapshot.refresh(engine, settings.data_dir)  # so that the pages say so
            raise


def _say_waiting(display: Progress) -> None:
    display.add_task("Waiting for another run to end", total=1, completed=1)


def _run(engine: Engine, settings: Settings, options: Options, display: Progress) -> Outcome:
    _refresh(engine, settings)
    data = snapshot.open_newest(settings.data_dir)
    as_of = _as_of(data, options)
    segments, clusters = publish_segments(engine, settings, options, data, as_of, display)
    snapshot.refresh(engine, settings.data_dir)
    try:
        published, sentence = publish_recommendations(
            engine, settings, options, data, as_of, segments, clusters.k, display
        )
    except NotEnoughDataError as error:
        published, sentence = False, str(error)
    snapshot.refresh(engine, settings.data_dir)
    unmet = options.rules.unmet(features.products(data, as_of))
    return Outcome(clusters.reason, sentence, published, tuple(unmet))


def is_current(engine: Engine, settings: Settings, options: Options) -> bool:
    """Whether all that is loaded, this as-of and these parameters have been decided on: another run would repeat it.

    Segments must be published; recommendations may have been refused, for the same data would be refused again.
    """
    _refresh(engine, settings)
    data = snapshot.open_newest(settings.data_dir)
    as_of = _as_of(data, options)

    def is_of_now(run: Run | None) -> bool:
        if run is None or REASON not in run.metrics:
            return False
        wanted = (data.manifest.data_version, as_of, options.parameters(run.kind, settings))
        return (run.data_version, run.as_of, run.parameters) == wanted

    recommendations = (find(engine, runs.RECOMMENDATIONS) for find in (runs.published, runs.latest))
    return is_of_now(runs.published(engine, runs.SEGMENTS)) and any(is_of_now(run) for run in recommendations)


def _refresh(engine: Engine, settings: Settings) -> None:
    """Bring the snapshot up to the record; runs whose results somebody changed in the record are withdrawn first."""
    while True:
        try:
            snapshot.refresh(engine, settings.data_dir)
            return
        except ChangedResultsError as error:
            runs.withdraw(engine, error.run_id, str(error))


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
