"""Every route and every callback of the running application, asked by nobody, by each role and with forged inputs: the
answers are those of the table of permissions, and no refused one holds anything of the shop."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from dash import Dash
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.engine import URL
from werkzeug.test import TestResponse

import permissions
from dashboard.app import create_app
from dashboard.pages import OF_PICTURE, OF_SLOT, PAGES, PICTURES, SLOTS
from dashboard.shell import SHELL_SLOTS
from db import audit
from db.engine import make_engine
from db.scope import pseudonym
from db.secret import PSEUDONYMS, secret
from permissions import CALLBACKS, NOBODY, PARTS, RIGHTS, ROUTES, Right, Role, Viewer
from settings import Settings
from tests.clients import callback_body, signed_in
from tests.conftest import shop_made
from tests.two_countries import FRENCH, SPANISH, made

OF_THE_SHOP = re.compile(rf"{FRENCH}\d|{SPANISH}\d|Thing \d|Kind \d|Champions|\bSpain\b|\bFrance\b")
WHO = {
    "nobody": NOBODY,
    **{role.value: Viewer("", role) for role in Role},
    "marketer of France": Viewer("", Role.MARKETER, ("France",)),
    "admin of France": Viewer("", Role.ADMIN, ("France",)),
}
everybody = pytest.mark.parametrize("who", WHO)


@dataclass
class House:
    """The application with a client of each kind."""

    app: Dash
    clients: Mapping[str, FlaskClient]
    someone: Mapping[str, str]
    """What a subject may be: a customer, a product."""
    settings: Settings


@pytest.fixture(scope="module")
def house(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    def build(settings: Settings, engine: Engine) -> House:
        app = create_app(made(settings, engine))
        app.server.test_client().get("/_dash-layout")
        clients = {
            name: app.server.test_client()
            if who.role is None
            else signed_in(app.server, engine, who.role, who.countries)
            for name, who in WHO.items()
        }
        return House(app, clients, {"customer": f"{SPANISH}001", "product": "p1"}, settings)

    with shop_made(server, tmp_path_factory.mktemp("house"), build) as house:
        yield house


@pytest.fixture(scope="module")
def record(house: House) -> Iterator[Engine]:
    engine = make_engine(house.settings)
    yield engine
    engine.dispose()


def refused(reply: TestResponse) -> bool:
    """Turned away or refused, and told nothing of the shop with it."""
    to_sign_in = reply.status_code == 303 and reply.headers["Location"].startswith("/sign-in")
    if reply.status_code not in (401, 403) and not to_sign_in:
        return False
    assert not OF_THE_SHOP.search(reply.get_data(as_text=True))
    return True


IN_ADDRESSES = {
    "path": "customers",
    "filename": "style.css",
    "name": "customers",
    "suffix": "csv",
    "load_id": "1",
    "token": "x",
    "package_name": "dash",
    "fingerprinted_path": "x.js",
}


def addresses(app: Dash) -> Iterator[tuple[str, str, str]]:
    """(rule, method, an address of it) of every route."""
    for rule in app.server.url_map.iter_rules():
        address = re.sub(r"<(?:[^<>]*:)?(\w+)>", lambda found: IN_ADDRESSES[found.group(1)], rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule.rule, method, address


def test_every_route_and_callback_and_page_is_in_the_table_and_nothing_else(house: House) -> None:
    assert {rule.rule for rule in house.app.server.url_map.iter_rules()} == set(ROUTES)
    served = [output for output, told in house.app.callback_map.items() if told.get("callback") is not None]
    assert {name for output in served if (name := known_as(output))} == set(CALLBACKS)
    assert all(permissions.for_callback(output) for output in served)
    assert {page.path for page in PAGES} == set(permissions.PAGES)
    assert set(PARTS) <= {*SLOTS, *PICTURES, *SHELL_SLOTS}
    assert set(SHELL_SLOTS) <= set(PARTS)


def known_as(output: str) -> str | None:
    return next((name for name in CALLBACKS if CALLBACKS[name] is not None and _same(output, name)), None)


def _same(output: str, name: str) -> bool:
    first = output.strip(".").split("...")[0].split("@")[0]
    if first.startswith("{"):
        return f'"type":"{name.split(".")[0]}"' in first and first.endswith("." + name.split(".")[1])
    return first == name


@everybody
def test_every_route_answers_as_the_table_says(house: House, who: str) -> None:
    client, viewer = house.clients[who], WHO[who]
    for rule, method, address in addresses(house.app):
        if rule == "/sign-out":
            continue  # it would end the session that the others are asked in
        reply = client.open(address, method=method)
        assert reply.status_code < 500, (who, method, address, reply.status_code)
        if ROUTES[rule] is Right.EVERYBODY:
            assert not OF_THE_SHOP.search(reply.get_data().decode(errors="replace")), address
        elif not viewer.may(ROUTES[rule]):
            assert refused(reply), (who, method, address, reply.status_code)
        else:
            assert reply.status_code not in (401, 403), (who, method, address)
            assert not reply.headers.get("Location", "").startswith("/sign-in"), (who, method, address)


@everybody
def test_every_callback_answers_as_the_table_says(house: House, who: str) -> None:
    client, viewer = house.clients[who], WHO[who]
    for output, told in house.app.callback_map.items():
        if told.get("callback") is None:
            continue
        slot = {"name": "overview.kpis", "type": "slot"}
        values: dict[str, Any] = {f"{of['id']}.id": slot for of in told["state"] if of["property"] == "id"}
        values |= {"customer-grid.getRowsRequest": ROWS, "bundle-grid.getRowsRequest": ROWS}
        reply = client.post("/_dash-update-component", json=callback_body(house.app, output, values))
        right = permissions.for_callback(output)
        if viewer.may(right):
            assert reply.status_code in (200, 204), (who, output, reply.get_data(as_text=True)[:300])
        else:
            assert refused(reply), (who, output, reply.status_code)


ROWS = {"startRow": 0, "endRow": 50, "sortModel": [], "filterModel": {}}
SLOT = '{"name":["MATCH"],"type":"slot"}'
PICTURE = '{"name":["MATCH"],"type":"picture"}'


def part(house: House, client: FlaskClient, name: str, path: str, *, said: str = "", search: str = "") -> TestResponse:
    """Ask for a part of a page; `said`: what the outputs pretend to be."""
    kind = "picture" if name in PICTURES else "slot"
    place = PICTURE if kind == "picture" else SLOT
    output = f"{place}.{'figure' if kind == 'picture' else 'children'}"
    own = {"name": name, "type": kind}
    asked = callback_body(house.app, output, {f"{place}.id": own, "url.pathname": path, "url.search": search})
    asked["outputs"] = {"id": {"name": said or name, "type": kind}, "property": asked["outputs"]["property"]}
    return client.post("/_dash-update-component", json=asked)


def places(house: House) -> Iterator[tuple[str, str]]:
    """(part, an address of its page)."""
    for name, page in {**OF_SLOT, **OF_PICTURE}.items():
        subject = "customer" if "customers/" in page.path else "product" if "products/" in page.path else ""
        yield name, page.path + house.someone.get(subject, "")


@everybody
def test_every_part_of_every_page_answers_as_the_table_says(house: House, who: str) -> None:
    client, viewer = house.clients[who], WHO[who]
    others = SPANISH if viewer.countries else None
    for name, path in places(house):
        of = (OF_SLOT.get(name) or OF_PICTURE[name]).path
        for said in ("", "overview.kpis"):  # forged: the outputs are those of a part that all may see
            reply = part(house, client, name, path, said=said)
            text = reply.get_data(as_text=True)
            if viewer.role is None:
                assert refused(reply)
            elif not viewer.may(permissions.for_part(name, of)):
                assert not OF_THE_SHOP.search(text), (who, name)
            elif not viewer.may(Right.CUSTOMERS):
                assert not re.search(rf"(?:{FRENCH}|{SPANISH})\d", text), (who, name)
                assert not re.search(r"[Cc]lick [^.]*(?:customer|them)\b", text), (who, name)
            if others and viewer.role is not None:
                assert not re.search(rf"{others}(?!001)\d", text), (who, name)
                assert "X-Spectrum-Failed" not in reply.headers, (who, name, text[:300])
            if who == "admin" and not said:
                assert reply.status_code == 200, name
                assert "X-Spectrum-Failed" not in reply.headers, name


@everybody
def test_every_page_opens_for_who_may_and_no_address_forges_another(house: House, who: str) -> None:
    client, viewer = house.clients[who], WHO[who]
    output = next(output for output in house.app.callback_map if output.startswith("..page.children"))
    for page in PAGES:
        path = page.path + (house.someone["customer"] if page.path.endswith("/") and page.path != "/" else "")
        for address in (path, path + "/", path.replace("customers", "%63ustomers")):
            reply = client.post(
                "/_dash-update-component", json=callback_body(house.app, output, {"url.pathname": address})
            )
            if viewer.role is None:
                assert refused(reply)
                continue
            text = reply.get_data(as_text=True)
            assert reply.status_code == 200, (who, address, text[:300])
            if address == path:
                assert ("This page is not for you" in text) is not viewer.may(permissions.PAGES[page.path]), (who, path)


FORGED: tuple[dict[str, Any], ...] = (
    {"output": "nothing.children"},
    {"output": "customer-grid.rowData"},
    {"output": '{"name":["MATCH"],"type":"slot"}.data'},
    {"outputs": None},
    {"outputs": "x"},
    {"inputs": []},
    {"inputs": [{"id": "url", "property": "search", "value": {"a": 1}}] * 2},
    {"state": [{"id": "url"}]},
    {"state": "x"},
    {"changedPropIds": {"a": 1}},
)


@pytest.mark.parametrize("change", FORGED, ids=lambda change: json.dumps(change)[:50])
def test_what_no_page_would_send_is_refused(house: House, change: dict[str, Any]) -> None:
    asked = (
        callback_body(house.app, f"{SLOT}.children", {f"{SLOT}.id": {"name": "overview.kpis", "type": "slot"}}) | change
    )
    for who in ("nobody", "executive", "admin"):
        reply = house.clients[who].post("/_dash-update-component", json=asked)
        assert reply.status_code in ((401,) if who == "nobody" else (400, 403)), reply.get_data(as_text=True)[:200]


def test_who_is_limited_to_a_country_asks_in_vain_for_another(house: House) -> None:
    client = house.clients["marketer of France"]
    for query in ("", "?country=Spain", "?country=Spain&country=France", "?run=1", "?segment=Champions&country=Spain"):
        reply = client.get(f"/download/customers.csv{query}")
        assert reply.status_code == 200
        assert SPANISH not in reply.get_data(as_text=True), query
        reply = client.get(f"/download/recommendations.csv{query}")
        assert SPANISH not in reply.get_data(as_text=True), query
        for name, path in places(house):
            text = part(house, client, name, path, search=query).get_data(as_text=True)
            assert not re.search(rf"{SPANISH}(?!001)\d", text), (name, query)
    assert FRENCH in client.get("/download/customers.csv").get_data(as_text=True)
    typed = callback_body(house.app, "pick-customer.options", {"pick-customer.search_value": SPANISH})
    assert client.post("/_dash-update-component", json=typed).get_json()["response"]["pick-customer"]["options"] == []


def test_a_role_has_the_rights_that_its_documents_tell() -> None:
    assert Right.CUSTOMERS not in RIGHTS[Role.EXECUTIVE]
    assert Right.LISTS not in RIGHTS[Role.EXECUTIVE] | RIGHTS[Role.ANALYST]
    assert RIGHTS[Role.ADMIN] == frozenset(Right)
    assert all(Right.USERS not in rights for role, rights in RIGHTS.items() if role is not Role.ADMIN)


def test_who_saw_and_who_downloaded_customers_is_noted_without_the_customers(house: House, record: Engine) -> None:
    client, output = house.clients["marketer"], "..customer-grid.getRowsResponse...customer-grid-count.children"
    grid = next(known for known in house.app.callback_map if known.startswith(output))
    asked = ROWS | {
        "filterModel": {"customer_id": {"filterType": "text", "type": "equals", "filter": f"{FRENCH}001"}},
        "context": {"search": FRENCH},
    }
    given = {"customer-grid.getRowsRequest": asked, "url.search": "?country=France"}
    page = next(known for known in house.app.callback_map if known.startswith("..page.children"))
    for _ in range(2):
        client.post("/_dash-update-component", json=callback_body(house.app, grid, given))
        client.post(
            "/_dash-update-component", json=callback_body(house.app, page, {"url.pathname": f"/customers/{FRENCH}001"})
        )
    client.get("/download/customers.csv?country=France&columns=customer_id,segment")
    found = [event for event in audit.events(record) if event.actor.startswith("marketer-")]
    newest = {event.action: event for event in reversed(found)}
    assert newest["saw customers"].details == {
        "filters": "?country=France",
        "narrowed by": ["customer_id"],
        "searched": "yes",
    }
    assert newest["saw customers"].rows == 1
    assert newest["downloaded list"].rows == 150
    assert newest["downloaded list"].details["columns"] == ["customer_id", "segment"]
    settings = house.settings
    someone = pseudonym(secret(settings, PSEUDONYMS), f"{FRENCH}001")
    assert [event.action for event in found if event.subject == someone] == ["saw customer"], "again is the same"
    assert not re.search(rf"{FRENCH}\d", str(found))


@pytest.mark.parametrize("role", [Role.ANALYST, Role.EXECUTIVE])
def test_under_pseudonyms_no_id_reaches_who_needs_no_identity(house: House, record: Engine, role: Role) -> None:
    app = create_app(house.settings.model_copy(update={"pseudonyms": True}))
    client = signed_in(app.server, record, role)
    hidden = House(app, {role: client}, {"customer": "~", "product": "p1"}, house.settings)
    someone = pseudonym(secret(house.settings, PSEUDONYMS), f"{FRENCH}001")
    for name, path in places(hidden):
        text = part(hidden, client, name, path.replace("~", someone)).get_data(as_text=True)
        assert not re.search(rf"(?:{FRENCH}|{SPANISH})\d", text), name
        if role is Role.ANALYST and name == "customer.head":
            assert someone in text
            assert "France" in text
    marketer = signed_in(app.server, record, Role.MARKETER)
    assert f"{FRENCH}001" in part(hidden, marketer, "customer.head", f"/customers/{FRENCH}001").get_data(as_text=True)
