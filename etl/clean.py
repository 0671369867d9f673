"""A batch of a file becomes accepted rows in canonical form, and rejected ones with one reason each.

Pure and set-wise: batches in, batches out. The rules stand in `rules`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from db.columns import Columns as C
from etl import parse
from etl.mapping import Layout
from etl.rules import IDS, MONEY, PRICE, QUANTITY, TEXTS, Number, Rows, first_reason

_LARGEST_AMOUNT = pa.scalar(10**14, pa.decimal128(38, 9))

_SERVICE_CODE = r"(?i)^(post|dot|c2|cruk|amazonfee|bank charges|gift_[0-9]+_[0-9]+)$"
_SERVICE_NAME = (
    r"(?i)^((dotcom )?postage|shipping|delivery|(next day )?carriage|manual|discounts?|samples?|adjust(ment)?"
    r"|(adjust )?bad debt|bank charges?|(\w+ )?(fees?|commission)|donations?|coupons?\b.*|bottle deposits?"
    r"|crv deposit\b.*|misc sales trans|.*\bgift (voucher|card)s?( \S+)?)$"
)


@dataclass(frozen=True)
class Marks:
    """What the cells of a batch show of how the file writes numbers and dates in numbers."""

    strange: bool
    """A date or number could not be read that the whole column may explain: 3/4/2011, 1.234,50."""
    open: bool
    """A number has three decimals, which may be thousands: 1.234."""
    shown: bool
    """A number can only have a decimal point: 12.5."""


@dataclass(frozen=True)
class Cleaned:
    """What became of one batch.

    accepted: row_number, order_id, customer_id (null: a guest), product_id, product_name, category, department,
    brand, country, ordered_at, quantity, unit_price, discount, amount, is_return, in the types of the record.
    rejected: row_number, reason, amount and ordered_at (null where they cannot be told), raw (the row as JSON of text).
    amount_read: the sum over both. examples: reason -> the first cell that is no number or no date.
    """

    accepted: pa.RecordBatch
    rejected: pa.RecordBatch
    amount_read: pa.Decimal128Scalar
    examples: Mapping[str, str]
    marks: Marks


def clean(
    batch: pa.RecordBatch,
    cells: Mapping[str, pa.Array],
    layout: Layout,
    row_number: pa.Array,
    repeated: pa.Array | None = None,
    latest: datetime | None = None,
    set_aside: pa.Array | None = None,
) -> Cleaned:
    """Part a batch of the file into accepted and rejected rows; an empty batch gives two empty ones.

    Raises nothing but pa.ArrowException, where a column has a type that Arrow cannot read as text, number or moment.

    `cells` are the batch's cells by canonical names, `row_number` (int64) the numbers of its rows in the file, whose
    first row below the header is 1. `repeated` marks rows to drop as duplicates, `set_aside` rows of
    which nothing is told, because they are cleaned another time. A line dated after `latest` (without
    a zone; None: never) is rejected. amount = quantity x unit_price - discount, rounded half away from zero to four
    decimals; where the file gives the amount, that rules, and unit_price = (amount + discount) / quantity. Before a
    discount the file's amount is quantity x unit_price; a discount that is a fraction, a percentage or money off each
    piece becomes money off the line.
    """
    cells = {name: column for name, column in cells.items() if name != C.UNIT_PRICE or C.AMOUNT not in cells}
    nothing = pa.nulls(batch.num_rows, pa.string())
    texts = {name: parse.identifier(cells[name]) if name in cells else nothing for name in IDS}
    texts |= {name: parse.mended(parse.text(cells[name])) if name in cells else nothing for name in TEXTS}
    quantity = _number(cells, C.QUANTITY, QUANTITY, layout)
    discount = _number(cells, C.DISCOUNT, MONEY, layout)
    given = (
        _number(cells, C.AMOUNT, MONEY, layout) if C.AMOUNT in cells else _number(cells, C.UNIT_PRICE, PRICE, layout)
    )
    amount, price, off = _amounts(cells, layout, quantity.value, given.value, discount.value)
    rows = Rows(
        cells=cells,
        texts=texts,
        ordered_at=parse.moment(cells[C.ORDERED_AT], layout.day_first),
        quantity=quantity,
        given=given,
        discount=discount,
        amount=amount,
        price=price,
        repeated=repeated,
        latest=latest,
    )
    reason = first_reason(rows)
    is_return = pc.less(quantity.value, pa.scalar(0, QUANTITY))
    if layout.cancelled_by_c:
        is_return = pc.or_kleene(is_return, pc.match_substring_regex(texts[C.ORDER_ID], "^[Cc][0-9]+$"))
    line = {
        C.ROW_NUMBER: row_number,
        **texts,
        C.ORDERED_AT: rows.ordered_at,
        C.QUANTITY: quantity.value,
        C.UNIT_PRICE: price,
        C.DISCOUNT: off,
        C.AMOUNT: amount,
        C.IS_RETURN: is_return,
    }
    refused, told = pc.is_valid(reason), amount
    if set_aside is not None:
        refused, told = pc.and_not(refused, set_aside), pc.if_else(set_aside, None, amount)
    refusal = {C.ROW_NUMBER: row_number, C.REASON: reason, C.AMOUNT: amount, C.ORDERED_AT: rows.ordered_at}
    rejected = pa.RecordBatch.from_pydict(refusal).filter(refused)
    accepted = pa.RecordBatch.from_pydict(line)
    if rejected.num_rows or set_aside is not None:
        accepted = accepted.filter(pc.invert(refused if set_aside is None else pc.or_(refused, set_aside)))
    return Cleaned(
        accepted=accepted,
        rejected=rejected.append_column(C.RAW, as_json(_standing_alone(batch, cells, layout).filter(refused))),
        amount_read=pc.sum(told, min_count=0),
        examples=_examples(reason, cells),
        marks=_marks(rows, layout),
    )


def is_service(product_id: pa.Array, name: pa.Array) -> pa.Array:
    """True for postage, carriage, fees, vouchers, gift cards, deposits and bookkeeping entries; they are no goods.

    Told by the name, or by a code that can mean nothing else; a single letter (Online Retail's M, D, S, B) tells by its
    name alone, for in another shop it may be a size. Fuel, photo processing and tickets are goods a customer comes for.
    """
    by_name = pc.match_substring_regex(name, _SERVICE_NAME)
    return pc.or_(pc.match_substring_regex(product_id, _SERVICE_CODE), pc.fill_null(by_name, False))


def _standing_alone(batch: pa.RecordBatch, cells: Mapping[str, pa.Array], layout: Layout) -> pa.RecordBatch:
    """The rows with what is carried down to them: among rejected rows others stand above."""
    for name in set(layout.carried).intersection(layout.columns):
        column = layout.columns[name]
        batch = batch.set_column(batch.schema.get_field_index(column), column, cells[name])
    return batch


def as_json(rows: pa.RecordBatch) -> pa.Array:
    """Each row as a JSON object of its cells as text; NUL, which jsonb cannot hold, shows as its picture."""
    cells = [pc.replace_substring(column.cast(pa.string()), "\x00", "\u2400") for column in rows.columns]
    names = [name.replace("\x00", "\u2400") for name in rows.schema.names]
    if not rows.num_rows:
        return pa.array([], pa.string())
    lines = pa.table(cells, names=names).to_pandas().to_json(orient="records", lines=True, force_ascii=False)
    return pa.array(lines.rstrip("\n").split("\n"), pa.string())


def _number(cells: Mapping[str, pa.Array], name: str, kind: pa.Decimal128Type, layout: Layout) -> Number:
    column = cells.get(name, pa.nulls(len(cells[C.ORDERED_AT])))
    return Number(column, kind, layout.decimals.get(name))


def _amounts(
    cells: Mapping[str, pa.Array], layout: Layout, quantity: pa.Array, given: pa.Array, discount: pa.Array
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """(amount, unit price, discount as money off the line)"""
    nothing = pa.scalar(0, MONEY)
    whole = given if C.AMOUNT in cells else None  # what the file says of the line
    if whole is None and layout.discount_is == "money":
        off = pc.if_else(pc.is_null(discount), nothing, discount) if discount.null_count else discount
        return _exact(pc.subtract(pc.multiply(quantity, given), off)), given, off
    rate = pc.fill_null(discount.cast(pa.float64()), 0.0)
    rate = pc.divide(rate, 100.0) if layout.discount_is == "percent" else rate
    pieces = quantity.cast(pa.float64())
    before = pc.multiply(pieces, given.cast(pa.float64())) if whole is None else given.cast(pa.float64())
    match layout.discount_is:
        case "money":
            off = pc.if_else(pc.is_null(discount), nothing, discount) if discount.null_count else discount
        case "each":
            off = _money(pc.multiply(rate, pieces))
        case "fraction" | "percent" if whole is not None and layout.amount_is == "net":
            left = pc.subtract(1.0, rate)
            off = _money(pc.divide(pc.multiply(before, rate), pc.if_else(pc.greater(left, 0.0), left, None)))
        case "fraction" | "percent":
            off = _money(pc.multiply(before, rate))
    if whole is None:
        return _exact(pc.subtract(pc.multiply(quantity, given), off)), given, off
    amount = whole if layout.amount_is == "net" else _exact(pc.subtract(whole, off))
    total = pc.add(amount, off).cast(pa.float64())
    return amount, _decimal(pc.divide(total, pc.if_else(pc.equal(pieces, 0.0), None, pieces)), PRICE, 1e12), off


def _exact(value: pa.Array) -> pa.Array:
    rounded = pc.round(value, 4, "half_towards_infinity")
    return pc.if_else(pc.less(pc.abs(rounded), _LARGEST_AMOUNT), rounded, None).cast(MONEY)


def _money(value: pa.Array) -> pa.Array:
    return _decimal(value, MONEY, 1e14)


def _decimal(value: pa.Array, kind: pa.Decimal128Type, limit: float) -> pa.Array:
    return pc.if_else(pc.less(pc.abs(value), limit), value, None).cast(kind, safe=False)


def _examples(reason: pa.Array, cells: Mapping[str, pa.Array]) -> dict[str, str]:
    if reason.null_count == len(reason):
        return {}
    numbers = (C.QUANTITY, C.UNIT_PRICE, C.DISCOUNT, C.AMOUNT)
    told = {"unparseable_date": C.ORDERED_AT} | {f"invalid_{name}": name for name in numbers if name in cells}
    places = {why: pc.index(reason, why).as_py() for why in told}
    return {
        why: cells[told[why]].slice(place, 1).cast(pa.string())[0].as_py()
        for why, place in places.items()
        if place >= 0
    }


def _marks(rows: Rows, layout: Layout) -> Marks:
    numbers = {C.QUANTITY: rows.quantity, C.DISCOUNT: rows.discount}
    numbers[C.AMOUNT if C.AMOUNT in rows.cells else C.UNIT_PRICE] = rows.given
    undecided = [number for name, number in numbers.items() if name not in layout.decimals]
    strange = any(number.strange for number in undecided)
    if layout.day_first is None and rows.ordered_at.null_count and not strange:
        unread = rows.cells[C.ORDERED_AT].filter(pc.is_null(rows.ordered_at))
        dates = pc.unique(parse.text(unread))
        strange = bool(pc.any(pc.match_substring_regex(dates, parse.NUMERIC_DATE)).as_py())
    return Marks(strange, any(n.open for n in undecided), any(n.shown for n in undecided))
