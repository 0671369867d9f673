"""The report card of the forecast: a record of `models.report_card.Report` as tables and plots."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from dash import html

from dashboard import format as fmt
from dashboard.components.graph import figure, graph
from dashboard.components.table import Column, table
from dashboard.theme import Theme, token
from dashboard.view import Component

_MEASURES = {
    "mae": "Orders a customer: mean absolute error",
    "rmse": "Orders a customer: root mean square error",
    "total": "Orders of all customers",
    "spearman": "Revenue: rank correlation",
}
FORECASTS = ("forecast", "last_period", "segment_mean")
_NAIVE = {"last_period": "same as last period", "segment_mean": "mean of the segment"}


def errors(report: Mapping[str, Any]) -> Component:
    """The three forecasts side by side, and by how much ours is better, with 95% intervals."""
    rows = []
    for row in report["measures"]:
        decimals = 0 if row["measure"] == "total" else 3
        truth = f" (they placed {fmt.number(row['actual'])})" if row.get("actual") is not None else ""
        shown = {"measure": _MEASURES.get(row["measure"], row["measure"]) + truth}
        shown |= {name: fmt.number(row[name], decimals) for name in ("forecast", *_NAIVE)}
        shown |= {f"{name}_by": _difference(row["better_than"].get(name)) for name in _NAIVE}
        rows.append(shown)
    columns = [
        Column("measure", "Measure"),
        Column("forecast", "Forecast", numeric=True),
        *[Column(name, f"{said[:1].upper()}{said[1:]}", numeric=True) for name, said in _NAIVE.items()],
        *[Column(f"{name}_by", f"Better than {said} by", numeric=True) for name, said in _NAIVE.items()],
    ]
    return table(pd.DataFrame(rows), columns)


def _difference(of: Mapping[str, float] | None) -> str:
    if of is None:
        return ""
    sign = "+" if of["value"] > 0 else ""
    low, high = fmt.number(of["low"], 3), fmt.number(of["high"], 3)
    return f"{sign}{fmt.number(of['value'], 3)} ({low} to {high})"


def covered(report: Mapping[str, Any]) -> str:
    """How many customers the intervals held, against how many they should."""
    parts = []
    for name, of in report["coverage"].items():
        parts.append(
            f"the {fmt.percent(of['nominal'], 0)} interval of {name} held {fmt.percent(of['inside'], 0)} of the "
            f"customers ({fmt.percent(of['below'], 0)} came out below it, {fmt.percent(of['above'], 0)} above)"
        )
    words = "; ".join(parts)
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def curves(report: Mapping[str, Any], theme: Theme) -> Component:
    """Expected against actual, tenths of the customers by forecast: orders, and the share who placed none."""
    plots = []
    for name, title, share in (("orders", "Orders a customer", False), ("risk", "Share who placed none", True)):
        bins = report[name]
        label = f"{title}: expected against actual; on the dotted line a forecast is right"
        drawn = calibration(bins, theme, share=share)
        plots.append(html.Figure([html.Figcaption(label), graph(f"calibration-{name}", drawn, 300, label)]))
    return html.Div(plots, className="spreads")


def calibration(bins: Sequence[Mapping[str, float]], theme: Theme, *, share: bool) -> go.Figure:
    """A dot a bin (expected, actual, customers); the line is where both are equal."""
    expected, actual = (np.array([one[name] for one in bins], dtype=float) for name in ("expected", "actual"))
    customers = np.array([one["customers"] for one in bins], dtype=float)
    end = 1.0 if share else float(max(expected.max(initial=0), actual.max(initial=0))) * 1.05 or 1.0
    written = ".0%" if share else ",.2f"
    picture = figure(
        theme,
        go.Scatter(
            x=np.array([0.0, end]),
            y=np.array([0.0, end]),
            mode="lines",
            line={"color": token("muted", theme), "width": 1, "dash": "dot"},
            hoverinfo="skip",
        ),
        go.Scatter(
            x=expected,
            y=actual,
            mode="lines+markers",
            marker={"size": 9, "color": token("accent", theme)},
            line={"color": token("accent", theme), "width": 1.5},
            customdata=np.column_stack([np.full(len(bins), ""), customers]),
            hovertemplate=(
                f"expected %{{x:{written}}}, actual %{{y:{written}}}<br>%{{customdata[1]:,}} customers<extra></extra>"
            ),
        ),
    )
    ticks = {"tickformat": ".0%"} if share else {}
    picture.update_xaxes(title_text="expected", range=[0, end * 1.02], **ticks)
    picture.update_yaxes(title_text="actual", range=[0, end * 1.05], nticks=5, **ticks)
    return picture


def as_table(report: Mapping[str, Any]) -> Component:
    """The dots of the curves as numbers."""
    kinds = (("orders", "Orders a customer"), ("risk", "Share who placed none"))
    rows = [
        {"kind": title, **one, "expected": _figure(one["expected"], name), "actual": _figure(one["actual"], name)}
        for name, title in kinds
        for one in report[name]
    ]
    columns = [
        Column("kind", "Curve"),
        Column("customers", "Customers", fmt.number, numeric=True),
        Column("expected", "Expected", numeric=True),
        Column("actual", "Actual", numeric=True),
    ]
    return html.Details([html.Summary("Show as table"), table(pd.DataFrame(rows), columns)], className="twin")


def _figure(value: float, name: str) -> str:
    return fmt.percent(value) if name == "risk" else fmt.number(value, 2)
