"""From each segment to each other on the Movement page, as a grid."""

import math
from collections.abc import Callable

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card
from dashboard.components.graph import graph
from dashboard.components.heat import heatmap
from dashboard.components.table import Column
from dashboard.pages.movement_course import NOBODY, course_of, mark, side
from dashboard.view import Component, View


def matrix(view: View) -> Component:
    """How many went from each segment to each other, as a grid."""
    course = course_of(view)
    if course is None or course.flows.empty:
        return []
    frame = course.flows.assign(origin=course.flows["from_segment"].replace("", NOBODY))
    rows = list(side(frame, "origin", "from_colour")["name"])
    columns = list(side(frame, "to_segment", "to_colour")["name"])
    sums = frame.groupby(["origin", "to_segment"])["customers"].sum()
    numbers = {(row, column): int(sums.get((row, column), 0)) for row in rows for column in columns}
    of = {row: sum(numbers[row, column] for column in columns) for row in rows}
    stayed = course.customers("stayed") / max(course.customers("stayed") + int(course.moved["customers"].sum()), 1)

    def cells(show: Callable[[str, str], str]) -> list[list[str]]:
        return [[show(row, column) if numbers[row, column] else "" for column in columns] for row in rows]

    def said(row: str, column: str) -> str:
        share = fmt.percent(numbers[row, column] / of[row])
        return f"{row} → {column}: {fmt.number(numbers[row, column])}, {share} of {row}"

    def address(row: str, column: str) -> str:
        return mark(view, course, *(("", column, "new") if row == NOBODY else (row, column)))

    drawn = heatmap(
        rows,
        columns,
        [[numbers[row, column] / of[row] or math.nan for column in columns] for row in rows],
        cells(lambda row, column: fmt.number(numbers[row, column])),
        cells(said),
        view.theme,
        hrefs=cells(address),
        titles=(f"on {fmt.day(course.until)}", f"on {fmt.day(course.since)}"),
    )
    title = f"{fmt.percent(stayed, 0)} of the customers of {fmt.day(course.since)} stand where they stood"
    about = "From each row to each column; the stronger the colour, the larger the share of the row"
    about += view.leads(". Click one for them")
    wide = {"--least": f"{140 + 92 * len(columns)}px"}
    plot = html.Div(graph("matrix", drawn, 110 + 40 * len(rows), title), className="wide-plot", style=wide)
    counted = [(row, column, number) for (row, column), number in numbers.items() if number]
    cells_told = pd.DataFrame(counted, columns=["origin", "target", "customers"])
    cells_told["share"] = cells_told["customers"] / cells_told["origin"].map(of)
    told = [
        Column("origin", "From"),
        Column("target", "To"),
        Column(
            "customers", "Customers", fmt.number, numeric=True, href=lambda row: address(row["origin"], row["target"])
        ),
        Column("share", "Share of from", fmt.percent, numeric=True),
    ]
    return card(title, plot, about=about, twin=(cells_told, told))
