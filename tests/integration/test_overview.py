"""The Overview's parts say what plain SQL on the record says, and read well where a period is odd."""

import json
import re
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pytest
from plotly.utils import PlotlyJSONEncoder
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from dashboard import format as fmt
from dashboard import kpis
from dashboard.kpis import Kpi
from dashboard.pages import overview
from dashboard.pages.overview_actions import actions
from dashboard.pages.overview_concentration import concentration
from dashboard.pages.overview_kpis import kpis as cards
from dashboard.pages.overview_shares import shares
from dashboard.pages.overview_state import state as state_line
from dashboard.view import Views
from db import snapshot
from db.queries import concentration as curves
from db.queries import overview as totals
from db.queries.shares import over_time
from db.queries.stakes import stakes
from db.queries.state import state
from settings import Settings
from tests.conftest import shop_made
from tests.small_shop import GROUPS, MOMENTS, SEGMENTS, Shop, made


@pytest.fixture(scope="module")
def small_shop(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop_made(server, tmp_path_factory.mktemp("small"), made) as shop:
        yield shop


def said(component: Any) -> str:
    """The component as it goes to the browser."""
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


def rows(engine: Engine, sql: str, **values: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(sql), values).all())


def test_a_new_card_is_one_entry_and_nothing_else(small_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Kpi(
        "customer_orders", "Orders of customers", "Orders that name a customer.", lambda v, _: f"{v:.0f} orders"
    )
    monkeypatch.setattr(kpis, "KPIS", (*kpis.KPIS, entry))
    view = small_shop.view("?from=2017-08-01&to=2017-10-31")
    count = (
        "SELECT count(DISTINCT order_id) FROM transaction_line WHERE NOT is_return AND customer_id IS NOT NULL "
        "AND ordered_at::date BETWEEN :first AND :last"
    )
    assert view.before is not None
    now, before = (
        rows(small_shop.engine, count, first=days.start, last=days.end)[0][0] for days in (view.period, view.before)
    )
    card = said(cards(view).children[-1])
    assert f'"{now} orders"' in card
    assert f"vs {before} orders" in card
    assert re.search(r"[▲▼=] ?[+−u]", card), "its change has a sign and an arrow"
    assert "Orders that name a customer." in card
    assert "polyline" in card, "its course is drawn"
    assert len(cards(view).children) == len(kpis.KPIS)


LINES = [
    ("?from=2017-01-01&to=2017-12-31", "true"),
    ("?from=2017-03-01&to=2017-03-31", "ordered_at::date BETWEEN '2017-03-01' AND '2017-03-31'"),
    ("?from=2017-01-01&to=2017-12-31&country=France", "country = 'France'"),
    ("?from=2017-06-01&to=2017-06-03", "ordered_at::date BETWEEN '2017-06-01' AND '2017-06-03'"),
    (
        "?from=2017-05-01&to=2017-12-31&category=odd&segment=Loyal",
        "ordered_at >= '2017-05-01' AND product_id IN ('p1', 'p3', 'p5', 'p7') AND customer_id IN "
        "(SELECT customer_id FROM current_customer_segment WHERE segment = 'Loyal')",
    ),
]


@pytest.mark.parametrize(("query", "condition"), LINES, ids=range(len(LINES)))
def test_the_curve_is_the_running_sum_of_the_customers_by_revenue(small_shop: Shop, query: str, condition: str) -> None:
    sql = f"SELECT sum(amount) FROM transaction_line WHERE customer_id IS NOT NULL AND {condition} GROUP BY customer_id"
    brought = sorted((float(row[0]) for row in rows(small_shop.engine, sql)), reverse=True)
    view = small_shop.view(query)
    curve = curves.curve(view.snapshot, view.filters, view.period)
    assert len(curve) == len(curves.POINTS) < 200
    told = (curve[name].to_list() for name in ("top", "customers", "revenue", "least"))
    for top, customers, revenue, least in zip(*told, strict=True):
        first = brought[: ceil(round(top * 1000) * len(brought) / 1000)]
        assert customers == len(first)
        assert revenue == pytest.approx(sum(first), abs=0.005)
        assert not first or least == pytest.approx(first[-1])
    if query == LINES[0][0]:
        assert brought[-1] < 0, "somebody returned more than they bought"
        assert curve["revenue"].max() > curve["revenue"].iloc[-1] == pytest.approx(sum(brought))
        assert "Above 100%" in said(concentration(view))
        share = fmt.percent(sum(brought[: ceil(len(brought) * 0.05)]) / sum(brought), 0)
        assert f"The top 5% of customers bring {share} of customers' revenue" in said(concentration(view))


def test_without_customers_or_revenue_there_is_no_curve_and_it_says_so(small_shop: Shop) -> None:
    nobody = small_shop.view("?segment=No+such")
    assert curves.curve(nobody.snapshot, nobody.filters, nobody.period).empty
    assert "No customer stands behind" in said(concentration(nobody))


@pytest.mark.parametrize("grouping", ["segment", "rfm_group"])
def test_shares_count_who_stood_where_at_each_moment(small_shop: Shop, grouping: Any) -> None:
    moves, names = small_shop.moves, SEGMENTS if grouping == "segment" else GROUPS
    moves = moves[moves["grouping"] == grouping]
    found = over_time(small_shop.view("").snapshot, small_shop.view("").filters, grouping)
    assert set(found["segment"]) <= set(names.values())
    for at in range(1, len(MOMENTS)):  # whoever stood somewhere came there from another moment
        stood = moves[(moves["j"] == at) & (moves["i"] == at - 1)]["target"].value_counts()
        told = found[found["moment"] == at].set_index("segment")
        assert told["customers"].to_dict() == stood.to_dict()
        assert told["share"].sum() == pytest.approx(1)
        assert (told["customers"] / told["customers"].sum()).to_numpy() == pytest.approx(told["share"].to_numpy())
    first = moves[(moves["i"] == 0) & (moves["j"] == 1) & (moves["origin"] != "")]["origin"].value_counts()
    assert found[found["moment"] == 0].set_index("segment")["customers"].to_dict() == first.to_dict()


@pytest.mark.parametrize("query", ["", "?country=France", "?category=odd&trait=age:45-54"])
def test_a_block_of_the_shares_leads_to_as_many_customers(small_shop: Shop, query: str) -> None:
    view = small_shop.view(query)
    found = over_time(view.snapshot, view.filters).set_index(["day", "segment"])["customers"]
    days = sorted({day for day, _ in found.index})
    drawn = json.loads(said(shares(view)))
    blocks = 0
    for trace in _figure(drawn)["data"]:
        for at, (address,) in enumerate(trace["customdata"]):
            assert bool(address) == bool(at), "the first date has no move to name it by"
            if at:
                assert len(small_shop.found(urlsplit(address).query)) == found.get((days[at], trace["name"]), 0)
                blocks += 1
    assert blocks == len(SEGMENTS) * (len(MOMENTS) - 1)


def _figure(drawn: Any) -> Any:
    """The first figure in a component."""
    if isinstance(drawn, dict) and "figure" in drawn:
        return drawn["figure"]
    parts = drawn.values() if isinstance(drawn, dict) else drawn if isinstance(drawn, list) else []
    found: Iterator[Any] = (_figure(part) for part in parts)
    return next((figure for figure in found if figure), None)


@pytest.mark.parametrize(("query", "who"), [("", "true"), ("?country=Spain", "country = 'Spain'")])
def test_the_stake_is_what_the_list_behind_it_brought_last_year(small_shop: Shop, query: str, who: str) -> None:
    expected = rows(
        small_shop.engine,
        "WITH risky AS (SELECT customer_id, segment FROM current_customer_segment JOIN customer USING (customer_id) "
        f"WHERE churn_risk >= 0.5 AND {who}) SELECT segment, count(DISTINCT customer_id), "
        "coalesce(sum(amount) FILTER (WHERE ordered_at >= '2017-01-01' AND ordered_at < '2018-01-01'), 0)::float8 "
        "FROM risky LEFT JOIN transaction_line USING (customer_id) GROUP BY segment ORDER BY 3 DESC",
    )
    view = small_shop.view(query)
    found = stakes(view.snapshot, view.filters)
    assert len(expected) > 1
    assert list(zip(found["segment"], found["customers"], strict=True)) == [(row[0], row[1]) for row in expected]
    assert list(found["past"]) == pytest.approx([row[2] for row in expected])
    shown = said(actions(view))
    segment, customers, past = expected[0]
    assert f"{segment}: win back {customers} customers, {fmt.short_money(past, '$')} at stake" in shown
    address = next(link for link in re.findall(r'"href": "([^"]+)"', shown) if "churn_risk" in link)
    assert len(small_shop.found(urlsplit(address).query)) == customers


@pytest.mark.parametrize("risk", ["0.3..0.9", "0.6..", "..0.8"])
def test_a_range_of_risk_in_the_address_narrows_the_stake_and_its_list_alike(small_shop: Shop, risk: str) -> None:
    view = small_shop.view(f"?churn_risk={risk}")
    found = stakes(view.snapshot, view.filters)
    address = next(link for link in re.findall(r'"href": "([^"]+)"', said(actions(view))) if "churn_risk" in link)
    assert len(small_shop.found(urlsplit(address).query)) == found["customers"].iloc[0]


def test_the_state_of_the_data_is_that_of_the_loads(sample_shop: Settings, record: Engine) -> None:
    view = Views(sample_shop).view("?department=Grocery")
    loads, read, refused = rows(
        record, "SELECT count(*), sum(rows_read), sum(rows_rejected) FROM load WHERE status = 'done'"
    )[0]
    found = state(view.snapshot)
    assert (found.loads, found.rows_read, found.rows_refused) == (loads, read, refused)
    assert rows(record, "SELECT count(*) FROM rejected_row")[0][0] == refused
    line = said(state_line(view))
    assert f"{read:,} rows read" in line
    assert f"Data to {fmt.day(rows(record, 'SELECT max(ordered_at) FROM transaction_line')[0][0])}" in line
    assert "segments of run" in line


DAYS: list[tuple[int, list[tuple[str | None, float]]]] = [
    (1, [(None, 100)]),
    (2, [(None, 50)]),
    (3, [(None, 10), (None, -80)]),
    (4, [(None, 200)]),
    (6, [(None, 5)]),
    (7, [(None, -5)]),
    (8, [("c", 1_000)]),
    (9, [("c", 20_000)]),
    (10, [("c", 20_000)]),
]
"""Day of January 2020 -> (customer or guest, amount) of its lines."""


def odd(settings: Settings, engine: Engine) -> Views:
    lines = [(day, who, amount) for day, of in DAYS for who, amount in of]
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO load (name, sha256, status, months) VALUES ('x', 'x', 'done', '{2020-01}');"
                "INSERT INTO customer VALUES ('c', null); INSERT INTO product (product_id) VALUES ('p')"
            )
        )
        for number, (day, who, amount) in enumerate(lines):
            connection.execute(
                text(
                    "INSERT INTO transaction_line VALUES (1, :number, :number, :who, 'p', :at, sign(:amount), "
                    "abs(:amount), 0, :amount, :amount < 0, null)"
                ),
                {"number": number, "who": who, "amount": amount, "at": f"2020-01-{day:02}"},
            )
    snapshot.refresh(engine, settings.data_dir)
    return Views(settings)


