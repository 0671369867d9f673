"""What is refused before Dash sees it: bodies that no page of the application would send, and what the role may not.

Dash takes what a request says of its own wiring as true. Here all but the values must be what the callback was
registered with.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dash import Dash
from flask import Response, g, request

from dashboard.who import viewer
from permissions import for_callback

_LARGEST_BODY = 1 << 20
_TEXTS = ("search", "pathname")
_MOST = 2_000
"""Controls of one pattern on a page."""


def refuse_malformed(app: Dash) -> None:
    """Answer 400 to a callback request that is not of the form Dash's own renderer gives it, 413 to a huge one, 403 to
    who may not call it."""
    app.server.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY

    @app.server.before_request  # type: ignore[untyped-decorator]  # the server comes as Any
    def check() -> Response | None:
        if request.path != "/_dash-update-component" or request.method != "POST":
            return None
        body = request.get_json(silent=True)
        if not isinstance(body, dict) or not _is_callback(body, app.callback_map):
            return Response("No such callback.\n", 400, mimetype="text/plain")
        g.callback = body["output"]
        if not viewer().may(for_callback(body["output"])):
            return Response("This is not for your role; ask an admin of the dashboard.\n", 403, mimetype="text/plain")
        return None


def _is_callback(body: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    output = body.get("output")
    told = known.get(output) if isinstance(output, str) else None
    if not isinstance(output, str) or told is None:
        return False
    changed = body.get("changedPropIds", [])
    return (
        isinstance(changed, list)
        and all(isinstance(name, str) for name in changed)
        and _are_outputs(output, body.get("outputs"))
        and _are_wired(told["inputs"], body.get("inputs", []))
        and _are_wired(told["state"], body.get("state", []))
    )


def _are_outputs(output: str, given: object) -> bool:
    is_many = output.startswith("..")
    names = output[2:-2].split("...") if is_many else [output]
    parts = given if is_many else [given]
    if not isinstance(parts, list) or len(parts) != len(names):
        return False
    return all(_is_output(name, part) for name, part in zip(names, parts, strict=True))


def _is_output(name: str, given: object) -> bool:
    id_, _, prop = name.rpartition(".")
    plain = prop.partition("@")[0]  # after it stands what tells apart several callbacks of one output
    if isinstance(given, list):  # of a pattern for all
        return (
            '["ALL"]' in id_ and len(given) <= _MOST and all(_is_at({"id": id_, "property": plain}, of) for of in given)
        )
    return any(_is_at({"id": id_, "property": told}, given) for told in (prop, plain))


def _are_wired(registered: list[dict[str, str]], given: object) -> bool:
    if not isinstance(given, list) or len(given) != len(registered):
        return False
    return all(_is_wired(place, part) for place, part in zip(registered, given, strict=True))


def _is_wired(place: Mapping[str, str], given: object) -> bool:
    if '["ALL"]' in place["id"]:
        return isinstance(given, list) and len(given) <= _MOST and all(_is_at(place, part) for part in given)
    if not _is_at(place, given) or not isinstance(given, dict):
        return False
    return place["property"] not in _TEXTS or _is_text_or_nothing(given.get("value"))


def _is_at(place: Mapping[str, str], given: object) -> bool:
    """Whether a part of a request is of the place that was registered; patterns may be of any text or number."""
    if not isinstance(given, dict) or given.get("property") != place["property"] or "id" not in given:
        return False
    if not place["id"].startswith("{"):
        return bool(given["id"] == place["id"])
    pattern, id_ = json.loads(place["id"]), given["id"]
    return isinstance(id_, dict) and id_.keys() == pattern.keys() and all(_fits(pattern, id_))


def _fits(pattern: Mapping[str, Any], id_: Mapping[str, Any]) -> Iterator[bool]:
    for name, wanted in pattern.items():
        of = id_[name]
        any_ = isinstance(wanted, list) and isinstance(of, str | int | float) and _is_text_or_nothing(str(of))
        yield any_ or (type(of) is type(wanted) and of == wanted)


def _is_text_or_nothing(value: object) -> bool:
    """Half a surrogate pair, which JSON lets through, is no text."""
    return value is None or (isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value))
