"""The rules of cleaning: each input row is accepted in canonical form, or rejected with one reason.

Pure and set-wise: batches in, batches out. The first rule a row breaks gives its reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from db.columns import Columns as C
from etl import parse
from etl.mapping import Layout

MONEY = pa.decimal128(18, 4)
QUANTITY = pa.decimal128(18, 3)
PRICE = pa.decimal128(18, 6)
_LIMIT = {MONEY: 1e14, QUANTITY: 1e15, PRICE: 1e12}
_LONGEST_ID = 200  # an index entry of Postgres holds 2,700 bytes
_NUL = "\x00"  # the one character that Postgres text cannot hold

_IDS = (C.ORDER_ID, C.CUSTOMER_ID, C.PRODUCT_ID)
_TEXTS = (C.PRODUCT_NAME, C.CATEGORY, C.DEPARTMENT, C.BRAND, C.COUNTRY)

_NUMBERS = (C.QUANTITY, C.UNIT_PRICE, C.DISCOUNT, C.AMOUNT)

_SERVICE_CODE = r"(?i)^(post|dot|c2|cruk|amazonfee|bank charges|gift_[0-9]+_[0-9]+)$"
_SERVICE_NAME = (
    r"(?i)^((dotcom )?postage|shipping|delivery|(next day )?carriage|manual|discounts?|samples?|adjust(ment)?"
    r"|(adjust )?bad debt|bank charges?|(\w+ )?(fees?|commission)|donations?|coupons?\b.*|bottle deposits?"
    r"|crv deposit\b.*|misc sales trans|.*\bgift (voucher|card)s?( \S+)?)$"
)


@dataclass(frozen=True)
class Cleaned:
    """What became of one batch.

    accepted: row_number, order_id, customer_id (null: a guest), product_id, product_name, category, department,
    brand, ordered_at, quantity, unit_price, discount, amount, is_return, country, in the types of the record.
    rejected: row_number, reason, amount (null where it cannot be told), raw (the row as JSON of text).
    amount_read: the sum over both. examples: reason -> the first cell that is no number or no date.
    """

    accepted: pa.RecordBatch
    rejected: pa.RecordBatch
    amount_read: pa.Decimal128Scalar
    examples: Mapping[str, str]


def clean(
    batch: pa.RecordBatch,
    layout: Layout,
    first_row: int,
    repeated: pa.Array | None = None,
    latest: datetime | None = None,
) -> Cleaned:
    """Part a batch of the file into accepted and rejected rows; an empty batch gives two empty ones.

    Raises nothing but pa.ArrowException, where a column has a type that Arrow cannot read as text, number or moment.

    `first_row` is the number of the batch's first row in the file, whose first row below the header is 1. `repeated`
    marks rows to drop as duplicates. A line dated after `latest` (without a zone; None: never) is rejected: one
    mistyped year would move the end of the data there, and every period counted back from it would be empty. amount =
    quantity x unit_price - discount, rounded half away from zero to four decimals; where the file gives the amount,
    that rules, and unit_price = (amount + discount) / quantity. A negative price (Online Retail's two "Adjust bad debt"
    rows) is rejected: it is bookkeeping, not a sale or a return.
    """
    rows = batch.num_rows
    columns = {canonical: batch.column(name) for canonical, name in layout.columns.items()}
    nothing = pa.nulls(rows)
    texts = {name: parse.identifier(columns[name]) for name in _IDS}
    texts |= {name: parse.text(columns.get(name, nothing)) for name in _TEXTS}
    ordered_at = parse.moment(columns[C.ORDERED_AT], layout.day_first)
    quantity = _Number(columns[C.QUANTITY], QUANTITY, layout.decimals.get(C.QUANTITY))
    discount = _Number(columns.get(C.DISCOUNT, nothing), MONEY, layout.decimals.get(C.DISCOUNT))
    no_discount = pc.if_else(discount.missing, pa.scalar(0, MONEY), discount.value)
    if C.AMOUNT in columns:
        given = _Number(columns[C.AMOUNT], MONEY, layout.decimals.get(C.AMOUNT))
        amount = given.value
        price = _Number(_price(amount, no_discount, quantity.value), PRICE)
    else:
        given = price = _Number(columns[C.UNIT_PRICE], PRICE, layout.decimals.get(C.UNIT_PRICE))
        amount = _amount(quantity.value, price.value, no_discount)
    given_name = C.AMOUNT if C.AMOUNT in columns else C.UNIT_PRICE

    reason = _first_reason(
        ("nul_character", _any(*(pc.match_substring(column, _NUL) for column in texts.values()))),
        ("missing_order_id", pc.is_null(texts[C.ORDER_ID])),
        ("missing_product_id", pc.is_null(texts[C.PRODUCT_ID])),
        ("id_too_long", _any(*(pc.greater(pc.utf8_length(texts[name]), _LONGEST_ID) for name in _IDS))),
        ("missing_date", parse.missing(columns[C.ORDERED_AT])),
        ("unparseable_date", pc.is_null(ordered_at)),
        ("date_in_future", pc.greater(ordered_at, pa.scalar(latest, pa.timestamp("us")))),
        *quantity.reasons(C.QUANTITY),
        *given.reasons(given_name),
        *discount.reasons(C.DISCOUNT, needed=False),
        ("zero_quantity", pc.equal(quantity.value, pa.scalar(0, QUANTITY))),
        ("amount_out_of_range", pc.is_null(amount)),
        ("unit_price_out_of_range", pc.is_null(price.value)),
        ("negative_price", pc.less(price.value, pa.scalar(0, PRICE))),
        ("duplicate", repeated if repeated is not None else pa.repeat(False, rows)),
    )
    row_number = pa.array(np.arange(first_row, first_row + rows), pa.int64())
    is_return = pc.less(quantity.value, pa.scalar(0, QUANTITY))
    if layout.cancelled_by_c:
        is_return = pc.or_kleene(is_return, pc.match_substring_regex(texts[C.ORDER_ID], "^[Cc][0-9]+$"))
    line = {
        C.ROW_NUMBER: row_number,
        **texts,
        C.ORDERED_AT: ordered_at,
        C.QUANTITY: quantity.value,
        C.UNIT_PRICE: price.value,
        C.DISCOUNT: no_discount,
        C.AMOUNT: amount,
        C.IS_RETURN: is_return,
    }
    refused = pc.is_valid(reason)
    refusal = {C.ROW_NUMBER: row_number, C.REASON: reason, C.AMOUNT: amount}
    rejected = pa.RecordBatch.from_pydict(refusal).filter(refused)
    return Cleaned(
        accepted=pa.RecordBatch.from_pydict(line).filter(pc.invert(refused)),
        rejected=rejected.append_column(C.RAW, _as_json(batch.filter(refused))),
        amount_read=pc.sum(amount, min_count=0),
        examples=_examples(reason, columns),
    )


def is_service(product_id: pa.Array, name: pa.Array) -> pa.Array:
    """True for postage, carriage, fees, vouchers, gift cards, deposits and bookkeeping entries; they are no goods.

    Told by the name, or by a code that can mean nothing else; a single letter (Online Retail's M, D, S, B) tells by its
    name alone, for in another shop it may be a size. Fuel, photo processing and tickets are goods a customer comes for.
    """
    by_name = pc.match_substring_regex(name, _SERVICE_NAME)
    return pc.or_(pc.match_substring_regex(product_id, _SERVICE_CODE), pc.fill_null(by_name, False))


class _Number:
    """One numeric column: its values in the record's type, and why some rows have none."""

    def __init__(self, column: pa.Array, kind: pa.Decimal128Type, decimal: str | None = None) -> None:
        values = parse.number(column, decimal)
        fits = pc.less(pc.abs(values), _LIMIT[kind])
        self.missing = parse.missing(column)
        self._unread = pc.and_not(pc.is_null(values), self.missing)
        self._too_big = pc.invert(pc.fill_null(fits, True))
        self.value = pc.if_else(fits, values, None).cast(kind, safe=False)

    def reasons(self, name: str, *, needed: bool = True) -> list[tuple[str, pa.Array]]:
        missing = [(f"missing_{name}", self.missing)] if needed else []
        return [*missing, (f"invalid_{name}", self._unread), (f"{name}_out_of_range", self._too_big)]


def _amount(quantity: pa.Array, price: pa.Array, discount: pa.Array) -> pa.Array:
    exact = pc.round(pc.subtract(pc.multiply(quantity, price), discount), 4, "half_towards_infinity")
    fits = pc.less(pc.abs(exact), pa.scalar(int(_LIMIT[MONEY]), pa.decimal128(38, 9)))
    return pc.if_else(fits, exact, None).cast(MONEY)


def _price(amount: pa.Array, discount: pa.Array, quantity: pa.Array) -> pa.Array:
    total, pieces = (column.cast(pa.float64()) for column in (pc.add(amount, discount), quantity))
    return pc.divide(total, pc.if_else(pc.equal(pieces, 0.0), None, pieces))


def _first_reason(*rules: tuple[str, pa.Array]) -> pa.Array:
    broken = [pc.fill_null(mask, False) for _, mask in rules]
    conditions = pa.StructArray.from_arrays(broken, [str(place) for place in range(len(rules))])
    return pc.case_when(conditions, *(pa.scalar(reason) for reason, _ in rules))


def _examples(reason: pa.Array, columns: Mapping[str, pa.Array]) -> dict[str, str]:
    told = {"unparseable_date": C.ORDERED_AT} | {f"invalid_{name}": name for name in _NUMBERS if name in columns}
    places = {why: pc.index(reason, why).as_py() for why in told}
    return {
        why: columns[told[why]].slice(place, 1).cast(pa.string())[0].as_py()
        for why, place in places.items()
        if place >= 0
    }


def _any(*masks: pa.Array) -> pa.Array:
    found = masks[0]
    for mask in masks[1:]:
        found = pc.or_kleene(found, mask)
    return found


def _as_json(rows: pa.RecordBatch) -> pa.Array:
    """Each row as a JSON object of its cells as text; NUL, which jsonb cannot hold, shows as its picture."""
    cells = [pc.replace_substring(column.cast(pa.string()), _NUL, "\u2400") for column in rows.columns]
    names = [name.replace(_NUL, "\u2400") for name in rows.schema.names]
    if not rows.num_rows:
        return pa.array([], pa.string())
    lines = pa.table(cells, names=names).to_pandas().to_json(orient="records", lines=True, force_ascii=False)
    return pa.array(lines.rstrip("\n").split("\n"), pa.string())
