"""Where the customers of the segments lie: the RFM grid, and the picture of components."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card, pill
from dashboard.components.graph import graph
from dashboard.components.heat import broken, heatmap
from dashboard.components.reasons import flat_scatter
from dashboard.components.table import Column
from dashboard.pages import grouping
from dashboard.pages.segment_profile import AGAIN
from dashboard.pages.segment_reasons import FEATURES
from dashboard.view import Component, View
from db.drill import Range
from db.queries import segments as queries
from db.queries import shop
from db.runs import SEGMENTS

_MOST_FLAT = 2_000

_SCORES = range(1, 6)

_NARROW = 12  # letters


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
        each(lambda row: f"{broken(row['rfm_group'], _NARROW)}\n{fmt.number(row['customers'])}"),
        each(
            lambda row: (
                f"R {row['r_score']}, FM {row['fm_score']}: {row['rfm_group']}, "
                f"{fmt.number(row['customers'])} customers"
            )
        ),
        view.theme,
        hrefs=each(address),
        titles=("R: recency, 5 is most recent", "FM: orders and spend, 5 is most"),
    )
    sums = frame.groupby("rfm_group")["customers"].sum().sort_values(ascending=False)
    title = f"{sums.index[0]} is the largest group: {fmt.percent(sums.iloc[0] / sums.sum(), 0)} of customers"
    about = "Each cell of the scores has one group; the stronger the colour, the more customers"
    about += view.leads(". Click a cell for them")
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
        "Principal components of the standardised features, coloured by segment; an axis is named by what makes it"
        + view.leads(". Click a customer to open it")
    )
    aside = pill(f"{fmt.number(len(points))} of {fmt.number(int(points['total'].iloc[0]))} shown")
    middle = points.groupby("segment", as_index=False)[["pca_x", "pca_y"]].mean()
    columns = [
        Column("segment", "Segment", href=lambda row: grouping.customers_href(view, row["segment"])),
        Column("pca_x", "Mean across", lambda v: fmt.number(v, 2), numeric=True),
        Column("pca_y", "Mean up", lambda v: fmt.number(v, 2), numeric=True),
    ]
    return card(title, graph("flat", drawn, 420, title), about=about, aside=aside, twin=(middle, columns))


def _axes(made: Mapping[str, Any]) -> tuple[str, str]:
    """What each axis is made of, the largest loading first."""
    titles = []
    for loadings, share in zip(made["loadings"], made["explained"], strict=True):
        parts = sorted(zip(loadings, made["features"], strict=True), key=lambda part: -abs(part[0]))
        named = [f"{'+' if load > 0 else '−'} {FEATURES.get(name, name)}" for load, name in parts if abs(load) >= 0.3]
        titles.append(f"{fmt.percent(share, 0)}: {' '.join(named[:3])}")
    return titles[0], titles[1]
