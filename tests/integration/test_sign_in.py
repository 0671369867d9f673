"""Sign-in as a browser does it: passwords, links, lock-out, sessions that end, tokens, names of hosts, targets."""

import re
from datetime import timedelta
from functools import partial

import pytest
from dash import Dash
from flask.testing import FlaskClient
from pydantic import SecretStr, ValidationError
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner
from werkzeug.test import TestResponse

from auth import passwords
from auth.__main__ import app as command
from auth.gate import safe_target
from auth.provider import role_of
from dashboard.app import create_app
from db import audit, users
from db.role import role_name
from db.secret import secret
from db.serving import Database
from errors import DatabaseError, InputError
from permissions import Role
from settings import Settings
from tests.clients import signed_in, take_token

PASSWORD = "four words of hers"


@pytest.fixture
def app(settings: Settings) -> Dash:
    return create_app(settings)


@pytest.fixture
def client(app: Dash) -> FlaskClient:
    client: FlaskClient = app.server.test_client()
    return client


def form_token(client: FlaskClient, address: str = "/sign-in") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(address).get_data(as_text=True))
    assert found
    return found.group(1)


def tried(client: FlaskClient, name: str, password: str, target: str = "") -> TestResponse:
    told = {"csrf_token": form_token(client), "name": name, "password": password, "next": target}
    return client.post("/sign-in", data=told)


def maria(engine: Engine, role: Role = Role.MARKETER) -> users.User:
    return users.add(engine, "maria@example.com", role, passwords.hashed(PASSWORD, "maria@example.com"))


