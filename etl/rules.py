"""The rules of cleaning: why a row of an orders file is rejected. docs/data-quality.md is made from this file.

Each rule is a small pure function of a batch of rows that says which of them break it; its name is the reason code. The
first rule that a row breaks gives its reason, in the order of RULES.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from db.columns import Columns as C
from etl import parse

MONEY = pa.decimal128(18, 4)
QUANTITY = pa.decimal128(18, 3)
PRICE = pa.decimal128(18, 6)
_LIMIT = {MONEY: 1e14, QUANTITY: 1e15, PRICE: 1e12}
LONGEST_ID = 200  # an index entry of Postgres holds 2,700 bytes
LONGEST_TEXT = 10_000
_NUL = "\x00"  # the one character that Postgres text cannot hold
_OPEN = r"^\s*[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+\s*$"  # 1.234: a thousand and more, or one and a bit
_SHOWN = r"^\s*[+-]?([0-9]*\.([0-9]{0,2}|[0-9]{4,})|0?\.[0-9]+|[0-9]{4,}\.[0-9]+)\s*$"  # only a decimal point: 12.5
_REPLACEMENT = "\ufffd"  # what a program writes for a character that it could not read

IDS = (C.ORDER_ID, C.CUSTOMER_ID, C.PRODUCT_ID)
TEXTS = (C.PRODUCT_NAME, C.CATEGORY, C.DEPARTMENT, C.BRAND, C.COUNTRY)

CANCELLED = (
    "cancelled",
    "canceled",
    "voided",
    "void",
    "failed",
    "expired",
    "abandoned",
    "trash",
    "draft",
    "checkout-draft",
)
UNPAID = ("pending", "pending payment", "on-hold", "on hold", "unpaid", "awaiting payment")
REFUNDED = ("refunded", "fully refunded")


class Number:
    """One numeric column, read once for each distinct cell: its values in the record's type, and why some have none."""

    def __init__(self, cells: pa.Array, kind: pa.Decimal128Type, decimal: str | None = None) -> None:
        encoded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
        self._places, distinct = encoded.indices, encoded.dictionary
        self.open = self.shown = self.strange = False
        values = parse.number(distinct, decimal)
        fits = pc.less(pc.abs(values), _LIMIT[kind])
        blank = parse.missing(distinct)
        self.missing = pc.or_(pc.is_null(self._places), pc.fill_null(self._spread(blank), False))
        self.unread = self._spread(pc.and_not(pc.is_null(values), blank))
        self.too_big = self._spread(pc.invert(pc.fill_null(fits, True)))
        self.value = pc.if_else(fits, values, None).cast(kind, safe=False).take(self._places)
        if decimal is None and pa.types.is_string(distinct.type):
            self._look(distinct, pc.and_not(pc.is_null(values), blank))

    def _look(self, distinct: pa.Array, unread: pa.Array) -> None:
        """Note what the column shows of its marks: see `clean.Marks`."""
        written = parse.signed(parse.text(distinct.filter(unread)))
        by_mark = [pc.any(pc.match_substring_regex(written, one)).as_py() for one in parse.NUMBER_BY_MARK.values()]
        self.strange = any(by_mark)
        if parse.may_hold(distinct, "."):
            dotted = distinct.filter(pc.match_substring(distinct, "."))
            self.open = bool(pc.any(pc.match_substring_regex(dotted, _OPEN)).as_py())
            self.shown = bool(pc.any(pc.match_substring_regex(dotted, _SHOWN)).as_py())

    def _spread(self, distinct: pa.Array) -> pa.Array:
        """From distinct cells to all rows, which in most columns is False for all."""
        if not pc.any(distinct).as_py():
            return pa.repeat(False, len(self._places))
        return distinct.take(self._places)


@dataclass(frozen=True)
class Rows:
    """A batch of rows, read: what could not be read is null."""

    cells: Mapping[str, pa.Array]
    """Canonical name -> the cells as the file has them."""
    texts: Mapping[str, pa.Array]
    """The ids and the words, trimmed; blank is null."""
    ordered_at: pa.Array
    quantity: Number
    given: Number
    """The unit price, or the amount where the file gives that."""
    discount: Number
    amount: pa.Array
    price: pa.Array
    repeated: pa.Array | None
    """Which rows equal an earlier row of the file; None: none is to be dropped for that."""
    latest: datetime | None
    """No line can be dated after this; None: any may."""

    def status_in(self, words: tuple[str, ...]) -> pa.Array | None:
        """Which rows have one of these statuses; None where the file has no status."""
        if C.STATUS not in self.cells:
            return None
        plain = pc.replace_substring_regex(pc.utf8_lower(parse.text(self.cells[C.STATUS])), "^wc-", "")
        return pc.is_in(plain, pa.array(words))


Breaks = Callable[[Rows], pa.Array | None]
"""Which rows break a rule (null: they do not); None: no row does."""


def nul_character(rows: Rows) -> pa.Array | None:
    """An id or a text has a NUL character, which no database text can hold: the file is damaged there."""
    return _any_of(rows.texts.values(), _NUL)


def encoding_damage(rows: Rows) -> pa.Array | None:
    """An id has the sign that programs write for a character they could not read: whose row it is cannot be told.

    Words that were read in the wrong encoding (CafÃ© for Café) are mended instead, where that is certain.
    """
    return _any_of((rows.texts[name] for name in IDS), _REPLACEMENT)


def missing_order_id(rows: Rows) -> pa.Array:
    """The row has no order id."""
    return pc.is_null(rows.texts[C.ORDER_ID])


def missing_product_id(rows: Rows) -> pa.Array:
    """The row has no product id, nor a product name to stand for it. (Without a customer id it is a guest's.)"""
    return pc.is_null(rows.texts[C.PRODUCT_ID])


