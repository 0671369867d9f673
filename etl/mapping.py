"""The file's columns -> canonical columns: found by their names, confirmed or refused by a look at the first rows."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from db.columns import Columns as C
from errors import InputError
from etl import parse
from etl.meanings import EMAIL, EXPORTS, KINDS, MOMENTS, NUMBERS, OTHER_MOMENTS, Kind, Names, key, keys, known_names
from etl.readers.base import Source

DiscountIs: TypeAlias = Literal["money", "fraction", "each"]
AmountIs: TypeAlias = Literal["net", "gross"]


@dataclass(frozen=True)
class Layout:
    """How a file is to be read."""

    columns: Mapping[str, str]
    """Canonical name -> the file's column."""
    kind: Kind = "orders"
    """What a row of the file is about."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Canonical name -> what every row has there, where the file has no such column: a quantity of 1."""
    carried: Sequence[str] = ()
    """Canonical names that only the first row of an order has; the rows below it are blank there."""
    discount_is: DiscountIs = "money"
    """What a discount is: money off the line, a fraction of its price (0.2) or money off each piece."""
    amount_is: AmountIs = "net"
    """Whether an amount is what was paid, or what the line costs before the discount."""
    cancelled_by_c: bool = False
    """Whether an order id of C and digits is a cancellation, as in Online Retail; elsewhere C1001 may be any order."""
    day_first: bool | None = None
    """Whether 3/4/2011 is the third of April; None: such dates are not read."""
    decimals: Mapping[str, str] = field(default_factory=dict)
    """Canonical name -> the decimal mark of a column whose numbers are more than plain: 1.234,50 or $1,234.50."""


@dataclass(frozen=True)
class Question:
    """What the file does not tell, and the lines of a mapping file that answer it: keep what is right."""

    question: str
    lines: Sequence[str]


@dataclass(frozen=True)
class Understood:
    """What a file's columns were taken for; where `missing` or `questions` is not empty it cannot be loaded so."""

    layout: Layout
    export: str | None
    """The shop system whose export this is, if it is a known one."""
    why: Mapping[str, str]
    """Canonical name -> `by name` or `by content`."""
    missing: Sequence[str]
    """What a file of this kind needs and this one lacks: `unit_price (or amount)`."""
    questions: Sequence[Question]
    remarks: Sequence[str]
    """Sentences about what was assumed, and about columns whose cells are not what their names say."""


_LOOK_ROWS = 5_000
_MOST_SEARCHED = 300
"""A file of more columns is understood by their names alone."""
_MOST = 0.95
"""The share of cells that must fit where no name tells what a column is."""


def detect(source: Source, kind: Kind = "orders") -> Layout:
    """Which column of the source holds what; columns of other names are ignored.

    Raises InputError where a column that the kind needs is missing, or where two may be the same.
    """
    found = understood(source, kind)
    remedy = "`python -m etl inspect FILE --write MAPPING.toml` writes a mapping to mend for `load --mapping`"
    for asked in found.questions:
        raise InputError(f"{source.name}: {asked.question.rstrip('.?')}; {remedy}.")
    if found.missing:
        refused = f" ({' '.join(found.remarks)})" if found.remarks else ""
        raise InputError(
            f"{source.name} has the columns {listed(source.columns)}, and among them none for "
            f"{listed(found.missing)}{refused}; {remedy}."
        )
    return found.layout


def understood(source: Source, kind: Kind = "orders") -> Understood:
    """The same with its reasons, whatever is missing. Raises InputError where the first rows cannot be read."""
    look = _first_rows(source) if known_names(source.columns) else None
    of_name = keys(source.columns)
    exports = EXPORTS if kind == "orders" else {}
    export = next((name for name, export in exports.items() if keys(export.marks) <= of_name), None)
    names = EXPORTS[export].names if export else KINDS[kind].names
    search = _Search(source.columns, look)
    search.by_name(names)
    search.by_content(names)
    return _judged(search, kind, export, look)


def missing(layout: Layout) -> list[str]:
    """What a file of the layout's kind needs and the layout lacks: `unit_price (or amount)`."""
    there = {*layout.columns, *layout.constants}
    groups = [group for group in KINDS[layout.kind].needed if not there.intersection(group)]
    return [first + "".join(f" (or {other})" for other in others) for first, *others in groups]


def given(layout: Layout, source: Source) -> Layout:
    """The layout of a mapping file, where it fits the source.

    Raises InputError where the source lacks a column that it names, or it names none for what its kind needs.
    """
    if strange := [column for column in layout.columns.values() if column not in source.columns]:
        raise InputError(
            f"The mapping names the columns {listed(strange)}, and {source.name} has none of that name but "
            f"{listed(source.columns)}; mend the mapping."
        )
    if lacking := missing(layout):
        raise InputError(f"The mapping names no column of {source.name} for {listed(lacking)}; mend the mapping.")
    return layout


def listed(names: Sequence[str]) -> str:
    """The names with commas, cut after thirty."""
    shown = ", ".join(names[:30])
    return shown if len(names) <= 30 else f"{shown} and {len(names) - 30} more"


