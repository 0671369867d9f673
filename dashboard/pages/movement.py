"""Movement: who moved between two dates and why, what made revenue change, who comes back."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card
from dashboard.components.choice import choice, either
from dashboard.components.flows import CAUSES, legend, sankey
from dashboard.components.graph import graph
from dashboard.components.heat import heatmap
from dashboard.components.states import empty, slot
from dashboard.components.table import Column
from dashboard.pages import movement_cohorts, movement_revenue
from dashboard.run_choice import run_choice
from dashboard.view import CONTROL, Component, Ignores, Page, View
from db.drill import Grouping, Move
from db.queries import movement as queries
from db.queries import segments, shop
from db.queries.features import first_ordered_at
from db.runs import SEGMENTS
from db.standing import first_of_month

_HEIGHT, _A_BAR = 460, 56
_MONTH = timedelta(days=28)
# the earliest and the latest month that a run looks at: so long after the first order, so long before its own day
_SETTLED, _NEAR = timedelta(days=90), timedelta(days=7)
_NOBODY = "No order yet"
_GROUPINGS: dict[Grouping, str] = {"segment": "Clusters", "rfm_group": "RFM groups"}


def layout(_: View) -> Component:
    """The frame of the page."""
    return [
        html.H1("Movement", className="visually-hidden"),
        slot("movement.sentence", "sentence"),
        slot("movement.choices", "strip"),
        html.Div([slot("movement.flows", "tall", "full"), slot("movement.matrix", "chart", "full")], className="grid"),
        html.H2("From period to period", className="section"),
        html.Div(
            [slot("movement.bridge", "chart", "full"), slot("movement.months", "chart", "full")], className="grid"
        ),
        html.H2("Who comes back", className="section"),
        html.Div(slot("movement.retention", "tall", "full"), className="grid"),
    ]


@dataclass(frozen=True)
class _Course:
    """What the view compares: the grouping, the days of the run's moments, two of them, and the flows between these."""

    grouping: Grouping
    days: list[date]
    since: date
    until: date
    flows: pd.DataFrame

    @property
    def moved(self) -> pd.DataFrame:
        """The flows of customers who stand elsewhere than before."""
        return self.flows[~self.flows["cause"].isin(["stayed", "new"])]

    def customers(self, *causes: str) -> int:
        """How many customers have one of the causes; all without any."""
        return int(self.flows.loc[self.flows["cause"].isin(causes or CAUSES), "customers"].sum())


def _course(view: View, *, revenue: bool = False) -> _Course | None:
    """None where the run knows fewer than two moments."""
    moments = queries.moments(view.snapshot)
    if len(moments) < 2:
        return None
    grouping: Grouping = "rfm_group" if view.filters.by == "rfm_group" else "segment"
    days = list(moments["day"].dt.date)
    until = next((at for at in range(1, len(days)) if days[at] == view.filters.until), len(days) - 1)
    month = max((at for at in range(until) if days[until] - days[at] >= _MONTH), default=until - 1)
    since = next((at for at in range(until) if days[at] == view.filters.since), month)
    flows = queries.flows(
        view.snapshot,
        view.filters,
        grouping,
        int(moments["moment"][since]),
        int(moments["moment"][until]),
        revenue=revenue,
    )
    return _Course(grouping, days, days[since], days[until], flows.assign(told=_told(view, grouping, flows)))


def _told(view: View, grouping: Grouping, flows: pd.DataFrame) -> pd.Series:
    """The cause, and "less" where customers bought and yet came down: to a segment of less value and of older orders.

    Value alone does not tell: who comes back may stand among new customers, who have spent less.
    """
    profiles = segments.profiles(view.snapshot, grouping).set_index("segment")
    ends = [flows[column] for column in ("from_segment", "to_segment")]
    place, recency = ([end.map(profiles[c]).astype(float) for end in ends] for c in ("position", "recency_median"))
    down = (flows["cause"] == "bought") & (place[0] < place[1]) & (recency[0] < recency[1])
    return flows["cause"].mask(down, "less")


def _nothing(view: View) -> Component:
    """Why the run knows one moment alone, or none: the true reason of several."""
    command = html.Code("python -m models run")
    run = shop.published_run(view.snapshot, SEGMENTS)
    if run is None:
        return empty("No movement yet", "Run ", command, " to part the customers, as of past months too.")
    if queries.moments(view.snapshot).empty or run.parameters.get("months") == 0:
        return empty("No movement yet", "This run did not look at past months; the next ", command, " does.")
    first = first_ordered_at(view.snapshot) or run.as_of
    latest = first_of_month((run.as_of - _NEAR).date())
    if latest < (first + min(_SETTLED, (run.as_of - first) / 4)).date():
        words = f"The orders begin on {fmt.day(first)}: the history is too short to hold a month to compare with."
        return empty("No movement yet", words, " There is movement once later orders are loaded and modelled.")
    segments = fmt.plural(int(run.metrics.get("k") or 0), "segment")
    words = f"At every earlier month the shop had too few customers to follow in {segments}: fewer than ten for each."
    return empty("No movement yet", words)


