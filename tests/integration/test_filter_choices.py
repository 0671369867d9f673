"""The filter controls, the chips and the comparison over the sample's shop, counted anew on the record."""

import json
import re
from collections import Counter
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from plotly.utils import PlotlyJSONEncoder
from sqlalchemy import Engine, text

from dashboard import ids
from dashboard.chips import chips, restrictions
from dashboard.filter_bar import LIST_FIELDS
from dashboard.pages import overview_dimensions, overview_kpis, overview_sentence
from dashboard.view import Views
from db.drill import RANGES
from db.filters import Filters
from db.queries import shop
from db.queries.overview import totals
from db.remembered import forget
from db.snapshot import Snapshot
from settings import Settings
from tests.any_filters import NAMES, any_filters, word
from tests.clients import operator

SOME = hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def views(sample_shop: Settings) -> Views:
    return Views(sample_shop)


@pytest.fixture(scope="module")
def client(sample_shop: Settings) -> FlaskClient:
    made: FlaskClient = operator(sample_shop)
    made.get("/_dash-layout")
    return made


def test_attributes_and_their_counts_are_those_of_the_record(snapshot: Snapshot, record: Engine) -> None:
    with record.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT key, value, count(*) FROM customer, jsonb_each_text(attributes) WHERE customer_id IN "
                "(SELECT customer_id FROM transaction_line WHERE NOT is_return) GROUP BY key, value"
            )
        ).all()
    of_each = Counter(key for key, _, _ in rows)
    expected = {(key, value): count for key, value, count in rows if of_each[key] <= shop.MOST_VALUES}
    found = shop.choices(snapshot).attributes
    assert {(one.name, value): count for one in found for value, count in one.values} == expected
    assert len(found) > 4
    assert [value for value, _ in next(one for one in found if one.name == "income").values][:2] == [
        "Under 15K",
        "15-24K",
    ]


def test_an_attribute_of_many_values_is_none_to_choose_from(snapshot: Snapshot, monkeypatch: Any) -> None:
    usual = shop.choices(snapshot).attributes
    monkeypatch.setattr(shop, "MOST_VALUES", 5)
    forget()
    found = shop.choices(snapshot).attributes
    forget()
    assert found
    most = [max(len(one.values) for one in of) for of in (found, usual)]
    assert most[0] <= 5 < most[1]


def test_numbers_reach_as_far_as_the_record_has_them(snapshot: Snapshot, record: Engine) -> None:
    for number in shop.choices(snapshot).numbers:
        with record.connect() as connection:
            sql = f"SELECT min({number.column})::float8, max({number.column})::float8 FROM current_customer_segment"
            assert tuple(connection.execute(text(sql)).one()) == pytest.approx((number.low, number.high))
    assert {number.column for number in shop.choices(snapshot).numbers} <= set(RANGES)


def test_choices_are_asked_for_once_a_snapshot(snapshot: Snapshot, monkeypatch: Any) -> None:
    known = shop.choices(snapshot), shop.span(snapshot)
    monkeypatch.setattr(Snapshot, "frame", None)
    monkeypatch.setattr(Snapshot, "scalar", None)
    assert (shop.choices(snapshot), shop.span(snapshot)) == known


@SOME
@given(filters=any_filters())
def test_each_restriction_has_a_chip_that_takes_it_away(views: Views, filters: Filters) -> None:
    view = views.view(filters.query())
    left = view.filters
    told = list(restrictions(view))
    assert len({words for words, _ in told}) == len(told)
    for words, without in told:
        assert words
        assert len(without.query()) < len(view.filters.query())
        assert Filters.from_query(without.query()) == without
    while told := list(restrictions(views.view(left.query()))):
        left = told[0][1]
    assert set(left.active()) <= {"start", "end", "against", "run"}  # a run that is not there is told instead
    shown = json.dumps(chips(view), cls=PlotlyJSONEncoder)
    assert ("Reset" in shown) == bool(view.filters.active())
    assert ("Compared with the same" in shown) == (view.filters.against == "year")


def test_the_same_day_a_year_before_is_what_the_cards_compare_with(views: Views, record: Engine) -> None:
    """The sample's year has one such pair of days: Sunday 31 December and Sunday 1 January."""
    view = views.view("?from=2017-12-31&to=2017-12-31&against=year")
    sql = """SELECT ordered_at::date, sum(amount)::float8, count(DISTINCT order_id) FILTER (WHERE NOT is_return)
        FROM transaction_line WHERE ordered_at::date IN ('2017-12-31', '2017-01-01', '2017-12-30') GROUP BY 1"""
    with record.connect() as connection:
        sums = {str(day): (revenue, orders) for day, revenue, orders in connection.execute(text(sql))}
    shown = json.dumps(overview_kpis.kpis(view), cls=PlotlyJSONEncoder, ensure_ascii=False)
    assert f"vs {sums['2017-01-01'][1]:,}" in shown
    assert f"vs {sums['2017-12-30'][1]:,}" not in shown
    change = sums["2017-12-31"][0] / sums["2017-01-01"][0] - 1
    said = json.dumps(overview_sentence.sentence(view), cls=PlotlyJSONEncoder, ensure_ascii=False)
    assert f"({change:+.1%})".replace("-", "−") in said
    assert "against the same weekday a year before" in said
    before = views.view("?from=2017-12-31&to=2017-12-31")
    assert f"vs {sums['2017-12-30'][1]:,}" in json.dumps(overview_kpis.kpis(before), cls=PlotlyJSONEncoder)


