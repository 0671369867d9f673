"""Model quality: how good the recommendations are, what was decided of each run, and how past lists did since."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard import judging
from dashboard.components.card import card, pill
from dashboard.components.choice import choice, either
from dashboard.components.dots import dots
from dashboard.components.graph import graph
from dashboard.components.states import empty, slot
from dashboard.components.table import Column, table
from dashboard.components.terms import explained
from dashboard.judging import SHORT, SLICES, figure, signed
from dashboard.pages import quality_live as live
from dashboard.pages import quality_models as models
from dashboard.pages import quality_parts as parts
from dashboard.view import CONTROL, RESTRICTIONS, Component, Ignores, Page, View
from db.judged import DEPTHS, USUAL, Slice
from db.queries import quality as queries
from db.queries.quality import Decision

_GATED: tuple[Slice, ...] = ("discover", "buy_again")
_UNMEASURED = "There is no measure of these offers"
_STATUS = {"published": "Published", "superseded": "Published, since superseded", "refused": "Refused"}


def layout(view: View) -> Component:
    """The frame of the page; before the first run it has one thing to say."""
    head = [html.H1("Model quality", className="visually-hidden"), slot("quality.sentence", "sentence")]
    if queries.seen(view.snapshot, USUAL) is None:
        return head
    return [
        *head,
        slot("quality.gate", "cards"),
        slot("quality.controls", "strip"),
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
        there = dcc.Link("See its evidence", href=_address(view, run_id=newest.run_id, fold=0))
        words = f"The newest run, {newest.run_id}, was not published: {judging.said(newest.sentence)} "
        said.append(html.P([*explained(words), there, "."], className="notice"))
    return said


def _verdict(run: Decision) -> str:
    """Published: the ranker beats EASE on products new to the customer; it is above own history, but ..."""
    sentences = [str(gate["sentence"]) for gate in _gates(run).values()] or [run.sentence or _UNMEASURED]
    findings = [judging.said(sentence).partition(":")[0].rstrip(".") for sentence in sentences]
    return f"{_decided(run)}. {'. '.join(finding[:1].upper() + finding[1:] for finding in findings)}."


def _decided(run: Decision) -> str:
    return "Published by force, against the gate" if run.forced and run.status != "refused" else _STATUS[run.status]


def _gates(run: Decision) -> dict[Slice, Mapping[str, Any]]:
    told = run.metrics.get("gate") or {}
    return {of: told[of] for of in _GATED if isinstance(told.get(of), Mapping)}


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


def gate(view: View) -> Component:
    """The gate's evidence: a card for each list."""
    run = queries.seen(view.snapshot, view.filters.judged)
    if run is None:
        return []
    gates = _gates(run)
    if not gates:
        words = "This run was made before the gate judged both lists against every baseline: it has one sentence alone."
        return card("The gate", html.P(judging.said(run.sentence)), about=words)
    cards = [html.Div(_gate_card(of, gate, run, view), className="slot") for of, gate in gates.items()]
    return html.Div(cards, className="grid halves")


def _gate_card(of: Slice, gate: Mapping[str, Any], run: Decision, view: View) -> Component:
    whole = {**gate, "segment": "All customers", "clearly_worse": False}
    rows = pd.DataFrame([whole, *gate.get("segments", ())])
    rows = rows.assign(label=rows["segment"], value=rows["difference"], name="difference")
    rows["strong"] = rows["low"] > 0
    rows["said"] = [
        f"{row['label']}: {signed(row['value'])}, 95% interval {figure(row['low'])} to {figure(row['high'])}, "
        f"{fmt.plural(int(row['customers']), 'customer')}"
        for _, row in rows.iterrows()
    ]
    name = judging.naming(run.metrics, of)
    ours, theirs = name(gate["model"]), name(gate["baseline"])
    more = gate["value"] / gate["baseline_value"] - 1 if gate["baseline_value"] else float("nan")
    share = "" if fmt.missing(more) else f", {'+' if more > 0 else ''}{fmt.percent(more, 0)}"
    title = f"{SHORT[of]}: {ours} {figure(gate['value'])} against {theirs} {figure(gate['baseline_value'])}{share}"
    about = (
        f"{ours} less the best baseline by NDCG@10 on {SLICES[of]}{judging.among(run.metrics)}, customer by "
        "customer, with 95% intervals. The gate opens where all customers lie right of the line and no segment lies "
        f"wholly left of it; {_segments_as_of(run.metrics)}"
    )
    columns = [
        Column("label", "Customers of"),
        Column("customers", "Customers", fmt.number, numeric=True),
        Column("value", "Difference", signed, numeric=True),
        Column("low", "from", figure, numeric=True),
        Column("high", "to", figure, numeric=True),
    ]
    drawn = dots(rows, view.theme, against_zero=True)
    worse = list(rows.loc[rows["clearly_worse"].astype(bool), "label"].iloc[:3])
    words = "passed" if gate["passed"] else f"not passed{': worse for ' + ', '.join(worse) if worse else ''}"
    plot = graph(f"gate-{of}", drawn, 50 + 32 * len(rows), title)
    return card(title, plot, about=about, aside=pill(words), twin=(rows, columns))


