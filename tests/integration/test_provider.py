"""Sign-in by OpenID Connect against a provider of our own: who is believed, and who is not."""

import base64
import hashlib
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, jsonify, request
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from sqlalchemy import Engine
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from dashboard.app import create_app
from db import users
from permissions import Role
from settings import Settings

OURS, ANOTHERS = (RSAKey.generate_key(2048, {"kid": "k", "use": "sig", "alg": "RS256"}) for _ in range(2))


class Provider:
    """What it would say of whoever comes next; `claims` change the token, `key` signs it."""

    def __init__(self) -> None:
        self.address = ""
        self.claims: dict[str, Any] = {}
        self.key = OURS
        self.header = {"alg": "RS256", "kid": "k"}
        self.challenge = self.nonce = ""

    def app(self) -> Flask:
        app = Flask("provider")

        @app.get("/.well-known/openid-configuration")
        def configuration() -> Any:
            at = self.address
            ends = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
            signs = {"id_token_signing_alg_values_supported": ["RS256"]}
            return jsonify(issuer=at, **{name: at + path for name, path in ends.items()}, **signs)

        @app.get("/keys")
        def keys() -> Any:
            return jsonify(keys=[OURS.as_dict(private=False)])

        @app.post("/token")
        def token() -> Any:
            verifier = request.form["code_verifier"]
            digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
            assert digest == self.challenge, "the code is for who asked for it alone"
            now = int(time.time())
            told = {"iss": self.address, "aud": "spectrum", "sub": "42", "iat": now, "exp": now + 60}
            told |= {"nonce": self.nonce, **self.claims}
            return jsonify(access_token="x", token_type="Bearer", id_token=jwt.encode(self.header, told, self.key))

        return app


@pytest.fixture
def provider() -> Iterator[Provider]:
    of = Provider()
    server = make_server("127.0.0.1", 0, of.app(), threaded=True)
    of.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield of
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(settings: Settings, provider: Provider) -> FlaskClient:
    told = {
        "oidc_issuer": provider.address,
        "oidc_client_id": "spectrum",
        "oidc_client_secret": SecretStr("secret of the client"),
        "oidc_roles": {"bi-admins": Role.ADMIN, "marketing": Role.MARKETER},
    }
    made: FlaskClient = create_app(settings.model_copy(update=told)).server.test_client()
    return made


def there_and_back(client: FlaskClient, provider: Provider, **changes: str) -> TestResponse:
    """Go to the provider and come back with a code; `changes` are of what the address back says."""
    there = urlsplit(client.get("/sign-in/provider?next=/segments").headers["Location"])
    asked = {name: of[0] for name, of in parse_qs(there.query).items()}
    assert (there.path, asked["response_type"], asked["code_challenge_method"]) == ("/authorize", "code", "S256")
    provider.challenge, provider.nonce = asked["code_challenge"], asked["nonce"]
    said = {"code": "c", "state": asked["state"], **changes}
    return client.get("/sign-in/provider/back", query_string=said)


def test_who_the_provider_knows_comes_in_with_the_role_of_the_group(
    client: FlaskClient, provider: Provider, engine: Engine
) -> None:
    assert provider.address.removeprefix("http://") in client.get("/sign-in").text
    provider.claims = {"email": "Maria@Example.com", "email_verified": True, "groups": ["x", "marketing"]}
    reply = there_and_back(client, provider)
    assert (reply.status_code, reply.headers["Location"]) == (303, "/segments")
    assert client.get("/").status_code == 200
    maria = users.by_name(engine, "maria@example.com")
    assert maria is not None
    assert (maria.role, maria.password_hash) == (Role.MARKETER, None)
    provider.claims["groups"] = ["marketing", "bi-admins"]
    there_and_back(client, provider)
    again = users.by_name(engine, "maria@example.com")
    assert again is not None
    assert (again.user_id, again.role) == (maria.user_id, Role.ADMIN)


def test_an_address_that_nobody_verified_is_no_name(client: FlaskClient, provider: Provider, engine: Engine) -> None:
    users.add(engine, "boss@example.com", Role.ADMIN)
    provider.claims = {"email": "boss@example.com", "email_verified": False, "groups": ["marketing"]}
    there_and_back(client, provider)
    made = users.by_name(engine, "42")
    assert made is not None
    assert made.role is Role.MARKETER


@pytest.mark.parametrize(
    "claims",
    [
        {"groups": ["others"]},
        {},
        {"groups": ["marketing"], "nonce": "of another"},
        {"groups": ["marketing"], "aud": "another"},
        {"groups": ["marketing"], "iss": "https://elsewhere.example"},
        {"groups": ["marketing"], "exp": 1},
    ],
    ids=["no group of ours", "no groups", "nonce", "audience", "issuer", "expired"],
)
def test_who_is_not_believed_does_not_come_in(
    client: FlaskClient, provider: Provider, engine: Engine, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    reply = there_and_back(client, provider)
    assert reply.headers["Location"] == "/sign-in"
    assert client.get("/").status_code == 303
    assert users.users(engine) == []


def test_a_token_that_another_key_signed_is_not_believed(
    client: FlaskClient, provider: Provider, engine: Engine
) -> None:
    provider.claims, provider.key = {"groups": ["bi-admins"]}, ANOTHERS
    assert there_and_back(client, provider).headers["Location"] == "/sign-in"
    assert users.users(engine) == []


@pytest.mark.parametrize("changes", [{"state": "of another"}, {"error": "access_denied"}, {"code": ""}])
def test_a_way_back_that_nobody_went_is_not_believed(
    client: FlaskClient, provider: Provider, engine: Engine, changes: dict[str, str]
) -> None:
    provider.claims = {"groups": ["bi-admins"]}
    provider.key = ANOTHERS if "code" in changes else OURS
    assert there_and_back(client, provider, **changes).headers["Location"] == "/sign-in"
    assert users.users(engine) == []


def test_who_is_shut_out_here_stays_out(client: FlaskClient, provider: Provider, engine: Engine) -> None:
    user = users.add(engine, "42", Role.MARKETER)
    users.disable(engine, user)
    provider.claims = {"groups": ["marketing"]}
    assert there_and_back(client, provider).headers["Location"] == "/sign-in"
    assert client.get("/").status_code == 303


def test_a_provider_that_is_away_is_said(settings: Settings) -> None:
    away = settings.model_copy(update={"oidc_issuer": "http://127.0.0.1:9", "oidc_client_id": "spectrum"})
    client = create_app(away).server.test_client()
    assert client.get("/sign-in/provider").headers["Location"] == "/sign-in"
    assert "does not answer" in client.get("/sign-in").text


def test_without_a_provider_both_ways_say_so(settings: Settings) -> None:
    client = create_app(settings).server.test_client()
    for path in ("/sign-in/provider", "/sign-in/provider/back"):
        assert client.get(path).headers["Location"] == "/sign-in"
        assert "No provider is set up" in client.get("/sign-in").text
