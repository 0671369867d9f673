"""How good each model is on the Model quality page: its values, and differences customer by customer."""

from collections.abc import Callable

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard import judging
from dashboard.components.card import card
from dashboard.components.choice import panes
from dashboard.components.dots import dots
from dashboard.components.graph import graph
from dashboard.components.table import Column
from dashboard.judging import RANKING, SLICES, figure, interval
from dashboard.view import Component, View
from db.queries import quality as queries
from db.queries.quality import Decision

_NO_DIFFERENCES = "This run was made before models were compared customer by customer: it has no paired differences."


def models(view: View) -> Component:
    """Every model's NDCG with its interval."""
    judged = view.filters.judged
    run, frame = values_of(view)
    if run is None or frame.empty:
        return []
    name_of = judging.naming(run.metrics, judged.of)
    shown = frame[(frame["metric"] == "ndcg") & (frame["k"] == judged.k)]
    if shown.empty:
        return []
    names = list(shown["model"])
    mine = judging.ours(names, judged.of, run.metrics)
    rows = pd.DataFrame(
        {
            "label": [name_of(model) for model in names],
            "value": shown["value"].to_numpy(),
            "low": shown["ci_low"].to_numpy(),
            "high": shown["ci_high"].to_numpy(),
            "said": [
                f"{name_of(row['model'])}: {figure(row['value'])}, 95% interval {interval(row)}"
                for _, row in shown.iterrows()
            ],
            "strong": [model == mine for model in names],
            "name": ["ours" if model == mine else "other" for model in names],
        }
    )
    best = shown.iloc[0]
    title = f"Best on {SLICES[judged.of]}: {name_of(best['model'])}, NDCG@{judged.k} {figure(best['value'])}"
    about = (
        f"NDCG@{judged.k} with 95% intervals, further right is better; over "
        f"{judging.tested_on(run.metrics, judged, customers_of(shown))}"
        + (f". {name_of(mine)} in colour" if mine else "")
    )
    columns = [
        Column("model", "Model", name_of),
        Column("value", f"NDCG@{judged.k}", figure, numeric=True, means=RANKING["ndcg"].means),
        Column("interval", "95% interval", numeric=True),
        Column("customers", "Customers", fmt.number, numeric=True),
    ]
    twin = (shown.assign(interval=[interval(row) for _, row in shown.iterrows()]), columns)
    drawn = dots(rows, view.theme)
    return card(title, graph("quality-models", drawn, 50 + 34 * len(rows), title), about=about, twin=twin)


def differences(view: View) -> Component:
    """The published lists against each other model, customer by customer."""
    judged = view.filters.judged
    run, frame = values_of(view)
    if run is None or frame.empty:
        return []
    name_of = judging.naming(run.metrics, judged.of)
    found = queries.differences(view.snapshot, run.run_id, judged)
    found = found[found["subset"] == "all"]
    if found.empty:
        return card("Differences", html.P(_NO_DIFFERENCES, className="about"))
    order = [model for model in dict.fromkeys(frame["model"]) if model in set(found["model"])]
    mine = judging.ours(order, judged.of, run.metrics) or order[0]
    plots = [
        _against(found[found["model"] == model], view, name_of) for model in sorted(order, key=lambda m: m != mine)
    ]
    own = found[found["model"] == mine]
    surely = int((own["ci_low"] > 0).sum())
    how_many = "all" if surely == len(own) else f"{surely} of the"
    title = f"{name_of(mine)}: surely better than {how_many} {fmt.plural(len(own), 'model')} it is held against"
    about = (
        "Differences of NDCG@10, customer by customer, with 95% intervals; right of the line it is better, and in "
        "colour surely so"
    )
    columns = [
        Column("model", "Model", name_of),
        Column("against", "Against", name_of),
        Column("value", "Difference", judging.signed, numeric=True),
        Column("interval", "95% interval", numeric=True),
        Column("customers", "Customers", fmt.number, numeric=True),
    ]
    twin = (found.assign(interval=[interval(row) for _, row in found.iterrows()]), columns)
    return card(title, panes(plots), about=about, twin=twin)


def _against(own: pd.DataFrame, view: View, name_of: Callable[[str], str]) -> tuple[str, Component]:
    """One model against the others: its name, and the plot."""
    name = name_of(own["model"].iloc[0])
    own = own.sort_values("value", ignore_index=True)
    rows = pd.DataFrame(
        {
            "label": [f"than {name_of(model)}" for model in own["against"]],
            "value": own["value"],
            "low": own["ci_low"],
            "high": own["ci_high"],
            "said": [
                f"{name} against {name_of(row['against'])}: {judging.signed(row['value'])}, 95% interval "
                f"{interval(row)}"
                for _, row in own.iterrows()
            ],
            "strong": own["ci_low"] > 0,
            "name": "difference",
        }
    )
    drawn = dots(rows, view.theme, against_zero=True)
    return name, graph(f"differences-{own['model'].iloc[0]}", drawn, 50 + 44 * len(own), f"{name} against others")


def values_of(view: View) -> tuple[Decision | None, pd.DataFrame]:
    """The run that is seen and the values of its models; None and no rows before the first run."""
    run = queries.seen(view.snapshot, view.filters.judged)
    if run is None:
        return None, pd.DataFrame(columns=["model", "metric", "k", "value"])
    return run, queries.values(view.snapshot, run.run_id, view.filters.judged)


def customers_of(frame: pd.DataFrame) -> int | None:
    """How many customers rows rest on; None where a run did not keep it."""
    known = frame["customers"].dropna()
    return int(known.max()) if len(known) else None
