"""A layout and a form as a mapping file: TOML to read and to mend, and the same as a dictionary for the record."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from errors import ConfigurationError
from etl.mapping import AmountIs, DiscountIs, Layout, toml
from etl.meanings import KINDS, NUMBERS
from etl.readers.base import Form

_DELIMITERS = (",", ";", "\t", "|")
_LARGEST = 1 << 20


def as_dict(layout: Layout, form: Form) -> dict[str, Any]:
    """What a mapping file says, for JSON and TOML alike; what is empty or None is left out, but for the columns."""
    told = {field.name: _plain(getattr(layout, field.name)) for field in fields(layout)}
    told["file"] = {field.name: getattr(form, field.name) for field in fields(form)}
    told["file"] = {name: value for name, value in told["file"].items() if value is not None}
    return {name: value for name, value in told.items() if name == "columns" or value not in (None, [], {})}


def from_dict(told: Mapping[str, Any], where: str) -> tuple[Layout, Form]:
    """The layout and the form that `as_dict` or a person wrote.

    Raises ConfigurationError naming `where` and the key that is unknown, missing or does not hold what it must.
    """
    layout, form = {name: value for name, value in told.items() if name != "file"}, told.get("file", {})
    kind = layout.get("kind", "orders")
    _must(_is_kind(kind), where, "kind", f"one of {', '.join(KINDS)}")
    names = KINDS[kind].names
    rules = _rules(tuple(names))
    for name, value in layout.items():
        _must(name in rules, where, name, f"one of {', '.join(rules)}, file", unknown=True)
        fits, wanted = rules[name]
        _must(fits(value), where, name, wanted)
    _must("columns" in layout, where, "columns", rules["columns"][1])
    _must(isinstance(form, Mapping), where, "file", "a table")
    for name, value in form.items():
        _must(name in _FILE, where, f"file.{name}", f"one of {', '.join(_FILE)}", unknown=True)
        fits, wanted = _FILE[name]
        _must(fits(value), where, f"file.{name}", wanted)
    return Layout(**{**layout, "carried": tuple(layout.get("carried", ()))}), Form(**form)


def read(path: Path) -> tuple[Layout, Form]:
    """A mapping file. Raises ConfigurationError where it cannot be read, or as `from_dict` does."""
    try:
        if path.exists() and not path.is_dir() and not (path.is_file() and path.stat().st_size <= _LARGEST):
            raise ConfigurationError(f"{path} is no mapping file (a pipe or device, or too large); check the file.")
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path} is no mapping file ({error}); check the file.") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be opened ({error.strerror or error}); check the path.") from error
    return from_dict(told, path.name)


def written(layout: Layout, form: Form, name: str, columns: Sequence[str]) -> str:
    """The mapping file of the file `name` with the given columns, each key explained."""
    kind = layout.kind
    unused = [column for column in columns if column not in layout.columns.values()]
    free = [canonical for canonical in KINDS[kind].names if canonical not in layout.columns]
    told = as_dict(layout, form)
    lines = [
        f"# How {_one_line(name)} is read. Mend what is wrong, and load the file with --mapping and this one.",
        "",
        f"# What a row is about: {', '.join(KINDS)}.",
        f"kind = {toml(kind)}",
        "",
        "# What a discount is: money off the line, a fraction of its price (0.2), a percentage of it (20), or money "
        "off each piece: money, fraction, percent, each.",
        f"discount_is = {toml(layout.discount_is)}",
        "",
        "# Whether an amount is what was paid, or what the line costs before the discount: net, gross.",
        f"amount_is = {toml(layout.amount_is)}",
        "",
        "# Whether an order id of C and digits is a cancellation, as in Online Retail.",
        f"cancelled_by_c = {toml(layout.cancelled_by_c)}",
        "",
        "# Whether 3/4/2011 is the third of April; leave it out where the whole column shall decide.",
        f"{'# ' if layout.day_first is None else ''}day_first = {toml(layout.day_first or False)}",
        "",
        "# What only the first row of an order has, the rows below it being blank there.",
        f"carried = {toml(list(layout.carried))}",
        "",
        '# What each column means: meaning = "the file\'s column".',
        "[columns]",
        *(f"{canonical} = {toml(column)}" for canonical, column in layout.columns.items()),
    ]
    if free:
        lines += ["# Meanings that no column has:", *(f"# {canonical} =" for canonical in free)]
    if unused:
        lines += ["# Columns without a meaning:", *(f"# = {toml(column)}" for column in unused)]
    lines += ["", "# What every row has where the file has no such column.", "[constants]", *_table(told, "constants")]
    lines += [
        "",
        "# The decimal mark of a column whose numbers are more than digits and a point: . or a comma.",
        "[decimals]",
        *_table(told, "decimals"),
        "",
        "# How the file is written; what is left out is found out.",
        "[file]",
        *_table(told, "file"),
    ]
    return "\n".join(lines) + "\n"


def _table(told: Mapping[str, Any], name: str) -> list[str]:
    return [f"{key} = {toml(value)}" for key, value in told.get(name, {}).items()]


def _one_line(name: str) -> str:
    return "".join(character if character.isprintable() else " " for character in name)


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return dict(value)
        case tuple():
            return list(value)
        case _:
            return value


Rule = tuple[Callable[[Any], bool], str]


def _rules(names: Sequence[str]) -> Mapping[str, Rule]:
    listed = ", ".join(names)
    return {
        "kind": (_is_kind, f"one of {', '.join(KINDS)}"),
        "columns": (_texts_by(names), f"a table of column names by what they mean ({listed})"),
        "constants": (
            lambda value: _texts_by(names)(value) and not any("\x00" in text for text in value.values()),
            f"a table of texts by what they mean ({listed})",
        ),
        "carried": (
            lambda value: isinstance(value, list) and all(name in names for name in value),
            f"a list of meanings ({listed})",
        ),
        "discount_is": _one_of(*get_args(DiscountIs)),
        "amount_is": _one_of(*get_args(AmountIs)),
        "cancelled_by_c": (lambda value: isinstance(value, bool), "true or false"),
        "day_first": (lambda value: isinstance(value, bool), "true or false"),
        "decimals": (
            lambda value: _texts_by(NUMBERS)(value) and all(mark in (".", ",") for mark in value.values()),
            f'a table of "." or "," by what they are of ({", ".join(NUMBERS)})',
        ),
    }


def _texts_by(names: Sequence[str]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, Mapping)
        and all(name in names for name in value)
        and all(isinstance(text, str) for text in value.values())
    )


def _is_kind(value: Any) -> bool:
    return isinstance(value, str) and value in KINDS


def _one_of(*allowed: str) -> Rule:
    return lambda value: value in allowed, f"one of {', '.join(allowed)}"


def _known_encoding(value: Any) -> bool:
    try:
        return isinstance(value, str) and isinstance("".encode(value), bytes)
    except (LookupError, ValueError):
        return False


_FILE: Mapping[str, Rule] = {
    "encoding": (_known_encoding, "the name of an encoding, such as utf-8 or cp1252"),
    "delimiter": (lambda value: value in _DELIMITERS, 'one of ",", ";", "|" and "\\t"'),
    "header_line": (lambda value: type(value) is int and 1 <= value < 1 << 31, "the line of the column names, from 1"),
    "sheet": (lambda value: isinstance(value, str), "the name of a sheet"),
}


def _must(fits: bool, where: str, key: str, wanted: str, *, unknown: bool = False) -> None:
    if not fits:
        fault = "is not known" if unknown else "does not fit"
        raise ConfigurationError(f"The key {key} of {where} {fault}; it must be {wanted}.")
