"""How good ranked lists are, a customer at a time, and what the mean over customers is worth.

Definitions as in Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), chapter 8, with relevance
0 or 1. The values equal those of RecTools 0.19: Precision, Recall, MAP(divide_by_k=False), NDCG(log_base=2,
divide_by_achievable=True), HitRate and MRR; of lists CatalogCoverage(normalize=True), MeanInvUserFreq, and
IntraListDiversity with the cosine between buyers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from db.columns import Columns as C

METRICS = ("precision", "recall", "map", "ndcg", "hit_rate", "mrr")
"""Of a list and what the customer then bought."""
LIST_METRICS = ("novelty", "diversity", "popularity")
"""Of a list alone."""
COVERAGE = "coverage"
"""Of all lists together."""

ROUNDS = 1_000
_DRAWS_AT_ONCE = 4_000_000

Values = npt.NDArray[np.float64]


def by_customer(recommended: pd.DataFrame, relevant: pd.DataFrame, ks: Sequence[int]) -> pd.DataFrame:
    """A row for each customer of `relevant`, in ascending id, a column for each (metric, k), values 0 to 1.

    recommended: customer_id, product_id, rank (1 is best). relevant: customer_id, product_id, no duplicates. A
    customer with nothing recommended has 0 everywhere; without relevant products the frame has no rows.

    - precision: relevant products among the first k, divided by k, however short the list is.
    - recall: the same, divided by all relevant products.
    - map: precision at the rank of each relevant product among the first k, summed, divided by all relevant products.
    - ndcg: 1 / log2(rank + 1) summed over them, divided by what the best list of k would have.
    - hit_rate: 1 where any of the first k is relevant.
    - mrr: 1 / the rank of the first relevant product among the first k, 0 without one.
    """
    customers = pd.Index(np.sort(relevant[C.CUSTOMER_ID].unique()), name=C.CUSTOMER_ID)
    wanted = relevant.groupby(C.CUSTOMER_ID, observed=True).size().reindex(customers).to_numpy()
    listed = recommended[recommended[C.RANK] <= max(ks)]
    found = listed.merge(relevant[[C.CUSTOMER_ID, C.PRODUCT_ID]])
    hits = np.zeros((len(customers), max(ks)))
    hits[customers.get_indexer(pd.Index(found[C.CUSTOMER_ID])), found[C.RANK].to_numpy(dtype=int) - 1] = 1
    columns = {(metric, k): value for k in ks for metric, value in _at(hits, wanted, k).items()}
    return pd.DataFrame(columns, index=customers)


def _at(hits: Values, wanted: npt.NDArray[np.integer], k: int) -> dict[str, Values]:
    """Metric -> a value a customer; hits is customers x ranks."""
    top = hits[:, :k]
    total = top.sum(axis=1)
    ranks = np.arange(1, k + 1)
    gains = 1 / np.log2(ranks + 1)
    precisions = top.cumsum(axis=1) / ranks
    return {
        "precision": total / k,
        "recall": total / wanted,
        "map": (precisions * top).sum(axis=1) / wanted,
        "ndcg": (top * gains).sum(axis=1) / np.cumsum(gains)[np.minimum(wanted, k) - 1],
        "hit_rate": (total > 0).astype(np.float64),
        "mrr": (top / ranks).max(axis=1, initial=0),
    }


@dataclass(frozen=True)
class Catalogue:
    """The products that may be listed, and who bought them: customers of each, and of each two together."""

    products: pd.Series
    customers: int
    buyers: npt.NDArray[np.int64]
    together: npt.NDArray[np.int32]


def catalogue(products: pd.Series, bought: sparse.csr_matrix) -> Catalogue:
    """Of `bought`, customers x `products`, True where bought before the lists are made; 4 bytes a pair of products."""
    counts = bought.astype(np.int32)
    customers = int(np.count_nonzero(np.diff(bought.indptr)))
    return Catalogue(products, customers, np.asarray(counts.sum(axis=0)).ravel(), (counts.T @ counts).toarray())


def by_list(recommended: pd.DataFrame, catalogue: Catalogue, k: int) -> pd.DataFrame:
    """A row for each customer with a list, in ascending id, a column for each (metric, k); customers without have none.

    recommended: customer_id, product_id, rank; every product listed is in the catalogue.

    - novelty: the mean of -log2(share of customers who bought the product) over the first k (Zhou et al. 2010); who
      bought nothing is not counted, and a product nobody bought counts as bought by one.
    - diversity: 1 - the mean cosine of the buyers of two products, over all pairs of the first k (Ziegler et al.
      2005); null for a list of one.
    - popularity: the mean share of customers who bought the product.
    """
    listed = recommended[recommended[C.RANK] <= k]
    rows, customers = pd.factorize(listed[C.CUSTOMER_ID], sort=True)
    places = pd.Index(catalogue.products).get_indexer(pd.Index(listed[C.PRODUCT_ID]))
    lists = np.full((len(customers), k), -1)
    lists[rows, listed[C.RANK].to_numpy(dtype=int) - 1] = places
    shares = np.maximum(catalogue.buyers, 1) / max(catalogue.customers, 1)
    sizes = np.bincount(rows, minlength=len(customers))
    values = {
        "novelty": np.bincount(rows, -np.log2(shares)[places], len(customers)) / sizes,
        "diversity": _diversity(lists, catalogue),
        "popularity": np.bincount(rows, shares[places], len(customers)) / sizes,
    }
    named = {(metric, k): values[metric] for metric in LIST_METRICS}
    return pd.DataFrame(named, index=pd.Index(customers, name=C.CUSTOMER_ID))


def _diversity(lists: npt.NDArray[np.intp], catalogue: Catalogue) -> Values:
    """1 - the mean cosine over the pairs of each row's places; -1 is no place."""
    lengths = np.sqrt(np.maximum(catalogue.buyers, 1))
    total, pairs = np.zeros(len(lists)), np.zeros(len(lists))
    for first, second in combinations(lists.T, 2):
        both = (first >= 0) & (second >= 0)
        cosines = catalogue.together[first, second] / (lengths[first] * lengths[second])
        total += np.where(both, cosines, 0)
        pairs += both
    with np.errstate(invalid="ignore"):  # no pair: null
        diversity: Values = 1 - total / pairs
    return diversity


