"""What is over- and under-represented among a segment's customers, beyond what chance would do."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from db.columns import Columns as C

STRATUM = "stratum"

_Floats = npt.NDArray[np.float64]

_MIN_CUSTOMERS = 20
_MIN_EITHER_WAY = 5
_MOST_VALUES = 30
_SMALLEST = 1e-300
"""A probability below is stored as 0: a database refuses the very smallest floats."""

_DISTANCE = "distance"
_COLUMNS = [
    C.GROUPING,
    C.SEGMENT,
    C.TRAIT,
    C.VALUE,
    C.CUSTOMERS,
    C.SHARE,
    C.SHOP_SHARE,
    C.LIFT,
    C.P_VALUE,
    C.Q_VALUE,
]


def segment_trait(counts: pd.DataFrame) -> pd.DataFrame:
    """How often each value of each trait occurs in each segment: the table `segment_trait`.

    `counts` has one row a grouping, segment, trait, stratum and value: the customers who have the value; a row whose
    value is null counts all of whom the trait is known. Customers are compared within strata: of purchases these are
    customers who buy from about as many values, so that a segment that buys of everything favours nothing by that
    alone; country and attributes have one stratum, the shop. `share` is of the segment's customers, `shop_share` what
    it would be did each of them do as all customers of their stratum do (with one stratum: the shop's share), `lift`
    the one over the other.

    `p_value` is two-sided: with one stratum twice the smaller tail of the hypergeometric distribution (the exact test
    of Fisher 1935, doubled as in Yates 1984), with several the test of Mantel and Haenszel (1959) with continuity
    correction, where the count may be five above and five below what is expected (Mantel and Fleiss 1980). `q_value` is
    that of Benjamini and Hochberg (1995) over all tests of the grouping, also those not kept.

    Left out are values of fewer than 20 customers, and what all or none of a segment's strata have; of each trait the
    30 values are kept that tell the segments apart best. One segment alone, or nothing known, gives no rows.
    """
    groupings = counts.groupby(C.GROUPING, observed=True, sort=True)
    kept = [_kept(grouping) for _, grouping in groupings]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=_COLUMNS)


def hypergeometric_p(count: _Floats, segment: _Floats, having: _Floats, everyone: _Floats) -> _Floats:
    """The two-sided probability of a count as far from what is expected when `segment` of `everyone` are drawn."""
    below = stats.hypergeom.cdf(count, everyone, having, segment)
    above = stats.hypergeom.sf(count - 1, everyone, having, segment)
    p: _Floats = np.minimum(1.0, 2 * np.minimum(below, above))
    return p


def q_values(p: _Floats) -> _Floats:
    """The smallest false discovery rate at which each is a finding (Benjamini and Hochberg 1995)."""
    q: _Floats = stats.false_discovery_control(p, method="bh")
    return q


def _kept(counts: pd.DataFrame) -> pd.DataFrame:
    tests = pd.concat([_tested(trait) for _, trait in counts.groupby(C.TRAIT, observed=True, sort=True)])
    found = tests.assign(**{C.Q_VALUE: q_values(tests[C.P_VALUE].to_numpy())})
    best = found.groupby([C.TRAIT, C.VALUE], sort=False)[_DISTANCE].max().reset_index()
    ordered = best.sort_values([C.TRAIT, _DISTANCE, C.VALUE], ascending=[True, False, True])
    told = ordered.groupby(C.TRAIT).head(_MOST_VALUES)[[C.TRAIT, C.VALUE]]
    return found.merge(told, on=[C.TRAIT, C.VALUE])[_COLUMNS]


def _tested(counts: pd.DataFrame) -> pd.DataFrame:
    """The tests of one trait: arrays have the axes segment, stratum, value."""
    having = counts[counts[C.VALUE].notna()]
    segments, strata, values = (np.unique(frame) for frame in (counts[C.SEGMENT], counts[STRATUM], having[C.VALUE]))
    k = np.zeros((len(segments), len(strata), len(values)))
    n = np.zeros((len(segments), len(strata), 1))
    k[(*_places(having, segments, strata), np.searchsorted(values, having[C.VALUE]))] = having[C.CUSTOMERS]
    everyone = counts[counts[C.VALUE].isna()]
    n[(*_places(everyone, segments, strata), 0)] = everyone[C.CUSTOMERS]
    all_n, all_k = n.sum(axis=0), k.sum(axis=0)
    expected = (n * all_k / all_n).sum(axis=1)
    spread = n * (all_n - n) * all_k * (all_n - all_k) / (all_n**2 * np.maximum(all_n - 1, 1))
    variance, count, size = spread.sum(axis=1), k.sum(axis=1), n.sum(axis=1)
    enough = (variance > 0) & (all_k.sum(axis=0) >= _MIN_CUSTOMERS)
    if len(strata) > 1:
        least, most = np.maximum(0, n + all_k - all_n).sum(axis=1), np.minimum(n, all_k).sum(axis=1)
        enough &= np.minimum(expected - least, most - expected) >= _MIN_EITHER_WAY
    at, of = np.nonzero(enough)
    apart, deviation = np.abs(count - expected)[at, of], np.sqrt(variance[at, of])
    if len(strata) > 1:
        p = 2 * stats.norm.sf(np.maximum(apart - 0.5, 0) / deviation)
    else:
        p = hypergeometric_p(count[at, of], size[at, 0], all_k[0, of], np.full(len(at), all_n[0, 0]))
    return pd.DataFrame(
        {
            C.GROUPING: counts[C.GROUPING].iloc[0],
            C.SEGMENT: segments[at],
            C.TRAIT: counts[C.TRAIT].iloc[0],
            C.VALUE: values[of],
            C.CUSTOMERS: count[at, of].astype(np.int64),
            C.SHARE: count[at, of] / size[at, 0],
            C.SHOP_SHARE: expected[at, of] / size[at, 0],
            C.LIFT: count[at, of] / expected[at, of],
            C.P_VALUE: np.where(p < _SMALLEST, 0.0, p),
            _DISTANCE: apart / deviation,
        }
    )


def _places(
    counts: pd.DataFrame, segments: npt.NDArray[np.object_], strata: npt.NDArray[np.object_]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    return np.searchsorted(segments, counts[C.SEGMENT]), np.searchsorted(strata, counts[STRATUM])
