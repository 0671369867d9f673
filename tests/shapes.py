"""The files of tests/data/shapes and their mangled twins: semicolons, decimal commas, Windows-1252, day first, a title.

The data are invented. What each file holds was reckoned from its rows with a spreadsheet.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "shapes"


@dataclass(frozen=True)
class Shape:
    """One file: its export, its columns of dates and numbers, and what is in it."""

    file: str
    export: str | None
    dates: Sequence[str]
    numbers: Sequence[str]
    rows: int
    rejected: Mapping[str, int]
    amount: Decimal
    discount: Decimal
    pieces: int
    orders: int
    customers: int
    guest_rows: int
    first: Sequence[object]
    """Of the first line: order, customer, product, name, moment, quantity, unit price, discount, amount, country."""


SHAPES = [
    Shape(
        file="online_retail.csv",
        export="Online Retail",
        dates=["InvoiceDate"],
        numbers=["UnitPrice"],
        rows=26,
        rejected={"duplicate": 1, "zero_quantity": 1},
        amount=Decimal("4379.75"),
        discount=Decimal(0),
        pieces=232,
        orders=11,
        customers=4,
        guest_rows=5,
        first=["536401", "12583", "10135", "CAFÉ PARASOL, GREEN", "2010-12-13 08:26", 3, "3.75", 0, "11.25", "France"],
    ),
    Shape(
        file="online_retail_ii.csv",
        export="Online Retail II",
        dates=["InvoiceDate"],
        numbers=["Price"],
        rows=26,
        rejected={"duplicate": 1, "zero_quantity": 1},
        amount=Decimal("4379.75"),
        discount=Decimal(0),
        pieces=232,
        orders=11,
        customers=4,
        guest_rows=5,
        first=["536401", "12583", "10135", "CAFÉ PARASOL, GREEN", "2010-12-13 08:26", 3, "3.75", 0, "11.25", "France"],
    ),
    Shape(
        file="shopify.csv",
        export="Shopify",
        dates=["Created at", "Paid at"],
        numbers=["Lineitem price", "Lineitem discount", "Subtotal", "Shipping", "Total", "Discount Amount"],
        rows=19,
        rejected={"cancelled_order": 3, "refunded_order": 1, "unpaid_order": 1},
        amount=Decimal("6131.05"),
        discount=Decimal("9.75"),
        pieces=29,
        orders=7,
        customers=3,
        guest_rows=3,
        first=[
            "#1001",
            "anna@shop.example",
            "CB-1",
            "Crème brûlée torch",
            "2019-01-17 10:22:33",
            1,
            "24.9",
            0,
            "24.9",
            "DE",
        ],
    ),
    Shape(
        file="woocommerce.csv",
        export="WooCommerce, one row an item",
        dates=["order_date"],
        numbers=["shipping_total", "order_total", "item_subtotal", "item_total"],
        rows=24,
        rejected={"cancelled_order": 1, "refunded_order": 1, "unpaid_order": 2},
        amount=Decimal("22857.20"),
        discount=Decimal(0),
        pieces=50,
        orders=9,
        customers=4,
        guest_rows=0,
        first=[
            "900",
            "ines@kaffee.example",
            "101",
            "Espresso beans, 1 kg",
            "2021-03-09 09:15:02",
            1,
            "18.9",
            0,
            "18.9",
            "DE",
        ],
    ),
    Shape(
        file="woocommerce_advanced.csv",
        export="WooCommerce, Advanced Order Export",
        dates=["Order Date"],
        numbers=["Order Subtotal Amount", "Order Total Amount", "Item Cost", "Order Line Total"],
        rows=21,
        rejected={"cancelled_order": 2, "unpaid_order": 2},
        amount=Decimal("8393.40"),
        discount=Decimal(0),
        pieces=30,
        orders=9,
        customers=4,
        guest_rows=0,
        first=[
            "3100",
            "ines@kaffee.example",
            "EB-1",
            "Espresso beans, 1 kg",
            "2022-05-14 18:40",
            1,
            "18.9",
            0,
            "18.9",
            "DE",
        ],
    ),
    Shape(
        file="amazon.txt",
        export="Amazon, all orders",
        dates=["purchase-date", "last-updated-date"],
        numbers=["item-price", "item-promotion-discount"],
        rows=21,
        rejected={"cancelled_order": 2, "unpaid_order": 2},
        amount=Decimal("10456.93"),
        discount=Decimal("7.50"),
        pieces=32,
        orders=12,
        customers=0,
        guest_rows=17,
        first=[
            "302-1000000-2000000",
            None,
            "BP-01",
            "Bougie parfumée, fig",
            "2019-01-16 10:22:33",
            1,
            "12.95",
            0,
            "12.95",
            "DE",
        ],
    ),
    Shape(
        file="amazon_order_report.txt",
        export="Amazon, order report",
        dates=["purchase-date", "payments-date"],
        numbers=["item-price", "shipping-price"],
        rows=19,
        rejected={},
        amount=Decimal("6332.99"),
        discount=Decimal(0),
        pieces=25,
        orders=13,
        customers=3,
        guest_rows=0,
        first=[
            "114-1000000-7966659",
            "zoe1@marketplace.example",
            "BP-01",
            "Bougie parfumée, fig",
            "2017-09-13 14:18:23",
            1,
            "12.95",
            0,
            "12.95",
            "US",
        ],
    ),
    Shape(
        file="superstore.csv",
        export="Superstore",
        dates=["Order Date", "Ship Date"],
        numbers=["Sales", "Discount", "Profit"],
        rows=27,
        rejected={},
        amount=Decimal("11365.732"),
        discount=Decimal("70.868"),
        pieces=66,
        orders=14,
        customers=3,
        guest_rows=0,
        first=[
            "CA-2016-152156",
            "CG-12520",
            "FUR-CH-10000454",
            "Fauteuil Hélène",
            "2016-11-08",
            1,
            "243.98",
            0,
            "243.98",
            "United States",
        ],
    ),
    Shape(
        file="plain.csv",
        export=None,
        dates=["Transaction Date"],
        numbers=["Price", "Total"],
        rows=22,
        rejected={},
        amount=Decimal("19353.60"),
        discount=Decimal(0),
        pieces=45,
        orders=15,
        customers=4,
        guest_rows=0,
        first=["R700", "K1", "T-1", "Tisch Weiß", "2023-02-17 12:00", 1, "249", 0, "249", "Österreich"],
    ),
]


def mangled(shape: Shape, folder: Path) -> Path:
    """Write the twin of a shape: the same rows as a German office would send them."""
    with (FOLDER / shape.file).open(encoding="utf-8", newline="") as source:
        header, *rows = csv.reader(source, delimiter="\t" if shape.file.endswith(".txt") else ",")
    mend = {**dict.fromkeys(shape.dates, _day_first), **dict.fromkeys(shape.numbers, _decimal_comma)}
    path = folder / f"Umsätze {Path(shape.file).stem}.csv"
    with path.open("w", encoding="cp1252", newline="") as sink:
        writer = csv.writer(sink, delimiter=";", lineterminator="\r\n")
        writer.writerows([["Umsätze der Straße 7"], []])
        writer.writerow(header)
        for row in rows:
            writer.writerow([mend.get(name, str)(cell) for name, cell in zip(header, row, strict=True)])
    return path


def _day_first(cell: str) -> str:
    """2010-12-31 08:26:00 or 12/31/2010 -> 31.12.2010 08:26:00; a zone stays as it is."""
    if iso := re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[ T]?(.*)", cell):
        year, month, day, clock = iso.groups()
        return f"{day}.{month}.{year} {clock}".rstrip()
    return re.sub(r"^([0-9]+)/([0-9]+)/([0-9]{4})$", r"\2.\1.\3", cell)


def _decimal_comma(cell: str) -> str:
    """1234.50 -> 1.234,50"""
    whole, _, fraction = cell.partition(".")
    return f"{int(whole):,}".replace(",", ".") + ("," + fraction if fraction else "") if cell else cell
