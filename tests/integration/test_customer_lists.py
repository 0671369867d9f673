"""Lists of customers: their manifest, their columns, what is searched, saved audiences, the way to a list in words."""

import csv
import io
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from pydantic import SecretStr
from sqlalchemy.engine import URL

from dashboard import downloads, ids
from dashboard.record import Record
from dashboard.trail import in_words, steps
from db import audiences
from db.filters import Filters
from db.grid import GridRequest
from db.queries import customer_list, customers
from db.serving import Database
from errors import DatabaseError, InputError
from tests.any_filters import any_filters
from tests.clients import operator
from tests.conftest import shop_made
from tests.small_shop import Shop, made

SEEN = ["monetary", "customer_id", "segment", "new_offers"]
GRID = {
    "sortModel": [{"colId": "monetary", "sort": "desc"}],
    "filterModel": {
        "monetary": {"type": "greaterThan", "filter": 10},
        "segment": {"operator": "OR", "conditions": [{"type": "contains", "filter": v} for v in ("oyal", "risk")]},
    },
    "context": {"search": "c1", "columns": ["segment"]},
}


@pytest.fixture(scope="module")
def shop(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    data_dir: Path = tmp_path_factory.mktemp("lists")
    with shop_made(server, data_dir, made) as found:
        yield found


@pytest.fixture(scope="module")
def client(shop: Shop) -> FlaskClient:
    client: FlaskClient = operator(shop.settings)
    client.get("/_dash-layout")
    return client


def test_a_list_comes_with_a_manifest_once_it_has_arrived(client: FlaskClient, shop: Shop) -> None:
    address = downloads.address_of("/download/customers.csv", "?segment=Loyal", GRID) + f"&columns={','.join(SEEN)},x"
    announced = client.get(f"{address}&ask=1").get_json()
    assert client.get(f"/download/progress/{announced['list']}").get_json() == {"state": "waiting"}
    reply = client.get(f"{address}&list={announced['list']}")
    where = reply.headers["X-Spectrum-Manifest"]
    assert where == f"/download/manifest/{announced['list']}"
    assert client.get(where).status_code == 404
    content = reply.get_data()
    reply.close()
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    expected = shop.ask("segment = 'Loyal' AND monetary > 10 AND customer_id LIKE 'c1%'")
    assert {row["customer_id"] for row in rows} == expected != set()
    assert list(rows[0]) == SEEN
    assert [float(row["monetary"]) for row in rows] == sorted((float(row["monetary"]) for row in rows), reverse=True)
    told = client.get(where).get_json()
    assert client.get(where).headers["Content-Disposition"].endswith(f'"{told["file"]}.manifest.json"')
    assert (told["rows"], told["bytes"], told["sha256"]) == (len(rows), len(content), sha256(content).hexdigest())
    assert told["filters"] == [
        "Segment: Loyal",
        "Spend above 10",
        "Segment contains “oyal” or contains “risk”",
        "Search: “c1”",
    ]
    data = shop.view("").snapshot
    assert (told["query"], told["columns"], told["user"]) == ("?segment=Loyal", SEEN, "operator")
    assert (told["data_version"], told["snapshot"]) == (data.manifest.data_version, data.version)
    assert told["runs"] == dict(data.manifest.runs)


def test_a_list_that_is_cut_off_has_no_manifest(client: FlaskClient) -> None:
    name = client.get("/download/customers.csv?ask=1").get_json()["list"]
    reply = client.get(f"/download/customers.csv?list={name}", buffered=False)
    next(reply.iter_encoded())
    reply.close()
    assert client.get(f"/download/progress/{name}").get_json()["state"] == "broken"
    assert client.get(f"/download/manifest/{name}").status_code == 404
    assert client.get("/download/progress/made-up").status_code == 404


def test_excel_has_the_rows_of_the_csv(client: FlaskClient) -> None:
    lists = ("customers", "recommendations", "audience", "bundles")
    for query in ("?segment=Loyal", "?segment=Nobody"):
        for name in lists:
            rows = list(csv.reader(io.StringIO(client.get(f"/download/{name}.csv{query}").get_data(as_text=True))))
            book = openpyxl.load_workbook(io.BytesIO(client.get(f"/download/{name}.xlsx{query}").get_data()))
            found = [[cell.value for cell in row] for row in book["List"]]
            assert found[0] == rows[0]
            assert len(found) == len(rows)
            assert [row[0] for row in found] == [row[0] for row in rows]


def test_what_does_not_fit_into_excel_is_refused_before_it_begins(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_XLSX_ROWS", 100)
    reply = client.get("/download/customers.xlsx")
    everyone = len(shop.ask("true"))
    assert reply.status_code == 413
    assert reply.get_data(as_text=True).startswith(
        f"This list has {everyone} rows, and an Excel sheet holds 100; download it as"
    )
    assert "download it as CSV" in client.get("/download/customers.xlsx?ask=1").get_json()["error"]
    assert client.get("/download/customers.csv").status_code == 200


@pytest.mark.parametrize("columns", ["", ",", "x", "%00", "customer_id;DROP", "é" * 5000])
def test_columns_that_are_none_give_all_of_them(client: FlaskClient, columns: str) -> None:
    head = client.get(f"/download/customers.csv?columns={quote(columns)}").get_data(as_text=True).partition("\n")[0]
    assert head == ",".join(f'"{name}"' for name in customer_list.LIST_COLUMNS)


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_blocks_change_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(customer_list, "_AT_ONCE", block)
    data = shop.view("").snapshot
    asked = GridRequest.parse({"sortModel": [{"colId": "country", "sort": "desc"}]}, customers.COLUMNS)
    whole = customer_list.whole_list(data, Filters(), asked, "opt-out")
    found = [row for batch in whole.batches for row in batch.to_pylist()]
    page, _ = customers.page(data, Filters(), GridRequest(rows=None, order=asked.order))
    assert whole.total == len(found) == len(shop.ask("true"))
    assert [row["customer_id"] for row in found] == page["customer_id"].to_list()
    known = page["country"].astype(object).where(page["country"].notna(), None)
    assert [row["country"] for row in found] == known.to_list()


def test_rows_deep_down_are_those_of_the_whole_list(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    data = shop.view("").snapshot
    order = '"segment" DESC NULLS LAST'
    whole, _ = customers.page(data, Filters(), GridRequest(rows=None, order=order))
    monkeypatch.setattr(customers, "_DEEP", 10)
    deep, total = customers.page(
        data, Filters(), GridRequest(first=37, rows=20, order=order, columns=("country", "clv"))
    )
    assert total == len(shop.ask("true"))
    assert list(deep) == ["customer_id", "country", "clv"]
    assert deep["customer_id"].to_list() == whole["customer_id"].to_list()[37:57]


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("C1", "customer_id LIKE 'c1%'"),
        ("loyal", "segment = 'Loyal'"),
        ("O'Brien; --", "segment LIKE 'O''Brien; --'"),
        ("champ", "rfm_group = 'Champions'"),
        ("FRAN", "country = 'France'"),
        ("' OR true --", "false"),
        ("%", "segment LIKE '%\\%%'"),
        ("  ", "true"),
    ],
)
def test_the_search_finds_ids_by_their_start_and_names_by_any_part(shop: Shop, text: str, condition: str) -> None:
    asked = GridRequest.parse({"endRow": 1000, "context": {"search": text}}, customers.COLUMNS)
    view = shop.view("")
    frame, total = customers.page(view.snapshot, view.filters, asked)
    assert set(frame["customer_id"]) == shop.ask(condition)
    assert total == len(frame)


@given(filters=any_filters())
@settings(max_examples=60)
def test_the_steps_to_a_list_lead_to_it(shop: Shop, filters: Filters) -> None:
    view = shop.view(filters.query())
    found = steps(view)
    if found and view.lost_run is None:
        assert found[-1].filters == view.filters
    assert len({step.filters.query() for step in found}) == len(found)


def test_a_step_is_said_once_for_its_alternatives(shop: Shop) -> None:
    query = "?segment=Loyal&segment=At+risk%3A+100%25&r_score=5..5&churn_risk=0.5..&from=2017-03-01&to=2017-03-31"
    assert in_words(shop.view(query)) == [
        "1 Mar – 31 Mar 2017",
        "Segment: At risk: 100% or Loyal",
        "R score: 5",
        "Churn risk: 50% or more",
    ]
    assert in_words(shop.view("")) == []


def asked(client: FlaskClient, key: str, outputs: Any, inputs: list[Any], state: list[Any], changed: str) -> str:
    told = [[{"id": i, "property": p, "value": v} for i, p, v in part] for part in (inputs, state)]
    body = {"output": key, "outputs": outputs, "inputs": told[0], "state": told[1], "changedPropIds": [changed]}
    reply = client.post("/_dash-update-component", json=body)
    assert reply.status_code in (200, 204), reply.get_data(as_text=True)
    return json.dumps(reply.get_json(silent=True), ensure_ascii=False)


def saved(client: FlaskClient, name: Any, search: str) -> str:
    outputs = [{"id": ids.AUDIENCE_SAID, "property": "children"}, {"id": ids.AUDIENCE_NAME, "property": "value"}]
    inputs = [(ids.AUDIENCE_SAVE, "n_clicks", 1), (ids.AUDIENCE_NAME, "n_submit", None)]
    state = [(ids.AUDIENCE_NAME, "value", name), (ids.URL, "search", search)]
    return asked(
        client,
        "..audience-said.children...audience-name.value..",
        outputs,
        inputs,
        state,
        f"{ids.AUDIENCE_SAVE}.n_clicks",
    )


def listed(client: FlaskClient) -> str:
    output = {"id": ids.AUDIENCES_BODY, "property": "children"}
    inputs = [(ids.URL, "search", ""), (ids.AUDIENCES_CHANGED, "data", None)]
    return asked(client, "audiences-body.children", output, inputs, [], "")


def counted(client: FlaskClient, number: Any) -> str:
    of = ids.audience_count(number)
    key = '{"audience":["MATCH"],"type":"audience-count"}.children'
    return asked(client, key, {"id": of, "property": "children"}, [(of, "id", of)], [], "")


def test_an_audience_is_saved_listed_and_counted(client: FlaskClient, shop: Shop) -> None:
    assert "No audience is saved yet" in listed(client)
    assert "Saved as" in saved(client, "  Big <b>risk</b>\u202e ", "?segment=Loyal&by=rfm_group&churn_risk=0.4..&x=1")
    assert "called “Big <b>risk</b>” already" in saved(client, "Big <b>risk</b>", "")
    kept = audiences.saved(shop.engine)
    assert [(of.name, of.query, of.saved_by) for of in kept] == [
        ("Big <b>risk</b>", "?segment=Loyal&churn_risk=0.4..", "operator")
    ]
    shown = listed(client)
    assert "Segment: Loyal; Churn risk: 40% or more" in shown
    assert "/customers?segment=Loyal&churn_risk=0.4.." in shown
    expected = len(shop.ask("segment = 'Loyal' AND churn_risk >= 0.4"))
    assert f'"children": "{expected}"' in counted(client, kept[0].audience_id)
    for odd in (0, -1, 2**40, "1", True):  # what is no text and no number the guard refuses
        assert '"children": "–"' in counted(client, odd)
    audiences.remove(shop.engine, kept[0].audience_id)


def test_an_audience_is_renamed_and_deleted(shop: Shop) -> None:
    engine = shop.engine
    for name in ("one", "two"):
        audiences.save(engine, name, "?segment=Loyal", "operator")
    one, two = audiences.saved(engine)
    with pytest.raises(InputError, match="called “two” already"):
        audiences.rename(engine, one.audience_id, " two ")
    assert audiences.rename(engine, one.audience_id, "three\n\0 four") == "three four"
    with pytest.raises(InputError, match="not there any more"):
        audiences.rename(engine, 2**31 - 1, "five")
    for bad, said in (("", "Give"), ("\u202e \0", "Give"), ("x" * 81, "at most 80 letters; this one has 81")):
        with pytest.raises(InputError, match=said):
            audiences.save(engine, bad, "", "operator")
    with pytest.raises(InputError, match="too many"):
        audiences.save(engine, "long", "?" + "x" * 9_000, "operator")
    audiences.remove(engine, one.audience_id)
    audiences.remove(engine, one.audience_id)
    assert [of.name for of in audiences.saved(engine)] == ["two"]
    audiences.remove(engine, two.audience_id)


def test_without_postgres_the_audiences_say_so_and_no_list_goes_out_that_is_not_noted(shop: Shop) -> None:
    away = shop.settings.model_copy(update={"database_url": SecretStr("postgresql://nobody@127.0.0.1:9/none")})
    client = operator(away)
    client.get("/_dash-layout")
    assert "The saved audiences cannot be read now" in listed(client)
    assert "cannot be reached" in saved(client, "x", "")
    assert '"children": "–"' in counted(client, 1)
    reply = client.get("/download/customers.csv")
    assert (reply.status_code, "is noted first" in reply.text) == (503, True)
    with pytest.raises(DatabaseError):
        Record(Database(away)).audiences()
