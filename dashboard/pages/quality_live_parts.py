"""How past lists did since, on the Model quality page: hit rates by segment and by run."""

import pandas as pd

from dashboard import format as fmt
from dashboard.components.card import card
from dashboard.components.choice import panes
from dashboard.components.dots import dots
from dashboard.components.graph import graph
from dashboard.components.table import Column
from dashboard.live import share
from dashboard.pages.quality_live import run_of
from dashboard.view import Component, View
from db.queries import live as queries


def parts(view: View) -> Component:
    """The same over all full weeks: by segment of the run that is seen, and by run."""
    weeks = queries.weeks(view.snapshot)
    run_id = run_of(view, weeks)
    full = weeks[weeks["is_full"] & weeks["kind"].isin(["discover", "popular"])]
    of_run = full[(full["run_id"] == run_id) & (full["segment"] != "")]
    if run_id is None or full.empty:
        return []
    full = full.assign(label=[f"Run {row['run_id']}, {fmt.day(row['as_of'])}" for _, row in full.iterrows()])
    plots = []
    tables = []
    for name, frame in (("By segment", of_run.assign(label=of_run["segment"])), ("By run", full)):
        if frame.empty:
            continue
        rows = _pooled(frame)
        tables.append(rows.assign(by=name))
        drawn = dots(rows, view.theme, tickformat=".0%", legend=True)
        plots.append(
            (name, graph(f"live-{name[3:]}", drawn, 78 + 44 * rows["label"].nunique(), f"Hit rate {name.lower()}"))
        )
    columns = [
        Column("by", "By"),
        Column("label", "Of"),
        Column("name", "List"),
        Column("customers", "Customer-weeks", fmt.number, numeric=True),
        Column("value", "Hit rate", fmt.percent, numeric=True),
        Column("interval", "95% interval", numeric=True),
    ]
    about = (
        "Hit rate over all full weeks since each run, products new to the customer, against popularity frozen with it; "
        "segments as they were when the run was made, where that is kept"
    )
    title = _best_part(tables[0]) if len(of_run) else "Hit rate by run"
    return card(title, panes(plots), about=about, twin=(pd.concat(tables), columns))


def _pooled(frame: pd.DataFrame) -> pd.DataFrame:
    sums = frame.groupby(["label", "kind"], as_index=False, sort=False)[["customers", "hits"]].sum()
    shares = [share(int(row["hits"]), int(row["customers"])) for _, row in sums.iterrows()]
    rows = sums.assign(
        value=[one.value for one in shares],
        low=[one.low for one in shares],
        high=[one.high for one in shares],
        strong=sums["kind"] == "discover",
        name=["The lists" if kind == "discover" else "Frozen popularity" for kind in sums["kind"]],
        interval=[f"{fmt.percent(one.low)} to {fmt.percent(one.high)}" for one in shares],
    )
    rows["said"] = [
        f"{row['label']}, {row['name'].lower()}: {fmt.percent(row['value'])} ({row['interval']}), "
        f"{fmt.plural(int(row['customers']), 'customer-week')}"
        for _, row in rows.iterrows()
    ]
    return rows


def _best_part(rows: pd.DataFrame) -> str:
    mine = rows[rows["strong"]].sort_values("value", ascending=False)
    if len(mine) < 2:
        return "Hit rate by segment"
    best, worst = mine.iloc[0], mine.iloc[-1]
    return f"Most hits with {best['label']} ({fmt.percent(best['value'], 0)}), fewest with {worst['label']} " + (
        f"({fmt.percent(worst['value'], 0)})"
    )
