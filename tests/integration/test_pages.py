"""The application without a browser: every slot of every page, the grid, the download, health, the empty shop."""

import csv
import io
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from plotly.utils import PlotlyJSONEncoder
from sqlalchemy import Engine, text

from dashboard import ids
from dashboard.downloads import CUSTOMERS, address_of
from dashboard.pages import PAGES, match
from dashboard.shell import SHELL_SLOTS
from dashboard.view import Views
from db import snapshot
from db.engine import make_engine
from db.grid import GridRequest
from db.queries import customers
from settings import Settings
from tests.clients import operator
from tests.conftest import HOUSEHOLDS

QUERIES = [
    "",
    "?segment=Champions&department=Grocery",
    "?from=2017-03-01&to=2017-03-01",
    "?from=2031-01-01",
    "?to=1901-01-01",
    "?from=nonsense&to=2017-13-45&segment=&segment=No+such&country=%00&page=7&from=2017-01-01",
    "?bridge=lapsed&cohort=2017-03:2&move=segment:2017-06-01:2017-09-01:::quiet&by=rfm_group&run=1&since=2017-06-01",
    "?run=999999&trait=age:45-54&p_alive=0.5..&value_decile=1..&group=Champions&alternative=No&product=No&by=alternative",
    "?against=year&from=2017-12-31&to=2017-12-31&trait=age:45-54&trait=no:such&frequency=2..&churn_risk=..0.5",
    f"?against=always&against=year&{'&'.join(f'product={number}' for number in range(500))}",
    "?segment=%27%3B+DROP+TABLE+product--&category=%F0%9F%92%8E&department=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
]


@pytest.fixture(scope="module")
def client(sample_shop: Settings) -> FlaskClient:
    client: FlaskClient = operator(sample_shop)
    client.get("/_dash-layout")
    return client


def asked(client: FlaskClient, output: Any, inputs: list[Any], state: list[Any], key: str) -> Any:
    """What a callback answers, called as the browser calls it."""
    reply = client.post(
        "/_dash-update-component",
        json={"output": key, "outputs": output, "inputs": inputs, "state": state, "changedPropIds": []},
    )
    assert reply.status_code in (200, 204), reply.get_data(as_text=True)[:500]
    return reply.get_json(silent=True)


def slot(client: FlaskClient, name: str, path: str, query: str) -> str:
    id_ = ids.slot(name)
    answer = asked(
        client,
        {"id": id_, "property": "children"},
        [{"id": ids.STAYED, "property": "data", "value": 1}, {"id": ids.THEME, "property": "data", "value": None}],
        [
            {"id": id_, "property": "id", "value": id_},
            {"id": ids.URL, "property": "pathname", "value": path},
            {"id": ids.URL, "property": "search", "value": query},
        ],
        '{"name":["MATCH"],"type":"slot"}.children',
    )
    return re.sub(r'"bdata": "[^"]*"', "", json.dumps(answer))  # numbers in base64, where any letters may stand


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_any_query_string_gives_every_part_of_every_page(client: FlaskClient, page: Any, query: str) -> None:
    path = page.path + "17" if page.path.endswith("/") and page.path != "/" else page.path
    for name in [*page.slots, *SHELL_SLOTS]:
        answer = slot(client, name, path, query)
        assert "could not be shown" not in answer, (name, query)
        assert "NaN" not in answer, (name, query)


def test_the_report_card_of_the_run_stands_on_the_page_of_value(client: FlaskClient) -> None:
    """What the run stored of its forecast, as the page reads it."""
    shown = slot(client, "value.report", "/value", "")
    assert "Orders a customer: mean absolute error" in shown
    assert "customers known on" in shown
    assert "both naive forecasts" in shown


def test_a_bar_of_the_tenths_tells_its_customers_to_the_mouse(client: FlaskClient) -> None:
    told = re.findall(
        r"(?:Best tenth|Tenth [2-9]|Last tenth), ([0-9,]+) customers", slot(client, "value.deciles", "/value", "")
    )
    assert sum(int(number.replace(",", "")) for number in told) == 2 * HOUSEHOLDS  # the expected and the past bars


