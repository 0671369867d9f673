"""The log: lines for people, or one JSON object a line for machines, each with the reference of its request.

What an address holds may be a secret or a name: routes stand in it, and no values.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any, Literal

from flask import Flask, Response, request

from dashboard.reference import name_in_log, reference
from dashboard.who import viewer
from db.turns import since_asked

_access = logging.getLogger("spectrum.access")
_TEXT = "%(asctime)s %(levelname)s %(name)s [%(reference)s]: %(message)s"
_VALUES = re.compile(r"^(LINE \d+:.*\n.*\^|DETAIL: .*|CONTEXT: .*|\[parameters: .*)$", re.MULTILINE)
_FIELDS = ("route", "method", "status", "milliseconds", "user")


class Plain(logging.Formatter):
    """Lines for people; of what failed no line in which the database says a statement's values again."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 (its name is logging's)
        """The traceback without such lines."""
        return _VALUES.sub("(values left out)", super().formatException(ei))


class Json(Plain):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as an object."""
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request": getattr(record, "reference", "-"),
            "message": record.getMessage(),
        }
        told |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def set_up(form: Literal["text", "json"]) -> None:
    """Write warnings and errors, and as JSON every request too."""
    logging.basicConfig(level=logging.WARNING)
    for handler in logging.getLogger().handlers:
        name_in_log(handler)
        handler.setFormatter(Json() if form == "json" else Plain(_TEXT))
    _access.setLevel(logging.INFO if form == "json" else logging.WARNING)


def note_requests(server: Flask) -> None:
    """Log every request once it is answered."""

    @server.after_request
    def end(response: Response) -> Response:
        if _access.isEnabledFor(logging.INFO):
            told = {
                "route": request.url_rule.rule if request.url_rule else None,
                "method": request.method,
                "status": response.status_code,
                "milliseconds": round(1000 * since_asked()),
                "user": viewer().name,
            }
            _access.info("answered %s", reference(), extra=told)
        return response
