"""python -m auth: who may come in, and as what."""

import getpass
import sys
from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import Engine

from auth import passwords
from console import console, says_errors
from db import audit, users
from db.engine import make_engine
from db.users import User
from errors import InputError
from permissions import Role
from settings import load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
Name = Annotated[str, typer.Argument(help="The name that the user signs in with, such as an e-mail address.")]
Countries = Annotated[
    list[str] | None, typer.Option("--country", help="Limit the user to a country of the data; may be given again.")
]


@app.command()
@says_errors
def add(name: Name, role: Role, country: Countries = None, password: bool = False) -> None:
    """Add a user and print a link that lets them in once; --password asks for a password instead."""
    engine = make_engine(load_settings())
    kept = passwords.hashed(_password(), name) if password else None
    user = users.add(engine, name, role, kept, country or ())
    audit.note(engine, audit.operator(), "added user", user.name, details={"role": role, "countries": country or []})
    console.print(f"{user.name} was added as {role}.", markup=False)
    if not password:
        _print_link(engine, user)


@app.command()
@says_errors
def role(name: Name, role: Role, country: Countries = None) -> None:
    """Change what a user may do and see; without --country all of the shop."""
    change = partial(users.change_role, role=role, countries=country or ())
    _change(name, change, "changed role", f"is {role} now", role=role, countries=country or [])


@app.command()
@says_errors
def disable(name: Name) -> None:
    """Let a user in no more; sessions that are open end within five seconds."""
    _change(name, users.disable, "shut out", "is shut out")


@app.command()
@says_errors
def enable(name: Name) -> None:
    """Let a user in again, also after too many wrong passwords."""
    _change(name, users.enable, "let in again", "may come in again")


@app.command()
@says_errors
def link(name: Name) -> None:
    """Print a link that lets a user in once, within 24 hours."""
    engine = make_engine(load_settings())
    _print_link(engine, _user(engine, name))


@app.command("list")
@says_errors
def list_users() -> None:
    """List the users."""
    table = Table("name", "role", "countries", "signed in", "state", box=None, pad_edge=False)
    for user in users.users(make_engine(load_settings())):
        state = "shut out" if user.disabled_at else "password" if user.password_hash else "link or provider"
        at = f"{user.signed_in_at:%Y-%m-%d %H:%M}" if user.signed_in_at else "never"
        table.add_row(user.name, user.role, ", ".join(user.countries) or "all", at, state)
    console.print(table, markup=False)


def _change(name: str, change: Callable[[Engine, User], None], action: str, done: str, **told: object) -> None:
    engine = make_engine(load_settings())
    user = _user(engine, name)
    change(engine, user)
    audit.note(engine, audit.operator(), action, user.name, details=told)
    console.print(f"{user.name} {done}.", markup=False)


def _print_link(engine: Engine, user: User) -> None:
    settings = load_settings()
    token = users.make_link(engine, user)
    audit.note(engine, audit.operator(), "made link", user.name)
    console.print(f"This lets {user.name} in once, within 24 hours:", markup=False)
    console.print(users.link_address(settings, token), markup=False)


def _user(engine: Engine, name: str) -> User:
    found = users.by_name(engine, name)
    if found is None:
        raise InputError(f"There is no user {name}; `python -m auth list` shows who there is.")
    return found


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != password:
        raise InputError("The two passwords differ; nothing was changed.")
    return password


if __name__ == "__main__":
    app()
