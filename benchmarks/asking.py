"""Callbacks asked as the browser asks them: the wiring is read from the application, so nothing here repeats it."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from dashboard import ids
from dashboard.pages import PAGES
from dashboard.shell import SHELL_SLOTS
from dashboard.view import Page

Get = Callable[[str], bytes]
Post = Callable[[str, bytes], bytes]


class Asker:
    """A visitor without a browser. `get` and `post` send to the application and give its answer, or raise."""

    def __init__(self, get: Get, post: Post) -> None:
        self._post = post
        get("/_dash-layout")
        self._wired = {of["output"]: of for of in json.loads(get("/_dash-dependencies"))}

    def page(self, query: str, path: str) -> bytes:
        """The frame of a page."""
        output = next(key for key in self._wired if f"{ids.PAGE}.children" in key)
        return self._asked(output, {}, path, query)

    def slot(self, query: str, name: str, path: str) -> bytes:
        """What fills a slot."""
        return self._asked('{"name":["MATCH"],"type":"slot"}.children', ids.slot(name), path, query)

    def picture(self, query: str, name: str, path: str) -> bytes:
        """The figure of a picture."""
        return self._asked('{"name":["MATCH"],"type":"picture"}.figure', ids.picture(name), path, query)

    def rows(self, grid: str, request: Mapping[str, Any], path: str, query: str) -> bytes:
        """A block of a grid's rows."""
        output = next(key for key in self._wired if f"..{grid}.getRowsResponse" in key)
        return self._asked(output, {}, path, query, {f"{grid}.getRowsRequest": request})

    def _asked(
        self, output: str, of: Mapping[str, str], path: str, query: str, values: Mapping[str, Any] | None = None
    ) -> bytes:
        known = {f"{ids.URL}.search": query, f"{ids.URL}.pathname": path, **(values or {})}
        wired = self._wired[output]
        outputs = [
            {"id": _matched(part.rpartition(".")[0], of), "property": part.rpartition(".")[2].partition("@")[0]}
            for part in output.strip(".").split("...")
        ]
        body = {
            "output": output,
            "outputs": outputs if output.startswith("..") else outputs[0],
            "inputs": [_given(part, of, known) for part in wired["inputs"]],
            "state": [_given(part, of, known) for part in wired["state"]],
            "changedPropIds": [f"{ids.URL}.search"],
        }
        answer = self._post("/_dash-update-component", json.dumps(body).encode())
        if b"could not be" in answer:
            raise RuntimeError(f"{output} of {of} under {query} failed: {answer[:300]!r}")
        return answer


def parts(someone: str) -> Iterator[tuple[str, Callable[[Asker, str], bytes]]]:
    """Part and how to ask for it: what every page has, then each page's slots and pictures; `someone` is the customer
    whose page is asked for."""
    for name in SHELL_SLOTS:
        yield name, partial(Asker.slot, name=name, path="/")
    for page in PAGES:
        path = path_of(page, someone)
        for name in page.slots:
            yield name, partial(Asker.slot, name=name, path=path)
        for name in page.pictures:
            yield name, partial(Asker.picture, name=name, path=path)


def path_of(page: Page, someone: str) -> str:
    """Where a page is; one that is about a customer, where that of `someone` is."""
    return page.path + someone if page.path.endswith("/") and page.path != "/" else page.path


def _matched(identity: str, of: Mapping[str, str]) -> Any:
    return dict(of) if identity.startswith("{") and of else identity


def _given(part: Mapping[str, str], of: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
    """An input or a state with its value; what is neither known nor the part's own id is nothing."""
    identity = json.loads(part["id"]) if part["id"].startswith("{") else part["id"]
    if isinstance(identity, dict):
        identity = {**identity, "name": of.get("name", "")}
        value = dict(of) if part["property"] == "id" else None
    else:
        value = known.get(f"{identity}.{part['property']}")
    return {"id": identity, "property": part["property"], "value": value}
