"""The pages of who may let others in, and see what they did."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeAlias

from flask import Flask, flash, request

from auth.frame import Page, shown, viewer
from auth.pages import ABOUT
from auth.sessions import Known
from db import audit, users
from db.audit import ACTIONS, Event
from db.serving import Database
from db.users import User
from errors import DatabaseError, InputError
from permissions import Role

Note: TypeAlias = Callable[..., None]

_MOST = 100
_LARGEST = 2**31 - 1


def register(server: Flask, database: Database, known: Known, public_url: str) -> None:
    """Users, and the audit log."""

    @server.route("/users", methods=["GET", "POST"])
    def people() -> Page:
        link, link_of, everybody, status = "", "", list[User](), 200
        try:
            if request.method == "POST":
                told, link_of, token = _done(database, request.form.get("do", ""))
                known.forget()
                flash(told, "")
                if token:
                    link = f"{public_url or request.host_url.rstrip('/')}{users.LINK}{token}"
        except InputError as error:
            flash(str(error), "fault")
        except DatabaseError as error:
            flash(str(error), "fault")
            status = 503
        with suppress(DatabaseError):  # said already, or the next attempt says it
            everybody = database.ask(users.users)
        told_of = {"users": everybody, "roles": list(Role), "abouts": ABOUT, "moment": _moment, "state": _state}
        return shown("users.html", "Users", status, link=link, link_of=link_of, **told_of)

    @server.get("/audit")
    def log() -> Page:
        actor, action = _printable(request.args.get("actor", "")[:_MOST]), request.args.get("action", "")
        action = action if action in ACTIONS else ""
        before = _number(request.args.get("before"))
        try:
            found = database.ask(lambda engine: audit.events(engine, actor, action, before, _MOST))
        except DatabaseError as error:
            flash(str(error), "fault")
            found = []
        return shown(
            "audit.html",
            "Audit log",
            events=[{**vars(event), "said": _said(event)} for event in found],
            actions=ACTIONS,
            actor=actor,
            action=action,
            moment=_moment,
            older=found[-1].event_id if len(found) == _MOST else None,
        )


def _done(database: Database, do: str) -> tuple[str, str, str]:
    """Do what a button of the users' page says: what was done, and the link and whose it is where one was made.

    Raises InputError where that cannot be.
    """
    form, by = request.form, viewer().name

    def note(action: str, user: User, **told: object) -> None:
        database.ask(lambda engine: audit.note(engine, by, action, user.name, details=told))

    if do == "add":
        role, countries = _role(form.get("role")), _countries(form.get("countries"))
        name = form.get("name", "")
        user = database.ask(lambda engine: users.add(engine, name, role, countries=countries))
        note("added user", user, role=role, countries=countries)
        return f"{user.name} was added.", user.name, _link(database, user, note)
    number = _number(form.get("user")) or 0
    found = database.ask(lambda engine: users.by_id(engine, number))
    if found is None:
        raise InputError("There is no such user any more; load the page again.")
    match do:
        case "role":
            role, countries = _role(form.get("role")), _countries(form.get("countries"))
            database.ask(lambda engine: users.change_role(engine, found, role, countries))
            note("changed role", found, role=role, countries=countries)
            return f"{found.name} is {role} now, and signed out everywhere.", "", ""
        case "link":
            return f"A link for {found.name} was made.", found.name, _link(database, found, note)
        case "disable":
            database.ask(lambda engine: users.disable(engine, found))
            note("shut out", found)
            return f"{found.name} is shut out.", "", ""
        case "enable":
            database.ask(lambda engine: users.enable(engine, found))
            note("let in again", found)
            return f"{found.name} may come in again.", "", ""
    raise InputError("There is no such button; load the page again.")


def _link(database: Database, user: User, note: Note) -> str:
    token = database.ask(lambda engine: users.make_link(engine, user))
    note("made link", user)
    return token


def _role(text: str | None) -> Role:
    if text not in list(Role):
        raise InputError(f"There is no such role; choose one of {', '.join(Role)}.")
    return Role(text)


def _countries(text: str | None) -> list[str]:
    parts = [part.strip() for part in (text or "").split(";")]
    return sorted({part[:100] for part in parts if part and part.isprintable()})


def _printable(text: str) -> str:
    """Without what no name has, and Postgres cannot hold."""
    return "".join(sign for sign in text if sign.isprintable())


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and 0 < int(text[:20]) <= _LARGEST else None


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if at else ""


def _state(user: User) -> str:
    if user.disabled_at is not None:
        return "shut out"
    if user.locked_until is not None and user.locked_until > datetime.now(UTC):
        return f"locked until {user.locked_until.astimezone(UTC):%H:%M} UTC"
    return "password" if user.password_hash else "by link or provider"


def _said(event: Event) -> str:
    return "; ".join(f"{name}: {_plain(value)}" for name, value in event.details.items())


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