@pytest.fixture(scope="module")
def odd_shop(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Views]:
    data_dir: Path = tmp_path_factory.mktemp("odd")
    with shop_made(server, data_dir, odd) as views:
        yield views


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (1, "Revenue was $100. The data do not cover the day before: they begin on 1 Jan 2020."),
        (2, "Revenue fell to $50.00 (−50.0%) against the day before. Mainly smaller orders −$50.00."),
        (3, "Revenue fell to −$70.00, after $50.00 in the day before: more was returned than sold."),
        (4, "Revenue was $200. The day before brought −$70.00."),
        (5, "No orders in this viewChoose a longer period or fewer filters, or reset them."),
        (6, "Revenue was $5.00. There were no orders in the day before."),
        (7, "No orders in this view, only returnsThey come to −$5.00. Choose a longer period or fewer filters, or"),
        (8, "Revenue was $1,000. The day before brought −$5.00."),
        (9, "Revenue rose to $20.0k (20 times as much) against the day before. Mainly larger orders +$19.0k."),
        (10, "Revenue held at $20.0k against the day before."),
    ],
)
def test_the_sentence_reads_well_on_odd_days_without_segments(odd_shop: Views, day: int, expected: str) -> None:
    view = odd_shop.view(f"?from=2020-01-{day:02}&to=2020-01-{day:02}")
    shown = words(overview.PAGE.slots["overview.sentence"](view))
    assert shown.startswith(expected)
    assert "  " not in shown
    parts = {name: said(fill(view)) for name, fill in overview.PAGE.slots.items()}
    assert not [name for name, part in parts.items() if "NaN" in part]
    assert "Graph" not in parts["overview.trend"], "a line of one point is none"


def test_a_view_of_guests_alone_names_no_segment(small_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = pd.DataFrame({"segment": ["Loyal", None], "customers": [5, 0], "revenue": [0.0, 100.0]})
    monkeypatch.setattr(totals, "segment_revenue", lambda *_: nothing)
    lines = small_shop.lines.assign(day=small_shop.lines["ordered_at"].dt.date)
    of = lines.groupby(["day", "product_id"]).agg(
        named=("customer_id", "count"), returned=("is_return", "any"), amount=("amount", "sum")
    )
    alone = of[(of["named"] == 0) & ~of["returned"]].head(3).reset_index()
    assert len(alone) == 3
    for day, product, amount in zip(alone["day"], alone["product_id"], alone["amount"], strict=True):
        view = small_shop.view(f"?from={day}&to={day}&product={product}")
        shown = words(overview.PAGE.slots["overview.sentence"](view))
        assert fmt.short_money(amount, "$") in shown
        assert not any(segment in shown for segment in SEGMENTS.values())


def words(component: Any) -> str:
    """All text of a component, as a reader meets it."""
    if isinstance(component, list | tuple):
        return "".join(map(words, component))
    return component if isinstance(component, str) else words(getattr(component, "children", None) or "")
