"""A TOML file, completed from a default one, becomes one checked, frozen object; each mistake is one sentence."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from errors import ConfigurationError, one_line

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]

_LARGEST = 1 << 20


def fault(text: str) -> PydanticCustomError:
    """What is wrong with a value; the sentence begins with its place."""
    return PydanticCustomError("fault", "{text}", {"text": text})


def must_be(wanted: str) -> WrapValidator:
    """Whichever part of a value does not fit, one fault that says what it must be."""

    def checked(value: Any, fitting: ValidatorFunctionWrapHandler) -> Any:
        try:
            return fitting(value)
        except ValidationError as error:
            raise fault(f"must be {wanted}, not {shorten(repr(value), 80)}") from error

    return WrapValidator(checked)


def in_one_line(text: str) -> str:
    """The text itself. Raises ValueError where it has signs that nobody sees, or blanks at its ends."""
    joined = text.replace("\u200d", "")  # it joins several emoji into one
    if not joined.isprintable() or text != text.strip():
        raise ValueError
    return text


class Part(BaseModel):
    """A table of the file; it takes its own keys alone."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _has_known_keys(cls, told: Any) -> Any:
        if isinstance(told, Mapping):
            unknown = [str(key) for key in told if key not in cls.model_fields]
            if unknown:
                raise fault(f"must not have the key {unknown[0]}; it takes {', '.join(cls.model_fields)}")
        elif not isinstance(told, cls):
            raise fault(f"must be a table with the keys {', '.join(cls.model_fields)}")
        return told

    def as_json(self) -> dict[str, Any]:
        """All of it in plain lists, texts and numbers; equal ones give equal ones."""
        return self.model_dump(mode="json")


Told = TypeVar("Told", bound=Part)


def read(of: type[Told], path: Path | None, default: Path, what: str) -> Told:
    """What a file tells, completed from the default file (the whole of it for None).

    A key, or a key of a table, that the file leaves out is as in the default; lists replace the default's. Validators
    find the folder of the file in their context. Raises ConfigurationError naming the file (of `what`) and the place of
    the first mistake.
    """
    told = _told(default, what)
    if path is not None:
        for part, own in _told(path, what).items():
            standing = told.get(part)
            told[part] = {**standing, **own} if isinstance(standing, dict) and isinstance(own, dict) else own
    file = path or default
    try:
        return of.model_validate(told, context=file.parent)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        sentence = f"{one_line(file.name)}: {_sentence(faults[0], told)}{more}."
        raise ConfigurationError(one_line(sentence)) from error


def _told(path: Path, what: str) -> dict[str, Any]:
    try:
        if path.exists() and not path.is_dir() and not (path.is_file() and path.stat().st_size <= _LARGEST):
            raise ConfigurationError(f"{path} is no file of {what} (a pipe or device, or too large); check the path.")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be opened ({error.strerror or error}); check the path.") from error
    except (ValueError, RecursionError) as error:  # what is no TOML, no UTF-8, or no path
        raise ConfigurationError(f"{path} is no TOML ({error}); mend the file.") from error


def _sentence(fault: ErrorDetails, told: Any) -> str:
    """Where a fault is and what it is: tables 1, groups 2 (Loyal), colour must be ..."""
    places: list[str] = []
    for key in fault["loc"]:
        if isinstance(key, str):
            told = told.get(key)
            places.append(key)
        else:
            told = told[key]
            name = told.get("name") if isinstance(told, Mapping) else None
            places[-1] += f" {key + 1}" + (f" ({name})" if isinstance(name, str) else "")
    texts = {
        "missing": "must be there",
        "tuple_type": "must be a list of tables, each begun by [[ ]]",
        "too_short": "must not be empty",
    }
    return f"{', '.join(places) or 'it'} {texts.get(fault['type'], fault['msg'])}"
