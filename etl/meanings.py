"""The names by which files call what we know: one table a kind, and the exports of shop systems that need their own.

A table is canonical name -> ranks of names, the best first; names of one rank are equal, and case, spaces and
punctuation never matter. The meanings choose in the table's order, and no column is chosen twice: where a file has a
sub-category, that is the category, and its category the department.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from db.columns import Columns as C

Kind: TypeAlias = Literal["orders", "customers", "products", "events", "campaigns"]
Names: TypeAlias = Mapping[str, Sequence[Sequence[str]]]

HEADER_WITHIN = 20
"""The header is looked for in so many first rows."""

MOMENTS = (C.ORDERED_AT, C.OCCURRED_AT, C.STARTS_AT, C.ENDS_AT)
NUMBERS = (C.QUANTITY, C.UNIT_PRICE, C.DISCOUNT, C.AMOUNT, C.COST)

OTHER_MOMENTS = re.compile(r"(?i)birth|born|cancel|deliver|dispatch|due|expir|ship|update|modif|refund|return|sign.?up")
"""Names of columns of dates that are never the date of an order."""

EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s.]+$"


def _ranks(*names: str) -> tuple[tuple[str, ...], ...]:
    """Each text is a rank; a bar parts names of one rank."""
    return tuple(tuple(part.strip() for part in rank.split("|")) for rank in names)


_CUSTOMER = _ranks(
    "customer id",
    "customer no | customer number | customer code | customer key | cust id | cust no",
    "client id | client no | client number | client code",
    "buyer id | shopper id | user id | member id | household id | household key | account id | account number",
    "customer | client | buyer | shopper | user | member",
    "customer email | customer e-mail address",
    "email | email address | mail",
    "billing email | email billing",
    "buyer email | contact email | client email | user email",
    "customer name | client name | buyer name | billing name",
)
_PRODUCT = _ranks(
    "product id",
    "sku | product sku | item sku | sku upc",
    "stock code | product code | item code | article code",
    "product number | product no | item number | item no | article number | article no | product key",
    "material number | material no",
    "item id | article id",
    "asin | ean | gtin | upc | barcode",
)
_PRODUCT_NAME = _ranks(
    "product name",
    "item name | product title | item title | article name",
    "product description | item description | description",
    "product | item | article",
    "title",
)
_COUNTRY = _ranks(
    "country",
    "country region | country name | customer country",
    "shipping country | ship country | delivery country",
    "billing country | bill country",
    "country code | shipping country code",
    "country code shipping | country name shipping",
    "country code billing | country name billing | billing country code",
)
_CATEGORY = _ranks(
    "sub category",
    "category",
    "product category | item category | category name",
    "product type | product group",
)
_DEPARTMENT = _ranks("department", "category", "product category | item category | category name", "division")
_BRAND = _ranks("brand", "brand name | product brand", "vendor | manufacturer")


@dataclass(frozen=True)
class Meanings:
    """What the columns of one kind of file may hold; of each group of `needed` one must be there."""

    names: Names
    needed: Sequence[Sequence[str]]


KINDS: Mapping[Kind, Meanings] = {
    "orders": Meanings(
        {
            C.ORDER_ID: _ranks(
                "order id",
                "order number | order no | order code | order ref | order reference | order name",
                "invoice no | invoice | invoice number | invoice id",
                "order",
                "sale id | sale number | sale no | sales order | sales document",
                "transaction id | transaction number | transaction no",
                "receipt id | receipt number | receipt no | receipt | bill no | bill number | basket id",
            ),
            C.CUSTOMER_ID: _CUSTOMER,
            C.PRODUCT_ID: _PRODUCT,
            C.PRODUCT_NAME: _PRODUCT_NAME,
            C.ORDERED_AT: _ranks(
                "ordered at | order timestamp | order datetime | order date time",
                "order date",
                "invoice date",
                "purchase date | purchased at | date of purchase",
                "transaction date | transaction timestamp",
                "sale date | sales date | date of sale",
                "created at | date created | order created at",
                "date time | timestamp",
                "date",
                "document date | doc date",
                "paid at | date paid | payment date",
            ),
            C.TIME_OF_DAY: _ranks("order time | time of order", "time", "time of day", "sale time | transaction time"),
            C.QUANTITY: _ranks(
                "quantity",
                "qty",
                "quantity ordered | qty ordered | ordered quantity | order quantity | order qty",
                "quantity purchased | quantity sold | item quantity | item qty | line quantity",
                "units | units sold | pieces",
            ),
            C.UNIT_PRICE: _ranks(
                "unit price",
                "price per unit | price each | item price",
                "price",
                "selling price | sale price | sales price | retail price",
            ),
            C.DISCOUNT: _ranks(
                "discount",
                "discount amount | line discount | item discount | discount value",
                "discount percent | discount percentage | discount pct",
            ),
            C.AMOUNT: _ranks(
                "amount",
                "line total | line amount | item total | line item total | extended price",
                "net amount | net value | net sales | sales amount | sale amount",
                "sales | revenue | turnover",
                "total amount | total price | total sales",
                "total",
            ),
            C.COUNTRY: _COUNTRY,
            C.CATEGORY: _CATEGORY,
            C.DEPARTMENT: _DEPARTMENT,
            C.BRAND: _BRAND,
            C.STATUS: _ranks("order status", "status", "financial status | payment status"),
            C.CURRENCY: _ranks("currency", "currency code | currency iso code", "order currency", "payment currency"),
        },
        ((C.ORDER_ID,), (C.PRODUCT_ID, C.PRODUCT_NAME), (C.ORDERED_AT,), (C.UNIT_PRICE, C.AMOUNT)),
    ),
    "customers": Meanings(
        {C.CUSTOMER_ID: (*_CUSTOMER[:-1], ("id",)), C.COUNTRY: _COUNTRY},
        ((C.CUSTOMER_ID,),),
    ),
    "products": Meanings(
        {
            C.PRODUCT_ID: (*_PRODUCT, ("id",)),
            C.NAME: (*_PRODUCT_NAME, ("name",)),
            C.CATEGORY: _CATEGORY,
            C.DEPARTMENT: _DEPARTMENT,
            C.BRAND: _BRAND,
            C.COST: _ranks("cost", "unit cost | cost price | cost per item | purchase price"),
        },
        ((C.PRODUCT_ID,),),
    ),
    "events": Meanings(
        {
            C.CUSTOMER_ID: (*_CUSTOMER[:-1], ("visitor id", "client", "user pseudo id")),
            C.PRODUCT_ID: (*_PRODUCT, *_PRODUCT_NAME),
            C.TYPE: _ranks("event type", "event", "event name", "type", "action"),
            C.OCCURRED_AT: _ranks(
                "occurred at", "event time | event timestamp | event date", "timestamp | date time", "time", "date"
            ),
            C.CAMPAIGN_ID: _ranks("campaign id", "campaign"),
        },
        ((C.CUSTOMER_ID,), (C.TYPE,), (C.OCCURRED_AT,)),
    ),
    "campaigns": Meanings(
        {
            C.CAMPAIGN_ID: _ranks("campaign id", "campaign", "id"),
            C.CUSTOMER_ID: _CUSTOMER[:-1],
            C.TREATED: _ranks("treated", "is treated | treatment", "contacted", "test group | group"),
            C.PRODUCT_ID: _PRODUCT,
            C.NAME: _ranks("campaign name", "name", "title"),
            C.TYPE: _ranks("campaign type", "type", "channel"),
            C.STARTS_AT: _ranks("starts at", "start date | started at", "start", "start time"),
            C.ENDS_AT: _ranks("ends at", "end date | ended at", "end", "end time"),
        },
        ((C.CAMPAIGN_ID,),),
    ),
}


@dataclass(frozen=True)
class Export:
    """An orders file of one shop system, known by columns that only it has together; it has a table of its own.

    `how` holds further fields of a Layout, `of_orders` the names of columns of money that is off whole orders.
    """

    marks: Sequence[str]
    names: Names
    how: Mapping[str, Any] = field(default_factory=dict)
    of_orders: Sequence[str] = ()


_OF_THE_ORDER = (C.ORDERED_AT, C.CUSTOMER_ID, C.COUNTRY, C.STATUS)

EXPORTS: Mapping[str, Export] = {
    "Online Retail": Export(("invoice no", "stock code"), KINDS["orders"].names, {"cancelled_by_c": True}),
    "Online Retail II": Export(("invoice", "stock code"), KINDS["orders"].names, {"cancelled_by_c": True}),
    # the cells of the order stand on its first row alone; Name is the order's number
    "Shopify": Export(
        ("name", "lineitem quantity", "lineitem name", "lineitem price", "created at"),
        {
            C.ORDER_ID: _ranks("name"),
            C.CUSTOMER_ID: _ranks("customer id", "email", "billing name"),
            C.PRODUCT_ID: _ranks("lineitem sku"),
            C.PRODUCT_NAME: _ranks("lineitem name"),
            C.ORDERED_AT: _ranks("created at", "paid at"),
            C.QUANTITY: _ranks("lineitem quantity"),
            C.UNIT_PRICE: _ranks("lineitem price"),
            C.DISCOUNT: _ranks("lineitem discount"),
            C.COUNTRY: _ranks("shipping country", "billing country"),
            C.BRAND: _ranks("vendor"),
            C.STATUS: _ranks("financial status"),
            C.CURRENCY: _ranks("currency"),
        },
        {"carried": _OF_THE_ORDER},
        ("discount amount", "refunded amount"),
    ),
    # guests have the customer number 0, and an e-mail address like everybody
    "WooCommerce, one row an item": Export(
        ("order id", "item name", "item quantity", "item total"),
        {
            C.ORDER_ID: _ranks("order number", "order id"),
            C.CUSTOMER_ID: _ranks("billing email", "customer email", "customer id"),
            C.PRODUCT_ID: _ranks("item product id", "item sku"),
            C.PRODUCT_NAME: _ranks("item name"),
            C.ORDERED_AT: _ranks("order date", "date"),
            C.QUANTITY: _ranks("item quantity"),
            C.AMOUNT: _ranks("item total"),
            C.COUNTRY: _ranks("shipping country", "billing country"),
            C.STATUS: _ranks("order status", "status"),
            C.CURRENCY: _ranks("order currency", "currency"),
        },
    ),
    # refunds are off the quantity, not off the line's total; the order's cells may stand on its first row alone
    "WooCommerce, Advanced Order Export": Export(
        ("order number", "item name", "item cost"),
        {
            C.ORDER_ID: _ranks("order number", "order id"),
            C.CUSTOMER_ID: _ranks("email billing", "billing email", "customer email", "customer user id"),
            C.PRODUCT_ID: _ranks("product id", "sku"),
            C.PRODUCT_NAME: _ranks("item name", "product name"),
            C.ORDERED_AT: _ranks("order date", "paid date"),
            C.QUANTITY: _ranks("quantity refund", "quantity"),
            C.UNIT_PRICE: _ranks("item cost"),
            C.COUNTRY: _ranks("country code shipping", "country code billing", "country name billing"),
            C.CATEGORY: _ranks("category"),
            C.STATUS: _ranks("order status", "status"),
            C.CURRENCY: _ranks("order currency", "currency"),
        },
        {"carried": (C.ORDER_ID, *_OF_THE_ORDER)},
    ),
    # the price is that of all pieces, before promotions
    "Amazon, all orders": Export(
        ("amazon order id", "purchase date", "item price"),
        {
            C.ORDER_ID: _ranks("amazon order id"),
            C.CUSTOMER_ID: _ranks("buyer email", "buyer name"),
            C.PRODUCT_ID: _ranks("sku", "asin"),
            C.PRODUCT_NAME: _ranks("product name"),
            C.ORDERED_AT: _ranks("purchase date"),
            C.QUANTITY: _ranks("quantity"),
            C.AMOUNT: _ranks("item price"),
            C.DISCOUNT: _ranks("item promotion discount"),
            C.COUNTRY: _ranks("ship country"),
            C.STATUS: _ranks("order status", "item status"),
            C.CURRENCY: _ranks("currency"),
        },
        {"amount_is": "gross"},
    ),
    "Amazon, order report": Export(
        ("order id", "order item id", "quantity purchased", "item price"),
        {
            C.ORDER_ID: _ranks("order id"),
            C.CUSTOMER_ID: _ranks("buyer email", "buyer name"),
            C.PRODUCT_ID: _ranks("sku"),
            C.PRODUCT_NAME: _ranks("product name"),
            C.ORDERED_AT: _ranks("purchase date", "payments date"),
            C.QUANTITY: _ranks("quantity purchased"),
            C.AMOUNT: _ranks("item price"),
            C.DISCOUNT: _ranks("item promotion discount"),
            C.COUNTRY: _ranks("ship country"),
            C.CURRENCY: _ranks("currency"),
        },
        {"amount_is": "gross"},
    ),
    # sales are of the whole line, after a discount that is a fraction
    "Superstore": Export(
        ("order id", "ship date", "sub category", "sales"),
        KINDS["orders"].names,
        {"discount_is": "fraction"},
    ),
}


def key(name: str) -> str:
    """A column's name without case, spaces, punctuation and a currency in brackets: Unit_Price (EUR) -> unitprice."""
    bare = re.sub(r"\((?:[A-Z]{3}|\W)\)", "", name)
    return re.sub(r"[\W_]", "", bare).casefold()


def keys(names: Sequence[str]) -> frozenset[str]:
    """The keys of names."""
    return frozenset(map(key, names))


def export_of(columns: Sequence[str]) -> str | None:
    """The shop system whose export of orders has these columns, if it is a known one."""
    of_name = keys(columns)
    return next((name for name, export in EXPORTS.items() if keys(export.marks) <= of_name), None)


_KNOWN = frozenset(
    name
    for table in [meanings.names for meanings in KINDS.values()] + [export.names for export in EXPORTS.values()]
    for canonical, ranks in table.items()
    for name in {key(canonical)}.union(*map(keys, ranks))
)


def known_names(columns: Sequence[str]) -> int:
    """How many of the columns have a name that tells what they hold."""
    return sum(key(column) in _KNOWN for column in columns)


def header_place(rows: Sequence[Sequence[str]]) -> int | None:
    """The place of the header among a file's first rows: the first row that names the most columns we know.

    Where no row names any it is the first that is not blank, and None where all are.
    """
    places = [place for place, row in enumerate(rows) if any(cell.strip() for cell in row)]
    return max(places, key=lambda place: known_names(rows[place]), default=None)
