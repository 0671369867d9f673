"""The pages of offers without a browser: every number counted anew on the record, rules, downloads, empty states."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote

import pandas as pd
import pytest
from flask.testing import FlaskClient
from plotly.utils import PlotlyJSONEncoder
from sqlalchemy import Engine
from sqlalchemy.engine import URL

from dashboard import ids
from dashboard.components.offers import offers, told_parts
from dashboard.downloads import BUNDLES, address_of
from dashboard.pages import PAGES, match
from dashboard.view import Views
from db import result_schema, runs
from db.columns import Columns as C
from db.filters import Filters
from db.grid import GridRequest
from db.offer_rules import OfferRules
from db.queries import audience, bundles, recommendations
from db.snapshot import open_newest
from settings import Settings
from tests.conftest import shop_made
from tests.integration.test_pages import QUERIES, REQUESTS, asked, slot
from tests.offer_shop import GATE, NAMES, OfferShop, made, published

ODD = (
    *QUERIES,
    "?without=Tea+%26+coffee&without=&price=9..2&buyers=3&per_category=2&support=0.02&lift=2",
    "?price=x..y&buyers=-4&per_category=1e9&support=nan&lift=inf&without=%00&buyers=3",
    "?price=..3&price=4..&per_category=%F0%9F%92%8E&support=-1&lift=1e400",
)
RULES = [
    "without=Tea+%26+coffee",
    "without=Tea+%26+coffee&without=O%27Brien%27s&without=%3Cb%3EToys%3C%2Fb%3E",
    "price=4..12",
    "price=..3.5",
    "buyers=25",
    "per_category=1",
    "per_category=3&price=3..&buyers=5&without=O%27Brien%27s",
    "price=900..",
]


@pytest.fixture(scope="module")
def shop(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfferShop]:
    with shop_made(server, tmp_path_factory.mktemp("offers"), made) as shop:
        yield shop


def downloaded(client: FlaskClient, address: str) -> list[dict[str, str]]:
    reply = client.get(address)
    assert reply.status_code == 200
    rows = list(csv.DictReader(io.StringIO(reply.get_data(as_text=True), newline="")))
    assert reply.headers["X-Spectrum-Rows"] == str(len(rows))
    assert reply.headers["X-Spectrum-Data-Version"]
    return rows


def kept(shop: OfferShop, query: str) -> pd.DataFrame:
    """The lists that the rules leave, worked out one list at a time."""
    given = parse_qs(query)
    low, high = (float(end) if end else None for end in given.get("price", [".."])[0].split(".."))
    buyers = shop.lines.groupby(C.PRODUCT_ID)[C.CUSTOMER_ID].nunique()
    price = shop.lines.groupby(C.PRODUCT_ID)[C.UNIT_PRICE].median()
    category = shop.products.set_index(C.PRODUCT_ID)[C.CATEGORY]
    rows = []
    for (customer, kind), stored in shop.lists.groupby([C.CUSTOMER_ID, C.KIND]):
        seen: Counter[Any] = Counter()
        place = 0
        for product in stored.sort_values(C.RANK)[C.PRODUCT_ID]:
            passes = category[product] not in given.get("without", [])
            passes &= low is None or price[product] >= low
            passes &= high is None or price[product] <= high
            passes &= buyers[product] >= int(given.get("buyers", ["0"])[0])
            most = int(given.get("per_category", ["99"])[0])
            named = isinstance(category[product], str)
            if not passes or (named and seen[category[product]] == most) or place == 10:
                continue
            seen[category[product]] += 1
            place += 1
            rows.append((customer, kind, place, product))
    frame = pd.DataFrame(rows, columns=[C.CUSTOMER_ID, C.KIND, C.RANK, C.PRODUCT_ID])
    return frame[frame[C.KIND] != "popular"]


@pytest.mark.parametrize("query", ["", *RULES])
def test_the_lists_are_the_first_ten_that_pass_the_rules(shop: OfferShop, query: str) -> None:
    expected = kept(shop, query)
    rows = downloaded(shop.client, f"/download/recommendations.csv?{query}")
    found = [(r["customer_id"], r["kind"], int(r["rank"]), r["product_id"]) for r in rows]
    assert found == sorted(expected.itertuples(index=False, name=None))
    stored = shop.lists[shop.lists[C.KIND] != "popular"].groupby([C.CUSTOMER_ID, C.KIND]).size().clip(upper=10)
    left = expected.groupby([C.CUSTOMER_ID, C.KIND]).size().reindex(stored.index, fill_value=0)
    told = recommendations.shortened(open_newest(shop.settings.data_dir), Filters.from_query(query)).sum()
    counts = (told["lists"], told["shorter"], told["emptied"])
    assert counts == (len(stored), (left < stored).sum(), (left == 0).sum())
    said = slot(shop.client, "recommendations.lists", "/recommendations", f"?{query}")
    assert f"{len(stored)} lists in this view" in said
    if query:
        short = f"The rules make {counts[1]} of {len(stored)} lists shorter"
        assert (short if counts[1] else "as long as they were") in said


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("", "true"),
        ("?segment=Loyal", "segment = 'Loyal'"),
        ("?country=Spain&frequency=5..", "country = 'Spain' AND frequency >= 5"),
        ("?segment=O%27Brien%3B+--", "segment = 'O''Brien; --'"),
    ],
)
def test_what_is_offered_most_counts_lists_of_the_customers_in_view(
    shop: OfferShop, query: str, condition: str
) -> None:
    people = (
        "SELECT customer_id FROM current_customer_segment LEFT JOIN customer USING (customer_id) WHERE " + condition
    )
    size = shop.ask(f"SELECT count(*) FROM ({people}) AS t")[0][0]
    found = recommendations.for_customers(open_newest(shop.settings.data_dir), Filters.from_query(query))
    for kind, name in (("discover", "recommendations.discover"), ("buy_again", "recommendations.buy_again")):
        expected = shop.ask(
            "SELECT product_id, count(*), count(*)::float8 / :size FROM current_recommendation "
            f"WHERE kind = :kind AND rank <= 10 AND customer_id IN ({people}) "
            "GROUP BY 1 ORDER BY 2 DESC, avg(rank), product_id LIMIT 12",
            kind=kind,
            size=size,
        )
        of = found[found["kind"] == kind]
        assert [tuple(row) for row in of[["product_id", "customers", "share"]].to_numpy()] == expected
        shown = slot(shop.client, name, "/recommendations", query)
        assert f"on most lists, {expected[0][2]:.0%} of customers" in shown
        for product_id, _, share in expected:
            assert f"/recommendations/products/{product_id}" in shown
            assert f"{share:.1%}" in shown


def test_each_segment_has_its_lists_beside_what_it_is_offered_most(shop: OfferShop) -> None:
    found = recommendations.for_segments(open_newest(shop.settings.data_dir), Filters())
    expected = shop.ask(
        """
        SELECT segment, product_id, n, n::float8 / size FROM (
            SELECT segment, product_id, count(*) AS n,
                row_number() OVER (PARTITION BY segment ORDER BY count(*) DESC, product_id) AS place
            FROM current_recommendation JOIN current_customer_segment USING (customer_id)
            WHERE kind = 'discover' AND rank <= 10 GROUP BY 1, 2
        ) AS top JOIN (SELECT segment, count(*) AS size FROM current_customer_segment GROUP BY 1) AS s USING (segment)
        WHERE place <= 5 ORDER BY segment, n DESC, product_id
        """
    )
    rows = found[["segment", "product_id", "customers", "share"]].itertuples(index=False, name=None)
    assert sorted(rows) == sorted(expected)
    shown = slot(shop.client, "offers_segments.lists", "/recommendations/segments", "")
    assert shown.count("Bought more than by others") == shown.count("By revenue") == 3
    for product_id, lift in shop.ask("SELECT product_id, lift FROM current_segment_product WHERE kind = 'lift'"):
        assert f"/recommendations/products/{product_id}" in shown
        assert f"{lift:.1f}\\u00d7" in shown
    narrow = slot(shop.client, "offers_segments.lists", "/recommendations/segments", "?price=900..&segment=Loyal")
    assert narrow.count("The rules leave nothing here.") == 3


def test_a_customer_sees_both_lists_with_reasons_and_what_speaks_for_them(shop: OfferShop) -> None:
    for customer in ("c0", "c30"):
        lists = shop.lists[(shop.lists[C.CUSTOMER_ID] == customer) & (shop.lists[C.RANK] <= 10)]
        for kind in ("discover", "buy_again"):
            path = f"/recommendations/customers/{customer}"
            shown = slot(shop.client, f"offers_customer.{kind}", path, "")
            of = lists[lists[C.KIND] == kind]
            assert shown.count('"className": "offer"') + shown.count('"className":"offer"') == len(of) > 0
            for _, row in of.iterrows():
                assert f"=because of {row[C.PRODUCT_ID]}" in shown
            last = shop.ask(
                "SELECT to_char(max(ordered_at), 'FMDD Mon YYYY') FROM transaction_line "
                "WHERE customer_id = :c AND product_id = :p",
                c=customer,
                p=of[C.BECAUSE].iloc[0],
            )[0][0]
            assert shown.count(f", last on {last}") == len(of)
            assert slot(shop.client, f"customer.{kind}", f"/customers/{customer}", "").count("Speaks for it") == len(of)
    assert "No customer nobody" in slot(shop.client, "offers_customer.head", "/recommendations/customers/nobody", "")


def test_the_parts_that_are_shown_add_up_to_the_score(shop: OfferShop) -> None:
    for _, row in shop.lists.dropna(subset=[C.PARTS]).iterrows():
        parts = told_parts(row[C.PARTS], row[C.SCORE])
        assert sum(amount for _, amount in parts) == pytest.approx(row[C.SCORE], abs=1e-5)
        told = json.loads(row[C.PARTS])
        assert all(told[label] == amount for label, amount in parts if label != "Everything else")
        assert len(parts) <= 9
    for nonsense in (None, "", "{", "[]", "7", '{"a": "b"}', '{"a": NaN}', float("nan")):
        assert list(told_parts(nonsense, 1.0)) == []


def test_a_score_is_told_as_a_chance_where_it_is_one() -> None:
    named = {"product_id": "p", "name": "Tea", "because_product_id": "q", "because_name": "Cup", "because_at": None}
    parts = json.dumps({"Every candidate": -3.0, "Popular now": 0.803})
    row = {**named, "reason": "Bought Cup, which is much like it", "score": -2.197, "parts": parts}

    def told(days: int | None) -> str:
        return json.dumps(offers(pd.DataFrame([row]), str, "", days), cls=PlotlyJSONEncoder, ensure_ascii=False)

    assert "a chance of about 1 in 10 that the customer buys it within 28 days" in told(28)
    assert "Starting point of every candidate: −3.00. All together −2.20" in told(None)
    assert "chance" not in told(None)
    assert told(28).count('"className": "part"') == 1, "the starting point is no bar"
    assert '"children": "Cup"' in told(28).partition("much like it")[0], "the name stands apart from the sentence"


@pytest.mark.parametrize(("query", "condition"), [("", "true"), ("segment=Loyal", "segment = 'Loyal'")])
def test_an_audience_is_the_customers_in_view_and_its_download(shop: OfferShop, query: str, condition: str) -> None:
    expected = shop.ask(
        "SELECT rank, customer_id, segment, to_char(last_ordered_at, 'FMDD Mon YYYY'), monetary::float8 "
        "FROM current_product_audience JOIN current_customer_segment USING (customer_id) "
        f"WHERE product_id = 'p0' AND {condition} ORDER BY rank"
    )
    rows = downloaded(shop.client, f"/download/audience.csv?{query}&about=p0")
    found = [(int(r["rank"]), r["customer_id"], r["segment"], float(r["monetary"])) for r in rows]
    assert found == [(rank, who, segment, spent) for rank, who, segment, _, spent in expected]
    shown = slot(shop.client, "offers_product.audience", "/recommendations/products/p0", f"?{query}")
    assert f"Write to {len(expected)} customer" in shown
    for _, who, _, seen, _ in expected:
        assert f"/recommendations/customers/{who}" in shown
        assert seen in shown
    assert {r["product"] for r in rows} == {"'" + NAMES[0]}
    assert all(r["reason"].startswith("'=because") for r in rows)


def test_a_product_is_told_by_the_numbers_of_the_record(shop: OfferShop) -> None:
    told = audience.product(open_newest(shop.settings.data_dir), "p3")
    assert told is not None
    sql = (
        "SELECT count(DISTINCT customer_id), count(DISTINCT order_id), sum(amount)::float8, "
        "percentile_cont(0.5) WITHIN GROUP (ORDER BY unit_price)::float8 FROM transaction_line WHERE product_id = 'p3'"
    )
    assert tuple(told[["buyers", "orders", "revenue", "price"]]) == pytest.approx(shop.ask(sql)[0])
    on = "SELECT count(*) FROM current_recommendation WHERE product_id = 'p3' AND rank <= 10 AND kind = :kind"
    assert [told[kind] for kind in ("discover", "buy_again")] == [
        shop.ask(on, kind=kind)[0][0] for kind in ("discover", "buy_again")
    ]
    for name, of, form in (("together", "lift", "{:.1f}\\u00d7"), ("alike", "similarity", "{:.2f}")):
        shown = slot(shop.client, f"offers_product.{name}", "/recommendations/products/p3", "")
        sql = f"SELECT other_product_id, {of} FROM current_product_pair WHERE product_id = 'p3' AND {of} IS NOT NULL "
        found = shop.ask(f"{sql} ORDER BY {of} DESC LIMIT 10")
        assert re.findall(r"/products/(\w+)", shown) == [other for other, _ in found]
        assert all(form.format(value) in shown for _, value in found)


def test_a_product_is_found_by_what_is_typed_and_by_nothing_else(shop: OfferShop) -> None:
    snapshot = open_newest(shop.settings.data_dir)
    for typed, products in (
        ("100% w", {"p1"}),
        ("%", {"p1"}),
        ("_", {"p1"}),
        ("<SCRIPT", {"p2"}),
        ("'; drop table", {"p3"}),
        ("p7", {"p7"}),
        ("no such", set()),
    ):
        assert set(audience.matching(snapshot, typed, 99)["product_id"]) == products, typed
    assert len(audience.matching(snapshot, "")) == 20


def test_bundles_are_sorted_filtered_and_downloaded_as_asked(shop: OfferShop) -> None:
    grid = {
        "startRow": 0,
        "endRow": 100,
        "sortModel": [{"colId": "confidence", "sort": "desc"}, {"colId": "1; DROP", "sort": "asc"}],
        "filterModel": {"product": {"type": "contains", "filter": "PRODUCT"}, "run_id": {"type": "blank"}},
    }
    expected = shop.ask(
        "SELECT product_id, other_product_id, lift, confidence FROM current_product_pair JOIN product "
        "USING (product_id) WHERE baskets IS NOT NULL AND support >= 0.02 AND lift >= 2 AND name ILIKE '%Product%' "
        "ORDER BY confidence DESC"
    )
    assert len(expected) > 10
    rules = OfferRules(support=0.02, lift=2.0)
    frame, total = bundles.page(open_newest(shop.settings.data_dir), rules, GridRequest.parse(grid, bundles.COLUMNS))
    columns = ["product_id", "other_product_id", "lift", "confidence"]
    assert list(frame[columns].itertuples(index=False, name=None)) == expected[:100]
    assert total == len(expected)
    rows = downloaded(shop.client, address_of(BUNDLES, "?support=0.02&lift=2", grid))
    assert [(r["product_id"], r["other_product_id"]) for r in rows] == [row[:2] for row in expected]
    assert (
        len(downloaded(shop.client, f"{BUNDLES}?grid=%7B"))
        == shop.ask("SELECT count(*) FROM current_product_pair WHERE baskets IS NOT NULL")[0][0]
    )
    lift, confidence = shop.ask(
        "SELECT lift, confidence FROM current_product_pair AS one WHERE leverage IS NOT NULL AND NOT EXISTS ("
        "SELECT FROM current_product_pair AS back WHERE back.product_id = one.other_product_id "
        "AND back.other_product_id = one.product_id AND back.confidence > one.confidence) "
        "ORDER BY leverage DESC LIMIT 1"
    )[0]
    words = slot(shop.client, "offers_bundles.finding", "/recommendations/bundles", "")
    assert f"{lift:,.1f} times as often as usual: in {confidence:.1%} of these baskets" in words
    assert "ask for less" in slot(shop.client, "offers_bundles.finding", "/recommendations/bundles", "?lift=99")


@pytest.mark.parametrize("given", [*REQUESTS, {"startRow": 0, "endRow": 5}], ids=range(len(REQUESTS) + 1))
def test_the_grid_of_bundles_answers_a_request_of_any_form(shop: OfferShop, given: Any) -> None:
    outputs = [(ids.BUNDLES, "getRowsResponse"), (ids.BUNDLE_COUNT, "children"), (ids.BUNDLE_DOWNLOAD, "href")]
    asked(
        shop.client,
        [{"id": id_, "property": name} for id_, name in outputs],
        [{"id": ids.BUNDLES, "property": "getRowsRequest", "value": given}],
        [{"id": ids.URL, "property": "search", "value": "?lift=1"}],
        "..bundle-grid.getRowsResponse...bundle-count.children...bundle-download.href..",
    )


OFFERS = [page for page in PAGES if page.path.startswith("/recommendations")]


@pytest.mark.parametrize("page", OFFERS, ids=lambda page: page.path)
def test_any_query_and_any_subject_give_every_part_of_the_pages(shop: OfferShop, page: Any) -> None:
    subjects = ["", "p1", "c1", "%00", quote(NAMES[3], safe=""), "%F0%9F%92%8E/..", "x" * 3000]
    for subject in subjects if page.path.endswith("/") else [""]:
        for query in ODD if subject in ("p1", "c1") or not page.path.endswith("/") else ODD[-2:]:
            for name in page.slots:
                answer = slot(shop.client, name, page.path + subject, query)
                assert "could not be shown" not in answer, (name, subject, query)
                assert "NaN" not in answer, (name, subject, query)
    for query in ODD:
        page.layout(Views(shop.settings).view(query))


@pytest.mark.parametrize("name", ["recommendations", "audience", "bundles"])
def test_a_download_under_any_query_string_is_whole(shop: OfferShop, name: str) -> None:
    for query in ODD:
        downloaded(shop.client, f"/download/{name}.csv{query or '?'}&about=p1")
    assert downloaded(shop.client, "/download/audience.csv?about=%00") == []


def test_the_sentence_says_how_the_lists_did_and_what_became_of_newer_runs(shop: OfferShop) -> None:
    said = slot(shop.client, "recommendations.sentence", "/recommendations", "")
    for words in ("New products (Ranker): 26% above the best baseline (EASE). ", "0.126 against 0.100, 1,234 customers",
                  "60 days that the models had not seen", "as of 1 Jan 2018", "/quality"):  # fmt: skip
        assert words in said, words
    assert "not published" not in said


def parts_of(client: FlaskClient, settings: Settings, path: str) -> str:
    """The frame and all that fills it."""
    page = match(path)[0]
    assert page is not None
    frame = json.dumps(page.layout(Views(settings).view("")), cls=PlotlyJSONEncoder)
    return frame + "".join(slot(client, name, path, "") for name in page.slots if f'"{name}"' in frame)


def test_refused_and_forced_runs_and_runs_of_old_are_told(settings: Settings, engine: Engine) -> None:
    shop = made(settings, engine)
    first = runs.published(engine, runs.RECOMMENDATIONS)
    assert first is not None
    refused = runs.open_run(engine, runs.RECOMMENDATIONS, first.as_of, {}, "x")
    runs.refuse(engine, refused, "It does not beat <EASE>.")
    said = slot(shop.fresh_client(), "recommendations.sentence", "/recommendations", "")
    assert "The newest run was not published." in said
    assert "It does not beat <EASE>." in said
    assert f"Shown are the lists of run {first.run_id}, of 1 Jan 2018." in said

    lists = shop.lists.drop(columns=[C.BECAUSE, C.PARTS])
    metrics = {"forced": True, "gate": {"discover": {**GATE["discover"], "value": 0.08}}, "reason": "Below EASE."}
    published(engine, {result_schema.recommendation: lists}, metrics)
    client = shop.fresh_client()
    said = slot(client, "recommendations.sentence", "/recommendations", "")
    assert "20% below the best baseline (EASE)" in said
    assert "published by force" in said
    assert "Below EASE." in said
    for path in ("/recommendations/products/p0", "/recommendations/bundles"):
        assert "python -m models run" in parts_of(client, settings, path), path
    assert "Why" not in slot(client, "offers_customer.discover", "/recommendations/customers/c0", "")

    published(engine, {result_schema.recommendation: lists}, {"reason": "Hybrid beats popular: 0.2 against 0.1."})
    said = slot(shop.fresh_client(), "recommendations.sentence", "/recommendations", "")
    assert "Hybrid beats popular: 0.2 against 0.1." in said


def test_before_the_first_run_every_page_of_offers_says_what_to_do(settings: Settings, engine: Engine) -> None:
    shop = made(settings, engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM model_run WHERE kind = 'recommendations'")
    bare = shop.fresh_client()
    for page in OFFERS:
        assert "python -m models run" in parts_of(bare, settings, page.path), page.path
    assert downloaded(bare, "/download/recommendations.csv") == []


def test_filters_and_rules_that_leave_nothing_say_which_to_loosen(shop: OfferShop) -> None:
    nobody = "?segment=No+such"
    assert "remove a filter above" in slot(shop.client, "recommendations.lists", "/recommendations", nobody)
    assert "remove a filter above" in slot(
        shop.client, "offers_product.audience", "/recommendations/products/p0", nobody
    )
    nothing = "?price=900.."
    for name in ("recommendations.discover", "recommendations.buy_again"):
        assert "loosen or clear them" in slot(shop.client, name, "/recommendations", nothing)
    said = slot(shop.client, "recommendations.lists", "/recommendations", nothing)
    assert re.search(r"make (\d+) of \1 lists shorter, \1 of them with nothing left", said)
