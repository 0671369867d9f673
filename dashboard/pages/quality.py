"""Model quality: how good the recommendations are, what was decided of each run, and how past lists did since."""

from dash import dcc, html

from dashboard import format as fmt
from dashboard import helps, judging
from dashboard.components.states import empty, slot
from dashboard.components.terms import explained
from dashboard.pages import quality_live as live
from dashboard.pages import quality_live_parts as live_parts
from dashboard.pages import quality_measures as measures
from dashboard.pages import quality_models as models
from dashboard.pages import quality_parts as parts
from dashboard.pages.quality_gate import gate, gates_of
from dashboard.pages.quality_runs import address, controls, decided, runs
from dashboard.view import CONTROL, RESTRICTIONS, Component, Ignores, Page, View
from db.judged import USUAL
from db.queries import quality as queries
from db.queries.quality import Decision

_UNMEASURED = "There is no measure of these offers"


def layout(view: View) -> Component:
    """The frame of the page; before the first run it has one thing to say."""
    head = [html.H1("Model quality", className="visually-hidden"), slot("quality.sentence", "sentence")]
    if queries.seen(view.snapshot, USUAL) is None:
        return head
    return [
        *head,
        slot("quality.gate", "chart"),
        slot("quality.controls", "controls"),
        html.Div(
            [
                slot("quality.models", "chart"),
                slot("quality.beyond", "table"),
                slot("quality.table", "table", "full"),
                slot("quality.subsets", "chart"),
                slot("quality.differences", "chart"),
                slot("quality.time", "chart", "full"),
            ],
            className="grid",
        ),
        html.H2("After publication", className="section"),
        html.Div([slot("quality.live", "chart"), slot("quality.live_parts", "chart")], className="grid"),
        html.H2("Runs", className="section"),
        html.Div([slot("quality.runs", "table", "full")], className="grid"),
    ]


def sentence(view: View) -> Component:
    """What was decided of the run that is seen and on what it rests; whether a newer one was refused."""
    found = queries.decisions(view.snapshot)
    run = queries.seen(view.snapshot, view.filters.judged)
    if run is None:
        return empty("No recommendations yet", "Run ", html.Code("python -m models run"), " to compute and test them.")
    said = [html.P([html.Strong(explained(_verdict(run))), f" {_rests(run)}"], className="sentence")]
    newest = found[0]
    if newest.run_id != run.run_id and newest.status == "refused":
        there = dcc.Link("See its evidence", href=address(view, run_id=newest.run_id, fold=0))
        words = f"The newest run, {newest.run_id}, was not published: {judging.said(newest.sentence)} "
        said.append(html.P([*explained(words), there, "."], className="notice"))
    return said


def _verdict(run: Decision) -> str:
    """Published: the ranker beats EASE on products new to the customer; it is above own history, but ..."""
    sentences = [str(gate["sentence"]) for gate in gates_of(run).values()] or [run.sentence or _UNMEASURED]
    findings = [judging.said(sentence).partition(":")[0].rstrip(".") for sentence in sentences]
    return f"{decided(run)}. {'. '.join(finding[:1].upper() + finding[1:] for finding in findings)}."


def _rests(run: Decision) -> str:
    metrics = run.metrics
    tested, known = metrics.get("customers_tested"), judging.windows(metrics)
    rests = ""
    if tested:
        days = metrics.get("holdout_days")
        over = f"{len(known)} windows of {days} days" if len(known) > 1 else f"the last {days} days"
        among = judging.among(metrics)
        rests = f"Measured on {fmt.plural(int(tested), 'customer')} in {over}, which the models had not seen{among}."
    quick = " A quick run: fewer models and one window." if metrics.get("quick") else ""
    return f"{rests}{quick} As of {fmt.day(run.as_of)}, run {run.run_id}."


_WHOLE = ("sentence", "gate", "models", "differences", "table", "beyond", "subsets", "time", "live_parts", "runs")

PAGE = Page(
    path="/quality",
    title="Model quality",
    help=helps.QUALITY,
    icon="quality",
    layout=layout,
    slots={
        "quality.sentence": sentence,
        "quality.gate": gate,
        "quality.controls": controls,
        "quality.models": models.models,
        "quality.differences": models.differences,
        "quality.table": measures.metrics_table,
        "quality.beyond": measures.beyond,
        "quality.subsets": parts.subsets,
        "quality.time": parts.time,
        "quality.live": live.course,
        "quality.live_parts": live_parts.parts,
        "quality.runs": runs,
    },
    whole_history=True,
    ignoring={
        "quality.controls": CONTROL,
        **{f"quality.{name}": Ignores(of="All customers of the run") for name in _WHOLE},
        "quality.live": Ignores(RESTRICTIONS - {"segments"}, "All customers of the run"),
    },
)
