"""What a run tells of its forecast, and how the forecast held in the test, in words."""

from collections.abc import Mapping
from typing import Any

from dashboard import format as fmt
from dashboard.components import report_card


def told_of(metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the run tells of its forecast."""
    told = metrics.get("value")
    return told if isinstance(told, Mapping) else {}


def tested_of(metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    """The forecast's report card; empty where none could be made."""
    report = told_of(metrics).get("report")
    return report if isinstance(report, Mapping) else {}


def verdict(metrics: Mapping[str, Any]) -> str:
    """How good the forecast was in the test, or why there was none."""
    report = tested_of(metrics)
    if not report:
        why = told_of(metrics).get("untested")
        return f"How good this forecast is could not be tested on the past: {why}" if why else ""
    days = report["days"]
    return f"Tested on the last {days} days, the forecast {finding(report)}. Beyond {days} days it is not tested."


def finding(report: Mapping[str, Any]) -> str:
    """Whether the forecast is better than the naive ones, and in what it is and is not."""
    judged = "in mean error of orders and in ranking revenue"
    if not report["beats"]:
        return f"does not beat both naive ones {judged}: read it with care"
    said = f"beats both naive ones {judged}" if report["surely"] else f"is better than both naive ones {judged}"
    not_in = " and ".join(_worse(report))
    return said + ("" if report["surely"] else ", though not surely") + (f", but not in {not_in}" if not_in else "")


def _worse(report: Mapping[str, Any]) -> list[str]:
    """The other measures in which one of the naive forecasts is better."""
    rows = {row["measure"]: row for row in report["measures"]}
    found = []
    if "rmse" in rows and any(by["value"] < 0 for by in rows["rmse"]["better_than"].values()):
        found.append("root mean square error")
    if "total" in rows:
        off = {name: abs(rows["total"][name] - rows["total"]["actual"]) for name in report_card.FORECASTS}
        if off["forecast"] > min(off.values()):
            found.append("the sum of all orders")
    return found


def off_in_test(metrics: Mapping[str, Any]) -> str:
    """By how much the orders of all customers were wrong in the test."""
    totals = [row for row in tested_of(metrics).get("measures", ()) if row["measure"] == "total" and row["actual"]]
    if not totals:
        return ""
    off = totals[0]["forecast"] / totals[0]["actual"] - 1
    return f"; in the test {fmt.percent(abs(off), 0)} too {'many' if off > 0 else 'few'}"


def risk_in_test(report: Mapping[str, Any]) -> tuple[float, float] | None:
    """The share of customers expected to place no order, and the share who placed none, in the test."""
    bins = report.get("risk", ())
    customers = sum(one["customers"] for one in bins)
    if not customers:
        return None
    expected, actual = (
        sum(one[name] * one["customers"] for one in bins) / customers for name in ("expected", "actual")
    )
    return expected, actual


def risk_was(metrics: Mapping[str, Any]) -> tuple[str, str]:
    """How the churn risk held in the test: a clause with the numbers, and a word; empty where it was not tested."""
    tested = risk_in_test(tested_of(metrics))
    if tested is None:
        return "", ""
    expected, actual = (fmt.percent(share, 0) for share in tested)
    word = "borne out" if expected == actual else "overstated" if tested[0] > tested[1] else "understated"
    return f"; {word} in the test: {expected} expected without an order, {actual} were", word
