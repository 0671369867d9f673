"""What models of purchases share: the weight of a purchase, what the shop sells of late, the purchase that speaks."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import sparse

from db.columns import Columns as C
from models.recommenders.base import Places, Scores, best
from models.recommenders.training import AGE, Training
from models.wording import counted

_BLOCK = 1_000
_TREND_DAYS = 28

TIE = 1e-6
"""What the shop's shares count beside a model's scores: they order what it has no opinion on, and no more."""


def weights(training: Training, fading_days: float | None) -> sparse.csr_matrix:
    """Customers x products: exp(-days since the last purchase / fading_days), or 1 where that is None."""
    if fading_days is None:
        return training.bought.astype(np.float32)
    return training.matrix(training.pairs, np.exp(-training.pairs[AGE].to_numpy() / fading_days).astype(np.float32))


def shop(training: Training) -> npt.NDArray[np.float32]:
    """The share of customers who bought each product in the last 28 days."""
    return (training.buyers(_TREND_DAYS) / max(len(training.customers), 1)).astype(np.float32)


def largest(amounts: Scores, k: int) -> sparse.csr_matrix:
    """The k largest amounts above 0 of each row, the others left out."""
    places = best(amounts, k)
    rows = np.repeat(np.arange(len(places)), places.shape[1])
    kept = np.take_along_axis(amounts, places, axis=1).ravel()
    kept = np.where(kept > 0, kept, 0).astype(np.float32)
    matrix: sparse.csr_matrix = sparse.csr_matrix((kept, (rows, places.ravel())), shape=amounts.shape)
    matrix.eliminate_zeros()
    return matrix


def nearest_own(training: Training, rows: Places, columns: Places, alike: Callable[[Places, Places], Scores]) -> Places:
    """Of each customer (rows), the product they bought that is most `alike` the one in `columns`; -1 where none is.

    `alike(rows, columns)` gives a new array, pairs x all products; only amounts above 0 count, and no product is alike
    itself.
    """
    nearest = np.full(len(rows), -1, dtype=np.intp)
    for at in range(0, len(rows), _BLOCK):
        mine, theirs = rows[at : at + _BLOCK], columns[at : at + _BLOCK]
        amounts = np.where(training.bought[mine].toarray(), alike(mine, theirs), 0)
        amounts[np.arange(len(theirs)), theirs] = 0
        nearest[at : at + _BLOCK] = np.where(amounts.max(axis=1) > 0, amounts.argmax(axis=1), -1)
    return nearest


def because(training: Training, columns: Places, nearest: Places) -> list[str]:
    """The sentence for each product and the own product it is listed for; how many bought it where there is none."""
    names = training.products[C.NAME].fillna(training.products[C.PRODUCT_ID]).to_numpy()
    buyers = training.buyers()
    return [
        f"Customers who bought {names[own]} bought it too"
        if own >= 0
        else f"Bought by {counted(buyers[product], 'customer')}"
        for own, product in zip(nearest, columns, strict=True)
    ]