class _Search:
    """The columns of one file, each chosen for at most one meaning."""

    def __init__(self, columns: Sequence[str], look: pa.RecordBatch | None) -> None:
        self._look = look
        self._columns = columns
        self._places = {column: place for place, column in enumerate(columns)}
        self._of_key: dict[str, list[str]] = {}
        for column in columns:
            self._of_key.setdefault(key(column), []).append(column)
        self.chosen: dict[str, str] = {}
        self.why: dict[str, str] = {}
        self.equal: dict[str, list[str]] = {}
        self.remarks: list[str] = []

    def by_name(self, names: Names) -> None:
        """The best name whose cells fit is chosen; one whose cells are all blank only where there is no other.

        Quantities that are no numbers stay what they are called: each row would count as one piece otherwise.
        """
        for canonical, ranks in names.items():
            named = [[c for name in keys(rank) for c in self._of_key.get(name, ())] for rank in ranks]
            free = [self._free(rank) for rank in named]
            fits = {column: self._fits(canonical, column) for rank in free for column in rank}
            for wanted in (True, None, False) if canonical == C.QUANTITY else (True, None):
                best = next((like for rank in free if (like := [c for c in rank if fits[c] is wanted])), [])
                if len(best) == 1:
                    self.chosen[canonical], self.why[canonical] = best[0], "by name"
                elif best:
                    self.equal[canonical] = best
                if best:
                    break
            for column in fits:
                if fits[column] is False and canonical not in self.chosen:
                    what = "date" if canonical in MOMENTS else "number"
                    self.remarks.append(f"{column} holds no {what}, such as {self._cell(column)!r}.")

    def by_content(self, names: Names) -> None:
        """A date or a customer without a known name is the only column of dates or of e-mail addresses."""
        if self._look is None or len(self._columns) > _MOST_SEARCHED:
            return
        for canonical in (C.ORDERED_AT, C.OCCURRED_AT, C.CUSTOMER_ID):
            if canonical not in names or canonical in self.chosen or canonical in self.equal:
                continue
            moment = canonical in MOMENTS
            free = self._free(self._columns)
            if moment:
                free = [column for column in free if not OTHER_MOMENTS.search(column)]
            found = [c for c in free if _share(self._look.column(c), _moments if moment else _emails) >= _MOST]
            if len(found) == 1:
                self.chosen[canonical], self.why[canonical] = found[0], "by content"
            elif found and moment:
                self.equal[canonical] = found

    def _free(self, columns: Collection[str]) -> list[str]:
        """Those not chosen yet, in the file's order."""
        taken = self.chosen.values()
        return sorted((column for column in columns if column not in taken), key=self._places.__getitem__)

    def _fits(self, canonical: str, column: str) -> bool | None:
        """Whether any cell of the first rows is what the meaning needs; None: all are blank."""
        if self._look is None:
            return None
        cells = self._look.column(column)
        if pc.all(parse.missing(cells)).as_py():
            return None
        if canonical in MOMENTS:
            return _share(cells, _moments) > 0
        return canonical not in NUMBERS or _share(cells, numbers) > 0

    def _cell(self, column: str) -> str:
        cells = parse.text(self._look.column(column)).drop_null() if self._look is not None else []
        return str(cells[0])[:40]


def _first_rows(source: Source) -> pa.RecordBatch | None:
    first = next((batch for batch in source.batches() if batch.num_rows), None)
    return None if first is None else first.slice(0, _LOOK_ROWS)


def _judged(search: _Search, kind: Kind, export: str | None, look: pa.RecordBatch | None) -> Understood:
    chosen, remarks = search.chosen, search.remarks
    questions = [
        Question(
            f"The columns {listed(columns)} all read as {canonical}.",
            ["[columns]", *(f"{canonical} = {toml(column)}" for column in columns)],
        )
        for canonical, columns in search.equal.items()
    ]
    layout = Layout(chosen, kind, **(EXPORTS[export].how if export else {}))
    layout = replace(layout, carried=tuple(name for name in layout.carried if name in chosen))
    if kind == "orders":
        if C.QUANTITY not in chosen and (C.UNIT_PRICE in chosen or C.AMOUNT in chosen):
            layout = replace(layout, constants={C.QUANTITY: "1"})
            remarks.append("No column tells quantities: each row is taken for one piece.")
        if C.CUSTOMER_ID not in chosen and C.CUSTOMER_ID not in search.equal:
            remarks.append("No column tells customers: all lines are taken for guests'.")
        elif key(chosen.get(C.CUSTOMER_ID, "")).endswith("name"):
            remarks.append("Customers are told apart by their names: two of one name are taken for one.")
        if C.PRODUCT_ID not in chosen and C.PRODUCT_NAME in chosen:
            remarks.append("No column tells product ids: a product goes by its name.")
        told = export is not None
        if look is not None and {C.QUANTITY, C.UNIT_PRICE, C.AMOUNT} <= set(chosen):
            layout, told = _reckoned(layout, look, remarks)
        if look is not None and C.DISCOUNT in chosen and not told and _may_be_fractions(look, layout):
            questions.append(
                Question(
                    f"{chosen[C.DISCOUNT]} holds only numbers from 0 to 1: fractions of the price, or money?",
                    ['discount_is = "fraction"', 'discount_is = "money"'],
                )
            )
    return Understood(
        layout=layout,
        export=export,
        why={canonical: why for canonical, why in search.why.items() if canonical in layout.columns},
        missing=[lack for lack in missing(layout) if lack.split(" (or ")[0] not in search.equal],
        questions=questions,
        remarks=remarks,
    )