def test_no_customer_is_advised_or_called_active_against_what_is_known_of_them(
    client: FlaskClient, sample_shop: Settings
) -> None:
    known = snapshot.open_newest(sample_shop.data_dir).frame(
        "SELECT customer_id, frequency, churn_risk, play FROM customer_segment JOIN segment_profile "
        "USING (segment) WHERE grouping = 'segment'"
    )
    away = known[(known["churn_risk"] >= 0.5) & known["play"].isin(["retain", "grow"])]
    near = known[(known["churn_risk"] < 0.5) & (known["frequency"] > 1)]
    once = known[known["frequency"] == 1]
    assert len(away)
    for of, first, active in ((away, True, None), (near, False, True), (once, None, False)):
        for customer in of["customer_id"].head(2):
            shown = slot(client, "customer.head", f"/customers/{customer}", "")
            assert first is None or ("Win back first" in shown) == first, customer
            assert active is None or ("likely still active" in shown) == active, customer


def test_before_the_first_run_pages_of_customers_tell_of_it(settings: Settings, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO load (name, sha256, status, months) VALUES ('x', 'x', 'done', '{2020-01}');"
                "INSERT INTO customer VALUES ('c', null); INSERT INTO product (product_id) VALUES ('p');"
                "INSERT INTO transaction_line SELECT 1, 1, 'o', 'c', 'p', '2020-01-01', 1, 1, 0, 1, false, null"
            )
        )
    snapshot.refresh(engine, settings.data_dir)
    client = operator(settings)
    for path in ("/segments", "/customers"):
        page = match(path)[0]
        assert page is not None
        frame = json.dumps(page.layout(Views(settings).view("")), cls=PlotlyJSONEncoder)
        slots = "".join(slot(client, name, path, "") for name in page.slots if f'"{name}"' in frame)
        assert "python -m models run" in frame + slots
        assert "filter" not in frame + slots
        assert (frame + slots).lower().count('h2"') == 1


def test_a_stranger_and_a_strange_address_are_said_plainly(client: FlaskClient) -> None:
    assert "No customer nobody" in slot(client, "customer.head", "/customers/nobody", "")
    assert match("/no/such/page") == (None, "")
    assert match("/segments/")[0] is match("/segments")[0]
    page, subject = match("/customers/a%2Fb%20c")
    assert page is not None
    assert subject == "a/b c"


def test_the_download_is_the_list_and_its_order(client: FlaskClient, sample_shop: Settings) -> None:
    grid = {
        "sortModel": [{"colId": "monetary", "sort": "desc"}],
        "filterModel": {"frequency": {"type": "greaterThan", "filter": 20}},
    }
    reply = client.get(address_of(CUSTOMERS, "?department=Produce", grid))
    rows = list(csv.DictReader(io.StringIO(reply.get_data(as_text=True))))
    engine = make_engine(sample_shop)
    with engine.connect() as connection:
        expected = connection.execute(
            text(
                "SELECT customer_id, monetary::float8 FROM current_customer_segment WHERE frequency > 20 "
                "AND customer_id IN (SELECT customer_id FROM transaction_line JOIN product USING (product_id) "
                "WHERE department = 'Produce' AND NOT is_return) ORDER BY monetary DESC, customer_id"
            )
        ).all()
    engine.dispose()
    assert len(expected) > 100
    assert [(row["customer_id"], float(row["monetary"])) for row in rows] == [tuple(row) for row in expected]
    assert reply.headers["X-Spectrum-Rows"] == str(len(rows))
    assert all(row["new_offers"].count(";") == 2 for row in rows[:20])


@pytest.mark.parametrize(
    "grid", ["", "{", "[]", '{"sortModel": 7}', '{"filterModel": {"customer_id": {"type": 1}}}', "9" * 20_000]
)
def test_a_download_with_a_strange_request_is_the_whole_list(client: FlaskClient, grid: str) -> None:
    reply = client.get(f"/download/customers.csv?grid={quote(grid)}")
    assert reply.status_code == 200
    assert reply.get_data().count(b"\n") == int(reply.headers["X-Spectrum-Rows"]) + 1 == HOUSEHOLDS + 1


