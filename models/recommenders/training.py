"""What recommenders learn from: customers and candidate products as rows and columns, and who bought what when."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from db.columns import Columns as C
from errors import NotEnoughDataError

CUSTOMER, PRODUCT, AGE, ORDERS = "customer", "product", "age_days", "orders"

_MIN_BUYERS = 5
_MAX_PRODUCTS = 5_000


@dataclass(frozen=True)
class Training:
    """Everything known at one moment. Row and column numbers are places in `customers` and `products`.

    customers: customer_id, country, attributes (a JSON object as text), segment.
    products: the candidates: product_id, name, category, department, brand.
    purchases: one row a customer, product and order: customer, product, age_days (before the moment).
    """

    customers: pd.DataFrame
    products: pd.DataFrame
    purchases: pd.DataFrame

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """One row a customer and product: customer, product, orders, age_days of the last."""
        groups = self.purchases.groupby([CUSTOMER, PRODUCT])
        return groups.agg(**{ORDERS: (AGE, "size"), AGE: (AGE, "min")}).reset_index()

    @cached_property
    def bought(self) -> sparse.csr_matrix:
        """Customers x products, True where bought."""
        return self.matrix(self.pairs, np.ones(len(self.pairs), dtype=bool))

    def buyers(self, days: float = np.inf) -> npt.NDArray[np.int64]:
        """How many customers bought each product, or did in the last `days` days."""
        return np.bincount(self.pairs.loc[self.pairs[AGE] <= days, PRODUCT], minlength=len(self.products))

    def matrix(self, rows: pd.DataFrame, values: np.ndarray) -> sparse.csr_matrix:
        """Customers x products with a value for each row of a frame that has customer and product."""
        shape = (len(self.customers), len(self.products))
        return sparse.csr_matrix((values, (rows[CUSTOMER], rows[PRODUCT])), shape=shape)


def training(purchases: pd.DataFrame, products: pd.DataFrame, customers: pd.DataFrame, as_of: datetime) -> Training:
    """What was known at `as_of` of the given customers and products (both are put in ascending id).

    `purchases` has one row a customer, product and order: customer_id, product_id, ordered_at. Candidates are the
    products that at least 5 of the customers bought, and of those the 5,000 with the most. Raises NotEnoughDataError
    where there is none.
    """
    customers = customers.sort_values(C.CUSTOMER_ID, ignore_index=True)
    known = purchases[purchases[C.ORDERED_AT] < as_of]
    rows = pd.Index(customers[C.CUSTOMER_ID]).get_indexer(known[C.CUSTOMER_ID])
    known = known.assign(**{CUSTOMER: rows})[rows >= 0]
    buyers = known.groupby(C.PRODUCT_ID, observed=True)[CUSTOMER].nunique()
    buyers = buyers[buyers.index.isin(products[C.PRODUCT_ID]) & (buyers >= _MIN_BUYERS)]
    if buyers.empty:
        raise NotEnoughDataError(
            f"Recommendations need products that at least {_MIN_BUYERS} customers bought, and none was found among "
            f"{len(customers):,} customers; load more transactions."
        )
    chosen = buyers.sort_index().sort_values(ascending=False, kind="stable").index[:_MAX_PRODUCTS]
    candidates = products[products[C.PRODUCT_ID].isin(chosen)].sort_values(C.PRODUCT_ID, ignore_index=True)
    columns = pd.Index(candidates[C.PRODUCT_ID]).get_indexer(known[C.PRODUCT_ID])
    age = (pd.Timestamp(as_of) - known[C.ORDERED_AT]).dt.total_seconds() / 86_400
    learned = pd.DataFrame({CUSTOMER: known[CUSTOMER], PRODUCT: columns, AGE: age})[columns >= 0]
    return Training(customers, candidates, learned.reset_index(drop=True))
