"""By what a page parts the customers: clusters, RFM groups, or clusters by the other method."""

from typing import Any

import pandas as pd
from dash import html

from dashboard.components.choice import either
from dashboard.run_choice import METHODS, method_of, run_choice
from dashboard.view import Component, View
from db.drill import Grouping
from db.filters import GROUPING_FIELDS, Filters
from db.queries import segments as queries
from db.queries import shop
from db.runs import SEGMENTS


def shown(view: View) -> Grouping:
    """The grouping of the view, or the clusters where its run has no such."""
    return view.filters.by if view.filters.by in queries.groupings(view.snapshot) else "segment"


def profiles(view: View, *, wholly: bool = False) -> pd.DataFrame:
    """The profiles of the grouping shown, and whether each is of a cluster that the run before did not have (is_new);
    only those of the segments that the filters name, or `wholly` all."""
    by = shown(view)
    run = shop.published_run(view.snapshot, SEGMENTS)
    new = (run.metrics.get("new") or []) if run and by == "segment" else []
    found = queries.profiles(view.snapshot, by)
    found = found.assign(is_new=found["cluster"].isin(new))
    chosen = getattr(view.filters, GROUPING_FIELDS[by])
    return found if wholly or not chosen else found[found["segment"].isin(chosen)]


def customers_href(view: View, segment: str, **changes: Any) -> str:
    """The address of the customers of a segment of the grouping shown, all of them: what is told of a segment is told
    of the whole of it, whatever else is filtered."""
    of = Filters(run=view.filters.run, by=view.filters.by)
    return "/customers" + of.but(**{GROUPING_FIELDS[shown(view)]: (segment,), **changes}).query()


def grouping_choice(view: View, path: str) -> Component:
    """The control; nothing where the run has one grouping alone."""
    there = queries.groupings(view.snapshot)
    if len(there) < 2:
        return None
    run = shop.published_run(view.snapshot, SEGMENTS)
    method = method_of(run) if run else ""
    other = {"kmeans": "mixture", "mixture": "kmeans"}.get(method, "")
    names: dict[Grouping, str] = {
        "segment": f"Clusters ({METHODS[method]})" if method in METHODS else "Clusters",
        "rfm_group": "RFM groups",
        "alternative": f"Clusters ({METHODS[other]})" if other else "Other clusters",
    }
    options = [(name, view.href(path, by=by)) for by, name in names.items() if by in there]
    return either("Grouping", options, view.href(path, by=shown(view)))


def choices(view: View) -> Component:
    """The controls of the Segments page: by what the customers are parted, and in which run."""
    controls = [grouping_choice(view, "/segments"), run_choice(view, "/segments")]
    return html.Div(controls, className="controls page-controls")
