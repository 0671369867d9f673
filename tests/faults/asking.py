"""What a browser asks of the dashboard, and what commands say, without either."""

import importlib
import json
import re
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from typer.testing import CliRunner

from dashboard import ids
from dashboard.pages import PAGES
from dashboard.shell import SHELL_SLOTS
from settings import Settings
from tests.clients import operator
from tests.faults.apart import APPS

PATHS = ("/", "/segments", "/quality")


def client(settings: Settings) -> FlaskClient:
    """A visitor of an application of its own."""
    made = operator(settings)
    assert made.get("/_dash-layout").status_code == 200
    return made


def pages(visitor: FlaskClient) -> dict[str, str]:
    """Slot -> what fills it, of some pages; all that is shown of the snapshot."""
    found = {}
    for page in PAGES:
        if page.path in PATHS:
            for name in (*page.slots, *SHELL_SLOTS):
                id_ = (ids.shell_slot if name in SHELL_SLOTS else ids.slot)(name)
                changed = (ids.URL, "search", "") if name in SHELL_SLOTS else (ids.STAYED, "data", None)
                state = [(id_, "id", id_), (ids.URL, "pathname", page.path), (ids.URL, "search", "")]
                found[f"{page.path} {name}"] = _asked(
                    visitor, [(id_, "children")], [changed, (ids.THEME, "data", None)], state
                )
    assert not any("This part could not be shown" in shown for shown in found.values())
    return found


def data_page(visitor: FlaskClient) -> str:
    """The Data page."""
    inputs = [
        (ids.URL, "search", ""),
        (ids.THEME, "data", None),
        (ids.DATA_NEXT, "data", None),
        (ids.DATA_POLL, "n_intervals", 0),
    ]
    return _asked(visitor, [(ids.DATA_BODY, "children"), (ids.DATA_POLL, "disabled")], inputs, many=True)


def audiences(visitor: FlaskClient) -> str:
    """The page of the saved audiences."""
    return _asked(
        visitor, [(ids.AUDIENCES_BODY, "children")], [(ids.URL, "search", ""), (ids.AUDIENCES_CHANGED, "data", None)]
    )


def banner(visitor: FlaskClient) -> str:
    """What is said above every page."""
    told = _asked(visitor, [(ids.AWAY, "children")], [(ids.URL, "pathname", "/"), (ids.URL, "search", "")])
    found = re.search(r'"children": "(The database is away[^"]*)"', told)
    return found[1] if found else ""


def command(app: str, settings: Settings, *arguments: str) -> tuple[int, str, BaseException | None]:
    """Exit code and stderr of a command, and what it should not have raised."""
    done = CliRunner().invoke(APPS[app], list(arguments), env=settings.environment())
    return done.exit_code, done.stderr, None if isinstance(done.exception, SystemExit) else done.exception


def once(act: Callable[[], None], came: list[bool], step: str) -> Callable[..., Any]:
    """A step of the product (a dotted name) before which something happens, the first time."""
    module, _, name = step.rpartition(".")
    real = getattr(importlib.import_module(module), name)

    def stepped(*args: Any, **kwargs: Any) -> Any:
        if not came:
            came.append(True)
            act()
        return real(*args, **kwargs)

    return stepped


def _asked(
    visitor: FlaskClient,
    outputs: list[tuple[Any, str]],
    inputs: list[tuple[Any, str, Any]],
    state: list[tuple[Any, str, Any]] | None = None,
    *,
    many: bool = False,
) -> str:
    def name(id_: Any) -> str:
        matched = {**id_, "name": ["MATCH"]} if isinstance(id_, dict) else {}
        return json.dumps(matched, sort_keys=True, separators=(",", ":")) if matched else str(id_)

    named = [f"{name(id_)}.{property_}" for id_, property_ in outputs]
    told = [{"id": id_, "property": property_} for id_, property_ in outputs]
    reply = visitor.post(
        "/_dash-update-component",
        json={
            "output": f"..{'...'.join(named)}.." if many else named[0],
            "outputs": told if many else told[0],
            "inputs": [{"id": id_, "property": property_, "value": value} for id_, property_, value in inputs],
            "state": [{"id": id_, "property": property_, "value": value} for id_, property_, value in state or ()],
            "changedPropIds": [],
        },
    )
    assert reply.status_code in (200, 204), reply.get_data(as_text=True)
    return json.dumps(reply.get_json(silent=True), ensure_ascii=False, sort_keys=True)
