"""What the pages say of a forecast is no more than what was tested, and no advice goes against it."""

from typing import Any

import pandas as pd
import pytest

from dashboard.pages import value_activity
from dashboard.pages.customer_head import advice
from dashboard.pages.value_words import finding, risk_in_test
from db.queries.value import FREQUENCIES, RECENCIES


def report(*, mae: float, rmse: float, total: float, surely: bool = True) -> dict[str, Any]:
    """A report card: by how much better than the naive ones, and the forecast of the 100 orders that came."""
    naive = ("last_period", "segment_mean")

    def better(by: float) -> dict[str, Any]:
        return {"better_than": {name: {"value": by, "low": by, "high": by} for name in naive}}

    orders = {"measure": "total", "forecast": total, "last_period": 90.0, "segment_mean": 110.0, "actual": 100.0}
    return {
        "beats": mae > 0,
        "surely": surely and mae > 0,
        "measures": [{"measure": "mae", **better(mae)}, {"measure": "rmse", **better(rmse)}, orders],
    }


def test_a_verdict_says_in_what_the_forecast_is_better_and_in_what_it_is_not() -> None:
    judged = "in mean error of orders and in ranking revenue"
    assert finding(report(mae=1, rmse=1, total=95)) == f"beats both naive ones {judged}"
    worse = finding(report(mae=1, rmse=-1, total=80))
    assert worse == f"beats both naive ones {judged}, but not in root mean square error and the sum of all orders"
    unsure = finding(report(mae=1, rmse=-1, total=100, surely=False))
    assert unsure == f"is better than both naive ones {judged}, though not surely, but not in root mean square error"
    assert finding(report(mae=-1, rmse=1, total=100)).startswith("does not beat")


def test_the_risk_in_the_test_counts_customers_not_bins() -> None:
    bins = [{"expected": 0.2, "actual": 0.1, "customers": 300}, {"expected": 0.8, "actual": 0.5, "customers": 100}]
    assert risk_in_test({"risk": bins}) == pytest.approx(((60 + 80) / 400, (30 + 50) / 400))
    assert risk_in_test({"risk": []}) is None
    assert risk_in_test({}) is None


@pytest.mark.parametrize(
    ("chances", "words"),
    [
        ([0.9, 0.6, 0.4], "are probably gone after 30 days of silence"),
        ([0.9, 0.8, 0.51], "are probably active even after 30 to 59 days of silence, the longest seen"),
    ],
)
def test_nothing_is_said_of_a_silence_that_nobody_kept(chances: list[float], words: str) -> None:
    of = FREQUENCIES.index(5)
    places = [RECENCIES.index(days) for days in (0, 14, 30)]
    said = ["0 to 6", "14 to 29", "30 to 59"]
    row = pd.DataFrame({"recency": places, "days": said, "p_alive": chances, "expected": 1000.0})
    once = pd.DataFrame({"recency": [0, 7], "days": ["0 to 6", "365 or more"], "p_alive": 1.0, "expected": 9000.0})
    frame = pd.concat([row.assign(frequency=of, orders="5 to 9"), once.assign(frequency=0, orders="1")])
    assert value_activity.finding(frame) == f"Customers with 5 to 9 orders {words}"


@pytest.mark.parametrize(
    ("risk", "play", "first"),
    [
        (0.95, "retain", True),
        (0.5, "grow", True),
        (0.49, "retain", False),
        (0.95, "win_back", False),
        (float("nan"), "retain", False),
    ],
)
def test_who_will_probably_not_come_is_to_be_won_back_first(risk: float, play: str, first: bool) -> None:
    profile = pd.Series({"play": play, "playbook": "Give early access."})
    said = advice(pd.Series({"segment": "Champions", "churn_risk": risk}), profile)
    assert said.endswith("Give early access.")
    assert said.startswith("Win back first: no order within 90 days is likely") == first
    assert ("95%" in said) == (first and risk == 0.95)
