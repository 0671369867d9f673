"""Why the segments are these: the curves behind their number, the RFM grid, the picture of components, the drift."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card, pill
from dashboard.components.graph import graph
from dashboard.components.heat import broken, heatmap
from dashboard.components.reasons import curve, flat_scatter
from dashboard.components.table import Column, table
from dashboard.pages import grouping
from dashboard.pages.segment_profile import AGAIN
from dashboard.view import Component, View
from db.drill import Range
from db.queries import segments as queries
from db.queries import shop
from db.runs import SEGMENTS

_MOST_FLAT = 2_000
_SCORES = range(1, 6)
_NARROW = 12  # letters
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
_FEATURES = {
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
        name = _FEATURES.get(one["feature"], one["feature"])
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
    frame["name"] = [_FEATURES.get(name, name) for name in frame["name"]]
    columns = [
        Column("name", "Drift of"),
        Column("psi", "Stability index", lambda v: fmt.number(v, 3), numeric=True),
        Column("chance", "Chance alone stays below", lambda v: fmt.number(v, 3), numeric=True),
    ]
    return html.Details([html.Summary(drift["sentence"]), table(frame, columns)], className="twin")


def grid(view: View) -> Component:
    """The grid of R and FM with the group that each cell belongs to and its customers."""
    frame = queries.grid(view.snapshot, view.filters)
    if frame.empty:
        there = "rfm_group" in queries.groupings(view.snapshot)
        words = "No customers in this view: choose fewer filters." if there else AGAIN
        return card("The RFM grid", html.P(words, className="about")) if len(grouping.profiles(view)) else []
    cells = {(row["r_score"], row["fm_score"]): row for _, row in frame.iterrows()}
    rows = list(reversed(_SCORES))

    def each(show: Any) -> list[list[str]]:
        return [[show(cells[r, fm]) if (r, fm) in cells else "" for r in _SCORES] for fm in rows]

    def address(row: pd.Series) -> str:
        scores = [Range(name, int(row[name]), int(row[name])) for name in ("r_score", "fm_score")]
        return view.href("/customers", start=None, end=None, ranges=view.filters.within(*scores).ranges)

    drawn = heatmap(
        [str(fm) for fm in rows],
        [str(r) for r in _SCORES],
        [[float(cells[r, fm]["customers"]) if (r, fm) in cells else float("nan") for r in _SCORES] for fm in rows],
        each(lambda row: f"{broken(row['rfm_group'], _NARROW)}\n{row['customers']:,}"),
        each(
            lambda row: f"R {row['r_score']}, FM {row['fm_score']}: {row['rfm_group']}, {row['customers']:,} customers"
        ),
        view.theme,
        hrefs=each(address),
        titles=("R: recency, 5 is most recent", "FM: orders and spend, 5 is most"),
    )
    sums = frame.groupby("rfm_group")["customers"].sum().sort_values(ascending=False)
    title = f"{sums.index[0]} is the largest group: {fmt.percent(sums.iloc[0] / sums.sum(), 0)} of customers"
    about = "Each cell of the scores has one group; the stronger the colour, the more customers. Click a cell for them"
    plot = html.Div(graph("rfm-grid", drawn, 420, title), className="wide-plot narrow")
    columns = [
        Column("r_score", "R", fmt.number, numeric=True),
        Column("fm_score", "FM", fmt.number, numeric=True),
        Column("rfm_group", "Group"),
        Column("customers", "Customers", fmt.number, numeric=True, href=address),
    ]
    return card(title, plot, about=about, twin=(frame, columns))


def flat(view: View) -> Component:
    """The customers as seen from the side on which they differ most."""
    profiles = grouping.profiles(view, wholly=True)
    if profiles.empty:
        return []
    run = shop.published_run(view.snapshot, SEGMENTS)
    made = (run.metrics.get("pca") if run else None) or {}
    points = queries.flat_points(view.snapshot, view.filters, grouping.shown(view), _MOST_FLAT)
    if not made or points.empty:
        words = "No customers in this view: choose fewer filters." if made else AGAIN
        return card("The segments from the side", html.P(words, className="about"))
    hrefs = [view.customer_href(customer_id) for customer_id in points["customer_id"]]
    drawn = flat_scatter(points.assign(href=hrefs), profiles, _axes(made), view.theme)
    both = sum(made["explained"])
    title = f"Two axes hold {fmt.percent(both, 0)} of what tells customers apart"
    about = (
        "Principal components of the standardised features, coloured by segment; an axis is named by what makes it. "
        "Click a customer to open it"
    )
    aside = pill(f"{len(points):,} of {int(points['total'].iloc[0]):,} shown")
    return card(title, graph("flat", drawn, 420, title), about=about, aside=aside)


def _axes(made: Mapping[str, Any]) -> tuple[str, str]:
    """What each axis is made of, the largest loading first."""
    titles = []
    for loadings, share in zip(made["loadings"], made["explained"], strict=True):
        parts = sorted(zip(loadings, made["features"], strict=True), key=lambda part: -abs(part[0]))
        named = [f"{'+' if load > 0 else '−'} {_FEATURES.get(name, name)}" for load, name in parts if abs(load) >= 0.3]
        titles.append(f"{fmt.percent(share, 0)}: {' '.join(named[:3])}")
    return titles[0], titles[1]