def test_who_has_the_password_comes_in_and_goes_on_to_where_they_were(client: FlaskClient, engine: Engine) -> None:
    maria(engine)
    assert client.get("/segments?from=2020-01-01").headers["Location"] == "/sign-in?next=/segments%3Ffrom%3D2020-01-01"
    reply = tried(client, " Maria@Example.com", PASSWORD, "/segments?from=2020-01-01")
    assert (reply.status_code, reply.headers["Location"]) == (303, "/segments?from=2020-01-01")
    cookie = next(line for line in reply.headers.getlist("Set-Cookie") if line.startswith("spectrum="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert client.get("/").status_code == 200
    found = audit.events(engine)
    assert [(event.actor, event.action) for event in found] == [("maria@example.com", "signed in")]


def test_the_session_of_before_is_another_one_after_sign_in(client: FlaskClient, engine: Engine) -> None:
    maria(engine)
    form_token(client)
    before = client.get_cookie("spectrum")
    tried(client, "maria@example.com", PASSWORD)
    after = client.get_cookie("spectrum")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    client.set_cookie("spectrum", before.value)
    assert client.get("/").status_code == 303


def test_five_wrong_passwords_lock_the_name_and_say_no_more_than_of_nobody(
    client: FlaskClient, engine: Engine, app: Dash
) -> None:
    maria(engine)
    said = {re.sub(r'value="[^"]*"', "", tried(client, "maria@example.com", f"x{n}").text) for n in range(5)}
    said.add(re.sub(r'value="[^"]*"', "", tried(client, "nobody@example.com", "x").text))
    assert len(said) == 1
    assert tried(client, "maria@example.com", PASSWORD).status_code == 401
    other = app.server.test_client()
    assert tried(other, "maria@example.com", PASSWORD).status_code == 401, "it is kept in Postgres, not in a session"
    with engine.begin() as connection:
        connection.execute(text("UPDATE app_user SET locked_until = now()"))
    assert tried(client, "maria@example.com", PASSWORD).status_code == 303
    user = users.by_name(engine, "maria@example.com")
    assert user is not None
    assert user.failures == 0


def test_a_link_lets_in_once(app: Dash, engine: Engine) -> None:
    user = maria(engine)
    token = users.make_link(engine, user)
    first, second = app.server.test_client(), app.server.test_client()
    assert first.get(f"/sign-in/link/{token}").headers["Location"] == "/"
    assert second.get(f"/sign-in/link/{token}").status_code == 403
    assert first.get("/").status_code == 200
    late = users.make_link(engine, user, timedelta(0))
    assert second.get(f"/sign-in/link/{late}").status_code == 403
    of_old, newer = users.make_link(engine, user), users.make_link(engine, user)
    assert second.get(f"/sign-in/link/{of_old}").status_code == 403
    assert second.get(f"/sign-in/link/{newer}").status_code == 303


@pytest.mark.parametrize("what", ["disable", "role", "password"])
def test_a_change_ends_the_sessions_of_the_user(app: Dash, settings: Settings, engine: Engine, what: str) -> None:
    client = signed_in(app.server, engine, Role.MARKETER)
    user = next(user for user in users.users(engine) if user.role is Role.MARKETER)
    assert client.get("/").status_code == 200
    match what:
        case "disable":
            users.disable(engine, user)
        case "role":
            users.change_role(engine, user, Role.EXECUTIVE, ())
        case "password":
            users.change_password(engine, user, passwords.hashed(PASSWORD, "x"))
    fresh = another_server(settings, client)
    assert fresh.get("/").status_code == 303


def another_server(settings: Settings, client: FlaskClient) -> FlaskClient:
    """Another server with the same secret, which has not asked for the user yet, and the same cookie."""
    other: FlaskClient = create_app(settings).server.test_client()
    cookie = client.get_cookie("spectrum")
    assert cookie is not None
    other.set_cookie("spectrum", cookie.value)
    return other


def test_a_password_is_changed_with_the_old_one_and_only_so(app: Dash, engine: Engine) -> None:
    maria(engine)
    client, other = app.server.test_client(), app.server.test_client()
    for each in (client, other):
        tried(each, "maria@example.com", PASSWORD)

    def change(**told: str) -> str:
        told = {"csrf_token": form_token(client, "/account"), **told}
        return str(client.post("/account", data=told, follow_redirects=True).text)

    assert "is another one" in change(old="wrong", new="another long one", again="another long one")
    assert "differ" in change(old=PASSWORD, new="another long one", again="another long two")
    assert "12 to 256" in change(old=PASSWORD, new="short", again="short")
    assert "The new password is kept" in change(old=PASSWORD, new="another long one", again="another long one")
    assert client.get("/account").status_code == 200
    assert tried(app.server.test_client(), "maria@example.com", PASSWORD).status_code == 401
    assert tried(app.server.test_client(), "maria@example.com", "another long one").status_code == 303


@pytest.mark.parametrize("headers", [{}, {"X-CSRFToken": "x"}, {"Origin": "http://elsewhere.example"}])
def test_what_changes_something_needs_the_token_of_the_session(
    app: Dash, engine: Engine, headers: dict[str, str]
) -> None:
    client = signed_in(app.server, engine, Role.ADMIN)
    token = client.environ_base.pop("HTTP_X_CSRFTOKEN")
    given = {"X-CSRFToken": token, **headers} if "Origin" in headers else headers
    posts = {rule.rule for rule in app.server.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert posts >= {"/sign-in", "/sign-out", "/account", "/users", "/upload", "/_dash-update-component"}
    for address in posts:
        assert client.post(address, data={"do": "add", "name": "x"}, headers=given).status_code == 403, address
    another = signed_in(app.server, engine, Role.ADMIN)
    stolen = {"X-CSRFToken": another.environ_base["HTTP_X_CSRFTOKEN"]}
    assert client.post("/sign-out", headers=stolen).status_code == 403


@pytest.mark.parametrize("host", ["spectrum.example.com", "127.0.0.1.example.com", "localhost.example:8050", ""])
def test_only_this_machines_names_are_answered_without_a_public_address(client: FlaskClient, host: str) -> None:
    assert client.get("/sign-in", headers={"Host": host}).status_code in (400, 421)
    assert client.get("/health/live", headers={"Host": host}).status_code in (200, 400)


def test_behind_a_proxy_the_cookie_is_secure_and_other_names_are_not_answered(settings: Settings) -> None:
    public = settings.model_copy(update={"public_url": "https://shop.example.com"})
    client = create_app(public).server.test_client()
    at = {"Host": "shop.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    reply = client.get("/sign-in", headers=at)
    assert reply.status_code == 200
    assert reply.headers["Strict-Transport-Security"]
    cookies = reply.headers.getlist("Set-Cookie")
    assert any(line.startswith("__Host-spectrum=") for line in cookies)
    assert all("Secure" in line for line in cookies)
    assert client.get("/sign-in", headers={"Host": "127.0.0.1:8050"}).status_code == 421
    for wrong in ("http://shop.example.com", "https://", "https://x.example/path", "x.example"):
        with pytest.raises(ValidationError, match="https://"):
            Settings.model_validate({"public_url": wrong})


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("/segments?x=1", "/segments?x=1"),
        ("//elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("https://elsewhere.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("/\t/elsewhere.example", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_nobody_is_led_elsewhere_after_sign_in(target: str | None, safe: str) -> None:
    assert safe_target(target) == safe


def test_sign_in_is_tried_so_often_and_no_more(client: FlaskClient, engine: Engine) -> None:
    token = form_token(client)
    tries = [client.post("/sign-in", data={"csrf_token": token, "name": f"u{n}", "password": "x"}) for n in range(25)]
    assert [reply.status_code for reply in tries] == [401] * 20 + [429] * 5


def test_a_whole_office_comes_in_by_one_address(client: FlaskClient, engine: Engine) -> None:
    tokens = [users.make_link(engine, users.add(engine, f"user-{n}", Role.EXECUTIVE)) for n in range(30)]
    assert [client.get(f"/sign-in/link/{token}").status_code for token in tokens] == [303] * 30
    assert [client.get(f"/sign-in/link/{token}").status_code for token in tokens] == [403] * 20 + [429] * 10


def test_the_log_of_what_was_done_can_only_grow(settings: Settings, engine: Engine) -> None:
    database = Database(settings)
    database.ask(lambda served: audit.note(served, "maria", "downloaded list", "customers", 3, {"query": "?x=1"}))
    for change in ("UPDATE audit_event SET actor = 'x'", "DELETE FROM audit_event", "TRUNCATE audit_event"):
        with pytest.raises(DBAPIError, match="permission denied"):
            database.ask(partial(run, sql=change))
        with pytest.raises(DBAPIError, match="can only be added to"):
            run(engine, change)
    assert [event.rows for event in audit.events(engine)] == [3]


def run(engine: Engine, sql: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM customer",
        "SELECT * FROM customer_segment",
        "SELECT quantity FROM transaction_line",
        "DELETE FROM load",
        "UPDATE model_run SET status = 'published'",
        "DELETE FROM app_user",
        "DROP TABLE audience",
        "CREATE TABLE mine (x int)",
        "COPY load TO PROGRAM 'id'",
        "RESET ROLE; SELECT * FROM customer",
        "RESET SESSION AUTHORIZATION; SELECT * FROM customer",
        "SET ROLE postgres",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "GRANT postgres TO CURRENT_USER",
    ],
)
def test_the_dashboard_serves_as_a_login_that_may_do_little(settings: Settings, sql: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner|must have admin option|must be superuser"):
        Database(settings).ask(lambda engine: run(engine, sql))


def test_where_its_login_is_not_let_in_the_dashboard_steps_down_and_says_so(
    settings: Settings, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def who(served: Engine) -> tuple[str, str]:
        with served.connect() as connection:
            session, current = connection.execute(text("SELECT session_user, current_user")).one()
            return session, current

    session, current = Database(settings).ask(who)
    with engine.connect() as connection:
        assert session == current == role_name(connection)
    run(engine, f"ALTER ROLE {current} CONNECTION LIMIT 0")
    assert Database(settings).ask(who) == ("postgres", current)
    assert "steps down" in caplog.text
    with pytest.raises(DBAPIError, match="permission denied"):
        Database(settings).ask(lambda served: run(served, "SELECT * FROM customer"))


def test_of_the_dashboards_login_the_server_knows_a_verifier_alone(settings: Settings, engine: Engine) -> None:
    Database(settings).ask(lambda served: run(served, "SELECT 1"))
    with engine.connect() as connection:
        kept = connection.scalar(
            text("SELECT rolpassword FROM pg_authid WHERE rolname = :role"), {"role": role_name(connection)}
        )
    assert str(kept).startswith("SCRAM-SHA-256$")


def test_a_question_that_takes_too_long_is_given_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.serving._SECONDS", 1)
    with pytest.raises(DBAPIError, match="statement timeout"):
        Database(settings).ask(lambda engine: run(engine, "SELECT pg_sleep(30)"))


def test_the_last_admin_stays(engine: Engine) -> None:
    only = users.add(engine, "owner", Role.ADMIN)
    with pytest.raises(InputError, match="last admin"):
        users.disable(engine, only)
    for role, countries in ((Role.ANALYST, ()), (Role.ADMIN, ("France",))):
        with pytest.raises(InputError, match="last admin"):
            users.change_role(engine, only, role, countries)
    users.add(engine, "second", Role.ADMIN)
    users.disable(engine, only)


def test_the_first_link_is_for_who_comes_first_and_ends_with_the_first_password(engine: Engine) -> None:
    first = users.first_link(engine)
    second = users.first_link(engine)
    assert first
    assert second
    assert users.take_link(engine, first) is None
    owner = users.take_link(engine, second)
    assert owner is not None
    assert owner.role is Role.ADMIN
    users.change_password(engine, owner, passwords.hashed(PASSWORD, "owner"))
    assert users.first_link(engine) is None


def test_who_is_in_stays_in_while_postgres_is_away_and_nobody_comes_in(
    app: Dash, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(app.server, engine, Role.EXECUTIVE)
    assert client.get("/").status_code == 200

    def away(*_: object, **__: object) -> None:
        raise DatabaseError("It is away.")

    monkeypatch.setattr(Database, "ask", away)
    monkeypatch.setattr("auth.sessions._FRESH_SECONDS", 0.0)
    assert client.get("/").status_code == 200
    monkeypatch.setattr("auth.sessions._STALE_SECONDS", 0.0)
    assert client.get("/").status_code == 303
    assert tried(app.server.test_client(), "maria@example.com", PASSWORD).status_code == 503


def test_the_pages_of_an_admin_say_that_postgres_is_away(
    app: Dash, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(app.server, engine, Role.ADMIN)

    def away(*_: object, **__: object) -> None:
        raise DatabaseError("It is away.")

    monkeypatch.setattr(Database, "ask", away)
    for reply in (client.get("/users"), client.post("/users", data={"do": "add", "name": "x"}), client.get("/audit")):
        assert reply.status_code in (200, 503)
        assert "<h1>" in reply.text
        assert "Something went wrong" not in reply.text
    assert "It is away." in client.post("/users", data={"do": "add", "name": "x", "role": "admin"}).text


def test_what_is_refused_is_a_page_for_who_reads_it(app: Dash, engine: Engine) -> None:
    client = signed_in(app.server, engine, Role.EXECUTIVE)
    reply = client.get("/users")
    assert (reply.status_code, "<h1>This is not for you</h1>" in reply.text) == (403, True)
    del client.environ_base["HTTP_X_CSRFTOKEN"]
    reply = client.post("/account", data={"new": "x"})
    assert (reply.status_code, "<h1>Load the page again</h1>" in reply.text) == (403, True)
    assert client.get("/download/customers.csv").get_json()["error"].startswith("This is not for your account")


def test_users_are_added_changed_and_shut_out_by_an_admin_on_their_page(app: Dash, engine: Engine) -> None:
    client = signed_in(app.server, engine, Role.ADMIN)

    def do(**told: str) -> str:
        return client.post("/users", data=told).text

    page = do(do="add", name="Jean", role="executive", countries="France; Spain")
    link = re.search(r"/sign-in/link/[\w-]+", page)
    assert link
    jean = users.by_name(engine, "jean")
    assert jean is not None
    assert (jean.role, jean.countries) == (Role.EXECUTIVE, ("France", "Spain"))
    assert app.server.test_client().get(link.group()).status_code == 303
    assert "already" in do(do="add", name="jean", role="executive")
    assert "no such role" in do(do="add", name="x", role="king")
    assert "no name for a user" in do(do="add", name="<b>", role="admin")
    do(do="role", user=str(jean.user_id), role="analyst", countries="")
    do(do="disable", user=str(jean.user_id))
    again = users.by_name(engine, "jean")
    assert again is not None
    assert (again.role, again.countries, again.disabled_at is None) == (Role.ANALYST, (), False)
    noted = [event.action for event in audit.events(engine) if event.subject == "jean"]
    assert noted == ["shut out", "changed role", "made link", "added user"]
    assert "jean" in client.get("/audit?action=added+user").text


def test_the_commands_add_list_and_shut_out(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)

    def said(*words: str) -> str:
        return CliRunner().invoke(command, list(words), input=f"{PASSWORD}\n").output

    assert "/sign-in/link/" in said("add", "jean", "executive", "--country", "France")
    said("add", "maria", "admin", "--password")
    assert passwords.fits(PASSWORD, users.by_name(engine, "maria").password_hash)  # type: ignore[union-attr]
    said("role", "jean", "marketer")
    said("disable", "jean")
    listed = said("list")
    assert re.search(r"jean +marketer +all", listed)
    assert "shut out" in listed
    said("enable", "jean")
    assert users.by_name(engine, "jean").disabled_at is None  # type: ignore[union-attr]


def test_the_secret_is_made_once_and_kept_from_others(settings: Settings) -> None:
    key = secret(settings, "a")
    assert secret(settings, "a") == key != secret(settings, "b")
    assert (settings.data_dir / "secret").stat().st_mode & 0o777 == 0o600
    own = settings.model_copy(update={"secret_key": SecretStr("x" * 32)})
    assert secret(own, "a") != key


def test_the_first_group_of_the_setting_gives_the_role() -> None:
    roles = {"admins": Role.ADMIN, "marketing": Role.MARKETER}
    assert role_of(["marketing", "admins"], roles) is Role.ADMIN
    assert role_of("marketing", roles) is Role.MARKETER
    assert role_of(["others"], roles) is None
    assert role_of(None, roles) is None
    assert role_of({"admins": 1}, roles) is None


def test_a_client_of_the_tests_brings_a_token(app: Dash, engine: Engine) -> None:
    client = signed_in(app.server, engine, Role.EXECUTIVE)
    take_token(client)
    assert client.post("/sign-out").status_code == 303
    assert client.get("/").status_code == 303
