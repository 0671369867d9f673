"""The reference of a request: its answer has it, a toast names it, and so does every line that the log has of it."""

import logging
from collections.abc import Mapping
from uuid import uuid4

from flask import Response, g, has_request_context

HEADER = "X-Request-Id"
_SEEN = "X-Spectrum-Seen"
"""Names the snapshot and the runs that an answer is of."""
_FAILED = "X-Spectrum-Failed"
"""Tells the browser that a part of a page says so in itself instead of what was asked."""


def reference() -> str:
    """The reference of the request at hand; `-` outside of one. Never one that a browser asks for."""
    if not has_request_context():
        return "-"
    if "reference" not in g:
        g.reference = uuid4().hex[:8]
    return str(g.reference)


def failed() -> str:
    """Mark the answer to the request at hand as the failure of a part; gives the reference."""
    g.part_failed = True
    return reference()


def seen(version: int, runs: Mapping[str, int]) -> None:
    """Note what the answer to the request at hand is of."""
    if has_request_context():
        g.seen = "; ".join([f"snapshot {version}", *(f"{kind} {run}" for kind, run in sorted(runs.items()))])


def name_in(response: Response) -> None:
    """Name the request in its answer."""
    response.headers[HEADER] = reference()
    if "seen" in g:
        response.headers[_SEEN] = g.seen
    if g.get("part_failed"):
        response.headers[_FAILED] = "1"


def name_in_log(handler: logging.Handler) -> None:
    """Give every record that a handler writes the reference of the request it is of."""
    handler.addFilter(_add)


def _add(record: logging.LogRecord) -> bool:
    record.reference = reference()
    return True
