"""A dashboard in a process of its own, as users start it, and users who signed in to it."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from uuid import uuid4

from db import users
from db.engine import make_engine
from permissions import Role
from settings import Settings


@contextmanager
def served(settings: Settings) -> Iterator[tuple[int, int]]:
    """The process and the port of a dashboard that is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = settings.environment() | {"SPECTRUM_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "dashboard"], env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait(process, port)
        yield process.pid, port
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


class Visitor:
    """A new user of a role, who came in by a link."""

    def __init__(self, settings: Settings, port: int, role: Role = Role.ADMIN) -> None:
        engine = make_engine(settings)
        user = users.add(engine, f"{role}-{uuid4().hex[:12]}", role)
        self.link = f"http://127.0.0.1:{port}/sign-in/link/{users.make_link(engine, user)}"
        engine.dispose()
        self._port = port
        self._sent: dict[str, str] = {}

    def come_in(self) -> "Visitor":
        """Follow the link, and keep the cookies and the token."""
        session = _cookies(self.reply(self.link.partition(str(self._port))[2]))
        self._sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in session.items())}
        token = _cookies(self.reply("/account"))
        self._sent |= {"X-CSRFToken": token["_csrf_token"]}
        return self

    def reply(self, path: str, body: bytes | None = None) -> HTTPResponse:
        """The answer to a GET, or with a body (of JSON) to a POST; whoever asks reads it."""
        kind = {"Content-Type": "application/json"} if body else {}
        return _reply(self._port, path, body, {**self._sent, **kind})


def _cookies(answer: HTTPResponse) -> dict[str, str]:
    answer.read()
    told = "\n".join(answer.headers.get_all("Set-Cookie") or ())
    return dict(re.findall(r"^([\w-]+)=([^;]*)", told, re.MULTILINE))


def _reply(port: int, path: str, body: bytes | None, headers: dict[str, str]) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST" if body else "GET", path, body, headers)
    return connection.getresponse()


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(240):
        if process.poll() is not None:
            break
        try:
            if _reply(port, "/health/ready", None, {}).status == 200:
                return
        except OSError:
            time.sleep(0.5)
    raise SystemExit("The dashboard did not start.")