def sentence(view: View) -> Component:
    """How many moved, why, and that the counts add up."""
    course = _course(view)
    if course is None:
        return _nothing(view)
    everyone, moved = course.customers(), int(course.moved["customers"].sum())
    if not everyone:
        return empty("No customers in this view", "Choose fewer filters.")
    since, until = fmt.day(course.since), fmt.day(course.until)
    causes = course.moved.groupby("told")["customers"].sum().sort_values(ascending=False)
    why = ", ".join(f"{count:,} {_BECAUSE[str(cause)]}" for cause, count in causes.items())
    lead = f"{fmt.plural(moved, 'customer')} moved between {since} and {until}" + (f": {why}." if why else ".")
    adds = (
        f" {fmt.plural(everyone, 'customer')} in all: {course.customers('stayed'):,} stayed, {moved:,} moved, "
        f"{course.customers('new'):,} new."
    )
    return html.P([html.Strong(lead), adds], className="sentence")


_BECAUSE = {
    "bought": "bought",
    "less": "bought too little to stay",
    "returned": "only returned goods",
    "quiet": "went quiet",
    "yardstick": "moved with the yardstick alone",
}


def choices(view: View) -> Component:
    """The two dates and the grouping."""
    course = _course(view)
    if course is None:
        return []
    since, until = course.since, course.until

    def address(**changes: object) -> str:
        return view.href("/movement", **{"since": since, "until": until, **changes})

    here = address()
    return html.Div(
        [
            choice("since", "From", [(fmt.day(d), address(since=d)) for d in course.days if d < until], here),
            choice("until", "To", [(fmt.day(d), address(until=d)) for d in course.days if d > since], here),
            either(
                "By",
                [(text, address(by=by)) for by, text in _GROUPINGS.items()],
                address(by=course.grouping),
            ),
            run_choice(view, "/movement"),
        ],
        className="controls page-controls",
    )


def _mark(view: View, course: _Course, origin: str = "", target: str = "", cause: str = "") -> str:
    """The address of the customers of a flow."""
    days = course.since, course.until
    move = Move(course.grouping, *days, origin, target, cause)
    return view.href("/customers", start=None, end=None, since=None, until=None, move=move)


def flows(view: View) -> Component:
    """The Sankey diagram between the two dates, coloured by cause."""
    course = _course(view, revenue=True)
    if course is None or course.flows.empty:
        return []
    frame = course.flows.assign(origin=course.flows["from_segment"].replace("", _NOBODY))
    sizes = frame.groupby("origin")["customers"].transform("sum")
    frame["share"] = frame["customers"] / sizes
    left = _side(frame, "origin", "from_colour")
    right = _side(frame, "to_segment", "to_colour")
    left["href"] = [
        _mark(view, course, cause="new") if name == _NOBODY else _mark(view, course, origin=name)
        for name in left["name"]
    ]
    right["href"] = [_mark(view, course, target=name) for name in right["name"]]
    nodes = pd.concat([left.assign(side=0), right.assign(side=1)], ignore_index=True)
    frame["source"] = frame["origin"].map(dict(zip(left["name"], range(len(left)), strict=True)))
    frame["target"] = frame["to_segment"].map(dict(zip(right["name"], range(len(right)), strict=True))) + len(left)
    frame["hover"] = [
        f"{row['origin']} → {row['to_segment']}: {CAUSES[row['told']][0]}\n"
        f"{fmt.plural(int(row['customers']), 'customer')}, {fmt.percent(row['share'])} of {row['origin']}\n"
        f"{fmt.money(row['revenue'], view.currency)} net revenue between the dates"
        for _, row in frame.iterrows()
    ]
    frame["href"] = [
        _mark(view, course, row["from_segment"], row["to_segment"], row["cause"]) for _, row in frame.iterrows()
    ]
    title = _finding(course)
    height = max(_HEIGHT, _A_BAR * max(len(left), len(right)))
    drawn = sankey(frame.assign(cause=frame["told"]), nodes, view.theme, height)
    since, until = fmt.day(course.since), fmt.day(course.until)
    about = (
        f"Customers by where they stood on {since} (left) and on {until} (right), coloured by why. "
        "Click a flow or a bar for its customers"
    )
    columns = [
        Column("origin", "From"),
        Column("to_segment", "To"),
        Column("told", "Why", lambda told: CAUSES[told][0]),
        Column("customers", "Customers", fmt.number, numeric=True, href=lambda row: row["href"]),
        Column("share", "Share of from", fmt.percent, numeric=True),
        Column("revenue", f"Net revenue between ({view.currency})", lambda v: fmt.number(v, 2), numeric=True),
    ]
    plot = html.Div(graph("flows", drawn, height, title), className="wide-plot")
    return card(title, legend(frame["told"].unique()), plot, about=about, twin=(frame, columns))


