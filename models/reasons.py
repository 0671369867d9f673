"""Why a product stands on a customer's list, in one sentence from what they and others bought."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from db.columns import Columns as C
from models.baskets import name_numbers
from models.recommenders.training import AGE, CUSTOMER, ORDERS, PRODUCT, Training
from models.wording import counted

POPULAR = "popular"
"""The kind of list that is the same for everyone."""

_DAYS = 28
_FADING_DAYS = 180
_LEAST_LIFT = 1.2
_LEAST_SIMILARITY = 0.1
_FEWEST = 5
_BLOCK = 20_000
_GAP = "gap_days"
_TURNING = "[\u202a-\u202e\u2066-\u2069]"
"""Marks that would turn the rest of a sentence around."""

Places = npt.NDArray[np.intp]


def reasons(lists: pd.DataFrame, training: Training, pairs: pd.DataFrame) -> pd.DataFrame:
    """A reason, and because_product_id (the own purchase it names, else null), for each row of `lists` (its index).

    `lists` has customer_id, product_id (a candidate) and kind, `pairs` is the table product_pair. What is to be bought
    again is told by the customer's own rhythm. What is new is told by the purchase that speaks most for it: the rule
    with the highest lift, as shown; else the likest product; among equals the one bought oftener and later. Never by
    the product itself, or one of its name. Where no purchase speaks, and for `popular`, by how many bought it lately.
    Names are told as they are, but for marks that turn a text around: who shows them makes them harmless. No rows, no
    reasons. Raises KeyError for a customer or product that is not in the training.
    """
    rows = pd.Index(training.customers[C.CUSTOMER_ID]).get_indexer(lists[C.CUSTOMER_ID])
    columns = pd.Index(training.products[C.PRODUCT_ID]).get_indexer(lists[C.PRODUCT_ID])
    if (rows < 0).any() or (columns < 0).any():
        raise KeyError("The lists have customers or products that were not in the training.")
    told = np.empty(len(lists), dtype=object)
    because = np.full(len(lists), -1)
    again = (lists[C.KIND] == "buy_again").to_numpy() & _cells(training.bought, rows, columns).astype(bool)
    alone = ~again & (lists[C.KIND] != POPULAR).to_numpy()
    told[again] = _rhythms(training, rows[again], columns[again])
    for rule, least, sentence in (
        (C.LIFT, _LEAST_LIFT, "Bought {name}; often bought together with it, lift {value:,.1f}"),
        (C.SIMILARITY, _LEAST_SIMILARITY, "Bought {name}, which is much like it"),
    ):
        open_ = np.flatnonzero(alone & (because < 0))
        speaks, value = _speaking(training, _matrix(training, pairs, rule, least), rows[open_], columns[open_])
        found = speaks >= 0
        because[open_[found]] = speaks[found]
        names = _names(training)[speaks[found]]
        told[open_[found]] = [
            sentence.format(name=name, value=amount) for name, amount in zip(names, value[found], strict=True)
        ]
    rest = ~again & (because < 0)
    told[rest] = _popularity(training, rows[rest], columns[rest], alone[rest])
    ids = np.append(training.products[C.PRODUCT_ID].to_numpy(object), None)  # the last one is nothing
    return pd.DataFrame({C.REASON: told, C.BECAUSE: ids[because]}, index=lists.index)


def _cells(matrix: sparse.csr_matrix, rows: Places, columns: Places) -> np.ndarray:
    """The values at these places; scipy takes no empty list of places."""
    return np.asarray(matrix[rows, columns]).ravel() if len(rows) else np.zeros(0, dtype=matrix.dtype)


def _names(training: Training) -> npt.NDArray[np.object_]:
    """What each product is called, without marks that turn a text around; its id where it has no name."""
    names = training.products[C.NAME].str.replace(_TURNING, "", regex=True)
    return names.where(names.notna(), "product " + training.products[C.PRODUCT_ID]).to_numpy(object)


def _matrix(training: Training, pairs: pd.DataFrame, value: str, least: float) -> sparse.csr_matrix:
    """Products x bought products that speak for them: the value of their pair where it is at least so much."""
    ids = pd.Index(training.products[C.PRODUCT_ID])
    bought, product = ids.get_indexer(pairs[C.PRODUCT_ID]), ids.get_indexer(pairs[C.OTHER_PRODUCT_ID])
    names = name_numbers(training.products, ids.to_numpy(object))
    amounts = pairs[value].to_numpy(np.float64, na_value=np.nan)
    use = (bought >= 0) & (product >= 0) & (amounts >= least)
    use[use] = names[bought[use]] != names[product[use]]
    shape = (len(ids), len(ids))
    matrix = sparse.csr_matrix((amounts[use], (product[use], bought[use])), shape=shape)
    both: sparse.csr_matrix = matrix.maximum(matrix.T).tocsr()  # lift and likeness go both ways, the table may not
    return both


def _speaking(
    training: Training, matrix: sparse.csr_matrix, rows: Places, columns: Places
) -> tuple[Places, npt.NDArray[np.float64]]:
    """The own purchase of each row that speaks most for the product, and how much; -1 and 0 where none does."""
    pairs = training.pairs
    weights = training.matrix(pairs, (pairs[ORDERS] * np.exp(-pairs[AGE] / _FADING_DAYS)).to_numpy())
    place, amount = np.full(len(rows), -1), np.zeros(len(rows))
    for at in range(0, len(rows), _BLOCK):
        speaking = matrix[columns[at : at + _BLOCK]].multiply(training.bought[rows[at : at + _BLOCK]]).tocoo()
        row, bought, value = speaking.row + at, speaking.col, speaking.data
        weight = _cells(weights, rows[row], bought)
        order = np.lexsort((bought, -weight, -value.round(1), row))
        first = order[np.unique(row[order], return_index=True)[1]]
        place[row[first]], amount[row[first]] = bought[first], value[first]
    return place, amount


def _rhythms(training: Training, rows: Places, columns: Places) -> list[str]:
    """When the customer bought the product, and when again; where once, after how long others do."""
    purchases = training.purchases.sort_values([CUSTOMER, PRODUCT, AGE], ascending=[True, True, False])
    groups = purchases.groupby([CUSTOMER, PRODUCT])[AGE]
    gaps = pd.DataFrame({PRODUCT: purchases[PRODUCT], _GAP: -groups.diff()}).query(f"{_GAP} >= 1")
    usual = gaps.groupby(PRODUCT)[_GAP].agg(["median", "size"])
    others = usual["median"].where(usual["size"] >= _FEWEST).reindex(columns).fillna(0).to_numpy()
    own = groups.agg(["size", "max", "min"]).loc[pd.MultiIndex.from_arrays([rows, columns])]
    gap = (own["max"] - own["min"]) / (own["size"] - 1).clip(lower=1)
    return [
        _rhythm(orders, round(own_gap), int(age), round(other_gap))
        for orders, own_gap, age, other_gap in zip(own["size"], gap, own["min"], others, strict=True)
    ]


def _rhythm(orders: int, gap: int, age: int, others: int) -> str:
    last = "today" if age == 0 else f"{counted(age, 'day')} ago"
    if orders == 1:
        again = f"; others buy it again after about {counted(others, 'day')}" if others else ""
        return f"Bought once, {last}{again}"
    times = "twice" if orders == 2 else f"{orders:,} times"
    if gap == 0:
        return f"Bought {times}, last {last}"
    rhythm = f"{counted(gap, 'day')} apart" if orders == 2 else f"about every {counted(gap, 'day')}"
    due = f"due in about {counted(gap - age, 'day')}" if age < gap else "due" if age <= 2 * gap else "overdue"
    return f"Bought {times}, {rhythm}, last {last}: {due}"


def _popularity(training: Training, rows: Places, columns: Places, alone: npt.NDArray[np.bool_]) -> list[str]:
    """How many bought the product lately: of the customer's segment or country where these like it most, else of all.

    `alone` is false where all customers are to be told of in any case.
    """
    lately = training.pairs[training.pairs[AGE] <= _DAYS]
    everybody = np.zeros(len(training.customers), dtype=np.intp)
    buyers, size, _ = _buyers_of(training, lately, everybody, rows, columns)
    where = np.full(len(rows), "", dtype=object)
    for group in (C.SEGMENT, C.COUNTRY):
        number, names = pd.factorize(training.customers[group])
        of_group, in_group, at = _buyers_of(training, lately, number, rows, columns)
        likes = alone & (at >= 0) & (of_group >= _FEWEST) & (of_group * size >= _LEAST_LIFT * buyers * in_group)
        buyers, size = np.where(likes, of_group, buyers), np.where(likes, in_group, size)
        where[likes] = [f" in {name}" for name in names.to_numpy()[at[likes]]]
    ever = training.buyers()[columns]
    return [
        f"{few:,} of {many:,} customers{place} bought it in the last {_DAYS} days"
        if few
        else f"{counted(at_all, 'customer')} bought it"
        for few, many, place, at_all in zip(buyers, size, where, ever, strict=True)
    ]


def _buyers_of(
    training: Training, lately: pd.DataFrame, group: Places, rows: Places, columns: Places
) -> tuple[Places, Places, Places]:
    """How many of each row's group bought the product, the size of the group, and its number (-1: none)."""
    sizes = np.bincount(group[group >= 0], minlength=1)
    of_pairs = group[lately[CUSTOMER]]
    known = of_pairs >= 0
    shape = (len(sizes), len(training.products))
    ones = np.ones(known.sum(), dtype=np.intp)
    counts = sparse.coo_matrix((ones, (of_pairs[known], lately[PRODUCT].to_numpy()[known])), shape=shape).toarray()
    at = group[rows]
    return counts[at, columns], sizes[at], at
