"""What each segment is, and what it buys."""

import numpy as np
import pandas as pd

from db.columns import Columns as C
from models.naming import Centre, in_order_of_value, names

_TOP = 5
_MIN_BUYERS = 5
_MIN_BUYER_SHARE = 0.02


def segment_profile(clustered: pd.DataFrame, currency: str) -> pd.DataFrame:
    """One row a segment, from an RFM frame with a `cluster` column: the columns of the table `segment_profile`.

    Sizes are customers, revenue is currency, shares run from 0 to 1 of all segmented customers (a revenue share is 0
    where the total is not positive), medians are days, orders and currency. Position 1 is the most valuable.
    """
    total = float(clustered[C.MONETARY].sum())
    centres = {}
    revenue = {}
    for label in sorted(clustered[C.CLUSTER].unique().tolist()):
        members = clustered[clustered[C.CLUSTER] == label]
        typical = members[[C.RECENCY, C.FREQUENCY, C.MONETARY, C.SILENCE]].median()
        recency, frequency, monetary = (float(typical[c]) for c in (C.RECENCY, C.FREQUENCY, C.MONETARY))
        revenue[label] = float(members[C.MONETARY].sum())
        centres[label] = Centre(
            cluster=label,
            customers=len(members),
            customer_share=len(members) / len(clustered),
            revenue_share=revenue[label] / total if total > 0 else 0.0,
            recency=recency,
            frequency=frequency,
            monetary=monetary,
            silence=float(typical[C.SILENCE]),
            recency_rank=1 - _place(clustered[C.RECENCY], recency),
            frequency_rank=_place(clustered[C.FREQUENCY], frequency),
            monetary_rank=_place(clustered[C.MONETARY], monetary),
        )
    ordered = in_order_of_value(list(centres.values()))
    rows = [
        {
            C.SEGMENT: name.name,
            C.CLUSTER: centre.cluster,
            C.POSITION: position,
            C.CUSTOMERS: centre.customers,
            C.CUSTOMER_SHARE: centre.customer_share,
            C.REVENUE: revenue[centre.cluster],
            C.REVENUE_SHARE: centre.revenue_share,
            C.RECENCY_MEDIAN: centre.recency,
            C.FREQUENCY_MEDIAN: centre.frequency,
            C.MONETARY_MEDIAN: centre.monetary,
            C.EMOJI: name.emoji,
            C.COLOUR: name.colour,
            C.PERSONA: name.persona,
            C.PLAYBOOK: name.playbook,
            C.REASON: name.reason,
        }
        for position, (centre, name) in enumerate(zip(ordered, names(ordered, currency), strict=True), start=1)
    ]
    return pd.DataFrame(rows)


def segment_product(sales: pd.DataFrame, profile: pd.DataFrame) -> pd.DataFrame:
    """The top five products of each segment by revenue, by quantity and by lift: the table `segment_product`.

    `sales` has one row a segment and product: segment, product_id, quantity, revenue, customers (who bought it).
    Lift is the product's share of what the segment's customers bought over its share of what all segmented customers
    bought, each product counted once a customer, so that a segment that buys little of everything can still favour
    something. It ranks only products above 1 with at least 5 buyers and 2% of the segment. Ties go to the smaller
    product_id.
    """
    size = sales[C.SEGMENT].map(profile.set_index(C.SEGMENT)[C.CUSTOMERS])
    buyers = sales.groupby(C.PRODUCT_ID)[C.CUSTOMERS].transform("sum")
    bought = sales.groupby(C.SEGMENT)[C.CUSTOMERS].transform("sum")
    lifted = sales.assign(**{C.LIFT: (sales[C.CUSTOMERS] / bought) / (buyers / sales[C.CUSTOMERS].sum())})
    enough = sales[C.CUSTOMERS] >= np.maximum(_MIN_BUYERS, _MIN_BUYER_SHARE * size)
    supported = enough & (lifted[C.LIFT] > 1)
    chosen = {C.REVENUE: lifted, C.QUANTITY: lifted, C.LIFT: lifted[supported]}
    return pd.concat([_top(frame, kind) for kind, frame in chosen.items()], ignore_index=True)


def _top(sales: pd.DataFrame, kind: str) -> pd.DataFrame:
    ordered = sales.sort_values([C.SEGMENT, kind, C.PRODUCT_ID], ascending=[True, False, True])
    rank = ordered.groupby(C.SEGMENT).cumcount() + 1
    top = ordered.assign(**{C.RANK: rank}).assign(**{C.KIND: kind})[rank <= _TOP]
    return top[[C.SEGMENT, C.KIND, C.RANK, C.PRODUCT_ID, C.QUANTITY, C.REVENUE, C.LIFT]]


def _place(values: pd.Series, value: float) -> float:
    """Where a value stands among others, 0 to 1: the share below it and half of the share equal to it."""
    return float((values < value).mean() + (values <= value).mean()) / 2
