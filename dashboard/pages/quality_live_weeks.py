"""The hit rates of past lists week by week, on the Model quality page: as a plot and as a table."""

import pandas as pd

from dashboard import format as fmt
from dashboard.components.dots import rates
from dashboard.components.graph import graph
from dashboard.components.table import Column
from dashboard.live import paired, points, share
from dashboard.view import Component, View
from db.queries import live as queries

LISTS = {"discover": "New to them", "buy_again": "Buy again"}


def drawn_weeks(view: View, weeks: pd.DataFrame, run_id: int, kind: str) -> Component:
    """A list's hit rates by week: of the run, of popularity frozen with it, of earlier runs."""

    def line(run: int, of: str, name: str) -> pd.DataFrame:
        part = weeks[(weeks["run_id"] == run) & (weeks["kind"] == of)].sort_values("week")
        shares = [share(int(row["hits"]), int(row["customers"])) for _, row in part.iterrows()]
        return part.assign(
            value=[one.value for one in shares],
            low=[one.low for one in shares],
            high=[one.high for one in shares],
            said=[
                f"{name}, week from {fmt.day(at)}: {fmt.percent(one.value)} of {fmt.plural(one.customers, 'customer')} "
                f"({fmt.percent(one.low)} to {fmt.percent(one.high)})"
                for one, at in zip(shares, part["starts_at"], strict=True)
            ],
        )

    mine = f"Run {run_id}"
    series = [(mine, line(run_id, kind, mine), "ours")]
    if kind == "discover":
        frozen = line(run_id, "popular", "Frozen popularity")
        series += [("Frozen popularity", frozen, "other")] if len(frozen) else []
    for run in sorted(weeks.loc[weeks["kind"] == kind, "run_id"].unique()):
        if run < run_id:
            series.append((f"Run {run}", line(int(run), kind, f"Run {run}"), "earlier"))
    label = f"Hit rate by week, {LISTS[kind].lower()}"
    return graph(f"live-{kind}", rates(series, view.theme), 320, label)


def weeks_table(own: pd.DataFrame) -> pd.DataFrame:
    """The rows of `COLUMNS`."""
    rows = []
    for _, row in own.sort_values(["kind", "week"]).iterrows():
        rate = share(int(row["hits"]), int(row["customers"]))
        against = paired(int(row["only"]), int(row["only_popular"]), int(row["paired"]))
        rows.append(
            {
                "list": {**LISTS, "popular": "Frozen popularity"}[row["kind"]],
                "week": fmt.day(row["starts_at"]) + ("" if row["is_full"] else ", not over"),
                "customers": rate.customers,
                "rate": fmt.percent(rate.value),
                "interval": f"{fmt.percent(rate.low)} to {fmt.percent(rate.high)}",
                "precision": fmt.percent(row["found"] / (queries.LENGTH * row["customers"]), 2),
                "against": points(against) if against.customers else "",
            }
        )
    return pd.DataFrame(rows)


COLUMNS = [
    Column("list", "List"),
    Column("week", "Week from", style="date"),
    Column("customers", "Customers", fmt.number, numeric=True),
    Column("rate", "Hit rate", numeric=True),
    Column("interval", "95% interval", numeric=True),
    Column("precision", "Precision", numeric=True, means="The share of ten places whose product was bought that week"),
    Column("against", "Points over popularity", numeric=True, means="Of the same customers, with its 95% interval"),
]
