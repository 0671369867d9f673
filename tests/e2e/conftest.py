"""A served dashboard and a browser that tells on whatever a page does wrong."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from db import users
from db.engine import make_engine
from permissions import Role
from settings import Settings
from tests.conftest import lacking

ROOT = Path(__file__).parents[2]
_FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)

OpenPage = Callable[..., Page]

expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def address(sample_shop: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `python -m dashboard` serving the sample shop."""
    with served(sample_shop, tmp_path_factory.mktemp("dashboard")) as url:
        yield url


@contextmanager
def served(settings: Settings, folder: Path) -> Iterator[str]:
    """The address of `python -m dashboard` serving a shop; its log is kept in the folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert settings.database_url is not None
    environment = os.environ | {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "SPECTRUM_DATA_DIR": str(settings.data_dir),
        "SPECTRUM_PORT": str(port),
    }
    log = (folder / "log").open("w+")
    command = [sys.executable, "-m", "dashboard"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/health/ready", process, Path(log.name))
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        log.close()
        assert "Traceback" not in Path(log.name).read_text()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers, or fail with its log."""
    for _ in range(120):
        try:
            with urlopen(url, timeout=2):
                return
        except (URLError, OSError):
            if process.poll() is not None:
                break
            time.sleep(0.5)
    pytest.fail(f"The dashboard did not come up:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium, or the one that CHROMIUM names."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        lacking("There is no chromium here; install it (`apt-get install chromium`) or name it with CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        yield browser
        browser.close()


Contexts = dict[str, BrowserContext]


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> Iterator[Contexts]:
    """One context a theme for all tests: what a browser keeps of the page's own files is loaded once."""
    made = {theme: browser.new_context(color_scheme=theme, accept_downloads=True) for theme in ("light", "dark")}
    yield made
    for context in made.values():
        context.close()


@pytest.fixture
def new_page(contexts: Contexts, address: str, of_address: Settings) -> Callable[[str], Page]:
    """Opens a page in a theme, in which an admin of the shop at the address is signed in."""

    def opened(theme: str = "light") -> Page:
        context = contexts["dark" if theme == "dark" else "light"]
        if _signed_in.get(context) != address:  # cookies are of the host, whatever the port
            sign_in(context, of_address, address, Role.ADMIN)
            _signed_in[context] = address
        return context.new_page()

    return opened


_signed_in: dict[BrowserContext, str] = {}


@pytest.fixture
def of_address(sample_shop: Settings) -> Settings:
    """The shop that `address` serves; who serves another one says so."""
    return sample_shop


def sign_in(context: BrowserContext, settings: Settings, address: str, role: Role, *countries: str) -> None:
    """Let a new user in by a link."""
    engine = make_engine(settings)
    user = users.add(engine, f"{role}-{uuid4().hex[:8]}", role, countries=countries)
    token = users.make_link(engine, user)
    engine.dispose()
    page = context.new_page()
    page.goto(f"{address}/sign-in/link/{token}")
    page.close()


@pytest.fixture
def open_page(contexts: Contexts, address: str, new_page: Callable[[str], Page]) -> Iterator[OpenPage]:
    """Opens pages at a width and in a theme; the test fails at its end where a page logged an error, asked another
    host for anything, or was answered with a 5xx. What a page remembers is gone with the test."""
    faults: list[str] = []
    pages: list[Page] = []

    def watch(page: Page) -> None:
        here = urlsplit(address).netloc
        page.on("console", lambda m: faults.append(f"console: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on("response", lambda r: faults.append(f"{r.status}: {r.url}") if r.status >= 500 else None)
        page.on(
            "request",
            lambda r: (
                faults.append(f"left the machine: {r.url}")
                if urlsplit(r.url).scheme not in ("data", "blob") and urlsplit(r.url).netloc != here
                else None
            ),
        )

    def opened(path: str, width: int = 1280, theme: str = "light") -> Page:
        page = new_page(theme)
        pages.append(page)
        page.set_viewport_size({"width": width, "height": 900})
        page.set_default_timeout(30_000)
        watch(page)
        page.goto(address + path)
        return page

    yield opened
    for page in pages:
        page.evaluate("localStorage.clear()")
        page.close()
    for context in contexts.values():
        context.clear_cookies(name="theme")
    assert faults == []


def until(page: Page, expression: str) -> None:
    """Wait until a JavaScript expression holds. (Playwright's own way evaluates it where the page's policy for scripts
    forbids that.)"""
    for _ in range(300):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"This did not come to hold: {expression}")


def filled(page: Page) -> None:
    """Wait until no part of the page is a skeleton any more."""
    expect(page.locator("main h1")).to_be_attached()
    expect(page.locator(".skeleton")).to_have_count(0)
    expect(page.locator(".failed")).to_have_count(0)


def beside(page: Page) -> int:
    """Pixels that lie beside the window, to be scrolled to sideways."""
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider
