"""A headless chromium, told what to do by the DevTools protocol over a pipe: no port is opened, no package needed.

https://chromedevtools.github.io/devtools-protocol/ has the commands. A message is JSON and ends with a zero byte.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from errors import ReportError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_FROM_US, _TO_US = 3, 4  # the descriptors that the protocol has in the browser
_WAIT, _POLL, _END = 300.0, 0.25, 5.0  # seconds

State = Mapping[str, str]


def find(chosen: Path | None) -> str:
    """The browser to use: the one that was chosen, else one on the path. Raises ReportError where there is none."""
    if chosen is not None:
        if found := shutil.which(chosen):
            return found
        raise ReportError(f"{chosen} cannot be run; name a chromium with SPECTRUM_CHROMIUM.")
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise ReportError(
            "A report needs a chromium to print it, and there is none here; install one (`apt-get install chromium`) "
            "or name it with SPECTRUM_CHROMIUM."
        )
    return found


class Browser:
    """One open page of a running browser."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = read, write
        self._number, self._rest = 0, b""
        self._until = time.monotonic() + _WAIT
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = str(self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])

    _session = ""

    def call(self, method: str, **params: Any) -> Mapping[str, Any]:
        """A command's result. Raises ReportError where the browser refuses, ends or takes too long."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        try:
            os.write(self._write, json.dumps(message).encode() + b"\0")
        except BrokenPipeError as error:
            raise _ended() from error
        while True:
            answer = self._message()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise ReportError(f"The browser refused {method} ({answer['error'].get('message')}).")
                result: Mapping[str, Any] = answer.get("result", {})
                return result

    def _message(self) -> Mapping[str, Any]:
        while b"\0" not in self._rest:
            left = self._until - time.monotonic()
            if left <= 0 or not select.select([self._read], [], [], left)[0]:
                raise ReportError(f"The browser took more than {_WAIT:.0f} seconds; nothing was written.")
            part = os.read(self._read, 1 << 20)
            if not part:
                raise _ended()
            self._rest += part
        said, _, self._rest = self._rest.partition(b"\0")
        answer: Mapping[str, Any] = json.loads(said)
        return answer

    def say(self, headers: Mapping[str, str]) -> None:
        """Send these headers with every request."""
        self.call("Network.enable")
        self.call("Network.setExtraHTTPHeaders", headers=dict(headers))

    def open(self, url: str, width: int, state: str, judge: Callable[[State], bool]) -> None:
        """Open a page as it is printed, `width` pixels wide, and wait until `judge` twice in a row calls the state that
        the JavaScript `state` gives the end; `judge` may raise."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=1000, deviceScaleFactor=1, mobile=False)
        light = [{"name": "prefers-color-scheme", "value": "light"}]
        self.call("Emulation.setEmulatedMedia", media="print", features=light)
        failed = self.call("Page.navigate", url=url).get("errorText")
        if failed:
            raise ReportError(f"The page did not open ({failed}).")
        ends = 0
        while ends < 2:
            found = self.run(state)
            ends = ends + 1 if isinstance(found, dict) and judge(found) else 0
            time.sleep(_POLL)
            if time.monotonic() > self._until:
                raise ReportError(f"The page was not complete after {_WAIT:.0f} seconds; nothing was written.")

    def run(self, script: str) -> Any:
        """What a piece of JavaScript gives on the open page; None where it fails."""
        return self.call("Runtime.evaluate", expression=script, returnByValue=True).get("result", {}).get("value")

    def pdf(self, footer: str) -> bytes:
        """The open page as a PDF, on the paper that its style asks for, with HTML as the foot of each sheet."""
        printed = self.call(
            "Page.printToPDF",
            preferCSSPageSize=True,
            printBackground=True,
            displayHeaderFooter=True,
            headerTemplate="<span></span>",
            footerTemplate=footer,
        )
        return base64.b64decode(printed["data"])


@contextmanager
def browser(path: str, environment: Mapping[str, str]) -> Iterator[Browser]:
    """A browser of its own, with a fresh profile; it ends with the block, and leaves nothing behind."""
    profile = tempfile.mkdtemp(prefix="spectrum-report-")
    flags = [*_FLAGS, f"--user-data-dir={profile}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    pipes = [_high(end) for end in (*os.pipe(), *os.pipe())]
    theirs, write, read, their_write = pipes
    try:
        quiet = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
        given = [(os.POSIX_SPAWN_DUP2, theirs, _FROM_US), (os.POSIX_SPAWN_DUP2, their_write, _TO_US), quiet]
        # not subprocess: its hook between fork and exec is unsafe beside the threads of the server
        process = os.posix_spawn(path, [path, *flags], dict(environment), file_actions=given, setpgroup=0)
        for end in (theirs, their_write):
            os.close(end)
            pipes.remove(end)
        try:
            yield Browser(read, write)
        finally:
            _end(process)
    finally:
        for end in pipes:
            os.close(end)
        shutil.rmtree(profile, ignore_errors=True)


def _high(end: int) -> int:
    """The same end of a pipe, out of the way of the descriptors that the browser gets."""
    moved = fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(end)
    return moved


def _end(process: int) -> None:
    """End the browser and what it started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process, sign)
        until = time.monotonic() + _END
        while time.monotonic() < until:
            if os.waitpid(process, os.WNOHANG)[0]:
                return
            time.sleep(0.02)


def _ended() -> ReportError:
    return ReportError("The browser ended before the report was printed; try `chromium --headless --version` by hand.")
