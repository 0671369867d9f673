"""What is known of products, of customers, of how their categories meet, and of the rhythm of what was bought before.

A fact is (what it tells, in words for people; a value a product, customer or pair).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from db.columns import Columns as C
from models.recommenders.base import Places
from models.recommenders.signals import NAMESAKES, TRAITS, indicator, of_trait
from models.recommenders.training import AGE, CUSTOMER, ORDER, ORDERS, PRODUCT, Training

Values = npt.NDArray[np.floating]
Fact = tuple[str, Values]

POPULAR, NEWNESS, PRICE, HABITS, RHYTHM = "Popular now", "New in the shop", "Price", "Buying habits", "Own rhythm"

_BUYER_DAYS = (7, 14, 28, 90, np.inf)
_FIRST_DAYS = (14, 28, 60)
_FADING_DAYS = (15, 30, 90, 180)
_NEEDS = (C.CATEGORY, NAMESAKES)
"""Traits so narrow that a customer who buys of them again has a need, with a rhythm of its own."""


def of_products(training: Training) -> dict[str, Fact]:
    """How many buy each product, and begin to, of late; how long it has been sold; its price (NaN where unknown)."""
    size = len(training.products)
    buyers = {days: training.buyers(days).astype(np.float32) for days in _BUYER_DAYS}
    began = _began(training)
    told: dict[str, Fact] = {f"buyers {days:g}": (POPULAR, number) for days, number in buyers.items()}
    told["trend 14"] = POPULAR, np.log1p(buyers[14]) - np.log1p(buyers[28] / 2)
    told["trend 28"] = POPULAR, np.log1p(buyers[28]) - np.log1p(buyers[90] / 3)
    for days in _FIRST_DAYS:
        told[f"first bought {days}"] = POPULAR, _counted(began.loc[began[AGE] <= days, PRODUCT], size)
    told["share of first"] = POPULAR, told["first bought 28"][1] / (buyers[28] + 1)
    sold_for = np.zeros(size)
    np.maximum.at(sold_for, training.purchases[PRODUCT].to_numpy(), training.purchases[AGE].to_numpy())
    told["sold for"] = NEWNESS, sold_for
    price = training.products[C.PRICE].to_numpy(np.float64, na_value=np.nan)
    told["price"] = PRICE, np.where(price > 0, price, np.nan)
    return told


def of_customers(training: Training, price: Values) -> dict[str, Fact]:
    """How much and how lately each customer buys, and at what price (mean logarithm); NaN for who never bought."""
    size = len(training.customers)
    purchases = training.purchases
    who, age = purchases[CUSTOMER].to_numpy(), purchases[AGE].to_numpy()
    every = range(size)
    began = _began(training)
    usual = pd.Series(np.log(price[purchases[PRODUCT]])).groupby(who).mean()
    return {
        "orders": (HABITS, purchases.groupby(CUSTOMER)[ORDER].nunique().reindex(every, fill_value=0).to_numpy(float)),
        "products": (HABITS, np.asarray(training.bought.sum(axis=1), float).ravel()),
        "silent for": (HABITS, purchases.groupby(CUSTOMER)[AGE].min().reindex(every).to_numpy()),
        "lines 28": (HABITS, _counted(who[age <= 28], size)),
        "began 60": (HABITS, _counted(began.loc[began[AGE] <= 60, CUSTOMER], size)),
        "usual price": (PRICE, usual.reindex(every).to_numpy()),
    }


@dataclass(frozen=True)
class Course:
    """When customers bought what: customers x products (or values of a trait), by number of orders and age in days."""

    times: sparse.csr_matrix
    last: sparse.csr_matrix
    span: sparse.csr_matrix
    """Days between the first and the last."""

    def of(self, rows: Places, row: Places, column: Places) -> dict[str, Values]:
        """Of pairs (places `row` in `rows`, and columns): NaN where never bought, or too rarely for a gap.

        Due is the time since the last purchase over the customer's own gap between two.
        """
        times, last, span = (matrix[rows].toarray()[row, column] for matrix in (self.times, self.last, self.span))
        gap = np.where(times > 1, span / np.maximum(times - 1, 1), np.nan)
        since = np.where(times > 0, last, np.nan)
        return {"times": times, "last": since, "own gap": gap, "due": since / np.maximum(gap, 1)}


def course(training: Training, values: Places, kinds: int) -> Course:
    """The course of each customer and value (of each product a number below `kinds`, or -1 for none)."""
    bought = training.purchases
    value = values[bought[PRODUCT]]
    known = value >= 0
    orders = int(bought[ORDER].max()) + 1 if len(bought) else 1
    pair = bought[CUSTOMER].to_numpy(np.int64)[known] * max(kinds, 1) + value[known]
    keys, first = np.unique(pair * orders + bought[ORDER].to_numpy()[known], return_index=True)
    age = bought[AGE].to_numpy()[known][first]
    found, at, times = np.unique(keys // orders, return_index=True, return_counts=True)
    last, longest = (np.minimum.reduceat(age, at), np.maximum.reduceat(age, at)) if len(at) else (age, age)
    places = np.divmod(found, max(kinds, 1))
    shape = (len(training.customers), max(kinds, 1))
    told = (sparse.csr_matrix((amount.astype(np.float32), places), shape) for amount in (times, last, longest - last))
    return Course(*told)


@dataclass(frozen=True)
class Met:
    """How customers and the values of a trait met: values of products (-1 for none), customers x values, and totals."""

    values: Places
    pairs: Mapping[str, sparse.csr_matrix]
    course: Course | None
    all: Values
    products: Values

    def of(self, rows: Places, row: Places, column: Places) -> dict[str, Values]:
        """What is told of pairs: places `row` in `rows` and products; NaN where the product has no value."""
        value = self.values[column]
        met = {name: matrix[rows].toarray()[row, value] for name, matrix in self.pairs.items()}
        met["share"] = met["bought"] / np.maximum(self.all[rows[row]], 1)
        met["tried"] = met["tried"] / np.maximum(self.products[value], 1)
        if self.course is not None:
            met |= self.course.of(rows, row, value)
        return {name: np.where(value >= 0, amount, np.nan) for name, amount in met.items()}


def of_traits(training: Training, late: sparse.csr_matrix, began: sparse.csr_matrix) -> dict[str, Met]:
    """Trait -> how often each customer bought of each of its values, lately, and new to them; of a need also when.

    Every trait, though no product may have it: what is told must be the same at every moment.
    """
    often = training.matrix(training.pairs, training.pairs[ORDERS].to_numpy(np.float32))
    bought = {"bought": often, "late": late, "began": began, "tried": training.bought.astype(np.float32)}
    told = {}
    for trait in TRAITS:
        values, kinds = of_trait(training.products, trait)
        to_values = indicator(values, kinds)
        told[trait] = Met(
            values,
            {name: matrix @ to_values for name, matrix in bought.items()},
            course(training, values, kinds) if trait in _NEEDS else None,
            np.asarray(often.sum(axis=1)).ravel(),
            np.asarray(to_values.sum(axis=0)).ravel(),
        )
    return told


@dataclass(frozen=True)
class Rhythm:
    """How often and when customers bought each product: the course, fading counts by name, and what is usual."""

    course: Course
    fading: Mapping[str, sparse.csr_matrix]
    gap: Values
    repeated: Values

    def of(self, rows: Places, row: Places, column: Places, orders: Values) -> dict[str, Fact]:
        """What is told of pairs: places `row` in `rows` and products; NaN where the product was never bought."""
        told = self.course.of(rows, row, column)
        told |= {
            "share of orders": told["times"] / orders,
            "usual gap": self.gap[column],
            "usually due": told["last"] / np.maximum(self.gap[column], 1),
            "repeated": self.repeated[column],
            **{name: matrix[rows].toarray()[row, column] for name, matrix in self.fading.items()},
        }
        return {name: (RHYTHM, value) for name, value in told.items()}


def rhythm(training: Training) -> Rhythm:
    """The rhythm of all pairs bought. A product's gap is the median of its repeat buyers' (NaN without any)."""
    size = len(training.products)
    of_pairs = course(training, np.arange(size), size)
    times, span = of_pairs.times.tocoo(), of_pairs.span.tocoo()
    again = times.data > 1
    gaps = pd.Series(span.data[again] / (times.data[again] - 1)).groupby(times.col[again]).median()
    age = training.purchases[AGE]
    return Rhythm(
        of_pairs,
        {
            f"fading {days}": training.matrix(training.purchases, np.exp(-age / days).to_numpy(np.float32))
            for days in _FADING_DAYS
        },
        gaps.reindex(range(size)).to_numpy(),
        np.bincount(times.col[again], minlength=size) / np.maximum(training.buyers(), 1),
    )


def _began(training: Training) -> pd.DataFrame:
    """One row a customer and product: customer, product, age_days of the first purchase."""
    return training.purchases.groupby([CUSTOMER, PRODUCT])[AGE].max().reset_index()


def _counted(places: pd.Series | npt.NDArray[np.integer], size: int) -> Values:
    return np.bincount(places, minlength=size).astype(np.float64)
