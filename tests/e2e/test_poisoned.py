"""In a shop where every name is a script, a tag or a formula, no page runs or draws any of them."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine
from sqlalchemy.engine import URL

from dashboard.pages import PAGES
from db import audit
from permissions import Role
from settings import Settings
from tests.conftest import shop_made
from tests.e2e.conftest import served, sign_in
from tests.poison import TEXTS, made

ACCOUNTS = ("/users", "/audit", "/account", "/sign-in?next=%22%3E%3Cscript%3Ewindow.hacked=1%3C/script%3E")


@pytest.fixture(scope="module")
def poisoned(
    server: URL, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Page, str, list[str]]]:
    """A page of an admin, the address, and what the browser complained of."""

    def build(settings: Settings, engine: Engine) -> Settings:
        for hostile in TEXTS:
            audit.note(engine, hostile, "saved audience", hostile, 1, {"filters": hostile, hostile: hostile})
        return made(settings, engine)

    folder = tmp_path_factory.mktemp("poisoned")
    with shop_made(server, folder, build) as settings, served(settings, folder) as address:
        context = browser.new_context()
        sign_in(context, settings, address, Role.ADMIN)
        page = context.new_page()
        faults: list[str] = []
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        yield page, address, faults
        context.close()


def test_no_script_runs_and_no_tag_is_drawn(poisoned: tuple[Page, str, list[str]]) -> None:
    page, address, faults = poisoned
    for path in (*(of.path for of in PAGES), *ACCOUNTS):
        is_of_one = path.endswith("/") and path != "/"
        for subject in (TEXTS[1], TEXTS[3], TEXTS[5]) if is_of_one else ("",):
            page.goto(address + path + quote(subject, safe=""))
            expect(page.locator("main h1").first).to_be_attached()
            expect(page.locator(".skeleton")).to_have_count(0)
            expect(page.locator(".failed")).to_have_count(0)
            found = "main :is(img[src=x], svg[onload], iframe, script, a[href^=javascript], [onerror])"
            assert page.locator(found).count() == 0, (path, subject)
            assert page.evaluate("window.hacked") is None, (path, subject)
    assert faults == []
