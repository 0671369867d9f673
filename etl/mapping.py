"""The file's columns -> canonical columns, found by their names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from db.columns import Columns as C
from errors import InputError

Kind: TypeAlias = Literal["orders", "customers", "products", "events", "campaigns"]
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


_ONLINE_RETAIL_ORDER = ("InvoiceNo", "Invoice")

# the canonical names themselves, and those of the UCI Online Retail files (I and II)
_NAMES: Mapping[str, Sequence[str]] = {
    C.ORDER_ID: (C.ORDER_ID, *_ONLINE_RETAIL_ORDER),
    C.CUSTOMER_ID: (C.CUSTOMER_ID,),
    C.PRODUCT_ID: (C.PRODUCT_ID, "StockCode"),
    C.PRODUCT_NAME: (C.PRODUCT_NAME, "Description"),
    C.ORDERED_AT: (C.ORDERED_AT, "InvoiceDate"),
    C.QUANTITY: (C.QUANTITY,),
    C.UNIT_PRICE: (C.UNIT_PRICE, "Price"),
    C.DISCOUNT: (C.DISCOUNT,),
    C.AMOUNT: (C.AMOUNT,),
    C.COUNTRY: (C.COUNTRY,),
    C.CATEGORY: (C.CATEGORY,),
    C.DEPARTMENT: (C.DEPARTMENT,),
    C.BRAND: (C.BRAND,),
}
_NEEDED = (C.ORDER_ID, C.CUSTOMER_ID, C.PRODUCT_ID, C.ORDERED_AT, C.QUANTITY)

HEADER_WITHIN = 20
"""The header is looked for in so many first rows."""


def header_place(rows: Sequence[Sequence[str]]) -> int | None:
    """The place of the header among a file's first rows: the first row that names the most columns we know.

    Where no row names any it is the first that is not blank, and None where all are.
    """
    places = [place for place, row in enumerate(rows) if any(cell.strip() for cell in row)]
    return max(places, key=lambda place: known_names(rows[place]), default=None)


def known_names(columns: Sequence[str]) -> int:
    """How many of the columns have a name that tells what they hold."""
    known = {_key(name) for names in _NAMES.values() for name in names}
    return sum(_key(column) in known for column in columns)


def detect(columns: Sequence[str], name: str) -> Layout:
    """Which column of the file `name` holds what; case, spaces and underscores do not matter, others are ignored.

    Raises InputError where a needed column is missing (a price or an amount, and every other but the optional ones),
    or where two columns claim one meaning.
    """
    claims = {
        canonical: [column for column in columns if _key(column) in {_key(known) for known in names}]
        for canonical, names in _NAMES.items()
    }
    for canonical, found in claims.items():
        if len(found) > 1:
            raise InputError(f"In {name} the columns {_listed(found)} all read as {canonical}; rename all but one.")
    chosen = {canonical: found[0] for canonical, found in claims.items() if found}
    missing = [canonical for canonical in _NEEDED if canonical not in chosen]
    if C.UNIT_PRICE not in chosen and C.AMOUNT not in chosen:
        missing.append(f"{C.UNIT_PRICE} (or {C.AMOUNT})")
    if missing:
        raise InputError(
            f"{name} has the columns {_listed(columns)}, and among them none for {_listed(missing)}; "
            "name them so, or as the Online Retail files do (InvoiceNo, StockCode, ...)."
        )
    online_retail = _key(chosen[C.ORDER_ID]) in {_key(known) for known in _ONLINE_RETAIL_ORDER}
    return Layout(chosen, cancelled_by_c=online_retail)


def _key(column: str) -> str:
    return "".join(column.split()).replace("_", "").casefold()


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:30])
    return shown if len(names) <= 30 else f"{shown} and {len(names) - 30} more"
