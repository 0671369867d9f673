"""For whom the models are how good, and at which cost, on the Model quality page."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from dash import html

from dashboard import format as fmt
from dashboard import judging
from dashboard.components.card import card
from dashboard.components.dots import course, dots, time_and_quality
from dashboard.components.graph import graph
from dashboard.components.table import Column
from dashboard.judging import SLICES, figure, interval
from dashboard.pages.quality_measures import as_is
from dashboard.pages.quality_models import values_of
from dashboard.view import Component, View
from db.queries import quality as queries

_NO_PARTS = "This run was made before parts of the customers were judged: it has only the whole."
_NO_TIMES = "This run was made before the time to fit was kept."
_ORDER = ["all", "segment", "customers", "products"]
_STOPPED = ("hybrid", "lightfm_ids")
"""Models that are stopped early."""


def subsets(view: View) -> Component:
    """The published lists against the best baseline, for parts of the customers and for new products."""
    judged = view.filters.judged
    run, values = values_of(view)
    if run is None or values.empty:
        return []
    order = list(dict.fromkeys(values["model"]))
    name_of = judging.naming(run.metrics, judged.of)
    mine, baseline = judging.ours(order, judged.of, run.metrics), judging.best_baseline(order, judged.of)
    frame = queries.subsets(view.snapshot, run.run_id, judged)
    if frame["subset"].nunique() < 2 or mine is None:
        return card("Parts of the customers", html.P(_NO_PARTS, className="about"))
    frame["place"] = [_ORDER.index(subset.partition(":")[0]) for subset in frame["subset"]]
    frame = frame.sort_values("place", kind="stable", ignore_index=True)
    by_subset = frame.groupby("subset")["model"].agg(list)
    own = {
        name: mine if mine in there else judging.ours(there, judged.of, run.metrics)
        for name, there in by_subset.items()
    }
    frame["strong"] = frame["model"] == frame["subset"].map(own)
    frame["label"] = [_part(subset, own[subset], mine, name_of) for subset in frame["subset"]]
    shown = frame[frame["strong"] | (frame["model"] == baseline)]
    rows = pd.DataFrame(
        {
            "label": shown["label"],
            "value": shown["value"],
            "low": shown["ci_low"],
            "high": shown["ci_high"],
            "said": [
                f"{row['label']}, {name_of(row['model'])}: {figure(row['value'])}, 95% interval {interval(row)}, "
                f"{fmt.plural(int(row['customers']), 'customer')}"
                for _, row in shown.iterrows()
            ],
            "strong": shown["strong"],
            "name": [name_of(model) for model in shown["model"]],
        }
    )
    title = _finding(frame[(frame["model"] == mine) & frame["subset"].str.startswith("segment:")])
    about = (
        f"NDCG@{judged.k} of {name_of(mine)} (filled)"
        + (f" and of the best baseline, {name_of(baseline)} (open)" if baseline else "")
        + ", with 95% intervals"
        + ("; a diamond is the model its part names" if set(own.values()) - {mine} else "")
        + f"{judging.among(run.metrics)}. Segments as they were before each window. New products are those first sold "
        "in the last tenth of the days before it: the same lists, judged by them alone"
    )
    frame["text"] = [f"{figure(row['value'])} ({interval(row)})" for _, row in frame.iterrows()]
    wide = frame.pivot_table(index=["label", "customers"], columns="model", values="text", aggfunc="first", sort=False)
    columns = [
        Column("label", "Part"),
        Column("customers", "Customers", fmt.number, numeric=True),
        *[Column(model, name_of(model), as_is, numeric=True) for model in order if model in wide.columns],
    ]
    plot = graph("quality-subsets", dots(rows, view.theme, legend=True), 78 + 44 * rows["label"].nunique(), title)
    return card(title, plot, about=about, twin=(wide.reset_index(), columns))


def _part(subset: str, model: str | None, mine: str, name_of: Callable[[str], str]) -> str:
    """What a part is called; where it is not judged of the published lists, of which model."""
    name = judging.subset_name(subset)
    return f"{name}: {name_of(model)}" if model not in (None, mine) else name


def _finding(segments: pd.DataFrame) -> str:
    ranked = segments.sort_values("value", ascending=False)
    if len(ranked) < 2:
        return "For parts of the customers"
    best, worst = ranked.iloc[0], ranked.iloc[-1]
    return f"Best for {best['label']} ({figure(best['value'])}), least for {worst['label']} ({figure(worst['value'])})"


def time(view: View) -> Component:
    """What the time to fit buys, and when the hybrid was stopped."""
    judged = view.filters.judged
    run, values = values_of(view)
    if run is None or values.empty:
        return []
    told: Mapping[str, Mapping[str, Any]] = run.metrics.get("models") or {}
    shown = values[(values["metric"] == "ndcg") & (values["k"] == 10) & values["model"].isin(list(told))]
    if shown.empty:
        return card("Quality against time", html.P(_NO_TIMES, className="about"))
    name_of = judging.naming(run.metrics, judged.of)
    chosen = (run.metrics.get("published") or {}).get(judged.of)
    frame = pd.DataFrame(
        {
            "name": [name_of(model) for model in shown["model"]],
            "seconds": [float(told[model].get("seconds") or 0) for model in shown["model"]],
            "value": shown["value"].to_numpy(),
            "low": shown["ci_low"].to_numpy(),
            "high": shown["ci_high"].to_numpy(),
            "strong": (shown["model"] == chosen).to_numpy(),
        }
    )
    frame["said"] = [
        f"{row['name']}: {figure(row['value'])}, {_seconds(row['seconds'])}" for _, row in frame.iterrows()
    ]
    best = frame.iloc[0]
    title = f"Of the models timed, {best['name']} is best and takes {_seconds(best['seconds'])} to fit"
    plots = [_titled("Seconds to fit against NDCG@10", "quality-time", time_and_quality(frame, view.theme))]
    courses = {name_of(m): told[m]["course"] for m in _STOPPED if told.get(m, {}).get("course")}
    if courses:
        label = "Early stopping: quality on a window before the test; the marked moment is kept"
        plots.append(_titled(label, "quality-course", course(courses, view.theme)))
    columns = [
        Column("name", "Model"),
        Column("seconds", "Seconds to fit", lambda v: fmt.number(v, 1), numeric=True),
        Column("value", "NDCG@10", figure, numeric=True),
    ]
    about = f"On {SLICES[judged.of]}{judging.among(run.metrics)}, with 95% intervals"
    if frame["strong"].any():
        about += "; in colour the model behind the published lists"
    return card(title, html.Div(plots, className="spreads"), about=about, twin=(frame, columns))


def _seconds(seconds: float) -> str:
    return f"{fmt.number(seconds, 0 if seconds >= 10 else 1)} s" if seconds >= 0.1 else "less than 0.1 s"


def _titled(label: str, name: str, drawn: go.Figure) -> Component:
    return html.Figure([html.Figcaption(label), graph(name, drawn, 320, label)])
