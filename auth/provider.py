"""Sign-in by OpenID Connect: the provider says who it is and of which groups, and a group gives the role."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, flash, redirect, request, session, url_for
from joserfc.errors import JoseError
from requests import RequestException
from sqlalchemy import Engine
from werkzeug.wrappers import Response

from auth import sessions
from auth.gate import safe_target
from auth.sessions import Known
from db import audit, users
from db.serving import Database
from db.users import User
from errors import InputError, SpectrumError
from permissions import Role
from settings import Settings

_NEXT = "next"
_log = logging.getLogger(__name__)


def name(settings: Settings) -> str:
    """How the provider is called on the button; empty where there is none."""
    return urlsplit(settings.oidc_issuer).netloc if settings.oidc_issuer else ""


def register(server: Flask, settings: Settings, database: Database, known: Known) -> None:
    """Both ways: there, and back. Without a provider both say so."""
    client = _client(server, settings)

    @server.get("/sign-in/provider")
    def there() -> Response:
        if client is None:
            return _not_in("No provider is set up here; sign in with name and password.")
        session[_NEXT] = safe_target(request.args.get("next"))
        address = (settings.public_url or request.host_url.rstrip("/")) + url_for("back")
        try:
            answer: Response = client.authorize_redirect(address)
        except (OAuthError, RequestException) as error:
            _log.warning("the provider of sign-in cannot be asked: %s", type(error).__name__)
            return _not_in("The provider of sign-in does not answer; try again, or sign in with name and password.")
        return answer

    @server.get("/sign-in/provider/back")
    def back() -> Response:
        if client is None:
            return _not_in("No provider is set up here; sign in with name and password.")
        try:
            claims: Mapping[str, Any] = client.authorize_access_token(leeway=30)["userinfo"]
        except (OAuthError, JoseError, RequestException, KeyError, ValueError) as error:
            _log.warning("a sign-in by the provider was not believed: %s", type(error).__name__)
            return _not_in("The provider's answer cannot be believed; begin anew.")
        target = safe_target(session.get(_NEXT))
        try:
            user = database.ask(lambda engine: _user(engine, claims, settings))
            known.forget()
            sessions.begin(user)
            told = {"how": "provider", "address": request.remote_addr or ""}
            database.ask(lambda engine: audit.note(engine, user.name, "signed in", details=told))
        except SpectrumError as error:
            return _not_in(str(error))
        return redirect(target, 303)


def role_of(groups: object, roles: Mapping[str, Role]) -> Role | None:
    """The role of the first group, in the order of the setting, that somebody is in; None where they are in none."""
    of = {groups} if isinstance(groups, str) else set(groups) if isinstance(groups, Sequence) else set()
    return next((role for group, role in roles.items() if group in of), None)


def _client(server: Flask, settings: Settings) -> Any:
    if not settings.oidc_issuer:
        return None
    secret = settings.oidc_client_secret
    return OAuth(server).register(
        "provider",
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256", "timeout": 10},
    )


def _user(engine: Engine, claims: Mapping[str, Any], settings: Settings) -> User:
    """Who came back, made on the first time; an address counts only where the provider has verified it."""
    verified = claims.get("email") if claims.get("email_verified") is True else None
    called = str(verified or claims["sub"]).strip().lower()
    role = role_of(claims.get(settings.oidc_groups_claim), settings.oidc_roles)
    if role is None:
        raise InputError("None of your groups has a role here; ask an admin of the dashboard.")
    found = users.by_name(engine, called)
    if found is None:
        return users.add(engine, called, role)
    if found.disabled_at is not None:
        raise InputError("You are shut out here; ask an admin of the dashboard.")
    if found.role is not role:
        users.change_role(engine, found, role, found.countries)
    users.succeed(engine, found)
    return users.by_name(engine, called) or found


def _not_in(sentence: str) -> Response:
    flash(sentence, "fault")
    return redirect("/sign-in", 303)
