"""How often one may ask for what is costly or worth guessing at."""

from typing import Any

from flask import Flask, Response
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from auth.frame import viewer

_TRIES = "20 per minute"
_LISTS = "60 per minute"
_GUESSES = ("/sign-in", "/sign-in/link/<token>")
"""Of these only what is refused counts: a whole office may come in by one address in one minute."""

LIMITS = {
    "/sign-in": (_TRIES, ("POST",)),
    "/sign-in/link/<token>": (_TRIES, ("GET",)),
    "/sign-in/provider": (_LISTS, ("GET",)),
    "/sign-in/provider/back": (_LISTS, ("GET",)),
    "/account": (_TRIES, ("POST",)),
    "/upload": (_LISTS, ("POST",)),
    "/download/<any(customers,recommendations,audience,bundles):name>.<any(csv,xlsx):suffix>": (_LISTS, ("GET",)),
    "/download/rejected/<int:load_id>.<suffix>": (_LISTS, ("GET",)),
}
"""Route -> how often, and of which methods. Counted in the memory of the one process that serves."""


def apply(server: Flask) -> None:
    """Limit the routes, all of which must be there: by user, and of those who are not in by address."""
    limiter = Limiter(_whose, app=server, storage_uri="memory://", headers_enabled=True)
    endpoints = {rule.rule: rule.endpoint for rule in server.url_map.iter_rules()}
    for rule, (limit, methods) in LIMITS.items():
        endpoint = endpoints[rule]
        counted = _is_refused if rule in _GUESSES else None
        limit_it = limiter.limit(limit, methods=list(methods), deduct_when=counted)
        limited: Any = limit_it(server.view_functions[endpoint])
        server.view_functions[endpoint] = limited


def _is_refused(answer: Response) -> bool:
    return answer.status_code >= 400


def _whose() -> str:
    who = viewer()
    return f"user {who.name}" if who.role is not None else f"address {get_remote_address()}"
