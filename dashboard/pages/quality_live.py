"""How past lists did since, on the Model quality page: hit rates by week, by segment and by run."""

from collections.abc import Sequence

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card
from dashboard.components.choice import choice, panes
from dashboard.components.dots import dots, rates
from dashboard.components.graph import graph
from dashboard.components.table import Column
from dashboard.live import decay, paired, points, share
from dashboard.view import Component, View
from db.queries import live as queries
from db.queries import quality

_LISTS = {"discover": "New to them", "buy_again": "Buy again"}
_COUNTS = ["customers", "hits", "found", "only", "only_popular", "paired"]
_NONE = (
    "No purchase is loaded that came after a run of recommendations: load newer files, and past lists are held against "
    "what customers then bought."
)


def course(view: View) -> Component:
    """The hit rate of a run's lists by week since, against popularity frozen with it, and whether it decays."""
    weeks = queries.weeks(view.snapshot)
    run_id = _run(view, weeks)
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
    for kind, name in _LISTS.items():
        part = own[own["kind"] == kind]
        if part.empty:
            continue
        found = decay(part)
        said = html.P(found.sentence, className="about")
        if found.state == "decayed":
            advice = [" Make new ones: ", html.Code("python -m models run"), "."] if published == run_id else []
            said = html.P([html.Strong("Decay: "), found.sentence, *advice], className="notice")
        notices.append((kind, found.state))
        plots.append((name, html.Div([said, _drawn(view, mine, run_id, kind)])))
    as_of = weeks.loc[weeks["run_id"] == run_id, "as_of"].iloc[0]
    title = f"Since {fmt.day(as_of)}, the lists of run {run_id} {_finding(notices)}"
    asked = quality.seen(view.snapshot, view.filters.judged)
    about = (
        "Share of the customers who bought something their list could have held, and found it among the ten offered, "
        "by week; the band is the 95% interval (Wilson), an open mark a week that is not over"
        + (f". No purchase tells of the lists of run {asked.run_id} yet" if asked and asked.run_id != run_id else "")
    )
    return card(
        title, panes(plots), about=about, aside=_segment_choice(view, weeks, run_id), twin=(_table(own), _COLUMNS)
    )


def _finding(states: Sequence[tuple[str, str]]) -> str:
    decayed = [_LISTS[kind].lower() for kind, state in states if state == "decayed"]
    if decayed:
        return f"decay ({' and '.join(decayed)})"
    return "show no sign of decay" if any(state == "well" for _, state in states) else "are too young to judge"


def _run(view: View, weeks: pd.DataFrame) -> int | None:
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


def _drawn(view: View, weeks: pd.DataFrame, run_id: int, kind: str) -> Component:
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
    label = f"Hit rate by week, {_LISTS[kind].lower()}"
    return graph(f"live-{kind}", rates(series, view.theme), 320, label)


def _table(own: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for _, row in own.sort_values(["kind", "week"]).iterrows():
        rate = share(int(row["hits"]), int(row["customers"]))
        against = paired(int(row["only"]), int(row["only_popular"]), int(row["paired"]))
        rows.append(
            {
                "list": {**_LISTS, "popular": "Frozen popularity"}[row["kind"]],
                "week": fmt.day(row["starts_at"]) + ("" if row["is_full"] else ", not over"),
                "customers": rate.customers,
                "rate": fmt.percent(rate.value),
                "interval": f"{fmt.percent(rate.low)} to {fmt.percent(rate.high)}",
                "precision": fmt.percent(row["found"] / (queries.LENGTH * row["customers"]), 2),
                "against": points(against) if against.customers else "",
            }
        )
    return pd.DataFrame(rows)


_COLUMNS = [
    Column("list", "List"),
    Column("week", "Week from", style="date"),
    Column("customers", "Customers", fmt.number, numeric=True),
    Column("rate", "Hit rate", numeric=True),
    Column("interval", "95% interval", numeric=True),
    Column("precision", "Precision", numeric=True, means="The share of ten places whose product was bought that week"),
    Column("against", "Points over popularity", numeric=True, means="Of the same customers, with its 95% interval"),
]


def parts(view: View) -> Component:
    """The same over all full weeks: by segment of the run that is seen, and by run."""
    weeks = queries.weeks(view.snapshot)
    run_id = _run(view, weeks)
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
        Column("label", ""),
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