def _reckoned(layout: Layout, look: pa.RecordBatch, remarks: list[str]) -> tuple[Layout, bool]:
    """Where prices and amounts are both given, the first rows tell what they are; and whether the discount is told.

    The way of reckoning that gives most rows their amount, to a hundredth a piece, is the file's, if it gives it to
    half of them. An amount that is the same in all rows of an order, whatever their prices, is that of the order, and
    is left out.
    """
    cells = {name: numbers(look.column(column)) for name, column in layout.columns.items() if name in NUMBERS}
    gross = pc.multiply(cells[C.QUANTITY], cells[C.UNIT_PRICE])
    off = pc.fill_null(cells[C.DISCOUNT], 0.0) if C.DISCOUNT in cells else pa.repeat(0.0, look.num_rows)
    ways: dict[tuple[AmountIs, DiscountIs], pa.Array] = {
        ("net", "money"): pc.subtract(gross, off),
        ("net", "each"): pc.subtract(gross, pc.multiply(cells[C.QUANTITY], off)),
        ("net", "fraction"): pc.multiply(gross, pc.subtract(1.0, off)),
        ("gross", "money"): gross,
    }
    within = pc.multiply(pc.add(pc.abs(cells[C.QUANTITY]), 1.0), 0.01)
    fits = {way: pc.less_equal(pc.abs(pc.subtract(told, cells[C.AMOUNT])), within) for way, told in ways.items()}
    shares = {way: pc.mean(fit).as_py() or 0.0 for way, fit in fits.items()}
    best = max(shares, key=lambda way: shares[way])
    name = layout.columns[C.AMOUNT]
    if C.ORDER_ID in layout.columns and _of_orders(look.column(layout.columns[C.ORDER_ID]), cells, fits[best]):
        remarks.append(f"{name} is left out: it is the same in all rows of an order, and so the sum of the order.")
        kept = {canonical: column for canonical, column in layout.columns.items() if canonical != C.AMOUNT}
        return replace(layout, columns=kept), False
    if shares[best] < 0.5:
        remarks.append(f"{name} is taken for what was paid, though in most rows it is not quantity times price.")
        return layout, False
    if best[0] == "gross":
        remarks.append(f"{name} is taken for the amount before the discount.")
    return replace(layout, amount_is=best[0], discount_is=best[1]), best[0] == "net"


def _of_orders(order_id: pa.Array, cells: Mapping[str, pa.Array], fits: pa.Array) -> bool:
    """Whether of the orders with several rows, not all of which fit, nine in ten have one amount in all rows."""
    rows = pa.table([order_id, cells[C.AMOUNT], pc.invert(fits)], names=["order", "amount", "odd"])
    told = rows.group_by("order").aggregate([("amount", "count"), ("amount", "count_distinct"), ("odd", "any")])
    several = told.filter(pc.and_(pc.greater(told["amount_count"], 1), pc.fill_null(told["odd_any"], False)))
    alike = pc.mean(pc.equal(several["amount_count_distinct"], 1)).as_py()
    return alike is not None and bool(alike >= 0.9)


def _may_be_fractions(look: pa.RecordBatch, layout: Layout) -> bool:
    cells = numbers(look.column(layout.columns[C.DISCOUNT])).drop_null()
    within = pc.and_(pc.greater_equal(cells, 0.0), pc.less_equal(cells, 1.0))
    return bool(pc.all(within).as_py() and pc.any(pc.not_equal(cells, pc.floor(cells))).as_py())


def toml(value: str | bool | int | Sequence[str]) -> str:
    """JSON's way of writing is TOML's too, but for the one control character that JSON leaves as it is."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def numbers(column: pa.Array) -> pa.Array:
    """Float64 by the decimal mark that reads more cells; the first rows alone do not decide what is stored."""
    ways = [parse.number(column, mark) for mark in ".,"]
    return min(ways, key=lambda read: read.null_count)


def _moments(column: pa.Array) -> pa.Array:
    return pc.coalesce(parse.moment(column, True), parse.moment(column, False))


def _emails(column: pa.Array) -> pa.Array:
    written = parse.text(column)
    return pc.if_else(pc.match_substring_regex(written, EMAIL), written, None)


def _share(column: pa.Array, read: Callable[[pa.Array], pa.Array]) -> float:
    """The share of the cells that are not blank that can be read; 0 where all are blank."""
    written = len(column) - pc.sum(parse.missing(column)).as_py()
    cells = read(column)
    return (len(cells) - cells.null_count) / written if written else 0.0
