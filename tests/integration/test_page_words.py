"""What the pages of segments and of movement say is true of the numbers they show."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from plotly.utils import PlotlyJSONEncoder

from dashboard.pages import movement, movement_course, movement_flows, segment_profile, segments
from dashboard.view import View, Views
from db.drill import Grouping
from db.filters import Filters
from db.queries import movement as moves
from db.queries import segments as found
from db.queries import shop, value
from db.runs import SEGMENTS
from settings import Settings


@pytest.fixture(scope="module")
def views(sample_shop: Settings) -> Views:
    return Views(sample_shop)


def said(component: Any) -> str:
    """The component as it goes to the browser."""
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


@pytest.mark.parametrize("grouping", ["segment", "rfm_group"])
def test_who_bought_and_came_down_bought_too_little(views: Views, grouping: Grouping) -> None:
    view = views.view(f"?by={grouping}")
    course = movement_course.course_of(view)
    assert course is not None
    profiles = found.profiles(view.snapshot, grouping).set_index("segment")
    down = course.flows[course.flows["told"] == "less"]
    up = course.flows[course.flows["told"] == "bought"]
    assert (down["cause"] == "bought").all()
    for _, flow in down.iterrows():
        before, after = profiles.loc[flow["from_segment"]], profiles.loc[flow["to_segment"]]
        assert after["monetary_median"] < before["monetary_median"], "they stand among customers who spent less"
        assert after["recency_median"] > before["recency_median"], "and whose last order is longer ago"
    if grouping == "rfm_group":
        assert ("Champions", "Loyal") in set(zip(down["from_segment"], down["to_segment"], strict=True))
        assert ("Loyal", "Champions") in set(zip(up["from_segment"], up["to_segment"], strict=True))
        assert ("Lost", "New") in set(zip(up["from_segment"], up["to_segment"], strict=True))
    assert down["customers"].sum() + up["customers"].sum() == course.customers("bought"), "each is told once"
    assert ("bought too little to stay" in said(movement_flows.flows(view))) == bool(len(down))


def test_one_moment_alone_is_put_down_to_what_it_is_owed_to(views: Views, monkeypatch: pytest.MonkeyPatch) -> None:
    view = views.view("")
    run = shop.published_run(view.snapshot, SEGMENTS)
    assert run is not None
    last = moves.moments(view.snapshot).tail(1)
    monkeypatch.setattr(moves, "moments", lambda _: last)
    few = said(movement.sentence(view))
    assert "too few customers" in few
    assert "fewer than ten for each" in few
    monkeypatch.setattr(movement, "first_ordered_at", lambda snapshot: run.as_of - timedelta(days=9))
    short = said(movement.sentence(view))
    assert "history is too short" in short
    assert "too few" not in short
    monkeypatch.setattr(shop, "published_run", lambda *_: replace(run, parameters={"months": 0}))
    assert "did not look at past months" in said(movement.sentence(view))


def test_the_notice_of_drift_stands_with_the_clusters_of_the_whole_shop_alone(
    views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shop.published_run(views.view("").snapshot, SEGMENTS)
    assert run is not None
    drifted = replace(run, metrics={**run.metrics, "drift": {"large": True, "sentence": "Spend has drifted."}})
    monkeypatch.setattr(shop, "published_run", lambda *_: drifted)

    def stands(query: str) -> bool:
        return "Spend has drifted." in said(segments.sentence(views.view(query)))

    assert stands("")
    assert stands("?from=2017-03-01&to=2017-04-01"), "the days do not apply to segments"
    assert not stands("?by=rfm_group")
    assert not stands("?by=alternative")
    assert not stands("?department=Grocery")


@pytest.mark.parametrize("grouping", ["segment", "rfm_group", "alternative"])
def test_the_stakes_of_a_segment_are_the_revenue_at_risk_of_its_customers(views: Views, grouping: Grouping) -> None:
    view: View = views.view(f"?by={grouping}")
    field: dict[Grouping, str] = {"segment": "segments", "rfm_group": "groups", "alternative": "alternatives"}
    risks = value.at_risk_by(view.snapshot, grouping)
    for _, row in risks.iterrows():
        of = Filters().but(**{field[grouping]: (row["segment"],)})
        assert row["risk"] == pytest.approx(value.totals(view.snapshot, of)["risk"])
    plays = found.profiles(view.snapshot, grouping).set_index("segment")["play"]
    most = next(name for name in risks["segment"] if plays[name] != "leave")
    assert f"{most} have most at stake" in said(segment_profile.plays(view))
