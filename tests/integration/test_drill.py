"""Every address leads to exactly the customers it names: asked of the snapshot, counted anew on the record."""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote, urlencode

import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from sqlalchemy import text
from sqlalchemy.engine import URL

from db import runs
from db.columns import Columns as C
from db.engine import make_engine
from db.filters import Filters, Period
from db.grid import GridRequest
from db.queries import customers, overview, shop, value
from tests.any_filters import any_filters
from tests.clients import operator
from tests.conftest import empty_shop
from tests.small_shop import FIRST, LAST, MOMENTS, Shop, made

DAYS = dict(enumerate(f"{moment:%Y-%m-%d}" for moment in MOMENTS))


@pytest.fixture(scope="module")
def small_shop(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    data_dir: Path = tmp_path_factory.mktemp("small")
    with empty_shop(server, data_dir) as settings:
        engine = make_engine(settings)
        yield made(settings, engine)
        engine.dispose()


RANGES = [
    ("recency_days=30..59", "recency_days BETWEEN 30 AND 59"),
    ("frequency=3..4", "frequency IN (3, 4)"),
    ("frequency=..2&r_score=5", "frequency <= 2 AND r_score = 5"),
    ("monetary=100..200.5", "monetary >= 100 AND monetary < 200.5"),
    ("p_alive=0.2..0.4", "p_alive >= 0.2 AND p_alive < 0.4"),
    ("p_alive=1..1", "p_alive = 1"),
    ("churn_risk=0.4..", "churn_risk >= 0.4"),
    ("value_decile=10..10&fm_score=2..4", "value_decile = 10 AND fm_score BETWEEN 2 AND 4"),
    ("group=Champions", "rfm_group = 'Champions'"),
    ("group=Champions&group=Lost&segment=Loyal", "segment = 'Loyal'"),
    ("alternative=Two", "alternative = 'Two'"),
    ("trait=age:45-54", "attributes ->> 'age' = '45-54'"),
    ("trait=age:45-54&trait=age:55-64", "attributes ->> 'age' IN ('45-54', '55-64')"),
    ("trait=age:50%25+off:+yes", "attributes ->> 'age' = '50% off: yes'"),
    ("trait=age:45-54&trait=a/b~c%253Ad:2", "attributes ->> 'age' = '45-54' AND attributes ->> 'a/b~c:d' = '2'"),
    ("trait=income:7", "false"),
    ("country=France", "country = 'France'"),
    (
        "product=p3&from=2017-03-01&to=2017-03-31",
        "customer_id IN (SELECT customer_id FROM transaction_line WHERE product_id = 'p3' AND NOT is_return "
        "AND ordered_at >= '2017-03-01' AND ordered_at < '2017-04-01')",
    ),
    (
        "product=p1&product=p2&category=odd",
        "customer_id IN (SELECT customer_id FROM transaction_line WHERE product_id = 'p1' AND NOT is_return)",
    ),
]


def test_numbers_traits_groups_and_products_name_the_customers_that_the_record_has(small_shop: Shop) -> None:
    for query, condition in RANGES:
        found = small_shop.found(query)
        assert found == small_shop.ask(condition), query
        assert found or condition == "false", query


def test_a_move_names_whoever_made_it(small_shop: Shop) -> None:
    moves = small_shop.moves
    moves = moves.assign(since=moves["i"].map(DAYS), until=moves["j"].map(DAYS))
    tried = 0
    for named, of in moves.groupby(["grouping", "since", "until"]):
        flows = of.drop_duplicates(["origin", "target", "cause"]).iloc[::4]
        wanted = [("", "", ""), *zip(flows["origin"], flows["target"], flows["cause"], strict=True)]
        wanted += [("", "", cause) for cause in flows["cause"].unique()]
        wanted += [(origin, "", "") for origin in flows["origin"].unique()]
        for flow in wanted:
            chosen = of
            for column, name in zip(("origin", "target", "cause"), flow, strict=True):
                chosen = chosen[chosen[column] == name] if name else chosen
            parts = (*map(str, named), *(quote(name, safe="") for name in flow))
            tried += len(chosen) > 0
            assert small_shop.found(urlencode({"move": ":".join(parts)})) == set(chosen["customer_id"]), parts
    assert tried > 60
    assert small_shop.found("move=segment:2017-07-02:2018-01-01:::") == set()


def purchases(shop: Shop) -> pd.DataFrame:
    lines = shop.lines[shop.lines[C.CUSTOMER_ID].notna() & ~shop.lines[C.IS_RETURN]]
    return lines.assign(month=lines[C.ORDERED_AT].dt.to_period("M"))


def test_a_cohort_and_those_who_came_back(small_shop: Shop) -> None:
    bought = purchases(small_shop)
    first = bought.groupby(C.CUSTOMER_ID)["month"].min()
    for month in first.unique():
        members = set(first.index[first == month])
        assert small_shop.found(f"cohort={month}") == members
        for age in (0, 1, 4):
            later = bought[(bought["month"] == month + age) & bought[C.CUSTOMER_ID].isin(members)]
            assert small_shop.found(f"cohort={month}:{age}&from=2017-12-01") == set(later[C.CUSTOMER_ID])


@pytest.mark.parametrize("country", [None, "Spain"])
def test_the_bars_of_the_bridge_part_the_customers_of_both_periods(small_shop: Shop, country: str | None) -> None:
    start, end = date(2017, 9, 11), date(2017, 12, 10)
    lines = small_shop.lines[small_shop.lines[C.CUSTOMER_ID].notna()]
    if country:
        lines = lines[lines[C.COUNTRY] == country]
    bought = lines[~lines[C.IS_RETURN]]

    def those(frame: pd.DataFrame, first: date, last: date) -> set[str]:
        day = frame[C.ORDERED_AT].dt.date
        return set(frame.loc[(day >= first) & (day <= last), C.CUSTOMER_ID])

    before = start - timedelta(days=91)
    now, then = those(bought, start, end), those(bought, before, start - timedelta(days=1))
    earlier = those(bought, date(2000, 1, 1), before - timedelta(days=1))
    listed = small_shop.found("")
    expected = {
        "new": now - then - earlier,
        "kept": now & then,
        "won_back": (now - then) & earlier,
        "lapsed": then - now,
        "returns_only": (those(lines, before, end) - now - then) & listed,
    }
    where = f"&country={country}" if country else ""
    for standing, who in expected.items():
        dated = f"bridge={standing}:{start}:{end}{where}"
        assert small_shop.found(dated) == who, standing
        assert small_shop.found(f"bridge={standing}&from={start}&to={end}{where}") == who, standing
    assert sum(map(len, expected.values())) > 60


def test_lines_are_those_of_the_customers(small_shop: Shop) -> None:
    for query, _ in RANGES:
        view = small_shop.view(query)
        if view.filters.products or view.filters.countries or view.filters.traits:
            continue  # these are on lines of customers whom the run does not know, too
        whose = small_shop.lines[C.CUSTOMER_ID].isin(small_shop.found(query))
        totals = overview.totals(view.snapshot, view.filters, Period(FIRST, LAST))
        assert totals["revenue"] == pytest.approx(small_shop.lines.loc[whose, C.AMOUNT].sum()), query


HOSTILE = ("' OR true --", "'; DROP TABLE customer; --", "x') OR ('1'='1", "%", '"', "\\", "?", "$1", ":id", "🛒")


def test_what_is_typed_into_an_address_is_never_sql(small_shop: Shop) -> None:
    everyone = small_shop.found("")
    for word in HOSTILE:
        for name in ("group", "alternative", "segment", "product", "country", "department", "category"):
            assert small_shop.found(urlencode({name: word})) == set(), (name, word)
        assert small_shop.found(urlencode({"trait": f"age:{word}"})) == set()
        assert small_shop.found(urlencode({"trait": f"{quote(word, safe='')}:45-54"})) == set()
        moved = f"segment:2017-07-01:2018-01-01:{quote(word, safe='')}::"
        assert small_shop.found(urlencode({"move": moved})) == set()
        for name in ("move", "cohort", "bridge", "run", "by", "p_alive", "frequency", word):
            assert small_shop.found(urlencode({name: word})) == everyone, (name, word)


def test_any_filters_are_answered(small_shop: Shop) -> None:
    view = small_shop.view("")

    @given(any_filters())
    @hypothesis_settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
    def answered(filters: Filters) -> None:
        dated = filters.dated(view.span)
        customers.page(view.snapshot, dated, GridRequest())
        overview.totals(view.snapshot, dated, Period(FIRST, LAST))
        value.totals(view.snapshot, dated)

    answered()


def test_the_marks_of_the_value_page_lead_to_as_many_customers_as_they_say(small_shop: Shop) -> None:
    view = small_shop.view("from=2017-05-01&segment=Loyal")
    told = [
        (row["customers"], view.behind(value.bin_range("frequency", value.FREQUENCIES, int(row["frequency"])),
         value.bin_range("recency_days", value.RECENCIES, int(row["recency"]))) + "&p_alive=0..")
        for _, row in value.activity(view.snapshot, view.filters).iterrows()
    ]  # fmt: skip
    for _, row in value.deciles(view.snapshot, view.filters).iterrows():
        decile = int(row["value_decile"])
        told.append((row["customers"], f"/customers?segment=Loyal&value_decile={decile}..{decile}"))
    totals = value.totals(view.snapshot, view.filters)
    told.append((totals["at_risk"], "/customers?segment=Loyal&churn_risk=0.5.."))
    assert len(told) > 20
    for number, address in told:
        assert len(small_shop.found(address.partition("?")[2])) == number > 0, address


def test_revenue_at_risk_is_last_years_times_the_risk(small_shop: Shop) -> None:
    view = small_shop.view("")
    totals = value.totals(view.snapshot, view.filters)
    with small_shop.engine.connect() as connection:
        expected = connection.execute(
            text(
                "SELECT sum(greatest(past, 0) * churn_risk)::float8 FROM current_customer_segment JOIN ("
                "SELECT customer_id, sum(amount) AS past FROM transaction_line "
                "WHERE ordered_at >= '2017-01-01' AND ordered_at < '2018-01-01' GROUP BY 1) AS y USING (customer_id)"
            )
        ).scalar_one()
    assert totals["risk"] == pytest.approx(expected)


def test_the_download_is_the_grid_with_every_column(small_shop: Shop) -> None:
    client = operator(small_shop.settings)
    for query in ("", "p_alive=0.2..&group=Lost", "move=segment:2017-07-01:2018-01-01:::quiet", "bridge=kept", "run=1"):
        reply = client.get(f"/download/customers.csv?{query}")
        rows = list(csv.DictReader(io.StringIO(reply.get_data(as_text=True))))
        assert {row["customer_id"] for row in rows} == small_shop.found(query)
        assert reply.headers["X-Spectrum-Rows"] == str(len(rows))
        assert "nan" not in reply.get_data(as_text=True).lower()
        assert set(rows[0]) == {*customers.COLUMNS, "new_offers", "buy_again_offers"}
        blank = {row["customer_id"] for row in rows if row["p_alive"] == ""}
        assert blank == small_shop.found(query) & small_shop.ask("p_alive IS NULL") or query == "run=1"


def test_an_earlier_run_is_seen_and_one_that_is_gone_is_not(small_shop: Shop) -> None:
    runs_seen = shop.segment_runs(small_shop.view("").snapshot)
    assert [(run.run_id, run.is_published) for run in runs_seen] == [(2, True), (1, False)]
    earlier = small_shop.view("run=1")
    assert len(small_shop.found("run=1")) == len(small_shop.found("run=1&segment=Of+old")) == 40
    assert earlier.lost_run is None
    seen = shop.published_run(earlier.snapshot, runs.SEGMENTS)
    assert seen is not None
    assert (seen.run_id, seen.as_of, seen.metrics["k"]) == (1, MOMENTS[-2], 1)
    assert small_shop.view("run=2").lost_run is None
    assert small_shop.view("run=3").lost_run == 3
    assert small_shop.found("run=3") == small_shop.found("run=2") == small_shop.found("")


def test_a_customers_course_is_what_the_moves_say(small_shop: Shop) -> None:
    data = small_shop.view("").snapshot
    for who, moves in list(small_shop.moves.groupby("customer_id"))[:15]:
        course = customers.course(data, str(who))
        for grouping, of in course.groupby("grouping"):
            steps = moves[(moves["grouping"] == grouping) & (moves["j"] == moves["i"] + 1)]
            stood = of["segment"].fillna("").to_list()
            assert [stood[j] for j in steps["j"]] == steps["target"].to_list()
            assert [stood[i] for i in steps["i"]] == steps["origin"].to_list()
            assert [of["cause"].iloc[j] for j in steps["j"]] == steps["cause"].to_list()
    assert customers.course(data, "nobody").empty
