"""What recommenders learn from: customers and candidate products as rows and columns, and who bought what when."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from db.columns import Columns as C
from errors import NotEnoughDataError

Kind = Literal["discover", "buy_again", "any"]
"""What a list may hold: products new to the customer, those they bought before, or both."""
KINDS: tuple[Kind, ...] = get_args(Kind)

CUSTOMER, PRODUCT, ORDER, AGE, ORDERS = "customer", "product", "order", "age_days", "orders"

_MIN_BUYERS = 5
MAX_PRODUCTS = 5_000
"""More take a model of products x products too much memory."""


@dataclass(frozen=True)
class Training:
    """Everything known at one moment. Row and column numbers are places in `customers` and `products`.

    customers: customer_id, country, attributes (a JSON object as text), segment; who never bought is cold.
    products: the candidates: product_id, name, category, department, brand, price (median; null where unknown).
    purchases: one row a customer, product and order: customer, product, order (a number), age_days (before the moment).
    before: what was known at an earlier moment, for models that learn from what happened between; None where there is
    no such history.
    """

    at: datetime
    customers: pd.DataFrame
    products: pd.DataFrame
    purchases: pd.DataFrame
    before: "Training | None" = None
    again_after: float = np.inf
    """Days after which what was bought counts as new again."""

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """One row a customer and product: customer, product, orders, age_days of the last."""
        groups = self.purchases.groupby([CUSTOMER, PRODUCT])
        return groups.agg(**{ORDERS: (AGE, "size"), AGE: (AGE, "min")}).reset_index()

    @cached_property
    def bought(self) -> sparse.csr_matrix:
        """Customers x products, True where bought."""
        return self.matrix(self.pairs, np.ones(len(self.pairs), dtype=bool))

    @cached_property
    def held(self) -> sparse.csr_matrix:
        """Customers x products, True where bought and not so long ago that it counts as new again."""
        if self.again_after == np.inf:
            return self.bought
        late = self.pairs[self.pairs[AGE] <= self.again_after]
        return self.matrix(late, np.ones(len(late), dtype=bool))

    def since(self, earlier: "Training") -> pd.DataFrame:
        """What customers bought since an earlier moment: customer_id, product_id, one row each."""
        late = self.pairs[self.pairs[AGE] <= (self.at - earlier.at).total_seconds() / 86_400]
        return pd.DataFrame(
            {
                C.CUSTOMER_ID: self.customers[C.CUSTOMER_ID].to_numpy()[late[CUSTOMER]],
                C.PRODUCT_ID: self.products[C.PRODUCT_ID].to_numpy()[late[PRODUCT]],
            }
        )

    def buyers(self, days: float = np.inf) -> npt.NDArray[np.int64]:
        """How many customers bought each product, or did in the last `days` days."""
        return np.bincount(self.pairs.loc[self.pairs[AGE] <= days, PRODUCT], minlength=len(self.products))

    def matrix(self, rows: pd.DataFrame, values: np.ndarray) -> sparse.csr_matrix:
        """Customers x products with a value for each row of a frame that has customer and product."""
        shape = (len(self.customers), len(self.products))
        return sparse.csr_matrix((values, (rows[CUSTOMER], rows[PRODUCT])), shape=shape)

    def restrict(
        self,
        scores: npt.NDArray[np.floating],
        rows: npt.NDArray[np.intp],
        kind: Kind,
        allowed: npt.NDArray[np.bool_] | None,
    ) -> None:
        """Put -inf into `scores` (customers of the rows x products) where a list of the kind may not hold a product."""
        if allowed is not None:
            scores[:, ~allowed] = -np.inf
        if kind == "discover":
            scores[self.held[rows].nonzero()] = -np.inf
        elif kind == "buy_again":
            scores[~self.bought[rows].toarray()] = -np.inf


def training(
    purchases: pd.DataFrame,
    products: pd.DataFrame,
    customers: pd.DataFrame,
    at: datetime,
    *,
    before: Training | None = None,
    min_buyers: int = _MIN_BUYERS,
    max_products: int = MAX_PRODUCTS,
    again_after: float = np.inf,
) -> Training:
    """What was known at a moment of the given customers and products (both are put in ascending id).

    `purchases` has one row a customer, product and order: customer_id, product_id, order_id, ordered_at. Candidates are
    the products that at least `min_buyers` of the customers bought, and of those the `max_products` with the most. What
    was bought more than `again_after` days ago counts as new again. Raises NotEnoughDataError without any candidate.
    """
    customers = customers.sort_values(C.CUSTOMER_ID, ignore_index=True)
    known = purchases[purchases[C.ORDERED_AT] < at]
    rows = pd.Index(customers[C.CUSTOMER_ID]).get_indexer(known[C.CUSTOMER_ID])
    known = known.assign(**{CUSTOMER: rows})[rows >= 0]
    buyers = known.groupby(C.PRODUCT_ID, observed=True)[CUSTOMER].nunique()
    buyers = buyers[buyers.index.isin(products[C.PRODUCT_ID]) & (buyers >= min_buyers)]
    if buyers.empty:
        raise NotEnoughDataError(
            f"Recommendations need products that at least {min_buyers} customers bought, and none was found among "
            f"{len(customers):,} customers; load more transactions."
        )
    chosen = buyers.sort_index().sort_values(ascending=False, kind="stable").index[:max_products]
    candidates = products[products[C.PRODUCT_ID].isin(chosen)].sort_values(C.PRODUCT_ID, ignore_index=True)
    columns = pd.Index(candidates[C.PRODUCT_ID]).get_indexer(known[C.PRODUCT_ID])
    learned = pd.DataFrame(
        {
            CUSTOMER: known[CUSTOMER],
            PRODUCT: columns,
            ORDER: pd.factorize(known[C.ORDER_ID])[0],
            AGE: (pd.Timestamp(at) - known[C.ORDERED_AT]).dt.total_seconds() / 86_400,
        }
    )[columns >= 0]
    return Training(at, customers, candidates, learned.reset_index(drop=True), before, again_after)
