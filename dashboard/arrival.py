"""Whether what was sent has arrived: a kernel takes megabytes that the other side may never read."""

import select
import socket
import struct
import termios
import time
from collections.abc import Mapping
from fcntl import ioctl
from typing import Any

_SETTLE = 1.0  # a client that hangs up with something unread is heard of within a network's way there and back
_PATIENCE = 60.0
_LOOK = 0.02


def arrived(environ: Mapping[str, Any]) -> bool:
    """Wait until the other side has taken all that was sent on the connection of a request.

    False where it hangs up before, or takes nothing for a minute. A server that does not show its connection is
    believed. A client that closes having read everything, or asks for something else, ends the wait.
    """
    connection = environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
        return True
    return _taken(connection)


def _taken(connection: socket.socket) -> bool:
    left, since = _unsent(connection), time.monotonic()
    while True:
        if select.select([connection], [], [], _LOOK)[0]:
            try:
                ended = connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
            except BlockingIOError:
                continue
            except OSError:
                return False  # reset: it was closed with something unread
            if not _unsent(connection):
                return True
            if ended:
                time.sleep(_LOOK)
        now = _unsent(connection)
        if now != left:
            left, since = now, time.monotonic()
        if time.monotonic() - since > (_PATIENCE if left else _SETTLE):
            return not left


def _unsent(connection: socket.socket) -> int:
    """Bytes that the other side has not confirmed; none where the system does not tell."""
    try:
        return int(struct.unpack("i", ioctl(connection, termios.TIOCOUTQ, b"\0\0\0\0"))[0])
    except OSError:
        return 0