def coverage(recommended: pd.DataFrame, candidates: int, k: int) -> float:
    """The share of so many candidates that stands on at least one list within its first k; 0 without candidates."""
    listed = recommended.loc[recommended[C.RANK] <= k, C.PRODUCT_ID].nunique()
    return listed / candidates if candidates else 0.0


def intervals(values: pd.DataFrame, seed: int, rounds: int = ROUNDS) -> pd.DataFrame:
    """The mean of each column with its 95% bootstrap interval over customers: value, ci_low, ci_high, customers.

    A row is a customer in one window; rows with the same index are the same customer and are drawn together, for what
    one customer does in two windows is not two independent facts (the cluster bootstrap; Davison and Hinkley 1997,
    section 3.8). Nulls are left out; without any value everything is null. The percentile method of Efron and
    Tibshirani (1993), chapter 13, with a seeded generator: equal customers are drawn alike in every column and call.
    """
    who, names = pd.factorize(values.index, sort=True)
    known = values.notna().to_numpy(dtype=np.float64)
    rows = np.arange(len(who))
    clusters: sparse.csr_matrix = sparse.csr_matrix((np.ones(len(who)), (who, rows)), shape=(len(names), len(who)))
    sums = clusters @ values.fillna(0).to_numpy(dtype=np.float64)
    counts = clusters @ known
    if (counts == counts[:, :1]).all():
        counts = counts[:, :1]  # everyone is known in every column: one division does for all
    random = np.random.default_rng(seed)
    at_once = max(_DRAWS_AT_ONCE // max(len(names), 1), 1)
    with np.errstate(invalid="ignore"):  # a resample may hold no customer with a value: nan, left out of the quantiles
        means = [
            weights @ sums / (weights @ counts)
            for at in range(0, rounds, at_once)
            for weights in [_weights(random, min(at_once, rounds - at), len(names))]
        ]
    together = np.concatenate(means)
    low, high = _quantiles(together)
    customers = np.broadcast_to(np.count_nonzero(counts, axis=0), len(values.columns))
    return pd.DataFrame(
        {C.VALUE: values.mean(), C.CI_LOW: low, C.CI_HIGH: high, C.CUSTOMERS: customers}, index=values.columns
    )


def _weights(random: np.random.Generator, rounds: int, customers: int) -> Values:
    """Rounds x customers: how often each customer is drawn in a round of as many draws as there are customers."""
    drawn = random.integers(0, customers, (rounds, customers))
    drawn += np.arange(rounds)[:, None] * customers
    return np.bincount(drawn.ravel(), minlength=rounds * customers).reshape(rounds, customers).astype(np.float64)


def _quantiles(means: Values) -> Values:
    ends = (0.025, 0.975)
    known = ~np.isnan(means).all(axis=0)
    found = np.full((2, means.shape[1]), np.nan)
    whole = known & ~np.isnan(means).any(axis=0)
    found[:, whole] = np.quantile(means[:, whole], ends, axis=0)
    found[:, known & ~whole] = np.nanquantile(means[:, known & ~whole], ends, axis=0)
    return found
