"""How a shop wants its customers scored, grouped and clustered: a TOML file becomes one checked, frozen Plan."""

from collections.abc import Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from db.columns import Columns as C
from models.checked import Number, Part, fault, in_one_line, must_be, read

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


_Share = Annotated[Number, Field(gt=0, lt=1)]
_Four = tuple[Number, Number, Number, Number]
_FourShares = tuple[_Share, _Share, _Share, _Share]
_Cuts = Annotated[
    Literal["quantiles"] | Annotated[_Four, AfterValidator(_rising)],
    must_be('"quantiles" or four rising cut points such as [7, 30, 90, 180]'),
]
_Score = Annotated[int, Field(strict=True, ge=1, le=5)]
_Scores = Annotated[tuple[_Score, ...], Field(min_length=1), must_be("a list of scores from 1 to 5 such as [4, 5]")]


class Scores(Part):
    """How each number becomes a score of 1 to 5: by the shop's quantiles, or by four cut points."""

    recency: _Cuts
    frequency: _Cuts
    monetary: _Cuts
    quantiles: Annotated[
        _FourShares,
        AfterValidator(_rising),
        must_be("four rising shares between 0 and 1 such as [0.2, 0.4, 0.6, 0.8]"),
    ]
    """The shares of customers below the four cut points."""


class Clusters(Part):
    """What customers are clustered by, and how."""

    method: Annotated[Method, must_be('"kmeans" or "mixture"')]
    features: Annotated[
        tuple[Annotated[str, Field(strict=True)], ...],
        Field(min_length=1),
        AfterValidator(_different),
        must_be(f"a list of different features of these: {', '.join(FEATURES)}"),
    ]
    winsorise: Annotated[Number, Field(ge=0, le=0.2), must_be("a share from 0 to 0.2")]
    """The share of customers at each end of a feature whose values are drawn in."""


class Cells(Part):
    """A rectangle of the grid: every r with every fm."""

    r: _Scores
    fm: _Scores


class Group(Part):
    """A group of customers: what it is called and shown as, what to do about it, and the cells it covers."""

    name: Annotated[
        str,
        Field(strict=True, min_length=1, max_length=40),
        AfterValidator(in_one_line),
        must_be("a text of 1 to 40 characters in one line, without blanks at its ends"),
    ]
    colour: Annotated[str, Field(strict=True), AfterValidator(_known_colour), must_be(f"one of {', '.join(COLOURS)}")]
    emoji: Annotated[
        str, Field(strict=True, min_length=1, max_length=8), AfterValidator(in_one_line), must_be("an emoji")
    ]
    play: Annotated[Play, must_be("one of retain, grow, win_back, leave")]
    playbook: Annotated[
        str,
        Field(strict=True, min_length=1, max_length=400),
        AfterValidator(in_one_line),
        must_be("a text of 1 to 400 characters in one line, without blanks at its ends"),
    ]
    covers: Annotated[tuple[Cells, ...], Field(min_length=1)]

    def cells(self) -> list[tuple[int, int]]:
        """The (r, fm) that it covers, in the order of the file."""
        return [cell for part in self.covers for cell in product(part.r, part.fm)]


class GroupTable(Part):
    """The groups of a shop with `from_customers` customers and more: each of the 25 cells is in exactly one."""

    from_customers: Annotated[
        int, Field(strict=True, ge=0, le=1_000_000_000), must_be("a number of customers from 0 on")
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
            raise fault(f"must cover each cell of the grid once: {'; '.join(faults)}")
        alike = _first_repeated([group.name.casefold() for group in self.groups])
        if alike is not None:
            raise fault(f"must give each group a name of its own, and {self.groups[alike].name} comes twice")
        return self


class Plan(Part):
    """All that the file says."""

    scores: Scores
    clusters: Clusters
    tables: tuple[GroupTable, ...]

    @model_validator(mode="after")
    def _has_a_table_for_each_shop(self) -> Self:
        begins = [table.from_customers for table in self.tables]
        if 0 not in begins:
            raise fault("must have among its tables one with from_customers = 0")
        alike = _first_repeated(begins)
        if alike is not None:
            raise fault(f"must have only one of its tables with from_customers = {begins[alike]}")
        return self

    def table(self, customers: int) -> GroupTable:
        """The groups of a shop with so many customers."""
        reached = (table for table in self.tables if table.from_customers <= customers)
        return max(reached, key=lambda table: table.from_customers)


def read_plan(path: Path | None) -> Plan:
    """The plan of a file, completed from the default file (the whole of it for None).

    What the file leaves out of [scores] and [clusters] is as in the default; its tables replace all of the default's.
    Raises ConfigurationError naming the file and the place of the first mistake.
    """
    return read(Plan, path, DEFAULT, "segments")


def _cell(cell: tuple[int, int]) -> str:
    return f"r {cell[0]} fm {cell[1]}"


def _first_repeated(values: Sequence[object]) -> int | None:
    return next((at for at, value in enumerate(values) if value in values[:at]), None)
