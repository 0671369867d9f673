"""Why there are so many segments: the curves behind their number, the outliers drawn in, the drift."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card
from dashboard.components.graph import graph
from dashboard.components.reasons import curve
from dashboard.components.table import Column, table
from dashboard.pages import grouping
from dashboard.pages.segment_profile import AGAIN
from dashboard.view import Component, View
from db.queries import shop
from db.runs import SEGMENTS

_CRITERIA = {
    "silhouette": (
        "Silhouette",
        "how much nearer customers are to their own segment than to the next. Within 0.01 of the best",
    ),
    "inertia": (
        "Inertia",
        "squared distance to the centres. The elbow, farthest below the line between the curve's ends",
    ),
    "gap": (
        "Gap",
        "how much tighter than customers without segments, with its standard error. The fewest segments whose gap one "
        "more does not beat by more than its standard error",
    ),
    "stability": (
        "Stability",
        "agreement of segments found again in resamples (adjusted Rand index). Within 0.05 of the best",
    ),
}

_VOTES = {"silhouette": "silhouette", "inertia": "elbow", "gap": "gap", "stability": "stability"}

FEATURES = {
    "recency_days": "days since last order",
    "frequency": "orders",
    "monetary": "spend",
    "average_order": "average order",
    "gap_days": "days between orders",
    "discount_share": "share on discount",
    "category_breadth": "categories",
    "return_rate": "share returned",
    "tenure_days": "days since first order",
}


def number(view: View) -> Component:
    """The criteria by number of segments, what was drawn in before, and the drift since the run before."""
    run = shop.published_run(view.snapshot, SEGMENTS)
    if run is None or grouping.shown(view) == "rfm_group":
        return []
    curves = run.metrics.get("curves")
    chosen = int(run.metrics.get("k") or 0)
    title = f"Why {fmt.plural(chosen, 'segment')}"
    reason = html.P(run.metrics.get("reason") or "", className="about")
    if not curves or grouping.shown(view) == "alternative":
        other = grouping.shown(view) == "alternative"
        words = "The other method was given the same number of segments, for comparison." if other else AGAIN
        return card(title, reason, html.P(words, className="about"))
    plots = []
    for name, (called, meaning) in _CRITERIA.items():
        drawn = curve(curves["k"], curves[name], chosen, view.theme, curves["gap_se"] if name == "gap" else None)
        votes = ", ".join(map(str, (curves.get("votes") or {}).get(_VOTES[name], []))) or "none"
        caption = html.Figcaption([html.Strong(called), f": {meaning}: {votes}"])
        plots.append(html.Figure([caption, graph(f"curve-{name}", drawn, 190, f"{called} by number of segments")]))
    frame = pd.DataFrame({name: curves[name] for name in ("k", *_CRITERIA, "gap_se")})
    columns = [Column("k", "Segments", fmt.number, numeric=True)] + [
        Column(name, called, lambda v: fmt.number(v, 3), numeric=True) for name, (called, _) in _CRITERIA.items()
    ]
    body = [reason, html.Div(plots, className="curves"), _capped(run.metrics), _drift(run.metrics)]
    return card(title, *body, about="By number of segments; the chosen one is marked", twin=(frame, columns))


def _capped(metrics: Mapping[str, Any]) -> Component:
    """Which outliers were drawn in before the segments were found."""
    parts = []
    for one in metrics.get("capped") or []:
        name = FEATURES.get(one["feature"], one["feature"])
        ends = [
            f"{fmt.plural(int(one[count]), 'customer')} {way} {fmt.number(one[end], 0 if one[end] % 1 == 0 else 2)}"
            for count, way, end in (("below", "below", "low"), ("above", "above", "high"))
            if one[count]
        ]
        if ends:
            parts.append(f"{name}: {' and '.join(ends)}")
    if not parts:
        return None
    words = "Outliers were drawn in, so that a few extraordinary customers make no segment of their own: "
    return html.P(f"{words}{'; '.join(parts)}.", className="about")


def _drift(metrics: Mapping[str, Any]) -> Component:
    """How far the customers have moved from those of the run before."""
    drift = metrics.get("drift")
    if not drift:
        return None
    frame = pd.DataFrame(drift["indices"])
    if frame.empty:
        return html.P(drift["sentence"], className="about")
    frame["name"] = [FEATURES.get(name, name) for name in frame["name"]]
    columns = [
        Column("name", "Drift of"),
        Column("psi", "Stability index", lambda v: fmt.number(v, 3), numeric=True),
        Column("chance", "Chance alone stays below", lambda v: fmt.number(v, 3), numeric=True),
    ]
    return html.Details([html.Summary(drift["sentence"]), table(frame, columns)], className="twin")