def test_cells_a_spreadsheet_would_run_are_made_harmless(engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO load (name, sha256, status, months) VALUES ('x', 'x', 'done', '{2020-01}');"
                "INSERT INTO customer VALUES ('=1+1', '@here'), ('-5', null), ('plain', '<b>bold</b>');"
                "INSERT INTO product (product_id, name) VALUES ('p', '+p');"
                "INSERT INTO transaction_line SELECT 1, n, 'o' || n, id, 'p', '2020-01-01', 1, 1, 0, 1, false, null "
                "FROM (VALUES (1, '=1+1'), (2, '-5'), (3, 'plain')) AS t (n, id);"
                "INSERT INTO model_run (kind, status, as_of, data_version) "
                "VALUES ('segments', 'published', '2020-01-02', 'x');"
                "INSERT INTO customer_segment "
                "SELECT 1, customer_id, '2020-01-01', 1, 1, -7.5, 1, 1, 1, 0, 'A' FROM customer"
            )
        )
    snapshot.refresh(engine, settings.data_dir)
    reply = operator(settings).get("/download/customers.csv")
    rows = {row["customer_id"]: row for row in csv.DictReader(io.StringIO(reply.get_data(as_text=True)))}
    assert set(rows) == {"'=1+1", "'-5", "plain"}
    assert rows["'=1+1"]["country"] == "'@here"
    assert rows["plain"]["country"] == "<b>bold</b>"
    assert float(rows["plain"]["monetary"]) == -7.5


def test_an_empty_shop_says_what_to_do(settings: Settings, engine: Engine) -> None:
    client = operator(settings)
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").status_code == 503
    assert "python -m etl load" in client.get("/download/customers.csv").get_data(as_text=True)
    assert "python -m etl load" in slot(client, "overview.kpis", "/", "")
    snapshot.refresh(engine, settings.data_dir)
    assert "python -m etl load" in slot(client, "overview.kpis", "/", "")


def test_two_applications_live_side_by_side(sample_shop: Settings, settings: Settings) -> None:
    full, bare = (operator(s) for s in (sample_shop, settings))
    assert "Net revenue" in slot(full, "overview.kpis", "/", "")
    assert "Nothing to show yet" in slot(bare, "overview.kpis", "/", "")


def test_no_page_names_another_host(client: FlaskClient) -> None:
    page = client.get("/").get_data(as_text=True)
    assert "https://" not in page
    assert "http://" not in page
    assert client.get("/vendor/bootstrap.min.css").status_code == 200
    assert client.get("/nothing/here.txt").status_code in (200, 404)


HOSTILE_BODIES: list[Any] = [
    {},
    [],
    None,
    5,
    {"output": "no.such"},
    {"output": ["a"], "inputs": []},
    {"output": '{"name":["MATCH"],"type":"slot"}.children', "outputs": {}, "inputs": "x", "state": 3},
]


@pytest.mark.parametrize("body", HOSTILE_BODIES, ids=range(len(HOSTILE_BODIES)))
def test_a_body_that_no_page_would_send_is_refused(client: FlaskClient, body: Any) -> None:
    assert client.post("/_dash-update-component", json=body).status_code == 400
    assert client.post("/_dash-update-component", data=b"\xff" * 2_000_000).status_code in (400, 413)
    assert client.get("/_dash-component-suites/dash/../../settings.py").status_code == 404


REQUESTS: list[Any] = [
    5,
    [],
    "x",
    {"startRow": 10**400},
    {"context": {"search": "\ud800", "columns": ["clv", {}]}},
    {"context": {"search": "%' OR true --", "columns": ["segment", "country", "next_order_at"]}, "endRow": 5},
    {"filterModel": {"frequency": {"type": "equals", "filter": 10**400}}},
    {"filterModel": {"customer_id": {"type": "contains", "filter": "\ud800"}}},
]
NESTED: dict[str, Any] = {"type": "contains", "filter": "\ud800"}
for _ in range(9):
    NESTED = {"operator": "OR", "conditions": [NESTED] * 4}


@pytest.mark.parametrize("given", REQUESTS, ids=range(len(REQUESTS)))
def test_a_grid_request_of_any_form_is_answered(client: FlaskClient, given: Any) -> None:
    outputs = [(ids.GRID, "getRowsResponse"), (ids.GRID_COUNT, "children"), (ids.DOWNLOAD, "href")]
    asked(
        client,
        [{"id": id_, "property": name} for id_, name in outputs],
        [{"id": ids.GRID, "property": "getRowsRequest", "value": given}],
        [{"id": ids.URL, "property": "search", "value": ""}],
        "..customer-grid.getRowsResponse...customer-grid-count.children...customer-download.href..",
    )


def test_nested_conditions_do_not_multiply() -> None:
    where = GridRequest.parse({"filterModel": {"customer_id": NESTED}}, customers.COLUMNS).where
    assert len(where.sql) < 200
