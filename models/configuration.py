"""How a shop wants its customers scored, grouped and clustered: a TOML file becomes one checked, frozen Plan."""

import tomllib
from collections.abc import Mapping, Sequence
from itertools import pairwise, product
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from db.columns import Columns as C
from errors import ConfigurationError, one_line

DEFAULT = Path(__file__).with_name("segments.toml")
SCORES = (1, 2, 3, 4, 5)
"""From the worst to the best."""
COLOURS = ("champions", "loyal", "new", "attention", "at_risk", "lost", "other")
"""The keys of the segment colours in the dashboard's theme."""
FEATURES = (
    C.RECENCY,
    C.FREQUENCY,
    C.MONETARY,
    C.AVERAGE_ORDER,
    C.GAP,
    C.DISCOUNT_SHARE,
    C.BREADTH,
    C.RETURN_RATE,
    C.TENURE,
)
"""What customers can be compared by."""

Method = Literal["kmeans", "mixture"]
Play = Literal["retain", "grow", "win_back", "leave"]

_LARGEST = 1 << 20


def _fault(text: str) -> PydanticCustomError:
    return PydanticCustomError("fault", "{text}", {"text": text})


def _must_be(wanted: str) -> WrapValidator:
    """Whichever part of a value does not fit, one fault that says what it must be."""

    def checked(value: Any, fitting: ValidatorFunctionWrapHandler) -> Any:
        try:
            return fitting(value)
        except ValidationError as error:
            raise _fault(f"must be {wanted}, not {shorten(repr(value), 80)}") from error

    return WrapValidator(checked)


def _rising(numbers: tuple[float, ...]) -> tuple[float, ...]:
    if not all(low < high for low, high in pairwise(numbers)):
        raise ValueError
    return numbers


def _different(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names) or not set(names) <= set(FEATURES):
        raise ValueError
    return names


def _known_colour(name: str) -> str:
    if name not in COLOURS:
        raise ValueError
    return name


def _in_one_line(text: str) -> str:
    joined = text.replace("\u200d", "")  # it joins several emoji into one
    if not joined.isprintable() or text != text.strip():
        raise ValueError
    return text


_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Share = Annotated[_Number, Field(gt=0, lt=1)]
_FourNumbers = tuple[_Number, _Number, _Number, _Number]
_FourShares = tuple[_Share, _Share, _Share, _Share]
_Cuts = Annotated[
    Literal["quantiles"] | Annotated[_FourNumbers, AfterValidator(_rising)],
    _must_be('"quantiles" or four rising cut points such as [7, 30, 90, 180]'),
]
_Score = Annotated[int, Field(strict=True, ge=1, le=5)]
_Scores = Annotated[tuple[_Score, ...], Field(min_length=1), _must_be("a list of scores from 1 to 5 such as [4, 5]")]


class _Part(BaseModel):
    """A table of the file; it takes its own keys alone."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _has_known_keys(cls, told: Any) -> Any:
        if isinstance(told, Mapping):
            unknown = [str(key) for key in told if key not in cls.model_fields]
            if unknown:
                raise _fault(f"must not have the key {unknown[0]}; it takes {', '.join(cls.model_fields)}")
        elif not isinstance(told, cls):
            raise _fault(f"must be a table with the keys {', '.join(cls.model_fields)}")
        return told


class Scores(_Part):
    """How each number becomes a score of 1 to 5: by the shop's quantiles, or by four cut points."""

    recency: _Cuts
    frequency: _Cuts
    monetary: _Cuts
    quantiles: Annotated[
        _FourShares,
        AfterValidator(_rising),
        _must_be("four rising shares between 0 and 1 such as [0.2, 0.4, 0.6, 0.8]"),
    ]
    """The shares of customers below the four cut points."""


class Clusters(_Part):
    """What customers are clustered by, and how."""

    method: Annotated[Method, _must_be('"kmeans" or "mixture"')]
    features: Annotated[
        tuple[Annotated[str, Field(strict=True)], ...],
        Field(min_length=1),
        AfterValidator(_different),
        _must_be(f"a list of different features of these: {', '.join(FEATURES)}"),
    ]
    winsorise: Annotated[_Number, Field(ge=0, le=0.2), _must_be("a share from 0 to 0.2")]
    """The share of customers at each end of a feature whose values are drawn in."""


class Cells(_Part):
    """A rectangle of the grid: every r with every fm."""

    r: _Scores
    fm: _Scores


