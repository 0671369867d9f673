"""Write docs/data-quality.md from the rules themselves; `make docs` runs it, and a test compares the page with it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from db import findings
from db.tally import ALREADY_LOADED
from etl import kinds, parse, rules
from etl.clean import is_service

PAGE = Path(__file__).parents[1] / "docs" / "data-quality.md"

_INTRODUCTION = """# What becomes of each row

This page is written from the program's own rules by `make docs`.

Every row of a file is either accepted or rejected with one reason, and the account of a load adds up to the cent: read
= accepted + rejected, in rows and in amounts. Rejected rows are kept with their cells. `python -m etl rejected` with
the load's number and `--to mend.csv` writes them to a file to mend and to load; `python -m etl report` with the number
tells how many there are of each reason. Where a row has several faults, the first in the order of these tables goes.
"""

_MEND = "Write it into the rejected rows and load those."
_EXPORT = "Export the file again, in UTF-8 where you are asked."
_NUMBER = (
    "Write a number. If most of a column is rejected, its decimal mark was misread: look at `[decimals]` in a mapping "
    "file (`inspect` writes one)."
)
_TOO_MUCH = "Look for a column that slipped, or digits typed twice, and mend it."
_SOLD_SO = "See whether it was sold so. If not, mend the file and load it with `--replace` and the load's number."
_IS_RIGHT = "Nothing, if the status is right; else mend it in the shop system and export again."

_WHAT_TO_DO: Mapping[str, str] = {
    "nul_character": _EXPORT,
    "encoding_damage": _EXPORT,
    "missing_order_id": "Look for total or blank lines at the end of the export, which need nothing; else write it in.",
    "missing_product_id": "Write the id or the name in. Lines of a whole order, such as its total, need nothing.",
    "missing_customer_id": _MEND,
    "missing_campaign_id": _MEND,
    "missing_type": _MEND,
    "missing_date": _MEND,
    "missing_quantity": _MEND,
    "missing_unit_price": _MEND,
    "missing_amount": _MEND,
    "id_too_long": "Look for a column that slipped, or a quotation mark that is never closed.",
    "text_too_long": "Look for a quotation mark that is never closed, or shorten it.",
    "unparseable_date": "Write it as 2024-01-31. If most of a column is rejected, look at `day_first` in a mapping.",
    "date_in_future": "Mend the year.",
    "ends_before_it_starts": "Mend the one that is wrong.",
    "cancelled_order": _IS_RIGHT,
    "unpaid_order": "Nothing; once it is paid, the next export brings it.",
    "refunded_order": _IS_RIGHT,
    "zero_quantity": "Nothing, if nothing was sold; else write the quantity.",
    "negative_price": "Nothing for a book entry. A return has a negative quantity and a positive price: write it so.",
    "negative_cost": "Write what one piece costs you.",
    "duplicate": "Nothing, if the export repeats itself. If they are sales of their own, load the file again with "
    "`--keep-duplicates` and `--replace` with the load's number.",
    "invalid_consent": "Write yes or no, or leave it blank.",
    "invalid_treated": "Write yes for who was treated, and no (or control) for who was held out.",
    "returned": "Nothing: net revenue has it already.",
    "undone": "Nothing: the two lines cancel out. Read quantities and peaks of those days with care.",
    "extreme_quantity": _SOLD_SO,
    "extreme_price": _SOLD_SO,
    "small_unit": "Nothing; compare this product by amount, not by pieces.",
}

_SERVICES = (
    ("POST", "Postage"),
    ("7000", "Shipping"),
    ("7001", "Next day carriage"),
    ("DOT", "Dotcom postage"),
    ("AMAZONFEE", "Amazon fee"),
    ("7002", "Bank charges"),
    ("gift_0001_20", "Gift voucher 20"),
    ("7003", "Gift card"),
    ("M", "Manual"),
    ("D", "Discount"),
    ("B", "Adjust bad debt"),
    ("7004", "Bottle deposit"),
    ("7005", "Coupon 5 off"),
    ("7006", "Donation"),
    ("M", "T-shirt, size M"),
    ("7007", "Postage stamp album"),
    ("7008", "Fuel, unleaded"),
)


def page() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *_rejected(), *_overlap(), *_found(), *_service(), *_statuses(), *_mended()])


def _rejected() -> Iterator[str]:
    orders: dict[str, list[str]] = {}
    for rule in rules.RULES:
        orders.setdefault(rule.reason, []).append(rule.meaning)
    yield "## Rejected rows of orders\n"
    yield from _reasons({reason: " Or: ".join(meanings) for reason, meanings in orders.items()})
    yield "## Rejected rows of customers, products, events and campaigns\n"
    yield from _reasons(kinds.REASONS)


def _reasons(meanings: Mapping[str, str]) -> Iterator[str]:
    rows = ((f"`{reason}`", meaning, _what_to_do(reason)) for reason, meaning in meanings.items())
    yield from _table(("reason", "what it means", "what to do"), rows)


def _what_to_do(reason: str) -> str:
    if reason.endswith("_out_of_range"):
        return _TOO_MUCH
    if reason.startswith("invalid_") and reason not in _WHAT_TO_DO:
        return _NUMBER
    return _WHAT_TO_DO[reason]


def _overlap() -> Iterator[str]:
    meaning = (
        "The line equals one of another load in everything that is stored: exports overlap. It counts once, where it "
        "came first; a line that stands twice in a file and once elsewhere adds one. If that load is taken out, the "
        "line passes to this one."
    )
    what = "Nothing. The account names the loads, and such rows are not among those to mend."
    yield "## Rows that another load has\n"
    yield from _table(("reason", "what it means", "what to do"), [(f"`{ALREADY_LOADED}`", meaning, what)])


def _found() -> Iterator[str]:
    yield "## Found, told and kept\n"
    yield "These lines are accepted and count; the account tells them, because somebody should look at them.\n"
    rows = ((f"`{rule.code}`", rule.meaning, _what_to_do(rule.code)) for rule in findings.RULES)
    yield from _table(("finding", "what it means", "what to do"), rows)


def _service() -> Iterator[str]:
    yield "## Services\n"
    yield (
        "Postage, carriage, fees, vouchers, gift cards, deposits and bookkeeping entries are no goods. Their lines are "
        "accepted and count in revenue; the product is flagged (`is_service`) and never recommended. It is told by its "
        "name, or by a code that can mean nothing else. A single letter tells nothing by itself: M may be a size.\n"
    )
    codes, names = (pa.array(column) for column in zip(*_SERVICES, strict=True))
    flags = is_service(codes, names).to_pylist()
    rows = ((code, name, "yes" if flag else "no") for (code, name), flag in zip(_SERVICES, flags, strict=True))
    yield from _table(("product", "name", "a service"), rows)


def _statuses() -> Iterator[str]:
    yield "## The status of an order\n"
    yield "Where a file tells it, in capitals or small letters; every other status, and none, is a sale.\n"
    told = {"cancelled_order": rules.CANCELLED, "unpaid_order": rules.UNPAID, "refunded_order": rules.REFUNDED}
    yield from _table(("status", "rejected as"), ((", ".join(words), f"`{reason}`") for reason, words in told.items()))


def _mended() -> Iterator[str]:
    yield "## Read as it is meant, not rejected\n"
    yield "A row without a customer is a guest's: it counts in revenue and orders, and in no segment. And:\n"

    def shown(read: pa.Array) -> str:
        value = read[0].as_py()
        return f"{value:g}" if isinstance(value, float) else str(value)

    def cell(written: str) -> pa.Array:
        return pa.array([written])

    examples = [
        ("words read in the wrong encoding", "CafÃ©", parse.mended(cell("CafÃ©"))),
        ("white space around a cell", "&nbsp;Lamp&nbsp;", parse.text(cell(" Lamp "))),
        ("an id that a spreadsheet took for a number", "17850.0", parse.identifier(cell("17850.0"))),
        ("marks of thousands and a decimal comma", "1.234,50", parse.number(cell("1.234,50"), ",")),
        ("a currency beside a number", "$1,234.50", parse.number(cell("$1,234.50"), ".")),
        ("the day first, where the whole column shows it", "31.12.2010", parse.moment(cell("31.12.2010"), True)),
        ("the month's name, and 12 hours", "Dec 31, 2010 8:26 PM", parse.moment(cell("Dec 31, 2010 8:26 PM"))),
        (
            "a time with a zone, by its own clock",
            "2010-12-31T20:26:00-05:00",
            parse.moment(cell("2010-12-31T20:26:00-05:00")),
        ),
    ]
    rows = ((what, written, shown(read)) for what, written, read in examples)
    yield from _table(("what", "in the file", "in the record"), rows)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in (header, ["---"] * len(header), *rows):
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
