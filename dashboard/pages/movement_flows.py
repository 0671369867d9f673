"""The Sankey diagram of the Movement page."""

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card
from dashboard.components.flows import CAUSES, legend, sankey
from dashboard.components.graph import graph
from dashboard.components.table import Column
from dashboard.pages.movement_course import NOBODY, Course, course_of, mark, side
from dashboard.view import Component, View

_HEIGHT, _A_BAR = 460, 56


def flows(view: View) -> Component:
    """The Sankey diagram between the two dates, coloured by cause."""
    course = course_of(view, revenue=True)
    if course is None or course.flows.empty:
        return []
    frame = course.flows.assign(origin=course.flows["from_segment"].replace("", NOBODY))
    sizes = frame.groupby("origin")["customers"].transform("sum")
    frame["share"] = frame["customers"] / sizes
    left = side(frame, "origin", "from_colour")
    right = side(frame, "to_segment", "to_colour")
    left["href"] = [
        mark(view, course, cause="new") if name == NOBODY else mark(view, course, origin=name) for name in left["name"]
    ]
    right["href"] = [mark(view, course, target=name) for name in right["name"]]
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
        mark(view, course, row["from_segment"], row["to_segment"], row["cause"]) for _, row in frame.iterrows()
    ]
    title = _finding(course)
    height = max(_HEIGHT, _A_BAR * max(len(left), len(right)))
    drawn = sankey(frame.assign(cause=frame["told"]), nodes, view.theme, height)
    since, until = fmt.day(course.since), fmt.day(course.until)
    about = f"Customers by where they stood on {since} (left) and on {until} (right), coloured by why"
    about += view.leads(". Click a flow or a bar for its customers")
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


def _finding(course: Course) -> str:
    """The largest flow of those who changed; of those whom the yardstick moved where nobody did."""
    moved = course.moved
    since = fmt.day(course.since)
    if moved.empty:
        return f"Nobody moved since {since}"
    changed = moved[moved["cause"] != "yardstick"]
    flow = (moved if changed.empty else changed).sort_values("customers", ascending=False, kind="stable").iloc[0]
    of = course.flows.loc[course.flows["from_segment"] == flow["from_segment"], "customers"].sum()
    who = f"{fmt.number(flow['customers'])} of {fmt.number(of)} {flow['from_segment']}"
    return f"{who} {_DID[flow['told']]} {flow['to_segment']}, since {since}"


_DID = {
    "bought": "bought and are now",
    "less": "bought too little to stay and are now",
    "returned": "returned goods and are now",
    "quiet": "went quiet and are now",
    "yardstick": "are, by a yardstick that moved, now",
}