class Group(_Part):
    """A group of customers: what it is called and shown as, what to do about it, and the cells it covers."""

    name: Annotated[
        str,
        Field(strict=True, min_length=1, max_length=40),
        AfterValidator(_in_one_line),
        _must_be("a text of 1 to 40 characters in one line, without blanks at its ends"),
    ]
    colour: Annotated[str, Field(strict=True), AfterValidator(_known_colour), _must_be(f"one of {', '.join(COLOURS)}")]
    emoji: Annotated[
        str, Field(strict=True, min_length=1, max_length=8), AfterValidator(_in_one_line), _must_be("an emoji")
    ]
    play: Annotated[Play, _must_be("one of retain, grow, win_back, leave")]
    playbook: Annotated[
        str,
        Field(strict=True, min_length=1, max_length=400),
        AfterValidator(_in_one_line),
        _must_be("a text of 1 to 400 characters in one line, without blanks at its ends"),
    ]
    covers: Annotated[tuple[Cells, ...], Field(min_length=1)]

    def cells(self) -> list[tuple[int, int]]:
        """The (r, fm) that it covers, in the order of the file."""
        return [cell for part in self.covers for cell in product(part.r, part.fm)]


class GroupTable(_Part):
    """The groups of a shop with `from_customers` customers and more: each of the 25 cells is in exactly one."""

    from_customers: Annotated[
        int, Field(strict=True, ge=0, le=1_000_000_000), _must_be("a number of customers from 0 on")
    ]
    groups: tuple[Group, ...]

    @model_validator(mode="after")
    def _covers_each_cell_once(self) -> Self:
        covering: dict[tuple[int, int], list[str]] = {cell: [] for cell in product(SCORES, SCORES)}
        for group in self.groups:
            for cell in group.cells():
                covering[cell].append(group.name)
        holes = [_cell(cell) for cell, names in covering.items() if not names]
        overlaps = [f"{_cell(cell)} by {' and '.join(names)}" for cell, names in covering.items() if len(names) > 1]
        if holes or overlaps:
            faults = [f"no group covers {', '.join(holes)}"] * bool(holes)
            faults += [f"twice covered are {', '.join(overlaps)}"] * bool(overlaps)
            raise _fault(f"must cover each cell of the grid once: {'; '.join(faults)}")
        alike = _first_repeated([group.name.casefold() for group in self.groups])
        if alike is not None:
            raise _fault(f"must give each group a name of its own, and {self.groups[alike].name} comes twice")
        return self


class Plan(_Part):
    """All that the file says."""

    scores: Scores
    clusters: Clusters
    tables: tuple[GroupTable, ...]

    @model_validator(mode="after")
    def _has_a_table_for_each_shop(self) -> Self:
        begins = [table.from_customers for table in self.tables]
        if 0 not in begins:
            raise _fault("must have among its tables one with from_customers = 0")
        alike = _first_repeated(begins)
        if alike is not None:
            raise _fault(f"must have only one of its tables with from_customers = {begins[alike]}")
        return self

    def table(self, customers: int) -> GroupTable:
        """The groups of a shop with so many customers."""
        reached = (table for table in self.tables if table.from_customers <= customers)
        return max(reached, key=lambda table: table.from_customers)

    def as_json(self) -> dict[str, Any]:
        """The plan in plain lists, texts and numbers; equal plans give equal ones."""
        return self.model_dump(mode="json")


def read_plan(path: Path | None) -> Plan:
    """The plan of a file, completed from the default file (the whole of it for None).

    What the file leaves out of [scores] and [clusters] is as in the default; its tables replace all of the default's.
    Raises ConfigurationError naming the file and the place of the first mistake.
    """
    plan = _told(DEFAULT)
    if path is not None:
        for part, told in _told(path).items():
            default = plan.get(part)
            plan[part] = {**default, **told} if isinstance(default, dict) and isinstance(told, dict) else told
    try:
        return Plan.model_validate(plan)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        name = one_line((path or DEFAULT).name)
        raise ConfigurationError(one_line(f"{name}: {_sentence(faults[0], plan)}{more}.")) from error


def _told(path: Path) -> dict[str, Any]:
    try:
        if path.exists() and not path.is_dir() and not (path.is_file() and path.stat().st_size <= _LARGEST):
            raise ConfigurationError(f"{path} is no file of segments (a pipe or device, or too large); check the path.")
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


def _cell(cell: tuple[int, int]) -> str:
    return f"r {cell[0]} fm {cell[1]}"


def _first_repeated(values: Sequence[object]) -> int | None:
    return next((at for at, value in enumerate(values) if value in values[:at]), None)
