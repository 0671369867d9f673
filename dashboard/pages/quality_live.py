"""How past lists did since, on the Model quality page: hit rates by week."""

from collections.abc import Sequence

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card
from dashboard.components.choice import choice, panes
from dashboard.live import decay
from dashboard.pages.quality_live_weeks import COLUMNS, LISTS, drawn_weeks, weeks_table
from dashboard.view import Component, View
from db.queries import live as queries
from db.queries import quality

_COUNTS = ["customers", "hits", "found", "only", "only_popular", "paired"]

_NONE = (
    "No purchase is loaded that came after a run of recommendations: load newer files, and past lists are held against "
    "what customers then bought."
)


def course(view: View) -> Component:
    """The hit rate of a run's lists by week since, against popularity frozen with it, and whether it decays."""
    weeks = queries.weeks(view.snapshot)
    run_id = run_of(view, weeks)
    if run_id is None:
        return card("Live hit rate", html.P(_NONE, className="about"))
    mine = _of_segments(view, weeks)
    own = mine[mine["run_id"] == run_id]
    if own.empty:
        whose = ", ".join(view.filters.segments)
        said = html.P(f"Nobody of {whose} has bought since the run.", className="about")
        return card("Live hit rate", said, aside=_segment_choice(view, weeks, run_id))
    published = next((run.run_id for run in quality.decisions(view.snapshot) if run.status == "published"), None)
    plots = []
    notices = []
    for kind, name in LISTS.items():
        part = own[own["kind"] == kind]
        if part.empty:
            continue
        found = decay(part)
        said = html.P(found.sentence, className="about")
        if found.state == "decayed":
            advice = [" Make new ones: ", html.Code("python -m models run"), "."] if published == run_id else []
            said = html.P([html.Strong("Decay: "), found.sentence, *advice], className="notice")
        notices.append((kind, found.state))
        plots.append((name, html.Div([said, drawn_weeks(view, mine, run_id, kind)])))
    as_of = weeks.loc[weeks["run_id"] == run_id, "as_of"].iloc[0]
    title = f"Since {fmt.day(as_of)}, the lists of run {run_id} {_finding(notices)}"
    asked = quality.seen(view.snapshot, view.filters.judged)
    about = (
        "Share of the customers who bought something their list could have held, and found it among the ten offered, "
        "by week; the band is the 95% interval (Wilson), an open mark a week that is not over"
        + (f". No purchase tells of the lists of run {asked.run_id} yet" if asked and asked.run_id != run_id else "")
    )
    return card(
        title, panes(plots), about=about, aside=_segment_choice(view, weeks, run_id), twin=(weeks_table(own), COLUMNS)
    )


def _finding(states: Sequence[tuple[str, str]]) -> str:
    decayed = [LISTS[kind].lower() for kind, state in states if state == "decayed"]
    if decayed:
        return f"decay ({' and '.join(decayed)})"
    return "show no sign of decay" if any(state == "well" for _, state in states) else "are too young to judge"


def run_of(view: View, weeks: pd.DataFrame) -> int | None:
    """The run that is seen where something was bought after it, else the newest such run before it."""
    if weeks.empty:
        return None
    asked = quality.seen(view.snapshot, view.filters.judged)
    known = sorted(int(run) for run in weeks["run_id"].unique())
    before = [run for run in known if asked is None or run <= asked.run_id]
    return (before or known)[-1]


def _of_segments(view: View, weeks: pd.DataFrame) -> pd.DataFrame:
    """Of the segments that are chosen, added up: a row a run, list and week."""
    chosen = weeks[weeks["segment"].isin(view.filters.segments)] if view.filters.segments else weeks
    keys = ["run_id", "as_of", "kind", "week", "starts_at", "is_full"]
    return chosen.groupby(keys, as_index=False)[_COUNTS].sum()


def _segment_choice(view: View, weeks: pd.DataFrame, run_id: int) -> Component:
    names = sorted(set(weeks.loc[weeks["run_id"] == run_id, "segment"]) - {""})
    options = [("All customers", view.href("/quality", segments=()))]
    options += [(name, view.href("/quality", segments=(name,))) for name in names]
    return choice("live-segment", "Segment", options, view.href("/quality"))
