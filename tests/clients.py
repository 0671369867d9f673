"""Clients of the application: the operator, and users of each role who signed in by a link; what a browser sends."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from dash import Dash
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from dashboard.app import create_app
from db import users
from permissions import Role
from settings import Settings

_KEY = "the key of a report"


def operator(settings: Settings) -> FlaskClient:
    """A client of an application of its own, to which all is open: what prints a report."""
    client: FlaskClient = create_app(settings, _KEY).server.test_client()
    client.environ_base["HTTP_X_SPECTRUM_REPORT"] = _KEY
    take_token(client)
    return client


def signed_in(server: Flask, engine: Engine, role: Role, countries: Sequence[str] = ()) -> FlaskClient:
    """A client of a new user, who came in by a link."""
    user = users.add(engine, f"{role}-{uuid4().hex[:8]}", role, countries=countries)
    client = server.test_client()
    reply = client.get(f"/sign-in/link/{users.make_link(engine, user)}")
    assert reply.status_code == 303, reply.text
    take_token(client)
    return client


def take_token(client: FlaskClient) -> None:
    """Send back with every request what a page hands out against forged ones."""
    reply = client.get("/" if "HTTP_X_SPECTRUM_REPORT" in client.environ_base else "/account")
    found = re.search(r"_csrf_token=([^;]+)", " ".join(reply.headers.getlist("Set-Cookie")))
    assert found, reply.status
    client.environ_base["HTTP_X_CSRFTOKEN"] = found.group(1)


def callback_body(app: Dash, output: str, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the browser would send to a callback, with values for some of its inputs and states (`id.property`)."""
    told = app.callback_map[output]
    given = {"url.pathname": "/", "url.search": "", **(values or {})}

    def wired(parts: list[dict[str, str]]) -> list[Any]:
        return [_wired(part["id"], part["property"], given) for part in parts]

    outs = (out.rpartition(".") for out in output.strip(".").split("..."))
    outputs = [{"id": _id(id_), "property": prop.split("@")[0]} for id_, _, prop in outs]
    return {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        "inputs": wired(told["inputs"]),
        "state": wired(told["state"]),
        "changedPropIds": [],
    }


def _wired(name: str, prop: str, given: Mapping[str, Any]) -> Any:
    id_ = _id(name)
    if isinstance(id_, dict) and ["ALL"] in id_.values():
        return []
    return {"id": id_, "property": prop, "value": given.get(f"{name}.{prop}")}


def _id(name: str) -> Any:
    return json.loads(name) if name.startswith("{") else name
