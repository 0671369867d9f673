"""What the page of model quality says is what the runs say of themselves, and of an old run what it lacks."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from plotly.utils import PlotlyJSONEncoder
from sqlalchemy import Engine
from sqlalchemy.engine import URL

from dashboard.pages import quality
from dashboard.view import View, Views
from db import result_schema, runs, snapshot
from db.columns import Columns as C
from db.engine import make_engine
from settings import Settings
from tests.conftest import empty_shop
from tests.small_shop import MOMENTS, Shop, made

AS_OF = MOMENTS[2]
NDCG = {
    "discover": {"popular": 0.09, "ease": 0.11, "hybrid": 0.12, "ranker": 0.13, "published": 0.125},
    "buy_again": {"popular": 0.10, "own_history": 0.37, "hybrid": 0.26, "ranker": 0.35, "published": 0.35},
}
"""Over all windows; 0.01 less in the first."""


def evaluated() -> pd.DataFrame:
    """Rows as an evaluation writes them: two windows and both together, a segment, new products, differences."""
    rows = []
    for of, models in NDCG.items():
        for fold, off in ((0, 0.0), (1, -0.01), (2, 0.01)):
            for model, ndcg in models.items():
                for subset, more in (("all", 0.0), ("segment:Loyal", 0.05), ("segment:O'Brien; --", -0.05)):
                    for k in (5, 10):
                        for metric, times in (("ndcg", 1.0), ("hit_rate", 2.0), ("precision", 0.5)):
                            value = (ndcg + off + more) * times
                            span = (value - 0.01, value + 0.01)
                            rows.append((fold, model, "", of, subset, metric, k, value, *span, 700))
                if model in ("published", "ranker"):
                    value = ndcg - models["popular"]
                    rows.append((fold, model, "popular", of, "all", "ndcg", 10, value, value - 0.02, value + 0.02, 700))
                nan = float("nan")
                for metric in ("coverage", "novelty", "diversity", "popularity"):
                    row = (fold, model, "", of, "all", metric, 10, 0.41, nan, nan, 700)
                    rows.append(row)
    columns = [C.FOLD, C.MODEL, C.AGAINST, C.SLICE, C.SUBSET, C.METRIC, C.K, C.VALUE, C.CI_LOW, C.CI_HIGH, C.CUSTOMERS]
    return pd.DataFrame(rows, columns=columns)


def judged(of: str, *, passed: bool, baseline: str, difference: float) -> dict[str, Any]:
    told = {"difference": difference, "low": difference - 0.01, "high": difference + 0.01, "customers": 700}
    segment = {"segment": "Loyal", **told, "clearly_worse": not passed}
    verb = "beats" if passed else "does not beat"
    said = f"The ranker {verb} {baseline} at {of}: NDCG@10 0.1300 against 0.1100 (-0.01)."
    values = {"value": 0.13, "baseline_value": 0.11}
    common = {"passed": passed, "slice": of, "model": "ranker", "baseline": baseline, "sentence": said}
    return {**common, **told, **values, "segments": [segment]}


def metrics(*, forced: bool) -> dict[str, Any]:
    folds = [{"fold": n, "at": f"2017-0{8 - 2 * n}-01T00:00:00", "days": 61, "customers": 400} for n in (1, 2)]
    times = {"popular": 0.01, "ease": 2.5, "ranker": 61.4}
    again = -0.02 if forced else 0.02
    return {
        "holdout_days": 61,
        "customers_tested": 700,
        "candidate_products": 2_500,
        "split_at": "2017-06-01T00:00:00",
        "folds": folds,
        "models": {name: {"seconds": took, "course": None} for name, took in times.items()}
        | {"hybrid": {"seconds": 12.0, "course": [[1.0, 0.05], [2.0, 0.09], [3.0, 0.08]]}},
        "gate": {
            "discover": judged("discover", passed=True, baseline="ease", difference=0.02),
            "buy_again": judged("buy_again", passed=not forced, baseline="own_history", difference=again),
        },
        "forced": forced,
        "published": {"discover": "ranker", "buy_again": "ranker"},
    }


def lists(customers: list[str]) -> pd.DataFrame:
    rows = [
        (customer, kind, rank + 1, f"p{(number + rank) % 8}", 1.0, "why")
        for number, customer in enumerate(customers)
        for kind in ("discover", "popular", "buy_again")
        for rank in range(4)
    ]
    return pd.DataFrame(rows, columns=[C.CUSTOMER_ID, C.KIND, C.RANK, C.PRODUCT_ID, C.SCORE, C.REASON])


@pytest.fixture(scope="module")
def shop(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Runs 3 to 5: an old one, one published by force, and a refused one."""
    with empty_shop(server, tmp_path_factory.mktemp("quality")) as settings:
        engine = make_engine(settings)
        small = made(settings, engine)
        offered = lists([f"c{number}" for number in range(100)])

        def opened(as_of: datetime) -> int:
            return runs.open_run(engine, runs.RECOMMENDATIONS, as_of, {}, "x")

        whole = evaluated().query("fold == 0 and subset == 'all' and against == '' and metric == 'ndcg'")
        old = whole.drop(columns=[C.FOLD, C.AGAINST, C.SUBSET, C.CUSTOMERS])
        told = {"holdout_days": 60, "reason": "Once it was better."}
        results = {result_schema.recommendation: offered.query("kind != 'popular'"), result_schema.evaluation: old}
        runs.publish(engine, opened(AS_OF - timedelta(days=40)), results, told, "Once it was better.")
        results = {result_schema.recommendation: offered, result_schema.evaluation: evaluated()}
        runs.publish(engine, opened(AS_OF), results, metrics(forced=True), "Forced.")
        worse = {result_schema.evaluation: evaluated().assign(**{C.VALUE: 0.007})}
        runs.refuse(engine, opened(AS_OF), "The ranker is no better (-0.02).", worse, metrics(forced=False))
        snapshot.refresh(engine, settings.data_dir)
        yield small
        engine.dispose()


