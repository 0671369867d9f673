"""Files about customers, products, events and campaigns: each row is accepted in canonical form, or rejected."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from db import schema
from db.columns import Columns as C
from etl import parse
from etl.canonical import Cells
from etl.clean import as_json, is_service
from etl.dates import with_day_order
from etl.intake import typed
from etl.mapping import Layout
from etl.meanings import Kind, key, keys
from etl.numbers import with_decimal_marks
from etl.readers.base import Source
from etl.rejected import ADDED
from etl.rules import LONGEST_ID, LONGEST_TEXT, PRICE, Number
from etl.spool import Spool

_TRUE = ("true", "yes", "y", "1", "t", "on", "subscribed", "granted", "opted in", "opt in", "opted-in", "opt-in")
_FALSE = (
    *("false", "no", "n", "0", "f", "off", "unsubscribed", "denied", "opted out", "opt out", "opted-out", "opt-out"),
    *("not subscribed", "not_subscribed", "never subscribed", "pending", "withdrawn", "revoked"),
)
_TREATED = (*_TRUE, "treated", "treatment", "test", "exposed", "contacted", "target")
_HELD_OUT = (*_FALSE, "control", "holdout", "hold out", "hold-out", "held out", "held-out", "untreated")

EVENT_TYPES: Mapping[str, Sequence[str]] = {
    "view": ("views", "viewed", "page_view", "product_view", "product_viewed", "view_item", "detail", "pageview"),
    "cart": ("add_to_cart", "addtocart", "added_to_cart", "cart_add", "product_added", "basket", "add_to_basket"),
    "wishlist": ("add_to_wishlist", "wishlist_add", "favourite", "favorite", "like", "save"),
    "remove": ("remove_from_cart", "removed_from_cart", "cart_remove", "product_removed", "remove_from_basket"),
    "checkout": ("begin_checkout", "checkout_started", "initiate_checkout", "start_checkout"),
    "search": ("searched", "site_search", "view_search_results", "products_searched"),
    "purchase": ("purchased", "buy", "bought", "order", "transaction", "order_completed", "sale"),
    "redeem": ("redeemed", "redemption", "coupon_redeemed", "redeem_coupon", "coupon"),
}
"""Type of event -> other words for it; what is none of these stays as it is, in snake case."""

ATTRIBUTES: Mapping[str, Sequence[str]] = {
    "channel": ("channel", "preferred channel", "contact channel", "acquisition channel", "source"),
    "consent": (
        *("consent", "marketing consent", "email consent", "email marketing consent", "gdpr consent"),
        *("accepts marketing", "accepts email marketing", "accepts newsletter", "marketing permission"),
        *("opt in", "opted in", "email opt in", "marketing opt in", "newsletter opt in"),
        *("newsletter", "subscribed", "is subscribed", "newsletter subscription", "email subscription status"),
    ),
    "age": ("age", "customer age"),
    "gender": ("gender", "sex"),
    "income": ("income", "annual income", "household income"),
}
"""Attribute of a customer -> columns that are it; every other column is an attribute under its own name."""

_REFUSALS = (
    *("opt out", "opted out", "email opt out", "marketing opt out", "unsubscribed", "is unsubscribed"),
    *("do not contact", "do not email", "do not mail", "no marketing"),
)
"""Columns whose yes is a no to consent."""


@dataclass(frozen=True)
class _Shape:
    """What a row of a kind has, by canonical name: what it must have, and how the rest is read."""

    needed: Sequence[str]
    ids: Sequence[str] = ()
    words: Sequence[str] = ()
    moments: Sequence[str] = ()


_SHAPES: Mapping[Kind, _Shape] = {
    "customers": _Shape((C.CUSTOMER_ID,), (C.CUSTOMER_ID,), (C.COUNTRY,)),
    "products": _Shape((C.PRODUCT_ID,), (C.PRODUCT_ID,), (C.NAME, C.CATEGORY, C.DEPARTMENT, C.BRAND)),
    "events": _Shape(
        (C.CUSTOMER_ID, C.TYPE), (C.CUSTOMER_ID, C.PRODUCT_ID, C.CAMPAIGN_ID), (C.TYPE,), (C.OCCURRED_AT,)
    ),
    "campaigns": _Shape(
        (C.CAMPAIGN_ID,), (C.CAMPAIGN_ID, C.CUSTOMER_ID, C.PRODUCT_ID), (C.NAME, C.TYPE), (C.STARTS_AT, C.ENDS_AT)
    ),
}

REASONS: Mapping[str, str] = {
    "nul_character": "An id or a text has a NUL character, which no database text can hold: the file is damaged there.",
    "encoding_damage": "An id has the sign that programs write for a character they could not read.",
    "id_too_long": "An id has more than 200 characters.",
    "text_too_long": "A word has more than 10,000 characters.",
    "missing_customer_id": "The row has no customer id.",
    "missing_product_id": "The row has no product id.",
    "missing_campaign_id": "The row has no campaign id.",
    "missing_type": "The event has no type.",
    "missing_date": "The event has no date.",
    "unparseable_date": "A date cannot be read, or is impossible.",
    "date_in_future": "The event is more than two days after the load.",
    "ends_before_it_starts": "The campaign ends before it starts.",
    "invalid_cost": "The cost is not a number.",
    "cost_out_of_range": "The cost is more than the record can hold.",
    "negative_cost": "The cost is below zero.",
    "invalid_consent": "The consent reads neither as yes nor as no.",
    "invalid_treated": "Whether the member was treated reads neither as yes nor as no (or control, held out).",
}
"""Why a row of these kinds is rejected; the first reason in this order goes."""


@dataclass(frozen=True)
class Taken:
    """What was read: the rows, reason -> the first cell that does not fit, and table of the record -> accepted rows."""

    rows: int
    examples: Mapping[str, str]
    accepted: Mapping[str, Spool]
    rejected: Spool


def settled(layout: Layout, source: Source) -> Layout:
    """The layout with the order of days and the decimal mark that the columns show. Raises InputError."""
    day_first = [
        with_day_order(replace(layout, columns={C.ORDERED_AT: layout.columns[name]}), source).day_first
        for name in _SHAPES[layout.kind].moments
        if name in layout.columns
    ]
    if C.COST in layout.columns and C.COST not in layout.decimals:
        as_price = replace(layout, columns={C.UNIT_PRICE: layout.columns[C.COST]})
        marks = with_decimal_marks(as_price, source).decimals
        layout = replace(layout, decimals={C.COST: marks[C.UNIT_PRICE]} if marks else {})
    told = [order for order in day_first if order is not None]
    return replace(layout, day_first=told[0]) if told else layout


def take_in(
    source: Source,
    layout: Layout,
    latest: datetime,
    spool: Callable[[], IO[bytes]],
    advance: Callable[[int], None],
) -> Taken:
    """Read all of a source; `spool` gives a new temporary file.

    An event after `latest` (without a zone) is rejected. Raises InputError where the source cannot be read.
    """
    rejected = Spool(spool())
    accepted: dict[str, Spool] = {}
    examples: dict[str, str] = {}
    rows = 0
    for part in _parts(source, layout, latest):
        rows += part.rows
        rejected.add(part.rejected)
        examples = {**part.examples, **examples}
        for table, batch in part.accepted.items():
            if table not in accepted:
                accepted[table] = Spool(spool())
            accepted[table].add(batch)
        advance(part.rows)
    return Taken(rows, examples, accepted, rejected)


@dataclass(frozen=True)
class Part:
    """What became of a batch. rejected: row_number, reason, raw. examples: reason -> a cell that does not fit."""

    rows: int
    accepted: Mapping[str, pa.RecordBatch]
    """Table -> its rows."""
    rejected: pa.RecordBatch
    examples: Mapping[str, str]


def _parts(source: Source, layout: Layout, latest: datetime) -> Iterator[Part]:
    cells, first = Cells(layout), 1
    for batch in source.batches():
        with typed(source.name):
            yield part_of(batch, cells.of(batch), layout, first, latest)
        first += batch.num_rows


def part_of(
    batch: pa.RecordBatch, cells: Mapping[str, pa.Array], layout: Layout, first: int, latest: datetime | None
) -> Part:
    """Part a batch, whose first row has the number `first`; no event is too late where `latest` is None."""
    shape, nothing = _SHAPES[layout.kind], pa.nulls(batch.num_rows, pa.string())
    ids = {name: parse.identifier(cells.get(name, nothing)) for name in shape.ids}
    words = {name: parse.mended(parse.text(cells.get(name, nothing))) for name in shape.words}
    moments = {name: parse.moment(cells.get(name, nothing), layout.day_first) for name in shape.moments}
    row = {C.ROW_NUMBER: pa.array(np.arange(first, first + batch.num_rows)), **ids, **words, **moments}
    rules = [
        ("nul_character", [pc.match_substring(column, "\x00") for column in (*ids.values(), *words.values())]),
        ("encoding_damage", [pc.match_substring(column, "\ufffd") for column in ids.values()]),
        ("id_too_long", [pc.greater(pc.utf8_length(column), LONGEST_ID) for column in ids.values()]),
        ("text_too_long", [pc.greater(pc.utf8_length(column), LONGEST_TEXT) for column in words.values()]),
        *((f"missing_{name}", [pc.is_null(row[name])]) for name in shape.needed),
        *_date_rules(cells, moments, latest),
    ]
    match layout.kind:
        case "customers":
            row[C.ATTRIBUTES], unread = _attributes(batch, layout)
            rules.append(("invalid_consent", [unread]))
        case "products":
            cost = Number(cells.get(C.COST, nothing), PRICE, layout.decimals.get(C.COST))
            row |= {C.COST: cost.value, C.IS_SERVICE: is_service(ids[C.PRODUCT_ID], words[C.NAME])}
            rules += [("invalid_cost", [cost.unread]), ("cost_out_of_range", [cost.too_big])]
            rules.append(("negative_cost", [pc.less(cost.value, pa.scalar(0, PRICE))]))
        case "events":
            row[C.TYPE] = _event_type(words[C.TYPE])
        case "campaigns":
            row[C.TREATED], unread = _yes_or_no(cells.get(C.TREATED, nothing), _TREATED, _HELD_OUT)
            rules.append(("invalid_treated", [unread]))
    reason = _first_reason(rules)
    refused = pc.is_valid(reason)
    rejected = pa.RecordBatch.from_pydict({C.ROW_NUMBER: row[C.ROW_NUMBER], C.REASON: reason}).filter(refused)
    fit = pa.RecordBatch.from_pydict(row).filter(pc.invert(refused))
    return Part(
        rows=batch.num_rows,
        accepted=_by_table(fit, layout.kind),
        rejected=rejected.append_column(C.RAW, as_json(batch.filter(refused))),
        examples=_examples(reason, cells),
    )


def _by_table(row: pa.RecordBatch, kind: Kind) -> dict[str, pa.RecordBatch]:
    match kind:
        case "customers":
            return {schema.customer.name: row}
        case "products":
            return {schema.product.name: row}
        case "events":
            return {schema.interaction_event.name: row}
        case _:
            members = row.filter(pc.is_valid(row[C.CUSTOMER_ID]))
            coupons = row.filter(pc.is_valid(row[C.PRODUCT_ID]))
            told = [C.ROW_NUMBER, C.CAMPAIGN_ID, C.NAME, C.TYPE, C.STARTS_AT, C.ENDS_AT]
            treated = members.set_column(
                members.schema.get_field_index(C.TREATED), C.TREATED, pc.fill_null(members[C.TREATED], True)
            )
            return {
                schema.campaign.name: row.select(told),
                schema.campaign_member.name: treated.select([C.ROW_NUMBER, C.CAMPAIGN_ID, C.CUSTOMER_ID, C.TREATED]),
                schema.campaign_product.name: coupons.select([C.ROW_NUMBER, C.CAMPAIGN_ID, C.PRODUCT_ID]),
            }


def _date_rules(
    cells: Mapping[str, pa.Array], moments: Mapping[str, pa.Array], latest: datetime | None
) -> Iterator[tuple[str, list[pa.Array]]]:
    given = {name: column for name, column in moments.items() if name in cells}
    missing = {name: parse.missing(cells[name]) for name in given}
    if C.OCCURRED_AT in given:
        yield "missing_date", [missing[C.OCCURRED_AT]]
    yield "unparseable_date", [pc.and_not(pc.is_null(column), missing[name]) for name, column in given.items()]
    if C.OCCURRED_AT in given:
        yield "date_in_future", [pc.greater(given[C.OCCURRED_AT], pa.scalar(latest, pa.timestamp("us")))]
    elif C.STARTS_AT in given and C.ENDS_AT in given:
        yield "ends_before_it_starts", [pc.less(given[C.ENDS_AT], given[C.STARTS_AT])]


def _attributes(batch: pa.RecordBatch, layout: Layout) -> tuple[pa.Array, pa.Array]:
    """The file's columns but customer id and country, as JSON; and which rows' consent cannot be read.

    Where several columns tell of consent, who says no in one of them does not agree.
    """
    chosen = set(layout.columns.values())
    found: dict[str, pa.Array] = {}
    unread = pa.repeat(False, batch.num_rows)
    names = {key(name): attribute for attribute, columns in ATTRIBUTES.items() for name in columns}
    refusals = keys(_REFUSALS)
    for column in (name for name in batch.schema.names if name not in chosen and name not in ADDED):
        refuses = key(column) in refusals
        name = "consent" if refuses else names.get(key(column), _snake(column))
        if name == "consent":
            answer, strange = _yes_or_no(batch.column(column), _TRUE, _FALSE)
            agrees = pc.invert(answer) if refuses else answer
            found[name] = _least(found[name], agrees) if name in found else agrees
            unread = pc.or_(unread, strange)
            continue
        name = _snake(column) if name in found else name
        if name:
            found[name] = pc.replace_substring(parse.mended(parse.text(batch.column(column))), "\x00", "\u2400")
    if not found or not batch.num_rows:
        return pa.repeat("{}", batch.num_rows), unread
    lines = pa.table(found).to_pandas().to_json(orient="records", lines=True, force_ascii=False)
    return pa.array(lines.rstrip("\n").split("\n"), pa.string()), unread


def _least(one: pa.Array, other: pa.Array) -> pa.Array:
    """No where one of them is; what is null says nothing."""
    numbers = (answer.cast(pa.int8()) for answer in (one, other))
    return pc.min_element_wise(*numbers, skip_nulls=True).cast(pa.bool_())


def _yes_or_no(column: pa.Array, yes: Sequence[str], no: Sequence[str]) -> tuple[pa.Array, pa.Array]:
    """(true, false or null where blank; which cells are neither)"""
    if pa.types.is_boolean(column.type):
        return column, pa.repeat(False, len(column))
    said = pc.utf8_lower(parse.identifier(column))
    answer = pc.case_when(
        pa.StructArray.from_arrays([pc.is_in(said, pa.array(words)) for words in (yes, no)], ["yes", "no"]),
        pa.scalar(True),
        pa.scalar(False),
    )
    return answer, pc.and_(pc.is_null(answer), pc.is_valid(said))


def _event_type(written: pa.Array) -> pa.Array:
    words = {word: kind for kind, others in EVENT_TYPES.items() for word in (kind, *others)}

    def normal(distinct: pa.Array) -> pa.Array:
        plain = (None if word is None else _snake(word) or word for word in distinct.to_pylist())
        return pa.array([words.get(word, word) if word else None for word in plain], pa.string())

    return parse.by_distinct(written, normal)


def _snake(name: str) -> str:
    """Add to Cart, addToCart, ADD-TO-CART -> add_to_cart."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"\W+|_+", "_", parted).strip("_").casefold()


def _first_reason(rules: Sequence[tuple[str, Sequence[pa.Array]]]) -> pa.Array:
    flat = [(reason, pc.fill_null(mask, False)) for reason, masks in rules for mask in masks]
    conditions = pa.StructArray.from_arrays([mask for _, mask in flat], [str(place) for place in range(len(flat))])
    return pc.case_when(conditions, *(pa.scalar(reason) for reason, _ in flat))


def _examples(reason: pa.Array, cells: Mapping[str, pa.Array]) -> dict[str, str]:
    told = {"invalid_cost": C.COST, "invalid_treated": C.TREATED, "unparseable_date": C.OCCURRED_AT}
    places = {why: pc.index(reason, why).as_py() for why, name in told.items() if name in cells}
    return {
        why: cells[told[why]].slice(place, 1).cast(pa.string())[0].as_py()
        for why, place in places.items()
        if place >= 0
    }
