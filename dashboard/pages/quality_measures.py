"""Every measure of every model on the Model quality page, and what the lists are like beside being right."""

from collections.abc import Mapping

from dash import html

from dashboard import format as fmt
from dashboard import judging
from dashboard.components.card import card
from dashboard.components.table import Column, table
from dashboard.judging import BEYOND, RANKING, SLICES, Measure, figure, interval
from dashboard.pages.quality_models import customers_of, values_of
from dashboard.view import Component, View


def metrics_table(view: View) -> Component:
    """Every model, every metric."""
    judged = view.filters.judged
    run, frame = values_of(view)
    if run is None or frame.empty:
        return []
    name_of = judging.naming(run.metrics, judged.of)
    at = frame[frame["k"] == judged.k]
    wide = at.pivot_table(index="model", columns="metric", values="value", sort=False).reset_index()
    spans = {(row["model"], row["metric"]): interval(row) for _, row in at.iterrows()}
    known = [name for name in RANKING if name in wide.columns]
    best = {name: wide[name].max() for name in known}
    for name in known:
        wide[name] = [
            _best_marked(value, spans.get((model, name), ""), best[name])
            for model, value in zip(wide["model"], wide[name], strict=True)
        ]
    columns = [
        Column("model", "Model", name_of),
        *[
            Column(name, f"{RANKING[name].label}@{judged.k}", as_is, numeric=True, means=RANKING[name].means)
            for name in known
        ],
    ]
    title = f"Every model by every measure, on {SLICES[judged.of]}"
    about = (
        f"Lists of {judged.k}; over {judging.tested_on(run.metrics, judged, customers_of(at))}. The best of each "
        "measure is bold, its 95% interval beneath"
    )
    return card(title, table(wide, columns), _definitions({name: RANKING[name] for name in known}), about=about)


def beyond(view: View) -> Component:
    """What the lists are like beside being right."""
    judged = view.filters.judged
    run, values = values_of(view)
    frame = values[values["metric"].isin(list(BEYOND))]
    if run is None or values.empty:
        return []
    name_of = judging.naming(run.metrics, judged.of)
    if frame.empty:
        words = "This run was made before coverage, novelty, diversity and popularity were measured."
        return card("Beyond being right", html.P(words, className="about"))
    wide = frame.pivot_table(index="model", columns="metric", values="value", sort=False).reset_index()
    known = [name for name in BEYOND if name in wide.columns]
    shows = {"coverage": fmt.percent, "popularity": fmt.percent, "novelty": lambda v: fmt.number(v, 1)}
    columns = [
        Column("model", "Model", name_of),
        *[
            Column(
                name,
                BEYOND[name].label + (" (bits)" if name == "novelty" else ""),
                shows.get(name, lambda v: fmt.number(v, 2)),
                numeric=True,
                means=BEYOND[name].means,
            )
            for name in known
        ],
    ]
    mine = judging.ours(list(wide["model"]), judged.of, run.metrics)
    by = wide.set_index("model")
    title = "Beyond being right"
    if mine is not None and "coverage" in by:
        number = run.metrics.get("candidate_products")
        candidates = f"{fmt.number(number)} candidates" if number else "candidates"
        lists = "Lists" if mine == "published" else f"{name_of(mine)}: lists"
        title = f"{lists} show {fmt.percent(by.loc[mine, 'coverage'], 0)} of the {candidates}"
        if "popular" in by.index and mine != "popular":
            title += f"; lists by popularity alone show {fmt.percent(by.loc['popular', 'coverage'], 0)}"
    about = f"Lists of 10 on {SLICES[judged.of]}; more is not always better"
    return card(title, table(wide, columns), _definitions({name: BEYOND[name] for name in known}), about=about)


def _definitions(measures: Mapping[str, Measure]) -> Component:
    facts = [html.Div([html.Dt(measure.label), html.Dd(measure.means)]) for measure in measures.values()]
    return html.Details([html.Summary("What these mean"), html.Dl(facts, className="meanings")], className="twin")


def _best_marked(value: float, span: str, best: float) -> Component:
    if fmt.missing(value):
        return fmt.NOTHING
    if value < best:
        return html.Span(figure(value), title=f"95% interval {span}" if span else None)
    return [html.Strong(figure(value)), html.Div(span, className="about")]


def as_is(value: Component) -> Component:
    """A cell that is made already."""
    return fmt.NOTHING if fmt.missing(value) else value