def id_too_long(rows: Rows) -> pa.Array | None:
    """An id has more than 200 characters."""
    return _longer((rows.texts[name] for name in IDS), LONGEST_ID)


def text_too_long(rows: Rows) -> pa.Array | None:
    """A name or another word has more than 10,000 characters."""
    return _longer((rows.texts[name] for name in TEXTS), LONGEST_TEXT)


def missing_date(rows: Rows) -> pa.Array | None:
    """The row has no date."""
    return parse.missing(rows.cells[C.ORDERED_AT]) if rows.ordered_at.null_count else None


def unparseable_date(rows: Rows) -> pa.Array | None:
    """The date cannot be read, or is impossible: 31.2.2011, the year 0001."""
    return pc.is_null(rows.ordered_at) if rows.ordered_at.null_count else None


def date_in_future(rows: Rows) -> pa.Array:
    """The date is more than two days after the load: one mistyped year would move the end of the data there."""
    return pc.greater(rows.ordered_at, pa.scalar(rows.latest, pa.timestamp("us")))


def cancelled_order(rows: Rows) -> pa.Array | None:
    """The order's status says that nothing was sold: cancelled, voided, failed, expired, abandoned, a draft."""
    return rows.status_in(CANCELLED)


def unpaid_order(rows: Rows) -> pa.Array | None:
    """The order's status says that it is not paid yet: pending, on hold, awaiting payment."""
    return rows.status_in(UNPAID)


def refunded_order(rows: Rows) -> pa.Array | None:
    """The order's status says that all of it was paid back: nothing is left of the sale."""
    return rows.status_in(REFUNDED)


def zero_quantity(rows: Rows) -> pa.Array:
    """The line is of no pieces: nothing was sold or returned."""
    return pc.equal(rows.quantity.value, pa.scalar(0, QUANTITY))


def amount_out_of_range(rows: Rows) -> pa.Array | None:
    """Quantity times price is more than the record can hold."""
    return pc.is_null(rows.amount) if rows.amount.null_count else None


def unit_price_out_of_range(rows: Rows) -> pa.Array | None:
    """The amount over the quantity is more than the record can hold."""
    return pc.is_null(rows.price) if rows.price.null_count else None


def negative_price(rows: Rows) -> pa.Array:
    """The price of a piece is below zero: a book entry (Online Retail's "Adjust bad debt"), no sale and no return."""
    return pc.less(rows.price, pa.scalar(0, PRICE))


def duplicate(rows: Rows) -> pa.Array | None:
    """The row equals an earlier row of the file in every column. `--keep-duplicates` accepts such rows."""
    return rows.repeated


@dataclass(frozen=True)
class Rule:
    """A reason code, what it means to a user, and the function that finds the rows."""

    reason: str
    meaning: str
    breaks: Breaks


def _named(function: Breaks) -> Rule:
    return Rule(function.__name__, " ".join((function.__doc__ or "").split()), function)


def _number(name: str, number: Callable[[Rows], Number], *, needed: bool = True) -> list[Rule]:
    """The rules of a numeric column; `given` is a price in one file and an amount in the next."""

    def only(found: Callable[[Number], pa.Array]) -> Breaks:
        return lambda rows: found(number(rows)) if name in rows.cells else None

    words = name.replace("_", " ")
    missing = [Rule(f"missing_{name}", f"The row has no {words}.", only(lambda found: found.missing))]
    return [
        *(missing if needed else []),
        Rule(f"invalid_{name}", f"The {words} is not a number.", only(lambda found: found.unread)),
        Rule(
            f"{name}_out_of_range", f"The {words} is more than the record can hold.", only(lambda found: found.too_big)
        ),
    ]


RULES: tuple[Rule, ...] = (
    _named(nul_character),
    _named(encoding_damage),
    _named(missing_order_id),
    _named(missing_product_id),
    _named(id_too_long),
    _named(text_too_long),
    _named(missing_date),
    _named(unparseable_date),
    _named(date_in_future),
    _named(cancelled_order),
    _named(unpaid_order),
    _named(refunded_order),
    *_number(C.QUANTITY, lambda rows: rows.quantity),
    *_number(C.UNIT_PRICE, lambda rows: rows.given),
    *_number(C.AMOUNT, lambda rows: rows.given),
    *_number(C.DISCOUNT, lambda rows: rows.discount, needed=False),
    _named(zero_quantity),
    _named(amount_out_of_range),
    _named(unit_price_out_of_range),
    _named(negative_price),
    _named(duplicate),
)


def first_reason(rows: Rows) -> pa.Array:
    """The reason each row is rejected for; null: it is accepted."""
    found = [(rule.reason, mask) for rule in RULES if (mask := rule.breaks(rows)) is not None]
    broken = [(reason, pc.fill_null(mask, False)) for reason, mask in found if pc.any(mask).as_py()]
    if not broken:
        return pa.nulls(len(rows.ordered_at), pa.string())
    conditions = pa.StructArray.from_arrays([mask for _, mask in broken], [reason for reason, _ in broken])
    return pc.case_when(conditions, *(pa.scalar(reason) for reason, _ in broken))


def _any_of(columns: Iterable[pa.Array], sign: str) -> pa.Array | None:
    found = None
    for column in columns:
        if parse.may_hold(column, sign):
            mask = pc.match_substring(column, sign)
            found = mask if found is None else pc.or_kleene(found, mask)
    return found


def _longer(columns: Iterable[pa.Array], limit: int) -> pa.Array | None:
    found = None
    for column in columns:
        if (pc.max(pc.binary_length(column)).as_py() or 0) > limit:
            mask = pc.greater(pc.utf8_length(column), limit)
            found = mask if found is None else pc.or_kleene(found, mask)
    return found
