"""The reference of a request: its answer has it, a toast names it, and so does every line that the log has of it."""

import logging
from uuid import uuid4

from flask import Response, g, has_request_context

HEADER = "X-Request-Id"
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


def name_in(response: Response) -> None:
    """Name the request in its answer."""
    response.headers[HEADER] = reference()
    if g.get("part_failed"):
        response.headers[_FAILED] = "1"


def name_in_log(handler: logging.Handler) -> None:
    """Give every record that a handler writes the reference of the request it is of."""
    handler.addFilter(_add)


def _add(record: logging.LogRecord) -> bool:
    record.reference = reference()
    return True
