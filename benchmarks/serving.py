"""A dashboard in a process of its own, as users start it, and what it answers."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse

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


def reply(port: int, path: str, body: bytes | None = None) -> HTTPResponse:
    """The answer to a GET, or with a body (of JSON) to a POST; whoever asks reads it."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST" if body else "GET", path, body, {"Content-Type": "application/json"} if body else {})
    return connection.getresponse()


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(240):
        if process.poll() is not None:
            break
        try:
            if reply(port, "/health/ready").status == 200:
                return
        except OSError:
            time.sleep(0.5)
    raise SystemExit("The dashboard did not start.")
