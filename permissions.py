"""Who may do what: the one table that every page, part of a page, callback, route and command asks.

What stands in no table here is refused to everybody; a test holds the tables against the running application.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Right(StrEnum):
    """What can be allowed."""

    EVERYBODY = "everybody"
    """Without signing in: nothing that tells of the shop."""
    OWN = "own account"
    TOTALS = "totals"
    CUSTOMERS = "customers"
    """Rows of single customers."""
    IDENTITY = "identity"
    """Who they are, where the shop is shown under pseudonyms."""
    LISTS = "lists"
    """Lists of customers as files, and the audiences they are saved as."""
    DATA = "data"
    """Loads and their accounts, and to load and undo."""
    QUALITY = "quality"
    RUN = "run"
    AUDIT = "audit"
    USERS = "users"
    OPERATE = "operate"
    """The database itself: schema, backup, what is forgotten."""


class Role(StrEnum):
    """What a user is; each has the rights of `RIGHTS`."""

    EXECUTIVE = "executive"
    MARKETER = "marketer"
    ANALYST = "analyst"
    ADMIN = "admin"


_R = Right
_SIGNED_IN = frozenset({_R.EVERYBODY, _R.OWN, _R.TOTALS})

RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.EXECUTIVE: _SIGNED_IN,
        Role.MARKETER: _SIGNED_IN | {_R.CUSTOMERS, _R.IDENTITY, _R.LISTS},
        Role.ANALYST: _SIGNED_IN | {_R.CUSTOMERS, _R.DATA, _R.QUALITY, _R.RUN},
        Role.ADMIN: frozenset(Right),
    }
)

WHOLE_SHOP = frozenset({_R.DATA, _R.QUALITY, _R.RUN, _R.AUDIT, _R.USERS, _R.OPERATE})
"""What cannot be parted by country: not for whoever is limited to some."""


@dataclass(frozen=True)
class Viewer:
    """Who asks. `countries` limits what they see of the shop to these; none: all of it. No role: nobody."""

    name: str
    role: Role | None
    countries: tuple[str, ...] = ()

    def may(self, right: Right | None) -> bool:
        """Whether they have a right; what has none (None) is nobody's."""
        if right is None:
            return False
        if right is Right.EVERYBODY:
            return True
        if self.countries and right in WHOLE_SHOP:
            return False
        return self.role is not None and right in RIGHTS[self.role]


NOBODY = Viewer("nobody", None)
OPERATOR = Viewer("operator", Role.ADMIN)
"""Who calls the commands in nobody's name: the database's address, which they know, opens everything."""

PAGES: Mapping[str, Right] = MappingProxyType(
    {
        "/": _R.TOTALS,
        "/segments": _R.TOTALS,
        "/value": _R.TOTALS,
        "/movement": _R.TOTALS,
        "/customers": _R.CUSTOMERS,
        "/customers/": _R.CUSTOMERS,
        "/audiences": _R.LISTS,
        "/recommendations": _R.TOTALS,
        "/recommendations/customers/": _R.CUSTOMERS,
        "/recommendations/segments": _R.TOTALS,
        "/recommendations/products/": _R.TOTALS,
        "/recommendations/bundles": _R.TOTALS,
        "/quality": _R.QUALITY,
        "/data": _R.DATA,
        "/guide/": _R.TOTALS,
    }
)
"""Page -> what it asks for, and with it each of its parts but those below."""

PARTS: Mapping[str, Right] = MappingProxyType(
    {
        "segments.flat": _R.CUSTOMERS,
        "value.risk": _R.CUSTOMERS,
        "recommendations.lists": _R.LISTS,
        "offers_product.audience": _R.CUSTOMERS,
        "shell.freshness": _R.TOTALS,
        "shell.chips": _R.TOTALS,
        "shell.scope": _R.TOTALS,
        "shell.printed": _R.TOTALS,
    }
)
"""Parts of pages that ask for another right than their page, and those around every page."""

CALLBACKS: Mapping[str, Right] = MappingProxyType(
    {
        "page.children": _R.TOTALS,  # then by the page
        "slot.children": _R.TOTALS,  # then by the part
        "shell-slot.children": _R.TOTALS,
        "picture.figure": _R.TOTALS,
        "filter-preset.value": _R.TOTALS,
        "filter.options": _R.TOTALS,
        "customer-grid.getRowsResponse": _R.CUSTOMERS,
        "bundle-grid.getRowsResponse": _R.TOTALS,
        "pick-customer.options": _R.CUSTOMERS,
        "pick-product.options": _R.TOTALS,
        "data-body.children": _R.DATA,
        "data-next.data": _R.DATA,
        "audience-said.children": _R.LISTS,
        "audiences-body.children": _R.LISTS,
        "audience-count.children": _R.LISTS,
        "audiences-changed.data": _R.LISTS,
        "database-away.children": _R.TOTALS,
    }
)
"""Callback that the server answers, by its first output (of ids with a type, the type) -> what it asks for."""