@pytest.fixture(scope="module")
def views(shop: Shop) -> Views:
    return Views(shop.settings)


def said(view: View, name: str) -> str:
    """A part of the page as it goes to the browser."""
    return json.dumps(quality.PAGE.slots[f"quality.{name}"](view), cls=PlotlyJSONEncoder, ensure_ascii=False)


def test_before_the_first_run_the_page_says_what_to_do(settings: Settings, engine: Engine) -> None:
    made(settings, engine)
    view = Views(settings).view("")
    assert "python -m models run" in said(view, "sentence")
    frame = json.dumps(quality.PAGE.layout(view), cls=PlotlyJSONEncoder)
    assert [name for name in quality.PAGE.slots if f'"{name}"' in frame] == ["quality.sentence"]
    for name in quality.PAGE.slots:
        said(view, name.partition(".")[2])


def test_the_first_sentence_is_the_gates_and_says_what_was_forced_and_refused(views: Views) -> None:
    shown = said(views.view(""), "sentence")
    assert "Published by force, against the gate. The ranker beats ease at discover. " in shown
    assert "The ranker does not beat own_history at buy_again." in shown
    assert "700 customers in 2 windows of 61 days" in shown
    assert "The newest run, 5, was not published: The ranker is no better (−0.02)." in shown
    assert "/quality?judged=discover%3A0%3A10%3A5" in shown


