"""How good ranked lists are, a customer at a time, and what the mean over customers is worth.

Definitions as in Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), chapter 8, with relevance
0 or 1; average precision and the ideal of NDCG count at most k relevant products.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.columns import Columns as C

METRICS = ("precision", "recall", "map", "ndcg", "hit_rate")

Values = npt.NDArray[np.float64]


def by_customer(recommended: pd.DataFrame, relevant: pd.DataFrame, ks: Sequence[int]) -> pd.DataFrame:
    """A row for each customer of `relevant`, in ascending id, a column for each (metric, k), values 0 to 1.

    recommended: customer_id, product_id, rank (1 is best). relevant: customer_id, product_id, no duplicates. A
    customer with nothing recommended has 0 everywhere; without relevant products the frame has no rows.
    """
    customers = pd.Index(np.sort(relevant[C.CUSTOMER_ID].unique()), name=C.CUSTOMER_ID)
    wanted = relevant.groupby(C.CUSTOMER_ID, observed=True).size().reindex(customers).to_numpy()
    found = recommended.merge(relevant[[C.CUSTOMER_ID, C.PRODUCT_ID]])
    found = found[found[C.RANK] <= max(ks)]
    hits = np.zeros((len(customers), max(ks)))
    hits[customers.get_indexer(pd.Index(found[C.CUSTOMER_ID])), found[C.RANK].to_numpy(dtype=int) - 1] = 1
    columns = {(metric, k): value for k in ks for metric, value in _at(hits, wanted, k).items()}
    return pd.DataFrame(columns, index=customers)


def _at(hits: Values, wanted: npt.NDArray[np.integer], k: int) -> dict[str, Values]:
    """Metric -> a value a customer; hits is customers x ranks."""
    top = hits[:, :k]
    total = top.sum(axis=1)
    possible = np.minimum(wanted, k)
    ranks = np.arange(1, k + 1)
    gains = 1 / np.log2(ranks + 1)
    precisions = top.cumsum(axis=1) / ranks
    return {
        "precision": total / k,
        "recall": total / wanted,
        "map": (precisions * top).sum(axis=1) / possible,
        "ndcg": (top * gains).sum(axis=1) / np.cumsum(gains)[possible - 1],
        "hit_rate": (total > 0).astype(np.float64),
    }


def intervals(values: pd.DataFrame, seed: int, rounds: int = 500) -> pd.DataFrame:
    """The mean of each column with its 95% bootstrap interval over rows: value, ci_low, ci_high.

    The percentile method of Efron and Tibshirani (1993), chapter 13, with a seeded generator. `values` has rows.
    """
    random = np.random.default_rng(seed)
    sample = values.to_numpy()
    means = np.array([sample[random.integers(0, len(sample), len(sample))].mean(axis=0) for _ in range(rounds)])
    low, high = np.quantile(means, (0.025, 0.975), axis=0)
    return pd.DataFrame({C.VALUE: values.mean(), C.CI_LOW: low, C.CI_HIGH: high}, index=values.columns)