def _side(frame: pd.DataFrame, name: str, colour: str) -> pd.DataFrame:
    """The bars of one side, in the order of the segments: name, customers, colour, label."""
    position = {"origin": "from_position", "to_segment": "to_position"}[name]
    bars = frame.groupby(name, as_index=False).agg(
        customers=("customers", "sum"), colour=(colour, "first"), position=(position, "first")
    )
    bars = bars.sort_values(["position", name], na_position="last", ignore_index=True)
    names = bars[name].astype(str)
    label = [f"{text}  {count:,}" for text, count in zip(names, bars["customers"], strict=True)]
    return bars.assign(name=names, label=label, colour=bars["colour"].fillna("other"))


def _finding(course: _Course) -> str:
    """The largest flow of those who changed; of those whom the yardstick moved where nobody did."""
    moved = course.moved
    since = fmt.day(course.since)
    if moved.empty:
        return f"Nobody moved since {since}"
    changed = moved[moved["cause"] != "yardstick"]
    flow = (moved if changed.empty else changed).sort_values("customers", ascending=False, kind="stable").iloc[0]
    of = course.flows.loc[course.flows["from_segment"] == flow["from_segment"], "customers"].sum()
    who = f"{flow['customers']:,} of {of:,} {flow['from_segment']}"
    return f"{who} {_DID[flow['told']]} {flow['to_segment']}, since {since}"


_DID = {
    "bought": "bought and are now",
    "less": "bought too little to stay and are now",
    "returned": "returned goods and are now",
    "quiet": "went quiet and are now",
    "yardstick": "are, by a yardstick that moved, now",
}


def matrix(view: View) -> Component:
    """How many went from each segment to each other, as a grid."""
    course = _course(view)
    if course is None or course.flows.empty:
        return []
    frame = course.flows.assign(origin=course.flows["from_segment"].replace("", _NOBODY))
    rows = list(_side(frame, "origin", "from_colour")["name"])
    columns = list(_side(frame, "to_segment", "to_colour")["name"])
    sums = frame.groupby(["origin", "to_segment"])["customers"].sum()
    numbers = {(row, column): int(sums.get((row, column), 0)) for row in rows for column in columns}
    of = {row: sum(numbers[row, column] for column in columns) for row in rows}
    stayed = course.customers("stayed") / max(course.customers("stayed") + int(course.moved["customers"].sum()), 1)

    def cells(show: Callable[[str, str], str]) -> list[list[str]]:
        return [[show(row, column) if numbers[row, column] else "" for column in columns] for row in rows]

    def said(row: str, column: str) -> str:
        return f"{row} → {column}: {numbers[row, column]:,}, {fmt.percent(numbers[row, column] / of[row])} of {row}"

    def address(row: str, column: str) -> str:
        return _mark(view, course, *(("", column, "new") if row == _NOBODY else (row, column)))

    drawn = heatmap(
        rows,
        columns,
        [[numbers[row, column] / of[row] or math.nan for column in columns] for row in rows],
        cells(lambda row, column: f"{numbers[row, column]:,}"),
        cells(said),
        view.theme,
        hrefs=cells(address),
        titles=(f"on {fmt.day(course.until)}", f"on {fmt.day(course.since)}"),
    )
    title = f"{fmt.percent(stayed, 0)} of the customers of {fmt.day(course.since)} stand where they stood"
    about = "From each row to each column; the stronger the colour, the larger the share of the row. Click one for them"
    wide = {"--least": f"{140 + 92 * len(columns)}px"}
    plot = html.Div(graph("matrix", drawn, 110 + 40 * len(rows), title), className="wide-plot", style=wide)
    return card(title, plot, about=about)


PAGE = Page(
    path="/movement",
    title="Movement",
    icon="movement",
    layout=layout,
    slots={
        "movement.sentence": sentence,
        "movement.choices": choices,
        "movement.flows": flows,
        "movement.matrix": matrix,
        "movement.bridge": movement_revenue.bridge,
        "movement.months": movement_revenue.months,
        "movement.retention": movement_cohorts.retention,
    },
    about="The period applies to the revenue bridge: flows have dates of their own, months and cohorts cover all data.",
    ignoring={
        "movement.choices": CONTROL,
        **{
            f"movement.{name}": Ignores(frozenset({"days", "move"}), "Between the two dates")
            for name in ("sentence", "flows", "matrix")
        },
        "movement.bridge": Ignores(frozenset({"bridge", "against"}), "Against the days before"),
        "movement.months": Ignores(frozenset({"days", "bridge"}), "All months"),
        "movement.retention": Ignores(frozenset({"days", "cohort"}), "All months"),
    },
)
