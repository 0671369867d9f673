"""What is drawn as it is stands in the browser exactly as Dash's own components would have drawn it."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dash import Dash, dcc, html
from dash.development.base_component import Component
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from dashboard.components.plain import plain
from dashboard.pages import PAGES, SLOTS
from dashboard.server import ASSETS
from dashboard.view import Views
from settings import Settings

_SUBJECTS = {"/": "", "/customers/": "17"}
_ODD = [
    "words",
    7,
    None,
    html.P(["one", None, 2.5, html.Strong("<b>three</b> & more")]),
    dcc.Link(["to ", html.Em("it")], href="/value?country=A%26B", title="there", className="button"),
    html.Table(html.Tbody(html.Tr([html.Td("a", colSpan=2, **{"data-value": "1"}), html.Th("b", scope="row")]))),
    html.Label("c", htmlFor="d", hidden=True, style={"--colour": "red", "marginTop": 4}, tabIndex=0),
    html.A("file", href="/download/list.csv", download=""),
    html.Details([html.Summary("more"), html.Button("no", disabled=True, **{"aria-label": "none"})], open=True),
]


def _bare(part: Any) -> Any:
    """The part without ids, and a plain mark for what is more than HTML: the two sides stand in one document."""
    if isinstance(part, list | tuple):
        return [_bare(of) for of in part]
    if not isinstance(part, Component):
        return part
    if part._namespace != "dash_html_components" and not isinstance(part, dcc.Link):
        return html.Hr()
    props = dict(part.to_plotly_json()["props"])
    props.pop("id", None)
    return type(part)(_bare(props.pop("children", None)), **props)


@pytest.fixture(scope="module")
def twice(sample_shop: Settings, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page that shows each part first as Dash draws it and then plain."""
    views, parts = Views(sample_shop), {"odd": _ODD}
    for of in PAGES:
        if of.path in _SUBJECTS:
            view = views.view("", subject=_SUBJECTS[of.path], path=of.path)
            parts |= {name: _bare(SLOTS[name](view)) for name in of.slots}
    assets = tmp_path_factory.mktemp("assets")
    for script in ("app.js", "plain.js"):
        shutil.copy(Path(ASSETS) / script, assets)
    app = Dash("twice", assets_folder=str(assets))
    app.layout = [
        html.Div([html.Section(part), html.Section(plain(part))], className="pair", title=name)
        for name, part in parts.items()
    ]
    with make_server("127.0.0.1", 0, app.server, threaded=True) as served:
        threading.Thread(target=served.serve_forever).start()
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{served.port}/")
        expect(page.locator(".pair").first).to_be_visible(timeout=60_000)
        yield page
        page.close()
        served.shutdown()


def test_plain_parts_are_the_same_document(twice: Page) -> None:
    differ = twice.evaluate(
        """() => [...document.querySelectorAll(".pair")].filter(pair => {
            const [dash, plain] = pair.children;
            return !plain.innerHTML || !dash.firstChild || !dash.isEqualNode(plain);
        }).map(pair => [pair.title, ...[...pair.children].map(side => side.innerHTML.slice(0, 300))])"""
    )
    assert differ == []
    assert twice.locator(".pair").count() > 15


def test_a_plain_link_is_followed_in_the_page_and_a_script_is_none(twice: Page) -> None:
    twice.evaluate("window.stayed = true")
    twice.locator(".pair[title=odd] > section:last-child a.button").click()
    assert twice.url.endswith("/value?country=A%26B")
    assert twice.evaluate("window.stayed")
    hostile = ["javascript:alert(1)", " javascript:alert(1)", "//elsewhere.example", "data:text/html,x"]
    drawn = twice.evaluate(
        """hrefs => spectrum_plain.Plain({ tree: hrefs.map(href => ["a", { href: href }, "x"]) })
            .props.children.map(link => link.props.href ?? null)""",
        [*hostile, "/here", "?a=1"],
    )
    assert drawn == [None, None, None, None, "/here", "?a=1"]
