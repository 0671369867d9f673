"""The runs of recommendations on the Model quality page: which one is seen, and what was decided of each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard import judging
from dashboard.components.card import card
from dashboard.components.choice import choice, either
from dashboard.components.table import Column, table
from dashboard.judging import SHORT, SLICES
from dashboard.view import Component, View
from db.judged import DEPTHS
from db.queries import quality as queries
from db.queries.quality import Decision

_STATUS = {"published": "Published", "superseded": "Published, since superseded", "refused": "Refused"}


def decided(run: Decision) -> str:
    """What was decided of a run."""
    return "Published by force, against the gate" if run.forced and run.status != "refused" else _STATUS[run.status]


def controls(view: View) -> Component:
    """Which run, which products, which window, how long a list."""
    run = queries.seen(view.snapshot, view.filters.judged)
    if run is None:
        return []
    here = address(view)
    runs = [(_named(one), address(view, run_id=_asked(one), fold=0)) for one in queries.decisions(view.snapshot)]
    folds = queries.folds(view.snapshot, run.run_id)
    days = judging.windows(run.metrics)
    windows = [("All windows" if fold == 0 else days.get(fold, f"Window {fold}"), fold) for fold in folds]
    current = address(view, run_id=_asked(run))
    shown = [
        html.Div(choice("quality-run", "Run", runs, address(view, run_id=_asked(run), fold=0)), className="run-choice"),
        either("Products", [(SHORT[of], address(view, of=of)) for of in SLICES], here),
        either("List of", [(str(k), address(view, k=k)) for k in sorted(DEPTHS)], here),
    ]
    if len(windows) > 2:  # one alone is all there are
        options = [(text, address(view, run_id=_asked(run), fold=fold)) for text, fold in windows]
        shown.append(choice("quality-fold", "Window", options, current))
    return html.Div(shown, className="controls page-controls")


def _asked(run: Decision) -> int | None:
    """How an address asks for the run: the published one need not be named."""
    return None if run.status == "published" else run.run_id


def _named(run: Decision) -> str:
    return f"Run {run.run_id}, {fmt.day(run.as_of)} ({decided(run).lower()})"


def address(view: View, **changes: Any) -> str:
    """The page with something else of `Judged` chosen."""
    return view.href("/quality", judged=replace(view.filters.judged, **changes))


def runs(view: View) -> Component:
    """Every run of recommendations and what was decided, newest first."""
    found = queries.decisions(view.snapshot)
    if not found:
        return []
    rows = pd.DataFrame(
        [
            {
                "run": f"Run {run.run_id}",
                "when": f"{fmt.day(run.started_at)}, {run.started_at:%H:%M}",
                "as_of": fmt.day(run.as_of),
                "decision": decided(run),
                "sentence": judging.said(run.sentence),
                "href": address(view, run_id=_asked(run), fold=0),
            }
            for run in found
        ]
    )
    columns = [
        Column("run", "Run", href=lambda row: str(row["href"]), style="date"),
        Column("when", "Made (UTC)", style="date"),
        Column("as_of", "As of", style="date"),
        Column("decision", "Decision"),
        Column("sentence", "Why", style="words"),
    ]
    about = "Runs that were refused stay on record; choose one to see its evidence above"
    return card(_tally(found), table(rows, columns), about=about)


def _tally(found: Sequence[Decision]) -> str:
    """5 runs: 3 published, 1 by force, 1 refused."""
    refused = sum(run.status == "refused" for run in found)
    forced = sum(run.forced and run.status != "refused" for run in found)
    told = [f"{len(found) - refused} published"]
    told += [f"{forced} of them by force"] * bool(forced) + [f"{refused} refused"] * bool(refused)
    return f"{fmt.plural(len(found), 'run')}: {', '.join(told)}"