def test_the_refused_run_shows_its_own_evidence(views: Views) -> None:
    view = views.view("?judged=discover:0:10:5")
    assert "Refused. The ranker beats ease" in said(view, "sentence")
    assert "NDCG@10 0.007" in said(view, "models")
    assert "NDCG@10 0.130" in said(views.view(""), "models")


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("", "Best on products new to the customer: Ranker, NDCG@10 0.130"),
        ("?judged=discover:1:10:", "Best on products new to the customer: Ranker, NDCG@10 0.120"),
        ("?judged=discover:2:5:", "Best on products new to the customer: Ranker, NDCG@5 0.140"),
        ("?judged=buy_again:0:10:", "Best on products bought before: Own history, NDCG@10 0.370"),
    ],
)
def test_slice_window_and_depth_choose_the_figures(views: Views, query: str, title: str) -> None:
    assert title in said(views.view(query), "models")


def test_a_window_is_named_by_its_days(views: Views) -> None:
    shown = said(views.view("?judged=discover:1:10:"), "models")
    assert "700 customers in the window 1 Jun – 31 Jul 2017, which the models had not seen" in shown
    assert "1 Apr – 31 May 2017" in said(views.view(""), "controls")


def test_the_gate_names_who_is_worse(views: Views) -> None:
    shown = said(views.view(""), "gate")
    assert '"passed"' in shown
    assert "not passed: worse for Loyal" in shown
    assert "segments as they were when each window began, the newest on 1 Jun 2017" in shown
    assert "New to them: Ranker 0.130 against EASE 0.110, +18%" in shown


def test_what_customers_get_is_held_against_the_others_in_pairs(views: Views) -> None:
    shown = said(views.view(""), "differences")
    assert "Published lists (the ranker): surely better than all 1 model it is held against" in shown
    assert "+0.035, 95% interval 0.015 to 0.055" in shown


def test_parts_time_and_lists_are_told_in_words(views: Views) -> None:
    view = views.view("")
    assert "Best for Loyal (0.175), least for O'Brien; -- (0.075)" in said(view, "subsets")
    assert "Of the models timed, Ranker is best and takes 61 s to fit" in said(view, "time")
    assert "in colour the model behind the published lists" in said(view, "time")
    assert "kept, %{y:.4f} after" in said(view, "time")
    assert "Lists show 41% of the 2,500 candidates; lists by popularity alone show 41%" in said(view, "beyond")
    assert "bits" in said(view, "beyond")


def test_every_figure_says_among_which_products_it_is(views: Views) -> None:
    for part in ("sentence", "gate", "models", "subsets", "time"):
        assert "among the 2,500 most bought products" in said(views.view(""), part), part
    assert "most bought" not in said(views.view("?judged=discover:0:10:3"), "models"), "an old run does not tell"


def test_every_measure_of_the_run_stands_in_the_table(views: Views) -> None:
    shown = said(views.view(""), "table")
    for figure in ("0.125", "0.250", "0.062", "Precision@10", "Hit rate@10", "The gate goes by it."):
        assert figure in shown


def test_an_old_run_says_what_it_lacks(views: Views) -> None:
    view = views.view("?judged=discover:0:10:3")
    assert "Published, since superseded. Once it was better." in said(view, "sentence")
    assert "NDCG@10 0.130" in said(view, "models")
    for part in ("gate", "differences", "subsets", "time", "beyond"):
        assert "This run was made before" in said(view, part), part
    everything = "".join(said(view, name.partition(".")[2]) for name in quality.PAGE.slots)
    assert not re.search(r"\b0 customers", everything)


def test_past_lists_are_held_against_what_was_bought_since(views: Views) -> None:
    view = views.view("")
    shown = said(view, "live")
    assert "Since 1 Nov 2017, the lists of run 4" in shown
    assert "Frozen popularity" in shown
    assert "Run 3" in shown
    assert "Frozen popularity" not in said(views.view("?judged=discover:0:10:3"), "live")
    assert "Nobody of Nobody at all has bought" in said(views.view("?segment=Nobody+at+all"), "live")


def test_every_run_and_its_decision_is_listed(views: Views) -> None:
    shown = said(views.view(""), "runs")
    assert "3 runs: 2 published, 1 of them by force, 1 refused" in shown
    assert shown.index("Run 5") < shown.index("Run 4") < shown.index("Run 3")
