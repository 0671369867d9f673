"""What is refused before Dash sees it: bodies that no page of the application would send, and what the role may not."""

from dash import Dash
from flask import Response, g, request

from dashboard.who import viewer
from permissions import for_callback

_LARGEST_BODY = 1 << 20
_TEXTS = ("search", "pathname")


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


def _is_callback(body: object, known: object) -> bool:
    if not isinstance(body, dict) or not isinstance(known, dict):
        return False
    output, outputs = body.get("output"), body.get("outputs")
    wired = [*_list(body.get("inputs", [])), *_list(body.get("state", []))]
    flat = [part for item in wired for part in (item if isinstance(item, list) else [item])]
    return (
        isinstance(output, str)
        and output in known
        and isinstance(outputs, dict | list)
        and isinstance(body.get("changedPropIds", []), list)
        and all(isinstance(part, dict) and "id" in part and "property" in part for part in flat)
        and all(isinstance(item, dict | list) for item in wired)
        and all(_is_text_or_nothing(p.get("value")) for p in flat if isinstance(p, dict) and p["property"] in _TEXTS)
        and len(_list(body.get("inputs", []))) == len(known[output]["inputs"])
        and len(_list(body.get("state", []))) == len(known[output]["state"])
    )


def _is_text_or_nothing(value: object) -> bool:
    """Half a surrogate pair, which JSON lets through, is no text."""
    return value is None or (isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
