"""What somebody hostile types, sends and hands in: never a 500, never a formula in a file, and the shop stays."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
from dash import Dash
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from dashboard import ids
from dashboard.app import create_app
from dashboard.downloads import LISTS
from dashboard.pages import OF_PICTURE, OF_SLOT, PAGES
from db.engine import make_engine
from permissions import Role
from settings import Settings
from tests.clients import callback_body, signed_in
from tests.conftest import shop_made
from tests.integration.test_permissions import ROWS
from tests.poison import TEXTS, UNWRITTEN, made

FIELDS = (
    *("from", "to", "against", "country", "department", "category", "product", "segment", "rfm_group", "alternative"),
    *("trait", "move", "cohort", "bridge", "run", "by", "picture", "monetary", "churn_risk", "since", "until"),
    *("grid", "load", "upload", "columns", "about", "buyers", "price", "model", "nonsense"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r", " =", "＝")


@dataclass
class Poisoned:
    """The application over a shop of hostile names, and an admin's client."""

    app: Dash
    client: FlaskClient
    engine: Engine

    def asks(self, output: str, **values: Any) -> None:
        """Ask a callback; it must be answered, and no part of a page may fail."""
        reply = self.client.post("/_dash-update-component", json=callback_body(self.app, output, values))
        self.checked(reply, (output, values))

    def checked(self, reply: Any, what: object) -> None:
        assert reply.status_code < 500, (what, reply.get_data(as_text=True)[:300])
        assert "X-Spectrum-Failed" not in reply.headers, (what, reply.get_data(as_text=True)[:300])
        assert "Traceback" not in reply.get_data().decode(errors="replace")


@pytest.fixture(scope="module")
def poisoned(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Poisoned]:
    def build(settings: Settings, engine: Engine) -> Poisoned:
        app = create_app(made(settings, engine))
        app.server.test_client().get("/_dash-layout")
        client = signed_in(app.server, engine, Role.ADMIN)
        return Poisoned(app, client, make_engine(settings))

    with shop_made(server, tmp_path_factory.mktemp("poisoned"), build) as poisoned:
        before = rows(poisoned.engine)
        yield poisoned
        assert rows(poisoned.engine) == before, "nothing that was asked changed the shop"
        poisoned.engine.dispose()


def rows(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in ("customer", "product", "transaction_line", "load", "customer_segment", "model_run")
        }


SLOT, PICTURE = '{"name":["MATCH"],"type":"slot"}', '{"name":["MATCH"],"type":"picture"}'
NARROW = ("overview.kpis", "segments.sentence", "value.cards", "customers.trail", "movement.sentence")


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_of_an_address_takes_every_text(poisoned: Poisoned, field: str) -> None:
    page = next(output for output in poisoned.app.callback_map if output.startswith("..page.children"))
    for number, hostile in enumerate((*TEXTS[FIELDS.index(field) % 4 :: 4], *UNWRITTEN)):
        query = f"?{field}={quote(hostile, errors='surrogatepass')}"
        name = NARROW[number % len(NARROW)]
        given = {"url.search": query, "url.pathname": OF_SLOT[name].path}
        poisoned.asks(f"{SLOT}.children", **{f"{SLOT}.id": {"name": name, "type": "slot"}}, **given)
        if number % 9 == 0:
            poisoned.asks(page, **given)
            poisoned.checked(poisoned.client.get(f"/{query}"), query)


def test_every_part_of_every_page_shows_every_name(poisoned: Poisoned) -> None:
    for name, page in {**OF_SLOT, **OF_PICTURE}.items():
        is_picture = name in OF_PICTURE
        place, prop = (PICTURE, "figure") if is_picture else (SLOT, "children")
        for hostile in TEXTS[::20] if page.path.endswith("/") and page.path != "/" else TEXTS[:1]:
            given = {f"{place}.id": {"name": name, "type": "picture" if is_picture else "slot"}}
            given["url.pathname"] = page.path + (quote(hostile, safe="") if page.path != "/" else "")  # type: ignore[assignment]
            poisoned.asks(f"{place}.{prop}", **given)


