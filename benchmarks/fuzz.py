"""make fuzz: two minutes of requests that no page would send, to every route and callback, by an admin: no 500.

Each request is a valid one with parts of it changed at random, or made of nothing but chance. What fails is printed
with the seed that sends it again.
"""

import json
import random
import re
import time
from collections import Counter
from typing import Annotated, Any
from urllib.parse import quote

import typer
from dash import Dash
from flask.testing import FlaskClient
from rich.table import Table

from benchmarks import shop
from console import console
from dashboard.app import create_app
from db import users
from permissions import CALLBACKS, Role, callback_name
from tests.clients import callback_body, take_token

_SIGNS = "\x00\r\n\t \"'<>&;:,.|%$#@!~=+-*/\\()[]{}?01aZé\u202e\ud800😀"
_WORDS = ("null", "NaN", "__proto__", "customer_id", "monetary", "segment", "..", "-1", "1e309", "2017-13-45", "%00")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "FROB")
_KINDS = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "",
    "x/",
)
_PLACE = re.compile(r"<[^<>]*>")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def fuzz(
    seconds: Annotated[int, typer.Option(min=1)] = 120,
    customers: Annotated[int, typer.Option(help="Customers of the shop that is made for it.")] = 500,
    seed: Annotated[int, typer.Option()] = 42,
) -> None:
    """Print how often each status was answered; exits with 1 where one was 500 or more."""
    with shop.standing(None, customers) as (settings, engine):
        application = create_app(settings)
        application.server.test_client().get("/_dash-layout")
        user = users.add(engine, "fuzz", Role.ADMIN)
        client = application.server.test_client()
        answered: Counter[int] = Counter()
        failed: list[str] = []
        until, number = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            if number % 1_000 == 0:  # some of the requests end the session
                _come_in(client, users.make_link(engine, user))
            number += 1
            rng = random.Random(f"{seed} {number}")
            what, reply = _sent(application, client, rng)
            answered[reply.status_code] += 1
            if reply.status_code >= 500 or "X-Spectrum-Failed" in reply.headers:
                failed.append(f"{number}: {reply.status_code} {what!r:.300}")
            reply.close()
    table = Table("status", "answers", title=f"{number:,} requests in {seconds} s, seed {seed}")
    for status, times in sorted(answered.items()):
        table.add_row(str(status), f"{times:,}")
    console.print(table)
    for line in failed[:20]:
        console.print(line, markup=False)
    console.print(f"{len(failed)} failed")
    raise typer.Exit(bool(failed))


def _come_in(client: FlaskClient, token: str) -> None:
    client.get(f"/sign-in/link/{token}")
    take_token(client)


def _sent(application: Dash, client: FlaskClient, rng: random.Random) -> tuple[Any, Any]:
    """One request, and its answer."""
    if rng.random() < 0.6:
        output = rng.choice([of for of, told in application.callback_map.items() if told.get("callback")])
        body = _changed(_body(application, output, rng), rng, 0.15)
        try:
            text = json.dumps(body)
        except ValueError:
            text = "{"
        if rng.random() < 0.05:
            text = text[: rng.randrange(len(text) + 1)]
        what: Any = (callback_name(output), text)
        return what, client.post("/_dash-update-component", data=text, content_type="application/json")
    rule = rng.choice([*application.server.url_map.iter_rules()])
    address = "/" + _PLACE.sub(lambda _: _quoted(rng), rule.rule).lstrip("/")  # else the client takes it for a host
    query = "&".join(
        f"{quote(_text(rng), errors='replace')}={quote(_text(rng), errors='replace')}" for _ in range(rng.randrange(4))
    )
    headers = {rng.choice(["Accept", "Range", "Cookie", "Origin", "X-File-Name", "If-None-Match"]): _header(rng)}
    method = rng.choice(sorted(rule.methods or ())) if rng.random() < 0.7 else rng.choice(_METHODS)
    if rule.rule == "/sign-out":
        method = "GET"
    content = _text(rng).encode("utf-8", "replace") * rng.choice([0, 1, 50])
    what = (method, address, query, headers)
    reply = client.open(
        address, method=method, query_string=query, headers=headers, data=content, content_type=rng.choice(_KINDS)
    )
    return what, reply


def _body(application: Dash, output: str, rng: random.Random) -> dict[str, Any]:
    told = application.callback_map[output]
    places = [f"{of['id']}.{of['property']}" for of in (*told["inputs"], *told["state"])]
    body = callback_body(application, output, {place: _value(rng, 2) for place in places})
    return body | {"changedPropIds": rng.choice([[], ["url.search"], ["nothing.x"]])}


def _changed(value: Any, rng: random.Random, share: float) -> Any:
    """The same with some of it something else."""
    if rng.random() < share / 5:
        return _value(rng, 2)
    if isinstance(value, dict):
        return {key: _changed(of, rng, share) for key, of in value.items() if rng.random() > share / 10}
    if isinstance(value, list):
        return [_changed(of, rng, share) for of in value if rng.random() > share / 10]
    return value


def _value(rng: random.Random, deep: int) -> Any:
    plain = (None, True, rng.randrange(-3, 10**12), rng.random() * 1e300, _text(rng), f"?{_text(rng)}={_text(rng)}")
    if deep == 0 or rng.random() < 0.6:
        return rng.choice([*plain, *_WORDS, *CALLBACKS])
    if rng.random() < 0.5:
        return [_value(rng, deep - 1) for _ in range(rng.randrange(4))]
    return {_text(rng): _value(rng, deep - 1) for _ in range(rng.randrange(4))}


def _text(rng: random.Random) -> str:
    if rng.random() < 0.3:
        return rng.choice(_WORDS)
    return "".join(rng.choice(_SIGNS) for _ in range(rng.choice([0, 1, 3, 8, 40])))


def _quoted(rng: random.Random) -> str:
    return quote(_text(rng), safe="/", errors="replace")


def _header(rng: random.Random) -> str:
    return "".join(sign for sign in _text(rng) if sign.isprintable() and ord(sign) < 256)


if __name__ == "__main__":
    app()