def test_where_the_data_do_not_reach_the_days_compared_with_it_is_said(views: Views) -> None:
    view = views.view("?against=year")
    assert view.before is None
    for part in (overview_sentence.sentence, overview_dimensions.movers, chips):
        assert "not cover" in json.dumps(part(view), cls=PlotlyJSONEncoder)
    usual = views.view("")
    mine, others = (totals(of.snapshot, of.filters, of.period) for of in (view, usual))
    pd.testing.assert_series_equal(mine, others)


TRAITS = ("age", "income", "no such")
ENDS = [(column, end) for column in ("frequency", "churn_risk") for end in ("low", "high")]


def followed(client: FlaskClient, search: Any, changed: str, said: dict[str, Any], pathname: str = "/") -> Any:
    """What the callback of the filters answers, asked as a browser asks; `said` is by control."""
    controls = [
        (ids.PRESET, "value", said.get("preset")),
        (ids.filter_field("start"), "value", said.get("start")),
        (ids.filter_field("end"), "value", said.get("end")),
        (ids.AGAINST, "value", said.get("against")),
        *((ids.filter_field(field), "value", said.get(field)) for field in LIST_FIELDS),
    ]
    traits = [ids.trait(name) for name in TRAITS]
    ends = [ids.number(*end) for end in ENDS]
    many = [
        [{"id": id_, "property": "value", "value": said.get(str(id_["name"]))} for id_ in traits],
        [
            {"id": id_, "property": "value", "value": said.get("ends", {}).get(end)}
            for id_, end in zip(ends, ENDS, strict=True)
        ],
    ]
    key = next(key for key in keys(client) if "filters-offered.data" in key)
    outputs = [_output(part, traits, ends) for part in key.strip(".").split("...")]
    body = {
        "output": key,
        "outputs": outputs,
        "inputs": [
            {"id": ids.URL, "property": "search", "value": search},
            {"id": ids.URL, "property": "pathname", "value": pathname},
            *({"id": id_, "property": name, "value": value} for id_, name, value in controls),
            *many,
        ],
        "state": [
            *([{"id": id_, "property": "id", "value": id_} for id_ in of] for of in (traits, ends)),
            {"id": ids.OFFERED, "property": "data", "value": said.get("offered")},
        ],
        "changedPropIds": [changed],
    }
    reply = client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
    assert reply.status_code == 200, reply.get_data(as_text=True)[-800:]
    return reply.get_json()["response"]


def keys(client: FlaskClient) -> list[str]:
    """How each callback is called."""
    return [of["output"] for of in client.get("/_dash-dependencies").get_json()]


def _output(part: str, traits: list[Any], ends: list[Any]) -> Any:
    id_, _, prop = part.rpartition(".")
    if '["ALL"]' in id_:
        of = traits if '"trait"' in id_ else ends
        return [{"id": one, "property": prop} for one in of]
    return {"id": json.loads(id_) if id_.startswith("{") else id_, "property": prop}


hand_made = st.text(max_size=30) | st.lists(st.tuples(st.sampled_from(NAMES), word), max_size=5).map(urlencode)


@SOME
@given(query=hand_made)
def test_a_hand_made_address_is_answered_with_its_canonical_form(client: FlaskClient, query: str) -> None:
    search = f"?{query}".encode("utf-8", "replace").decode()
    answer = followed(client, search, "url.search", {})
    canonical = Filters.from_query(search).query()
    told = answer.get(ids.CANONICAL, {}).get("data", {"canonical": search})
    assert told["canonical"] == canonical
    assert "search" not in answer.get(ids.URL, {}), "it takes the place of the address and adds none to the history"


def test_the_page_of_data_keeps_its_own_address(client: FlaskClient) -> None:
    assert ids.CANONICAL not in followed(client, "?upload=abc", "url.search", {}, "/data")


@pytest.mark.parametrize(
    ("changed", "said", "address"),
    [
        ("filter-preset.value", {"preset": "last-month"}, "?from=2017-12-01&to=2017-12-31&trait=age%3A65%2B"),
        ("filter-preset.value", {"preset": "../../x"}, None),
        ("filter-against.value", {"against": "year"}, "?against=year&trait=age%3A65%2B"),
        ("filter-against.value", {"against": ["year"]}, None),
        ('{"name":"age","type":"trait"}.value', {"age": []}, ""),
        ('{"name":"age","type":"trait"}.value', {"age": ["25-34", "65+"]}, "?trait=age%3A25-34&trait=age%3A65%2B"),
        (
            '{"column":"frequency","end":"low","type":"number"}.value',
            {"ends": {ENDS[0]: 3}},
            "?trait=age%3A65%2B&frequency=3..",
        ),
        (
            '{"column":"churn_risk","end":"high","type":"number"}.value',
            {"ends": {ENDS[3]: 25}},
            "?trait=age%3A65%2B&churn_risk=..0.25",
        ),
        ('{"column":"churn_risk","end":"high","type":"number"}.value', {"ends": {ENDS[3]: {"x": 1}}}, None),
        ('{"field":"segments","type":"filter"}.value', {"segments": {"a": 7}}, None),
    ],
)
def test_a_control_writes_the_address(
    client: FlaskClient, changed: str, said: dict[str, Any], address: str | None
) -> None:
    answer = followed(client, "?trait=age:65%2B", changed, {"age": ["65+"], **said})
    shown = answer.get(ids.URL, {}).get("search", "?trait=age%3A65%2B")
    assert shown == ("?trait=age%3A65%2B" if address is None else address)
    offered = answer[ids.OFFERED]["data"]
    again = followed(client, "?trait=age:65%2B", changed, {"age": ["65+"], **said, "offered": offered})
    assert not any(re.search(r"options", json.dumps(part)) for part in again.values()), (
        "what is known is not sent again"
    )
