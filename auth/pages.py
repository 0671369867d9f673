"""The pages of sign-in and of one's own account."""

from collections.abc import Mapping
from contextlib import suppress

from flask import Flask, flash, redirect, request
from flask_login import logout_user
from werkzeug.wrappers import Response

from auth import passwords, sessions
from auth.frame import Page, message, shown, viewer
from auth.gate import safe_target
from auth.sessions import Known
from db import audit, users
from db.serving import Database
from db.users import User
from errors import DatabaseError, InputError, SpectrumError
from permissions import Role

ABOUT = {
    Role.EXECUTIVE: "totals of the shop; no single customers, no lists.",
    Role.MARKETER: "totals, single customers, lists to download and audiences.",
    Role.ANALYST: "totals, single customers, loads and runs, and how good the models are; no lists.",
    Role.ADMIN: "everything, users and the audit log with it.",
}
_WRONG = "The name or the password is wrong. After five wrong passwords a name is locked for 15 minutes."
_AWAY = "The database is away, and with it the list of users; try again in a moment."


def register(server: Flask, database: Database, known: Known, provider: str) -> None:
    """Sign-in by password and by link, sign-out, and the own account. `provider`: how OpenID Connect's is called."""

    def note(actor: str, action: str, **told: str) -> None:
        with suppress(DatabaseError):  # the log says less than it could, but nobody is shut out of their own account
            database.ask(lambda engine: audit.note(engine, actor, action, details=told))

    def let_in(user: User, how: str) -> None:
        known.forget()
        sessions.begin(user)
        note(user.name, "signed in", how=how, address=request.remote_addr or "")

    @server.route("/sign-in", methods=["GET", "POST"])
    def sign_in() -> Response | Page:
        target = safe_target(request.values.get("next"))
        name = request.form.get("name", "")[: users.LONGEST_NAME]
        if request.method == "GET":
            if viewer().role is not None:
                return redirect(target, 303)
            return shown("sign_in.html", "Sign in", target=target, name="", provider=provider, narrow=True)
        try:
            user = _tried(database, name, request.form.get("password", ""))
        except DatabaseError:
            flash(_AWAY, "fault")
            return shown("sign_in.html", "Sign in", 503, target=target, name=name, provider=provider, narrow=True)
        if user is None:
            note(
                name.strip().lower() if name.isprintable() else "?", "sign-in failed", address=request.remote_addr or ""
            )
            flash(_WRONG, "fault")
            return shown("sign_in.html", "Sign in", 401, target=target, name=name, provider=provider, narrow=True)
        let_in(user, "password")
        return redirect(target, 303)

    @server.get(f"{users.LINK}<token>")
    def link(token: str) -> Response | Page:
        try:
            user = database.ask(lambda engine: users.take_link(engine, token))
        except DatabaseError:
            return message("Sign in", _AWAY, 503)
        if user is None:
            return message("This link lets nobody in", "It was used already, or it is too old; ask for a new one.", 403)
        let_in(user, "link")
        return redirect("/", 303)

    @server.post("/sign-out")
    def sign_out() -> Response:
        if viewer().role is not None:
            note(viewer().name, "signed out")
        logout_user()
        sessions.end()
        return redirect("/sign-in", 303)

    @server.route("/account", methods=["GET", "POST"])
    def account() -> Response | Page:
        who = viewer()
        try:
            user = database.ask(lambda engine: users.by_name(engine, who.name))
            if user is None:
                return message(
                    "No account", "This session is nobody's account, so there is no password to change.", 404
                )
            if request.method == "POST":
                _change(database, user, request.form)
                known.forget()
                note(user.name, "changed password")
                again = database.ask(lambda engine: users.by_id(engine, user.user_id))
                if again is not None:
                    sessions.begin(again)
                flash("The new password is kept.", "")
                return redirect("/account", 303)
        except InputError as error:
            flash(str(error), "fault")
            return redirect("/account", 303)
        except SpectrumError:
            return message("Your account", _AWAY, 503)
        return shown(
            "account.html",
            "Your account",
            about=ABOUT[user.role],
            has_password=user.password_hash is not None,
            shortest=passwords.SHORTEST,
        )


def _tried(database: Database, name: str, password: str) -> User | None:
    """Who signs in; None where the name or the password is wrong or the name is locked, which takes as long."""
    trial = database.ask(lambda engine: users.begin_trial(engine, name))
    user, may_try = trial or (None, False)
    is_right = passwords.fits(password, user.password_hash if user else None)
    if user is None or not may_try or not is_right:
        return None
    database.ask(lambda engine: users.succeed(engine, user))
    return user


def _change(database: Database, user: User, form: Mapping[str, str]) -> None:
    """Raises InputError where the old password is wrong or the new one will not do."""
    if user.password_hash is not None and not passwords.fits(form.get("old", ""), user.password_hash):
        raise InputError("The password that you have now is another one; nothing was changed.")
    if form.get("new", "") != form.get("again", ""):
        raise InputError("The two new passwords differ; nothing was changed.")
    kept = passwords.hashed(form.get("new", ""), user.name)
    database.ask(lambda engine: users.change_password(engine, user, kept))
