"""The file's columns -> canonical columns: found by their names, confirmed or refused by a look at the first rows."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from db.columns import Columns as C
from errors import InputError
from etl import parse
from etl.meanings import EXPORTS, KINDS, NUMBERS, Kind, export_of, key, known_names
from etl.readers.base import Source
from etl.search import Search, numbers

DiscountIs: TypeAlias = Literal["money", "fraction", "percent", "each"]
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
    """What a discount is: money off the line, a fraction of its price (0.2), a percentage (20) or money off a piece."""
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
    export = export_of(source.columns) if kind == "orders" else None
    names = EXPORTS[export].names if export else KINDS[kind].names
    search = Search(source.columns, look)
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


def remarks(layout: Layout, source: Source) -> list[str]:
    """Sentences about what is assumed of a source that is read by this layout.

    They are all that its columns show where these show the layout; of one that a person made they are those that
    follow from it.
    """
    found = understood(source, layout.kind)
    settled = replace(found.layout, day_first=layout.day_first, decimals=layout.decimals)
    return list(found.remarks) if settled == layout else _assumed(layout)


def _assumed(layout: Layout, asked: Collection[str] = ()) -> list[str]:
    """What is assumed of orders whose columns do not tell it, and what is `asked` by canonical name is not."""
    columns, said = layout.columns, []
    if layout.kind != "orders":
        return []
    if C.QUANTITY not in columns and layout.constants.get(C.QUANTITY) == "1":
        said.append("No column tells quantities: each row is taken for one piece.")
    if C.CUSTOMER_ID not in {*columns, *layout.constants, *asked}:
        said.append("No column tells customers: all lines are taken for guests'.")
    elif key(columns.get(C.CUSTOMER_ID, "")).endswith("name"):
        said.append("Customers are told apart by their names: two of one name are taken for one.")
    if C.PRODUCT_ID not in columns and C.PRODUCT_NAME in columns:
        said.append("No column tells product ids: a product goes by its name.")
    return said


def listed(names: Sequence[str]) -> str:
    """The names with commas, cut after thirty."""
    shown = ", ".join(names[:30])
    return shown if len(names) <= 30 else f"{shown} and {len(names) - 30} more"


def _first_rows(source: Source) -> pa.RecordBatch | None:
    first = next((batch for batch in source.batches() if batch.num_rows), None)
    return None if first is None else first.slice(0, _LOOK_ROWS)


def _judged(search: Search, kind: Kind, export: str | None, look: pa.RecordBatch | None) -> Understood:
    chosen, remarks = search.chosen, list(search.remarks)
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
        remarks += _assumed(layout, search.equal)
        told = export is not None
        if C.DISCOUNT in chosen and _percentages(chosen[C.DISCOUNT], look):
            layout = replace(layout, discount_is="percent")
        if look is not None and {C.QUANTITY, C.UNIT_PRICE, C.AMOUNT} <= set(chosen):
            layout, told = _reckoned(layout, look, remarks)
        if look is not None and C.DISCOUNT in chosen and not told and _may_be_fractions(look, layout):
            questions.append(
                Question(
                    f"{chosen[C.DISCOUNT]} holds only numbers from 0 to 1: fractions of the price, percentages or "
                    "money?",
                    ['discount_is = "fraction"', 'discount_is = "percent"', 'discount_is = "money"'],
                )
            )
    lacking = [lack for lack in missing(layout) if lack.split(" (or ")[0] not in search.equal]
    return Understood(
        layout=layout,
        export=export,
        why={canonical: why for canonical, why in search.why.items() if canonical in layout.columns},
        missing=lacking,
        questions=questions,
        remarks=search.remarks if lacking else remarks,  # nothing is assumed of a file that cannot be loaded
    )


def _reckoned(layout: Layout, look: pa.RecordBatch, remarks: list[str]) -> tuple[Layout, bool]:
    """Where prices and amounts are both given, the first rows tell what they are; and whether the discount is told.

    The way of reckoning that gives most rows their amount, to a hundredth a piece, is the file's, if it gives it to
    half of them. An amount that is the same in all rows of an order, whatever their prices, is that of the order, and
    is left out.
    """
    cells = {name: numbers(look.column(column)) for name, column in layout.columns.items() if name in NUMBERS}
    gross = pc.multiply(cells[C.QUANTITY], cells[C.UNIT_PRICE])
    if layout.discount_is == "percent":
        cells[C.DISCOUNT] = numbers(parse.percentages(look.column(layout.columns[C.DISCOUNT])))
    off = pc.fill_null(cells[C.DISCOUNT], 0.0) if C.DISCOUNT in cells else pa.repeat(0.0, look.num_rows)
    ways: dict[tuple[AmountIs, DiscountIs], pa.Array] = {
        ("net", "money"): pc.subtract(gross, off),
        ("net", "each"): pc.subtract(gross, pc.multiply(cells[C.QUANTITY], off)),
        ("net", "fraction"): pc.multiply(gross, pc.subtract(1.0, off)),
        ("gross", "money"): gross,
        ("net", "percent"): pc.multiply(gross, pc.subtract(1.0, pc.divide(off, 100.0))),
        ("gross", "percent"): gross,
    }
    if layout.discount_is == "percent":
        ways = {way: told for way, told in ways.items() if way[1] in ("fraction", "percent")}
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


def _percentages(column: str, look: pa.RecordBatch | None) -> bool:
    """Whether a discount is a percentage by its name (Discount %) or by the sign in its cells (10%)."""
    if re.search("(?i)%|percent|pct", column):
        return True
    cells = None if look is None else parse.text(look.column(column))
    return cells is not None and bool(pc.any(pc.match_substring_regex(cells, "[0-9] ?%$")).as_py())


def _may_be_fractions(look: pa.RecordBatch, layout: Layout) -> bool:
    cells = look.column(layout.columns[C.DISCOUNT])
    if pc.any(pc.match_substring(parse.text(cells), "%")).as_py():
        return False
    cells = numbers(cells).drop_null()
    within = pc.and_(pc.greater_equal(cells, 0.0), pc.less_equal(cells, 1.0))
    return bool(pc.all(within).as_py() and pc.any(pc.not_equal(cells, pc.floor(cells))).as_py())


def toml(value: str | bool | int | Sequence[str]) -> str:
    """JSON's way of writing is TOML's too, but for the one control character that JSON leaves as it is."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