def _segments_as_of(metrics: Mapping[str, Any]) -> str:
    """As of which day customers are in their segments."""
    if len(metrics.get("folds") or ()) > 1:
        newest = f", the newest on {fmt.day(metrics['split_at'])}" if metrics.get("split_at") else ""
        return f"segments as they were when each window began{newest}"
    return f"segments as they were on {fmt.day(metrics['split_at'])}" if metrics.get("split_at") else "segments as then"


def controls(view: View) -> Component:
    """Which run, which products, which window, how long a list."""
    run = queries.seen(view.snapshot, view.filters.judged)
    if run is None:
        return []
    here = _address(view)
    runs = [(_named(one), _address(view, run_id=_asked(one), fold=0)) for one in queries.decisions(view.snapshot)]
    folds = queries.folds(view.snapshot, run.run_id)
    days = judging.windows(run.metrics)
    windows = [("All windows" if fold == 0 else days.get(fold, f"Window {fold}"), fold) for fold in folds]
    current = _address(view, run_id=_asked(run))
    shown = [
        html.Div(
            choice("quality-run", "Run", runs, _address(view, run_id=_asked(run), fold=0)), className="run-choice"
        ),
        either("Products", [(SHORT[of], _address(view, of=of)) for of in SLICES], here),
        either("List of", [(str(k), _address(view, k=k)) for k in sorted(DEPTHS)], here),
    ]
    if len(windows) > 2:  # one alone is all there are
        options = [(text, _address(view, run_id=_asked(run), fold=fold)) for text, fold in windows]
        shown.append(choice("quality-fold", "Window", options, current))
    return html.Div(shown, className="controls page-controls")


def _asked(run: Decision) -> int | None:
    """How an address asks for the run: the published one need not be named."""
    return None if run.status == "published" else run.run_id


def _named(run: Decision) -> str:
    return f"Run {run.run_id}, {fmt.day(run.as_of)} ({_decided(run).lower()})"


def _address(view: View, **changes: Any) -> str:
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
                "decision": _decided(run),
                "sentence": judging.said(run.sentence),
                "href": _address(view, run_id=_asked(run), fold=0),
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


_WHOLE = ("sentence", "gate", "models", "differences", "table", "beyond", "subsets", "time", "live_parts", "runs")

PAGE = Page(
    path="/quality",
    title="Model quality",
    icon="quality",
    layout=layout,
    slots={
        "quality.sentence": sentence,
        "quality.gate": gate,
        "quality.controls": controls,
        "quality.models": models.models,
        "quality.differences": models.differences,
        "quality.table": models.metrics_table,
        "quality.beyond": models.beyond,
        "quality.subsets": parts.subsets,
        "quality.time": parts.time,
        "quality.live": live.course,
        "quality.live_parts": live.parts,
        "quality.runs": runs,
    },
    whole_history=True,
    ignoring={
        "quality.controls": CONTROL,
        **{f"quality.{name}": Ignores(of="All customers of the run") for name in _WHOLE},
        "quality.live": Ignores(RESTRICTIONS - {"segments"}, "All customers of the run"),
    },
)
