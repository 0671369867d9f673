"""What each segment of every grouping buys."""

import numpy as np
import pandas as pd

from db.columns import Columns as C

_TOP = 5
_MIN_BUYERS = 5
_MIN_BUYER_SHARE = 0.02
_LEAST_PRICE = 0.01
_SEGMENT = [C.GROUPING, C.SEGMENT]


def segment_product(sales: pd.DataFrame, profile: pd.DataFrame) -> pd.DataFrame:
    """The top five products of each segment by revenue, by quantity and by lift: the table `segment_product`.

    `sales` has one row a grouping, segment and product: quantity, revenue, customers (who bought it); `profile` has the
    customers of each segment. Lift is the product's share of what the segment's customers bought over its share of what
    all segmented customers bought, each product counted once a customer, so that a segment that buys little of
    everything can still favour something. It ranks only products above 1 with at least 5 buyers and 2% of the segment.
    What is not counted in pieces (it brings less than a hundredth each: fuel
    by the drop, for instance) has no place by quantity. Ties go to the smaller product_id. No sales, no rows.
    """
    sizes = profile[[*_SEGMENT, C.CUSTOMERS]].rename(columns={C.CUSTOMERS: "size"})
    size = sales[_SEGMENT].merge(sizes, on=_SEGMENT, how="left")["size"].to_numpy()
    customers = sales[C.CUSTOMERS]
    buyers = sales.groupby([C.GROUPING, C.PRODUCT_ID], observed=True)[C.CUSTOMERS].transform("sum")
    bought = sales.groupby(_SEGMENT, observed=True)[C.CUSTOMERS].transform("sum")
    everything = sales.groupby(C.GROUPING, observed=True)[C.CUSTOMERS].transform("sum")
    lifted = sales.assign(**{C.LIFT: (customers / bought) / (buyers / everything)})
    supported = (customers >= np.maximum(_MIN_BUYERS, _MIN_BUYER_SHARE * size)) & (lifted[C.LIFT] > 1)
    pieces = sales[C.REVENUE] >= _LEAST_PRICE * sales[C.QUANTITY]
    chosen = {C.REVENUE: lifted, C.QUANTITY: lifted[pieces], C.LIFT: lifted[supported]}
    return pd.concat([_top(frame, kind) for kind, frame in chosen.items()], ignore_index=True)


def _top(sales: pd.DataFrame, kind: str) -> pd.DataFrame:
    leads = sales.groupby(_SEGMENT, observed=True)[kind].rank(method="min", ascending=False) <= _TOP
    ordered = sales[leads].sort_values([*_SEGMENT, kind, C.PRODUCT_ID], ascending=[True, True, False, True])
    rank = ordered.groupby(_SEGMENT, observed=True).cumcount() + 1
    top = ordered.assign(**{C.RANK: rank}).assign(**{C.KIND: kind})[rank <= _TOP]
    return top[[*_SEGMENT, C.KIND, C.RANK, C.PRODUCT_ID, C.QUANTITY, C.REVENUE, C.LIFT]]
