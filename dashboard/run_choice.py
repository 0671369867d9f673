"""Which run of the segments a page shows, and the others that can be seen instead."""

from dash import html

from dashboard import format as fmt
from dashboard.components.choice import choice
from dashboard.view import Component, View
from db.queries import shop
from db.queries.shop import PublishedRun
from db.runs import SEGMENTS

METHODS = {"kmeans": "KMeans", "mixture": "Gaussian mixture"}


def run_choice(view: View, path: str) -> Component:
    """The control, for the page at `path`; nothing before the first run."""
    runs = shop.segment_runs(view.snapshot)
    seen = shop.published_run(view.snapshot, SEGMENTS)
    if seen is None:
        return []
    options = [(_said(run), view.href(path, run=None if run.is_published else run.run_id)) for run in runs]
    current = view.href(path, run=None if seen.is_published else seen.run_id)
    return html.Div(choice("run", "Run", options, current), className="run-choice")


def method_of(run: PublishedRun) -> str:
    """By which method the run found its clusters; nothing where it does not say."""
    return str(((run.parameters.get("plan") or {}).get("clusters") or {}).get("method", ""))


def _said(run: PublishedRun) -> str:
    """Run 12, 9 Dec 2011: 4 segments, KMeans (published)."""
    method = METHODS.get(method_of(run))
    k = run.metrics.get("k")
    facts = [f"{k} segments" if k else None, method]
    rest = ", ".join(fact for fact in facts if fact)
    status = "published" if run.is_published else "earlier"
    return f"Run {run.run_id}, {fmt.day(run.as_of)}{': ' if rest else ''}{rest} ({status})"
