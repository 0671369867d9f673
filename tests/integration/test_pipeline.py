"""Facts about a run: what it publishes, that it repeats, and what stays when it cannot be published."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sqlalchemy import Engine, text

from console import progress
from db import result_schema, runs, snapshot
from db.columns import Columns as C
from db.engine import make_engine
from db.queries import shop as shop_queries
from errors import ModelError, NotEnoughDataError, SpectrumError
from etl.load import load
from etl.mapping import detect
from etl.readers import open_source
from models import pipeline
from models.evaluation import Evaluation
from models.gate import Verdict, verdict
from models.pipeline import Options
from models.recommenders.training import Kind
from models.rules import read_rules
from settings import Settings
from tests.conftest import HOUSEHOLDS

KNOWN_AS_OF = pd.Timestamp("2024-12-31")
QUICK = Options(quick=True)
FORCED = Options(quick=True, force=True)


def rows(engine: Engine, query: str) -> pd.DataFrame:
    with engine.connect() as connection:
        result = connection.execute(text(query))
        return pd.DataFrame(result.all(), columns=list(result.keys()))


def put(engine: Engine, settings: Settings, lines: pd.DataFrame, path: Path) -> None:
    """Load lines as a shop would: by a file."""
    lines.to_csv(path, index=False)
    load(engine, open_source(str(path)))
    snapshot.refresh(engine, settings.data_dir)


def run(engine: Engine, settings: Settings, options: Options | None = None) -> pipeline.Outcome:
    with progress() as display:
        return pipeline.run(engine, settings, options or QUICK, display)


def tasteful_lines(customers: int = 120, orders: int = 12, products: int = 60) -> pd.DataFrame:
    """A year of a shop whose customers have one of four tastes, some guests and some returns among them."""
    random = np.random.default_rng(11)
    lines = []
    for who in range(customers):
        for order in range(1 + who % orders):
            day = random.integers(0, 360)
            for _ in range(4):
                of_taste = 4 * random.integers(products // 4) + who % 4
                product = of_taste if random.random() < 0.85 else random.integers(products)
                lines.append((f"o{who}-{order}", str(who + 1), product, day, 1 + int(random.integers(3))))
        lines.append((f"g{who}", "", random.integers(products), random.integers(0, 360), 1))
        lines.append((f"C{who}", str(who + 1), random.integers(products), random.integers(300, 360), -1))
    frame = pd.DataFrame(lines, columns=[C.ORDER_ID, C.CUSTOMER_ID, "product", "day", C.QUANTITY])
    frame[C.PRODUCT_ID] = "p" + frame["product"].astype(str)
    frame[C.PRODUCT_NAME] = "taste" + (frame["product"] % 4).map({0: "alpha", 1: "beta", 2: "gamma", 3: "delta"})
    frame[C.ORDERED_AT] = pd.Timestamp("2024-01-01 10:00") + pd.to_timedelta(frame["day"], unit="D")
    frame[C.UNIT_PRICE] = 1.5 + frame["product"] / 10
    return frame.drop(columns=["product", "day"])


@pytest.fixture
def shop(engine: Engine, settings: Settings, tmp_path: Path) -> Engine:
    put(engine, settings, tasteful_lines(), tmp_path / "shop.csv")
    return engine


@contextmanager
def on(settings: Settings) -> Iterator[Engine]:
    engine = make_engine(settings)
    yield engine
    engine.dispose()


def test_segments_of_the_sample_are_what_the_record_says(sample_shop: Settings) -> None:
    with on(sample_shop) as engine:
        found = rows(
            engine,
            "SELECT customer_id, recency_days, frequency, monetary FROM current_customer_segment ORDER BY customer_id",
        )
        expected = rows(
            engine,
            """
            SELECT customer_id,
                   extract(day FROM (SELECT max(ordered_at) FROM transaction_line) + interval '1 day' - max(ordered_at)
                       FILTER (WHERE NOT is_return))::int AS recency_days,
                   count(DISTINCT order_id) FILTER (WHERE NOT is_return) AS frequency,
                   sum(amount) AS monetary
            FROM transaction_line WHERE customer_id IS NOT NULL
            GROUP BY customer_id HAVING count(*) FILTER (WHERE NOT is_return) > 0 ORDER BY customer_id
            """,
        )
        pd.testing.assert_frame_equal(found, expected)
        profile = rows(engine, "SELECT * FROM current_segment_profile WHERE grouping = 'segment' ORDER BY position")
        members = rows(
            engine,
            "SELECT segment, count(*) AS customers, sum(monetary) AS revenue FROM current_customer_segment GROUP BY 1",
        ).set_index(C.SEGMENT)
    assert profile.set_index(C.SEGMENT)[C.CUSTOMERS].to_dict() == members[C.CUSTOMERS].to_dict()
    assert profile.set_index(C.SEGMENT)[C.REVENUE].to_dict() == members[C.REVENUE].to_dict()
    assert 3 <= len(profile) <= 8
    assert profile[C.SEGMENT].iloc[0] == "Champions"


def test_recommendations_of_the_sample_keep_their_promises(sample_shop: Settings) -> None:
    with on(sample_shop) as engine:
        lists = rows(
            engine,
            """
            WITH bought AS (
                SELECT DISTINCT customer_id, product_id, true AS is_bought FROM transaction_line WHERE NOT is_return
            )
            SELECT r.kind, r.customer_id, r.reason, is_service, coalesce(is_bought, false) AS is_bought
            FROM current_recommendation AS r
            LEFT JOIN product USING (product_id)
            LEFT JOIN bought USING (customer_id, product_id)
            """,
        )
        customers = rows(engine, "SELECT customer_id FROM current_customer_segment")[C.CUSTOMER_ID]
    kinds = lists.groupby(C.KIND)
    assert set(kinds.groups) == {"discover", "buy_again", "popular"}
    for kind, length in (("discover", 20), ("popular", 10)):
        assert kinds.get_group(kind)[C.CUSTOMER_ID].value_counts().to_dict() == dict.fromkeys(customers, length)
    assert kinds.get_group("buy_again")[C.CUSTOMER_ID].value_counts().max() == 20
    assert kinds["is_bought"].agg(set).to_dict() == {"discover": {False}, "buy_again": {True}, "popular": {False}}
    assert lists["is_service"].eq(False).all()
    assert lists[C.REASON].str.len().gt(0).all()


def test_the_hybrid_beats_popularity_on_the_sample(sample_shop: Settings) -> None:
    with on(sample_shop) as engine:
        found = rows(engine, "SELECT * FROM current_evaluation")
    measured = found[found[C.METRIC] != "coverage"]  # a share of products has no interval
    assert (measured[C.CI_LOW] <= measured[C.VALUE] + 1e-12).all()  # where all customers are alike sums round otherwise
    assert (measured[C.VALUE] <= measured[C.CI_HIGH] + 1e-12).all()
    own = found[(found[C.AGAINST] == "") & (found[C.METRIC] != "novelty")]
    assert own[C.VALUE].between(0, 1).all()
    pooled = found[(found[C.FOLD] == 0) & (found[C.SUBSET] == "all") & (found[C.METRIC] == "ndcg") & (found[C.K] == 10)]
    of = pooled.set_index([C.MODEL, C.AGAINST, C.SLICE])[C.VALUE].to_dict()
    assert of["hybrid", "", "discover"] > of["popular", "", "discover"]
    assert of["own_history", "", "any"] > of["popular", "", "any"]
    difference = of["hybrid", "", "discover"] - of["popular", "", "discover"]
    assert of["hybrid", "popular", "discover"] == pytest.approx(difference)


def test_online_retail_gives_the_published_clusters(engine: Engine, settings: Settings, retail_path: Path) -> None:
    """With every invoice counted, and segments published although recommendations lack data for such a holdout."""
    load(engine, open_source(str(retail_path)), keep_duplicates=True)
    snapshot.refresh(engine, settings.data_dir)
    options = Options(returns="raw", transform="none", clusters=4, n_init=1, seed=42, holdout_days=1_000)
    outcome = run(engine, settings, options)
    assert not outcome.published
    assert "history of at least 2000 days" in outcome.recommendations
    first = rows(
        engine,
        "SELECT customer_id, recency_days, frequency, round(monetary, 2)::float FROM current_customer_segment "
        "ORDER BY customer_id::int LIMIT 5",
    )
    assert list(first.itertuples(index=False, name=None)) == [
        ("12346", 326, 2, 0.00),
        ("12347", 2, 7, 4310.00),
        ("12348", 75, 4, 1797.24),
        ("12349", 19, 1, 1757.55),
        ("12350", 310, 1, 334.40),
    ]
    clusters = rows(
        engine,
        "SELECT count(*), round(avg(recency_days), 2)::float, round(avg(frequency), 2)::float, "
        "round(avg(monetary), 2)::float FROM current_customer_segment GROUP BY cluster ORDER BY 1",
    )
    assert list(clusters.itertuples(index=False, name=None)) == [
        (11, 5.09, 109.91, 124312.31),
        (194, 10.75, 28.51, 12168.26),
        (1077, 248.93, 1.81, 455.11),
        (3090, 42.78, 4.37, 1320.98),
    ]
    profile = rows(engine, "SELECT segment, customers FROM current_segment_profile WHERE grouping = 'segment'")
    names = profile.set_index("customers")["segment"]
    assert names[11] == "Champions"
    assert names[1077] == "Lost"


def results(engine: Engine) -> dict[str, pd.DataFrame]:
    return {
        table.name: rows(engine, f"SELECT * FROM current_{table.name}")
        .drop(columns=C.RUN_ID)
        .sort_values([column.name for column in table.primary_key if column.name != C.RUN_ID], ignore_index=True)
        for table in result_schema.RESULT_TABLES
    }


def test_the_same_run_twice_gives_the_same_tables(shop: Engine, settings: Settings) -> None:
    assert run(shop, settings, FORCED).published
    before, first = results(shop), runs.published(shop, runs.RECOMMENDATIONS)
    assert run(shop, settings, FORCED).published
    second = runs.published(shop, runs.RECOMMENDATIONS)
    assert first is not None
    assert second is not None
    assert second.run_id > first.run_id
    for metrics in (first.metrics, second.metrics):
        for model in metrics["models"].values():
            del model["seconds"], model["course"]  # how long it took is another each time
    assert second.metrics == first.metrics
    for name, frame in results(shop).items():
        assert not frame.empty or before[name].empty
        pd.testing.assert_frame_equal(frame, before[name])


def test_a_past_moment_knows_nothing_of_what_came_later(shop: Engine, settings: Settings, tmp_path: Path) -> None:
    as_of = pd.Timestamp("2024-10-01").to_pydatetime()
    run(shop, settings, replace(FORCED, as_of=as_of))
    before = results(shop)
    assert not before[result_schema.recommendation.name].empty
    later = tasteful_lines(customers=40)
    later[C.ORDERED_AT] = pd.Timestamp(as_of) + timedelta(hours=1)
    later[C.ORDER_ID] = "later" + later[C.ORDER_ID]
    put(shop, settings, later, tmp_path / "later.csv")
    run(shop, settings, replace(FORCED, as_of=as_of))
    for name, frame in results(shop).items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_lists_keep_the_rules_and_serve_who_never_bought(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    frame = tasteful_lines()
    frame[C.CATEGORY] = frame[C.PRODUCT_NAME].str.removeprefix("taste").str.capitalize()
    put(engine, settings, frame, tmp_path / "shop.csv")
    people = tmp_path / "people.csv"
    people.write_text("customer_id,country\n1,France\nnewcomer,France\n")
    source = open_source(str(people))
    load(engine, source, layout=detect(source, "customers"))
    stock = [f"p{number}" for number in range(60) if number % 5]
    (tmp_path / "stock.csv").write_text("\n".join(["product_id", *stock]))
    told = 'in_stock = "stock.csv"\nexclude_categories = ["alpha", "Omega"]\nper_category = 4\nprice_high = 7'
    (tmp_path / "rules.toml").write_text(told)
    outcome = run(engine, settings, replace(FORCED, rules=read_rules(tmp_path / "rules.toml")))
    assert outcome.published
    assert outcome.unmet == ("exclude_categories names Omega, and no product has that.",)
    named = "JOIN product USING (product_id)"
    lists = rows(engine, f"SELECT r.*, category FROM current_recommendation AS r {named}")
    audience = rows(engine, f"SELECT a.*, category FROM current_product_audience AS a {named}")
    price = frame.groupby(C.PRODUCT_ID)[C.UNIT_PRICE].median()
    for listed in (lists, audience):
        assert set(listed[C.CATEGORY]) == {"Beta", "Gamma", "Delta"}
        assert set(listed[C.PRODUCT_ID]) <= set(stock)
        assert listed[C.PRODUCT_ID].map(price).max() <= 7
    own = lists[lists[C.KIND] == "discover"]
    ten = own[own[C.RANK] <= 10]
    newcomers = ten[ten[C.CUSTOMER_ID] == "newcomer"]
    assert newcomers[C.CATEGORY].value_counts().max() == 4
    assert ten.groupby([C.CUSTOMER_ID, C.CATEGORY]).size().eq(4).mean() > 0.3, "the cap is what decides"
    assert lists.loc[lists[C.CUSTOMER_ID] == "newcomer", C.KIND].value_counts()["discover"] == 20
    assert "buy_again" not in set(lists.loc[lists[C.CUSTOMER_ID] == "newcomer", C.KIND])
    assert "newcomer" not in set(audience[C.CUSTOMER_ID]), "nothing is known of who never bought"
    published = runs.published(engine, runs.RECOMMENDATIONS)
    assert published is not None
    assert published.metrics["rules"]["exclude_categories"] == ["alpha", "Omega"]
    assert published.metrics["rules"]["in_stock"]["products"] == len(stock)


def test_what_a_score_is_the_sum_of_is_kept_with_it(sample_shop: Settings) -> None:
    with on(sample_shop) as engine:
        lists = rows(engine, "SELECT kind, customer_id, score, parts FROM current_recommendation")
    with_parts = lists[lists[C.PARTS].notna()]
    had_something = set(lists.loc[lists[C.KIND] == "buy_again", C.CUSTOMER_ID])
    assert set(with_parts.loc[with_parts[C.KIND] == "discover", C.CUSTOMER_ID]) == had_something
    assert len(had_something) > 0.9 * HOUSEHOLDS
    amounts = with_parts[C.PARTS].map(json.loads)
    sums = np.array([sum(parts.values()) for parts in amounts])
    assert sums == pytest.approx(with_parts[C.SCORE].to_numpy(), abs=1e-3)
    for parts in amounts.iloc[::997]:
        assert list(parts) == sorted(parts, key=lambda label: -abs(parts[label]))


def test_where_own_history_is_better_at_its_own_it_stands_in(
    shop: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def beaten(judged: Evaluation, kind: Kind, *told: Any) -> Verdict:
        found = verdict(judged, kind, *told)
        return replace(found, difference=-0.01, passed=False) if kind == "buy_again" else found

    monkeypatch.setattr("models.pipeline.recommendations.verdict", beaten)
    assert run(shop, settings, FORCED).published
    published = runs.published(shop, runs.RECOMMENDATIONS)
    assert published is not None
    assert published.metrics["published"] == {"discover": "ranker", "buy_again": "own_history"}
    gate = published.metrics["gate"]["buy_again"]
    assert gate["model"] == "ranker"
    assert gate["sentence"].startswith("The ranker ")
    assert gate["sentence"].endswith("Customers get what their own history says.")
    parts = rows(shop, "SELECT parts FROM current_recommendation WHERE kind = 'buy_again'")
    assert len(parts)
    assert parts[C.PARTS].isna().all(), "own history has no parts of the ranker's"


def test_too_short_a_history_to_learn_from_has_lists_all_the_same(shop: Engine, settings: Settings) -> None:
    """Of a year 150 days are held out: before them there is no window to learn from."""
    assert run(shop, settings, replace(FORCED, holdout_days=150)).published
    published = runs.published(shop, runs.RECOMMENDATIONS)
    assert published is not None
    assert published.metrics["published"] == {"discover": "hybrid", "buy_again": "own_history"}
    assert "ranker" not in published.metrics["models"]
    lists = rows(shop, "SELECT kind, parts FROM current_recommendation")
    assert set(lists[C.KIND]) == {"discover", "buy_again", "popular"}
    assert lists[C.PARTS].isna().all()


def test_a_run_is_current_until_data_or_options_change(shop: Engine, settings: Settings, tmp_path: Path) -> None:
    assert not pipeline.is_current(shop, settings, QUICK)
    run(shop, settings)
    assert pipeline.is_current(shop, settings, QUICK)
    assert not pipeline.is_current(shop, settings, replace(QUICK, seed=7))
    assert not pipeline.is_current(shop, settings, replace(QUICK, as_of=KNOWN_AS_OF.to_pydatetime()))
    put(shop, settings, tasteful_lines(customers=1).assign(order_id="new"), tmp_path / "more.csv")
    assert not pipeline.is_current(shop, settings, QUICK)


def test_another_currency_is_a_change(shop: Engine, settings: Settings) -> None:
    run(shop, settings)
    euro = settings.model_copy(update={"currency": "€"})
    assert not pipeline.is_current(shop, euro, QUICK)
    run(shop, euro)
    assert pipeline.is_current(shop, euro, QUICK)
    assert rows(shop, "SELECT persona FROM current_segment_profile")[C.PERSONA].str.contains("€").all()


def test_what_was_refused_for_its_data_is_not_tried_again_on_the_same(
    shop: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    too_long = replace(QUICK, holdout_days=1_000)
    run(shop, settings, too_long)
    assert pipeline.is_current(shop, settings, too_long)
    with monkeypatch.context() as patch:
        patch.setattr("models.recommenders.ranker.HistGradientBoostingClassifier.decision_function", upside_down)
        assert not run(shop, settings).published
    assert pipeline.is_current(shop, settings, QUICK)
    assert not pipeline.is_current(shop, settings, too_long), "the segments published are of other options"


def test_what_was_broken_off_is_tried_again(shop: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("models.pipeline.workshop.OwnHistory.fit", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(shop, settings)
    assert not pipeline.is_current(shop, settings, QUICK)
    run(shop, settings)
    assert pipeline.is_current(shop, settings, QUICK)


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_the_models_see_what_is_loaded_not_what_was_last_snapshot(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    put(engine, settings, lines(("1", "a", "p", 0, 1)), tmp_path / "first.csv")
    run(engine, settings)
    lines(("2", "b", "p", 9, 1)).to_csv(tmp_path / "second.csv", index=False)
    load(engine, open_source(str(tmp_path / "second.csv")))
    assert not pipeline.is_current(engine, settings, QUICK)
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "empty"})
    run(engine, elsewhere)
    assert rows(engine, "SELECT customer_id FROM current_customer_segment ORDER BY 1")[C.CUSTOMER_ID].tolist() == [
        "a",
        "b",
    ]


def test_a_recommender_worse_than_a_simple_one_is_refused_and_the_last_stays(
    shop: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(shop, settings, FORCED)
    good = runs.published(shop, runs.RECOMMENDATIONS)
    with monkeypatch.context() as patch:
        patch.setattr("models.recommenders.ranker.HistGradientBoostingClassifier.decision_function", upside_down)
        outcome = run(shop, settings)
    assert not outcome.published
    assert outcome.recommendations.startswith("What customers get does not beat")
    assert runs.published(shop, runs.RECOMMENDATIONS) == good
    refused = runs.latest(shop, runs.RECOMMENDATIONS)
    assert refused is not None
    assert (refused.status, refused.message) == ("refused", outcome.recommendations)
    assert refused.metrics["gate"]["discover"]["high"] < 0
    kept = rows(shop, f"SELECT count(*) AS kept FROM evaluation WHERE run_id = {refused.run_id}")
    assert kept["kept"].iloc[0] > 0, "the evidence stays readable"


def upside_down(self: HistGradientBoostingClassifier, values: np.ndarray) -> np.ndarray:
    """What the ranker likes least comes first."""
    unlikely: np.ndarray = self._raw_predict(values).ravel()
    return -unlikely


def test_a_crash_leaves_a_refused_run_and_the_published_one(
    shop: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(shop, settings)
    before = results(shop)

    def crash(*_: object) -> None:
        raise ZeroDivisionError("of the test")

    monkeypatch.setattr("models.pipeline.segments.segment_product", crash)
    with pytest.raises(ModelError, match=r"^The segments .*\(ZeroDivisionError\).* report this") as said:
        run(shop, settings)
    latest = runs.latest(shop, runs.SEGMENTS)
    assert latest is not None
    assert (latest.status, latest.message) == ("refused", str(said.value))
    assert "in crash" in latest.metrics["traceback"][-1]
    assert shop_queries.refusal(snapshot.open_newest(settings.data_dir), runs.SEGMENTS) == latest.message
    for name, frame in results(shop).items():
        pd.testing.assert_frame_equal(frame, before[name])


def lines(*bought: tuple[str, str, str, float, float]) -> pd.DataFrame:
    """(order, customer, product, day of 2024, quantity), all at a price of 2."""
    frame = pd.DataFrame(bought, columns=[C.ORDER_ID, C.CUSTOMER_ID, C.PRODUCT_ID, "day", C.QUANTITY])
    frame[C.ORDERED_AT] = pd.Timestamp("2024-01-01 10:00") + pd.to_timedelta(frame["day"], unit="D")
    return frame.drop(columns="day").assign(**{C.UNIT_PRICE: 2.0})


@pytest.mark.parametrize(
    ("small", "segments"),
    [
        (lines(("1", "a", "p", 0, 1)), 1),
        (lines(*[(str(who), f"c{who}", "p", 5, 1) for who in range(30)]), 1),
        (lines(*[(str(who), f"c{who}", "p", who, 1) for who in range(30)]), None),
        (lines(("1", "a", "p", 0, 1), ("C2", "a", "p", 1, -3), ("3", "b", "p", 200, 1), ("C4", "b", "p", 300, -5)), 2),
        (lines(("1", "a", "p", 0, 1), ("C2", "b", "p", 300, -3)), 1),
        (lines(*[(str(who), f"c{who}", "p", who, 1) for who in range(30)], ("30", "z", "q", 300, 1)), None),
    ],
    ids=[
        "one customer",
        "all equal",
        "one order each",
        "negative totals",
        "only returns left out",
        "nobody known came back",
    ],
)
def test_a_small_shop_has_segments_and_a_sentence(
    engine: Engine, settings: Settings, tmp_path: Path, small: pd.DataFrame, segments: int | None
) -> None:
    put(engine, settings, small, tmp_path / "small.csv")
    outcome = run(engine, settings)
    assert not outcome.published
    assert outcome.recommendations.startswith("Recommendations need")
    profile = rows(engine, "SELECT * FROM current_segment_profile")
    assert set(profile[C.GROUPING]) == set(result_schema.GROUPINGS)
    assert (profile[C.GROUPING] == C.SEGMENT).sum() == segments or segments is None
    known = profile if profile[C.REVENUE].sum() > 0 else profile.drop(columns=C.PARETO_SHARE)
    assert not known.isna().any().any()
    assert len(rows(engine, "SELECT * FROM current_movement_moment")) >= 1
    forecast = rows(engine, "SELECT p_alive, clv, next_order_at FROM current_customer_segment")
    assert forecast.isna().all().all(), "so few customers tell no rates"
    latest = runs.latest(engine, runs.RECOMMENDATIONS)
    assert latest is not None
    assert latest.status == "refused"
    assert latest.message == outcome.recommendations
    shown = shop_queries.refusal(snapshot.open_newest(settings.data_dir), runs.RECOMMENDATIONS)
    assert shown == outcome.recommendations, "the page says it at once"


def test_guests_only_and_nothing_at_all_are_sentences(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SpectrumError, match="Nothing has been loaded yet"):
        run(engine, settings)
    put(engine, settings, lines(("1", "", "p", 0, 1), ("2", "", "p", 100, 1)), tmp_path / "guests.csv")
    with pytest.raises(NotEnoughDataError, match="at least one customer with a purchase"):
        run(engine, settings)
    with pytest.raises(NotEnoughDataError, match="at least one customer with a purchase before 1999-01-01"):
        run(engine, settings, Options(as_of=pd.Timestamp("1999-01-01").to_pydatetime()))
