"""How past lists did since: counts against a computation of its own over the raw lines, and what must not count."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from db import result_schema, runs, schema, snapshot
from db.bulk import arrow_table, copy_in
from db.columns import Columns as C
from db.queries import live
from db.snapshot import Snapshot
from settings import Settings
from tests.conftest import shop_made

START, DAYS = datetime.fromisoformat("2020-01-01"), 150
FIRST, SECOND = datetime.fromisoformat("2020-03-01 09:30"), datetime.fromisoformat("2020-04-20 17:00")
PEOPLE = [f"c{number}" for number in range(60)]
GOODS = [f"p{number}" for number in range(25)]


@dataclass(frozen=True)
class Shop:
    """A shop made at random with two published runs and a refused one between them."""

    settings: Settings
    engine: Engine
    lines: pd.DataFrame
    lists: dict[int, pd.DataFrame]
    segments: dict[int, dict[str, str]]

    def weeks(self) -> pd.DataFrame:
        return live.weeks(self.seen())

    def seen(self) -> Snapshot:
        return snapshot.open_newest(self.settings.data_dir)


def made_lines(rng: random.Random) -> pd.DataFrame:
    """One in ten a return, a gift, a service, a guest's, or several of them."""
    rows = []
    for number in range(1, 4_001):
        back, price = rng.random() < 0.1, 0.0 if rng.random() < 0.1 else 2.5
        rows.append(
            {
                C.LOAD_ID: 1,
                C.ROW_NUMBER: number,
                C.ORDER_ID: f"o{number // 3}",
                C.CUSTOMER_ID: None if rng.random() < 0.1 else rng.choice(PEOPLE),
                C.PRODUCT_ID: rng.choice(GOODS),
                C.ORDERED_AT: START + timedelta(minutes=rng.randrange(DAYS * 24 * 60)),
                C.QUANTITY: -1.0 if back else 1.0,
                C.UNIT_PRICE: price,
                C.DISCOUNT: 0.0,
                C.AMOUNT: -price if back else price,
                C.IS_RETURN: back,
                C.COUNTRY: "France",
            }
        )
    return pd.DataFrame(rows)


