"""What a shop allows on its lists: a TOML file, and the file of what is in stock, become one checked, frozen Rules."""

import csv
import io
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import AfterValidator, Field, ValidationInfo, field_serializer, field_validator, model_validator

from db.columns import Columns as C
from errors import ConfigurationError
from models.checked import Number, Part, fault, in_one_line, must_be, read
from models.wording import counted

DEFAULT = Path(__file__).with_name("recommendations.toml")

_LARGEST = 1 << 26
_SEPARATORS = ",;\t"
_LIST = 10
_DAYS = "a whole number of days from 0 (never) to 36500"

_Price = Annotated[Number, Field(ge=0), must_be("a price, or 0 for no bound")]
_Places = Annotated[int, Field(strict=True, ge=0, le=_LIST), must_be(f"a whole number from 0 to {_LIST}")]
_Names = Annotated[
    tuple[Annotated[str, Field(strict=True, min_length=1), AfterValidator(in_one_line)], ...],
    must_be('a list of texts such as ["A", "B"], each in one line, without blanks at its ends'),
]


class Rules(Part):
    """All that the file says; `recommendations.toml` explains each key."""

    min_buyers: Annotated[
        int, Field(strict=True, ge=1, le=1_000_000_000), must_be("a whole number of customers from 1 on")
    ]
    price_low: _Price
    price_high: _Price
    in_stock: frozenset[str] | None
    """The product_ids of the file; None for all."""
    exclude_categories: _Names
    exclude_departments: _Names
    exclude_products: _Names
    again_after_days: Annotated[int, Field(strict=True, ge=0, le=36_500), must_be(_DAYS)]
    per_category: _Places
    long_tail: _Places

    @field_validator("in_stock", mode="plain")
    @classmethod
    def _reads_the_stock(cls, told: object, info: ValidationInfo) -> frozenset[str] | None:
        if not isinstance(told, str):
            raise fault('must be the path of a CSV file with a column product_id, or "" for all products')
        return _stock(Path(info.context or "") / told, told) if told else None

    @field_serializer("in_stock")
    def _stock_in_short(self, stock: frozenset[str] | None) -> dict[str, object] | None:
        if stock is None:
            return None
        return {"products": len(stock), "sha256": sha256("\n".join(sorted(stock)).encode()).hexdigest()}

    @model_validator(mode="after")
    def _has_room_for_a_price(self) -> Self:
        if self.price_high and self.price_low > self.price_high:
            raise fault(f"must not have price_low {self.price_low:g} above price_high {self.price_high:g}")
        return self

    def candidates(self, products: pd.DataFrame, buyers: npt.NDArray[np.integer]) -> list[str]:
        """The product_ids that may be listed, in the order of `products`.

        `products` has product_id, category, department and price (null where unknown), `buyers` the customers who
        bought each. Raises ConfigurationError, with what each rule leaves out, where candidates came and none is left.
        """
        price = products[C.PRICE].to_numpy(np.float64, na_value=np.nan)
        stock = products[C.PRODUCT_ID] if self.in_stock is None else self.in_stock
        refused = {
            f"min_buyers {self.min_buyers}": buyers < self.min_buyers,
            f"price_low {self.price_low:g}": ~(price >= self.price_low) & (self.price_low > 0),
            f"price_high {self.price_high:g}": ~(price <= self.price_high) & (self.price_high > 0),
            "in_stock": ~_among(products[C.PRODUCT_ID], stock),
            "exclude_categories": _called(products[C.CATEGORY], self.exclude_categories),
            "exclude_departments": _called(products[C.DEPARTMENT], self.exclude_departments),
            "exclude_products": _among(products[C.PRODUCT_ID], self.exclude_products),
        }
        allowed: npt.NDArray[np.bool_] = ~np.any(list(refused.values()), axis=0)
        if len(products) and not allowed.any():
            shares = ", ".join(f"{rule} leaves out {out.sum():,}" for rule, out in refused.items() if out.any())
            candidates = counted(len(products), "candidate")
            raise ConfigurationError(f"The rules leave nothing to recommend of {candidates} ({shares}); loosen them.")
        return list(products.loc[allowed, C.PRODUCT_ID])

    def unmet(self, products: pd.DataFrame) -> list[str]:
        """A sentence for each rule that names what no product of the shop has, as a slip of the pen does.

        `products` are all of the shop: product_id, category, department.
        """
        named = {
            "exclude_categories": (self.exclude_categories, products[C.CATEGORY]),
            "exclude_departments": (self.exclude_departments, products[C.DEPARTMENT]),
            "exclude_products": (self.exclude_products, products[C.PRODUCT_ID]),
        }
        told = []
        for rule, (names, column) in named.items():
            known = set(column.dropna().str.casefold())
            unknown = [name for name in names if name.casefold() not in known]
            if unknown:
                told.append(f"{rule} names {', '.join(unknown)}, and no product has that.")
        if self.in_stock and not products[C.PRODUCT_ID].isin(list(self.in_stock)).any():
            told.append("in_stock names no product of the shop.")
        return told


def read_rules(path: Path | None) -> Rules:
    """The rules of a file, completed from the default file (the whole of it for None).

    Raises ConfigurationError naming the file and the place of the first mistake, in the file of what is in stock too.
    """
    return read(Rules, path, DEFAULT, "rules")


def _among(column: pd.Series, names: Iterable[str]) -> npt.NDArray[np.bool_]:
    return column.isin(list(names)).to_numpy(bool)


def _called(column: pd.Series, names: Iterable[str]) -> npt.NDArray[np.bool_]:
    return _among(column.map(str.casefold, na_action="ignore"), [name.casefold() for name in names])


def _stock(path: Path, told: str) -> frozenset[str]:
    """The product_ids of a CSV file, whichever of comma, semicolon and tab parts it."""
    try:
        fits = not path.exists() or (path.is_file() and path.stat().st_size <= _LARGEST)
        text = path.read_text(encoding="utf-8-sig") if fits else ""
    except OSError as error:
        raise fault(f"must be a CSV file, and {told} cannot be opened ({error.strerror or error})") from error
    except ValueError as error:  # what is no UTF-8, or no path
        raise fault(f"must be a CSV file in UTF-8, and {told} is none ({error})") from error
    if not fits:
        raise fault(f"must be a CSV file of at most {_LARGEST >> 20} MB, and {told} is not")
    separator = max(_SEPARATORS, key=text.partition("\n")[0].count)
    try:
        header, *rows = csv.reader(io.StringIO(text), delimiter=separator)
    except (csv.Error, ValueError) as error:  # an endless cell; no row at all
        raise fault(f"must be a CSV file, and {told} is none ({error})") from error
    names = [name.strip().casefold() for name in header]
    if names.count(C.PRODUCT_ID) != 1:
        raise fault(f"must be a CSV file with one column {C.PRODUCT_ID}, and {told} begins {shorten(repr(header), 80)}")
    place = names.index(C.PRODUCT_ID)
    stock = frozenset(row[place].strip() for row in rows if len(row) > place) - {""}
    if not stock:
        raise fault(f"must be a CSV file of the products in stock, and {told} lists none")
    return stock