@pytest.mark.parametrize("hostile", [*TEXTS, *UNWRITTEN], ids=lambda hostile: ascii(hostile)[:30])
def test_a_grid_takes_it_as_a_column_a_sort_a_test_and_a_search(poisoned: Poisoned, hostile: str) -> None:
    text_of = {"filterType": "text", "type": "contains", "filter": hostile}
    either = {"filterType": "text", "operator": hostile, "conditions": [text_of, {**text_of, "type": hostile}]}
    for request in (
        {**ROWS, "filterModel": {"customer_id": text_of}},
        {**ROWS, "filterModel": {hostile: text_of}},
        {**ROWS, "filterModel": {"segment": either, "monetary": {"filterType": "number", "filter": hostile}}},
        {**ROWS, "sortModel": [{"colId": hostile, "sort": "asc"}, {"colId": "monetary", "sort": hostile}]},
        {**ROWS, "context": {"search": hostile, "columns": [hostile, "customer_id"]}},
        {"startRow": hostile, "endRow": [hostile], "filterModel": hostile, "sortModel": {hostile: 1}},
    ):
        for grid in (ids.GRID, ids.BUNDLES):
            output = next(known for known in poisoned.app.callback_map if known.startswith(f"..{grid}.getRowsResponse"))
            poisoned.asks(output, **{f"{grid}.getRowsRequest": request})
    for box in (ids.PICK_CUSTOMER, ids.PICK_PRODUCT):
        poisoned.asks(f"{box}.options", **{f"{box}.search_value": hostile})


STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1e308, -1e308, 2**63, "", [], {}, [[]], {"a": None}, [None], "\ud800", "\x00"),
    *({"id": 1}, {"__proto__": 1}, ["x"] * 500, {"x": {"x": {"x": [1]}}}, "x" * 9000, [{"label": 1, "value": {}}]),
)


@pytest.mark.parametrize("strange", STRANGE, ids=lambda strange: repr(strange)[:30])
def test_every_input_of_every_callback_takes_every_value(poisoned: Poisoned, strange: Any) -> None:
    for output, told in poisoned.app.callback_map.items():
        if told.get("callback") is None:
            continue
        for part in (*told["inputs"], *told["state"]):
            name = f"{part['id']}.{part['property']}"
            reply = poisoned.client.post(
                "/_dash-update-component",
                data=json.dumps(callback_body(poisoned.app, output, {name: strange})),
                content_type="application/json",
            )
            assert reply.status_code < 500, (output, name, strange, reply.get_data(as_text=True)[:300])


@pytest.mark.parametrize("name", LISTS)
def test_no_file_that_goes_out_holds_a_formula(poisoned: Poisoned, name: str) -> None:
    about = f"?about={quote(TEXTS[12], safe='')}"
    content = poisoned.client.get(f"/download/{name}.csv{about}").get_data().decode("utf-8-sig")
    for row in csv.reader(io.StringIO(content, newline="")):
        for cell in row:
            assert not cell.startswith(FORMULA) or is_number(cell), cell
    workbook = poisoned.client.get(f"/download/{name}.xlsx{about}").get_data()
    sheet = openpyxl.load_workbook(io.BytesIO(workbook)).worksheets[0]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"n", "s", "d", "b", "inlineStr"}
    assert sheet.max_row == len(list(csv.reader(io.StringIO(content, newline=""))))


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("hostile", [*TEXTS, *UNWRITTEN], ids=lambda hostile: ascii(hostile)[:30])
def test_a_user_a_file_and_an_audience_may_be_called_so_or_are_refused(poisoned: Poisoned, hostile: str) -> None:
    sent = hostile.encode("utf-8", "replace")
    told = {"do": "add", "name": sent, "role": "executive", "countries": sent[:40]}
    reply = poisoned.client.post("/users", data=told)
    assert reply.status_code in (200, 429), reply.text[:300]
    assert "<script>window" not in reply.text
    assert "<img src=x" not in reply.text
    page = poisoned.client.get(f"/audit?actor={quote(hostile, errors='replace')}&action=x&before=x")
    assert page.status_code == 200
    assert "<img src=x" not in page.text
    named = quote(hostile, errors="replace") + ".csv"
    reply = poisoned.client.post("/upload", data=b"a,b\n1,2\n", headers={"X-File-Name": named[:2000]})
    assert reply.status_code in (200, 400, 429)
    output = next(known for known in poisoned.app.callback_map if known.startswith("..audience-said.children"))
    poisoned.asks(output, **{"audience-save.n_clicks": 1, "audience-name.value": hostile})


def test_every_page_is_found_or_not_whatever_stands_in_its_address(poisoned: Poisoned) -> None:
    for hostile in (*TEXTS, *UNWRITTEN):
        for page in PAGES:
            reply = poisoned.client.get(page.path + quote(hostile, errors="surrogatepass"))
            assert reply.status_code in (200, 303, 308, 400, 404, 429), (page.path, hostile, reply.status_code)