ROUTES: Mapping[str, Right] = MappingProxyType(
    {
        # what a browser needs before anybody signs in; none of it tells of the shop
        "/vendor/bootstrap.min.css": _R.EVERYBODY,
        "/vendor/theme.css": _R.EVERYBODY,
        "/assets/<path:filename>": _R.EVERYBODY,
        "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": _R.EVERYBODY,
        "/_favicon.ico": _R.EVERYBODY,
        "/health/live": _R.EVERYBODY,
        "/health/ready": _R.EVERYBODY,
        "/metrics": _R.EVERYBODY,  # asks for a token of its own
        "/sign-in": _R.EVERYBODY,
        "/sign-in/link/<token>": _R.EVERYBODY,
        "/sign-in/provider": _R.EVERYBODY,
        "/sign-in/provider/back": _R.EVERYBODY,
        "/sign-out": _R.EVERYBODY,
        "/": _R.TOTALS,
        "/<path:path>": _R.TOTALS,
        "/_dash-layout": _R.TOTALS,
        "/_dash-dependencies": _R.TOTALS,
        "/_reload-hash": _R.TOTALS,
        "/_dash-update-component": _R.TOTALS,  # then by the callback
        "/download/<any(customers,recommendations,audience,bundles):name>.<any(csv,xlsx):suffix>": _R.LISTS,
        "/download/progress/<name>": _R.LISTS,
        "/download/manifest/<name>": _R.LISTS,
        "/download/rejected/<int:load_id>.<suffix>": _R.DATA,
        "/upload": _R.DATA,
        "/account": _R.OWN,
        "/users": _R.USERS,
        "/audit": _R.AUDIT,
    }
)
"""Route as the server knows it -> what it asks for."""

COMMANDS: Mapping[str, Right] = MappingProxyType(
    {
        "auth.add": _R.USERS,
        "auth.disable": _R.USERS,
        "auth.enable": _R.USERS,
        "auth.link": _R.USERS,
        "auth.list_users": _R.USERS,
        "auth.role": _R.USERS,
        "dashboard._serve": _R.OPERATE,
        "dashboard.report": _R.TOTALS,
        "db.back_up": _R.OPERATE,
        "db.check": _R.QUALITY,
        "db.forget": _R.OPERATE,
        "db.migrate": _R.OPERATE,
        "db.print_checksums": _R.OPERATE,
        "db.refresh_snapshot": _R.DATA,
        "db.remember": _R.OPERATE,
        "db.restore_backup": _R.OPERATE,
        "db.retain": _R.OPERATE,
        "db.stop": _R.OPERATE,
        "db.url": _R.OPERATE,
        "etl.inspect": _R.DATA,
        "etl.load": _R.DATA,
        "etl.rejected": _R.DATA,
        "etl.report": _R.DATA,
        "etl.undo": _R.DATA,
        "models.run": _R.RUN,
        "models.schedule": _R.RUN,
    }
)
"""Command, by the function in its package's __main__ -> what it asks for of the role that it is called in."""


def for_callback(output: str) -> Right | None:
    """What a callback asks for, of the name of its outputs as Dash writes them; None where it is in no table."""
    return CALLBACKS.get(callback_name(output))


def callback_name(output: str) -> str:
    """How `CALLBACKS` calls a callback."""
    return _typed(output.removeprefix("..").removesuffix("..").split("...")[0].partition("@")[0])


def for_page(path: str) -> Right | None:
    """What a page asks for."""
    return PAGES.get(path)


def for_part(name: str, page: str | None = None) -> Right | None:
    """What a part of a page asks for: its own right, or else that of its page."""
    return PARTS.get(name) or (PAGES.get(page) if page else None)


def closed_to(who: Viewer) -> list[str]:
    """The addresses that are not for somebody; with a slash at the end all below it."""
    pages = [path for path, right in PAGES.items() if not who.may(right)]
    return pages + ([] if who.may(Right.LISTS) else ["/download/"])


def _typed(output: str) -> str:
    """`{"name":["MATCH"],"type":"slot"}.children` as `slot.children`."""
    if not output.startswith("{"):
        return output
    of, _, name = output.rpartition("}.")
    kind = of.rpartition('"type":"')[2].partition('"')[0]
    return f"{kind}.{name}"