def made_lists(rng: random.Random, kinds: tuple[str, ...], ranks: int) -> pd.DataFrame:
    """Lists of products drawn at random, for five customers in six."""
    rows = [
        (customer, kind, rank + 1, product, 1.0, "why")
        for customer in PEOPLE[: len(PEOPLE) * 5 // 6]
        for kind in kinds
        for rank, product in enumerate(rng.sample(GOODS, ranks))
    ]
    return pd.DataFrame(rows, columns=[C.CUSTOMER_ID, C.KIND, C.RANK, C.PRODUCT_ID, C.SCORE, C.REASON])


def made_segments(rng: random.Random) -> pd.DataFrame:
    frame = pd.DataFrame({C.CUSTOMER_ID: PEOPLE, C.LAST_ORDERED_AT: START, C.MONETARY: 1.0})
    frame[C.SEGMENT] = [rng.choice(["Loyal", "Lost"]) for _ in PEOPLE]
    return frame.assign(
        **dict.fromkeys((C.RECENCY, C.FREQUENCY, C.R_SCORE, C.F_SCORE, C.M_SCORE, C.CLUSTER), 1), **{C.RFM_GROUP: "A"}
    )


def made(settings: Settings, engine: Engine) -> Shop:
    rng = random.Random(5)
    lines, lists, segments = made_lines(rng), {}, {}
    people = pd.DataFrame({C.CUSTOMER_ID: PEOPLE, C.ATTRIBUTES: "{}"})
    goods = pd.DataFrame({C.PRODUCT_ID: GOODS, C.IS_SERVICE: [number == 3 for number in range(len(GOODS))]})
    months = "{" + ",".join(sorted({f"{at:%Y-%m}" for at in lines[C.ORDERED_AT]})) + "}"
    with engine.begin() as connection:
        load = "INSERT INTO load (name, sha256, status, months) VALUES ('x', 'x', 'done', :months)"
        connection.execute(text(load), {"months": months})
        for table, frame in ((schema.customer, people), (schema.product, goods), (schema.transaction_line, lines)):
            copy_in(connection, table, arrow_table(table, frame).to_batches())
    for as_of, kinds, ranks in (
        (FIRST, ("discover", "buy_again"), 12),
        (SECOND, ("discover", "popular", "buy_again"), 12),
    ):
        parted = made_segments(rng)
        run = runs.open_run(engine, runs.SEGMENTS, as_of, {}, "x")
        runs.publish(engine, run, {result_schema.customer_segment: parted}, {})
        run = runs.open_run(engine, runs.RECOMMENDATIONS, as_of, {}, "x")
        lists[run] = made_lists(rng, kinds, ranks)
        segments[run] = dict(zip(parted[C.CUSTOMER_ID], parted[C.SEGMENT], strict=True))
        runs.publish(engine, run, {result_schema.recommendation: lists[run]}, {})
        refused = runs.open_run(engine, runs.RECOMMENDATIONS, as_of, {}, "x")
        runs.refuse(engine, refused, "no better than before")
    snapshot.refresh(engine, settings.data_dir)
    return Shop(settings, engine, lines, lists, segments)


@pytest.fixture(scope="module")
def shop(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop_made(server, tmp_path_factory.mktemp("live"), made) as shop:
        yield shop


def expected(shop: Shop, run: int, as_of: datetime) -> pd.DataFrame:
    """The same from the raw lines, one customer and week after the other."""
    lines = shop.lines
    sold = lines[
        lines[C.CUSTOMER_ID].notna() & ~lines[C.IS_RETURN] & (lines[C.UNIT_PRICE] > 0) & (lines[C.PRODUCT_ID] != "p3")
    ]
    before = sold[sold[C.ORDERED_AT] < as_of].groupby(C.CUSTOMER_ID)[C.PRODUCT_ID].agg(set).to_dict()
    after = sold[sold[C.ORDERED_AT] >= as_of]
    week = (after[C.ORDERED_AT] - as_of).dt.days // 7 + 1
    ten = shop.lists[run][shop.lists[run][C.RANK] <= 10]
    offered = ten.groupby([C.CUSTOMER_ID, C.KIND])[C.PRODUCT_ID].agg(set).to_dict()
    rows = []
    baskets = after.assign(week=week).groupby([C.CUSTOMER_ID, "week"], as_index=False)[C.PRODUCT_ID].agg(set)
    for customer, at, bought in baskets.itertuples(index=False):
        had = before.get(customer, set())
        hits = {}
        for kind in ("discover", "popular", "buy_again"):
            could = bought & had if kind == "buy_again" else bought - had
            if could and (customer, kind) in offered:
                hits[kind] = len(could & offered[customer, kind])
        for kind, found in hits.items():
            pair = kind == "discover" and "popular" in hits
            other = hits["popular"] if pair else 0
            counts = (1, found > 0, found, pair and found > 0 and not other, pair and not found and other > 0, pair)
            rows.append((kind, at, shop.segments[run][customer], *map(int, counts)))
    names = ["kind", "week", "segment", "customers", "hits", "found", "only", "only_popular", "paired"]
    return pd.DataFrame(rows, columns=names).groupby(names[:3], as_index=False).sum()


@pytest.mark.parametrize("as_of", [FIRST, SECOND])
def test_the_counts_are_those_of_the_raw_lines(shop: Shop, as_of: datetime) -> None:
    found = shop.weeks()
    found = found[found["as_of"] == as_of]
    run = int(found["run_id"].iloc[0])
    wanted = expected(shop, run, as_of)
    assert wanted["hits"].sum() > 100
    assert (wanted["paired"].sum() > 100) == (as_of == SECOND)
    keys = ["kind", "week", "segment"]
    found = found[list(wanted.columns)].sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(found, wanted.sort_values(keys, ignore_index=True), check_dtype=False)


def test_a_week_is_full_once_the_data_reach_its_end(shop: Shop) -> None:
    found = shop.weeks().drop_duplicates(["run_id", "week"])
    end = (START + timedelta(days=DAYS)).replace(hour=0)
    for _, row in found.iterrows():
        assert row["starts_at"] == row["as_of"] + timedelta(days=7) * (row["week"] - 1)
        assert row["is_full"] == (row["starts_at"] + timedelta(days=7) <= end)
    assert not found["is_full"].all()


def test_refused_runs_offered_nothing(shop: Shop) -> None:
    assert set(shop.weeks()["run_id"]) == set(shop.lists)


def test_a_run_with_no_purchase_after_it_has_no_series(shop: Shop) -> None:
    late = START + timedelta(days=DAYS + 1)
    run = runs.open_run(shop.engine, runs.RECOMMENDATIONS, late, {}, "x")
    runs.publish(shop.engine, run, {result_schema.recommendation: made_lists(random.Random(1), live.KINDS, 10)}, {})
    snapshot.refresh(shop.engine, shop.settings.data_dir)
    assert run not in set(shop.weeks()["run_id"])
    assert set(shop.weeks()["run_id"]) == set(shop.lists)


def test_what_may_come_again_counts_as_new(shop: Shop) -> None:
    """Where a run offers anew what was last bought before the last 10 days, so does the count.

    To buy again remains what was ever bought, as it does on the lists.
    """
    rules = {"rules": {"again_after_days": 10}}
    last = max(shop.lists)
    run = runs.open_run(shop.engine, runs.RECOMMENDATIONS, SECOND, {}, "x")
    runs.publish(shop.engine, run, {result_schema.recommendation: shop.lists[last]}, rules)
    snapshot.refresh(shop.engine, shop.settings.data_dir)
    found = shop.weeks().groupby(["run_id", "kind"])["customers"].sum()
    forgotten = shop.lines[C.ORDERED_AT].between(SECOND - timedelta(days=10), SECOND, inclusive="left")
    late = shop.lines[forgotten | (shop.lines[C.ORDERED_AT] >= SECOND)]
    of_late, of_ever = (
        expected(
            Shop(shop.settings, shop.engine, lines, {run: shop.lists[last]}, {run: shop.segments[last]}), run, SECOND
        )
        .groupby("kind")["customers"]
        .sum()
        for lines in (late, shop.lines)
    )
    wanted = {"discover": of_late["discover"], "popular": of_late["popular"], "buy_again": of_ever["buy_again"]}
    assert found[run].to_dict() == wanted
    assert found[run, "discover"] > found[last, "discover"]


def test_a_shop_without_runs_has_no_rows(settings: Settings, engine: Engine) -> None:
    snapshot.refresh(engine, settings.data_dir)
    assert live.weeks(snapshot.open_newest(settings.data_dir)).empty


def test_each_run_keeps_its_own_lists_in_a_snapshot(shop: Shop) -> None:
    """Also where several runs are new to it at once."""
    found = shop.seen().frame("SELECT run_id, customer_id, kind, rank, product_id FROM every_recommendation")
    for run, lists in shop.lists.items():
        own = found[found["run_id"] == run].drop(columns="run_id").sort_values(["customer_id", "kind", "rank"])
        wanted = lists[own.columns].sort_values(["customer_id", "kind", "rank"])
        assert own.to_numpy().tolist() == wanted.to_numpy().tolist()


def test_customers_count_in_the_segment_of_the_runs_own_moment(shop: Shop) -> None:
    later = made_segments(random.Random(2)).assign(**{C.SEGMENT: "Of later"})
    run = runs.open_run(shop.engine, runs.SEGMENTS, SECOND + timedelta(days=1), {}, "x")
    runs.publish(shop.engine, run, {result_schema.customer_segment: later}, {})
    lists = shop.lists[max(shop.lists)]
    moments = SECOND, SECOND - timedelta(days=1)
    again, without = (runs.open_run(shop.engine, runs.RECOMMENDATIONS, moment, {}, "x") for moment in moments)
    for opened in (again, without):
        runs.publish(shop.engine, opened, {result_schema.recommendation: lists}, {})
    snapshot.refresh(shop.engine, shop.settings.data_dir)
    found = shop.weeks().groupby("run_id")["segment"].agg(set)
    assert found[again] == {"Loyal", "Lost"}
    assert found[without] == {"Of later"}, "no run of segments has its moment: the published one"
