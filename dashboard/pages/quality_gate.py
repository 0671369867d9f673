"""The gate's evidence on the Model quality page: a card for each list."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard import judging
from dashboard.components.card import card, pill
from dashboard.components.dots import dots
from dashboard.components.graph import graph
from dashboard.components.table import Column
from dashboard.judging import SHORT, SLICES, figure, signed
from dashboard.view import Component, View
from db.judged import Slice
from db.queries import quality as queries
from db.queries.quality import Decision

_GATED: tuple[Slice, ...] = ("discover", "buy_again")


def gates_of(run: Decision) -> dict[Slice, Mapping[str, Any]]:
    """What the gate found for each list, where the run tells it."""
    told = run.metrics.get("gate") or {}
    return {of: told[of] for of in _GATED if isinstance(told.get(of), Mapping)}


def gate(view: View) -> Component:
    """The gate's evidence: a card for each list."""
    run = queries.seen(view.snapshot, view.filters.judged)
    if run is None:
        return []
    gates = gates_of(run)
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
