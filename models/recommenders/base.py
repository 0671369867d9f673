"""The one contract of all recommenders: `fit` once, then lists of one shape. A model's file holds its mathematics."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from db.columns import Columns as C
from models.recommenders.training import KINDS, Kind, Training

Scores = npt.NDArray[np.floating]
Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Made = TypeVar("Made")
Tick = Callable[[], None]

_BLOCK = 1_000
_THREADS = 2
_GROUP = 32


@dataclass(frozen=True)
class Explanation:
    """What a score is the sum of: `parts` has (what, how much), the largest first, and adds up to `score`."""

    score: float
    parts: tuple[tuple[str, float], ...]


class Recommender(ABC):
    """Scores every customer x candidate product; `seed` fixes whatever is random in it."""

    name: ClassVar[str]
    steps: ClassVar[int] = 1
    """How often `fit` ticks."""
    grid: ClassVar[tuple[Mapping[str, Any], ...]] = ({},)
    """The settings worth trying; the first are the default."""
    kinds: ClassVar[tuple[Kind, ...]] = KINDS
    """The lists it has an opinion on."""

    def __init__(self, seed: int, **settings: Any) -> None:
        self.seed = seed
        self.settings: Mapping[str, Any] = {**self.grid[0], **settings}
        self._training: Training | None = None

    @property
    def training(self) -> Training:
        """What it was fitted on. Raises RuntimeError before `fit`."""
        if self._training is None:
            raise RuntimeError(f"{type(self).__name__} is asked for recommendations before it was fitted.")
        return self._training

    def fit(self, training: Training, tick: Tick = lambda: None) -> Self:
        """Learn from interactions, customers and products; calls `tick` after each of its `steps`."""
        self._fit(training, tick)
        self._training = training
        return self

    def recommend(
        self, customers: Sequence[str], k: int, kind: Kind, candidates: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """The best k products a customer: customer_id, product_id, score, rank (1 is best), in the order asked.

        `discover` lists only products the customer never bought, `buy_again` only those they did. `candidates` (all
        without) are the products that may be listed; unknown ones are passed over. Fewer than k where there are fewer
        candidates or the model has no opinion; equal scores go to the smaller product_id. Raises KeyError for a
        customer who was not in the training.
        """
        rows = self._rows(customers)
        allowed = self._allowed(candidates)
        return pd.concat(in_blocks(rows, lambda block: self._block(block, k, kind, allowed)), ignore_index=True)

    def similar(self, products: Sequence[str], k: int) -> pd.DataFrame:
        """The k products most like each: product_id, other_product_id, similarity (at most 1), rank.

        Alike are products with the same buyers (cosine); models with factors say it by these. None with a similarity
        of 0 or less. Raises KeyError for a product that is no candidate.
        """
        training = self.training
        ids = training.products[C.PRODUCT_ID].to_numpy()
        columns = pd.Index(ids).get_indexer(list(products))
        if (columns < 0).any():
            raise KeyError(f"{(columns < 0).sum()} of the products were no candidates.")
        blocks = []
        for at in range(0, max(len(columns), 1), _BLOCK):
            mine = columns[at : at + _BLOCK]
            alike = self._similarities(mine)
            alike[np.arange(len(mine)), mine] = -np.inf
            nearest = best(alike, k)
            chosen = np.take_along_axis(alike, nearest, axis=1)
            row, rank = (chosen > 0).nonzero()
            blocks.append(
                pd.DataFrame(
                    {
                        C.PRODUCT_ID: ids[mine[row]],
                        C.OTHER_PRODUCT_ID: ids[nearest[row, rank]],
                        C.SIMILARITY: chosen[row, rank].astype(np.float64),
                        C.RANK: rank + 1,
                    }
                )
            )
        return pd.concat(blocks, ignore_index=True)

    def likely(self, rows: Places, k: int, candidates: Sequence[str] | None = None) -> tuple[Places, Places, Scores]:
        """Of customers (places in the training) those likeliest to discover each product: the best k, and their equals.

        Gives places in `rows`, places of products and scores, in no order, of products the customers never bought.
        """
        scores = self._scores(rows)
        self.training.restrict(scores, rows, "discover", self._allowed(candidates))
        last = len(rows) - min(k, len(rows))
        least = np.partition(scores, last, axis=0)[last] if len(rows) else np.inf
        row, column = (np.isfinite(scores) & (scores >= least)).nonzero()
        return row, column, scores[row, column]

    def likeliest(self, k: int, candidates: Sequence[str] | None = None) -> tuple[Places, Places, Scores]:
        """The k customers likeliest to discover each product: places of customers and products, and scores.

        By product, the best first; equal scores go to the smaller customer_id. Customers who never bought anything are
        left out: nothing is known of them that speaks for one rather than another. A block of customers is taken at a
        time, and only the best are kept.
        """
        active = self.training.bought.getnnz(axis=1) > 0
        kept: tuple[Places, Places, Scores] = np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0)
        for at in range(0, len(active), _BLOCK):
            rows = at + np.flatnonzero(active[at : at + _BLOCK])
            row, column, score = self.likely(rows, k, candidates)
            customers, products, scores = (
                np.concatenate(parts) for parts in zip(kept, (rows[row], column, score), strict=True)
            )
            order = np.lexsort((customers, -scores, products))
            order = order[place_among_equals(products[order]) < k]
            kept = customers[order], products[order], scores[order]
        return kept

    def explain(self, customer: str, product: str) -> Explanation | None:
        """What the score of a customer and a candidate is the sum of; None where the model cannot tell.

        Raises KeyError for a customer or a product that was not in the training.
        """
        training = self.training
        row = self._rows([customer])[0]
        column = training.products[C.PRODUCT_ID].searchsorted(product)
        if column == len(training.products) or training.products[C.PRODUCT_ID].iloc[column] != product:
            raise KeyError(f"The product {product} is no candidate.")
        return self._explain(int(row), int(column))

    def reasons(self, recommended: pd.DataFrame) -> list[str]:
        """Why each row of `recommend` stands there: one sentence from the evidence the model has."""
        if recommended.empty:
            return []
        rows = self._rows(recommended[C.CUSTOMER_ID])
        columns = pd.Index(self.training.products[C.PRODUCT_ID]).get_indexer(recommended[C.PRODUCT_ID])
        return self._reasons(rows, columns)

    @abstractmethod
    def _fit(self, training: Training, tick: Tick) -> None: ...

    @abstractmethod
    def _scores(self, rows: Places) -> Scores:
        """A new array, customers of the rows x all products; -inf where the model has no opinion."""

    @abstractmethod
    def _reasons(self, rows: Places, columns: Places) -> list[str]: ...

    def _similarities(self, columns: Places) -> Scores:
        """A new array, products of the columns x all products."""
        buyers = normalize(self.training.bought.T.astype(np.float32).tocsr())
        alike: Scores = (buyers[columns] @ buyers.T).toarray()
        return alike

    def _explain(self, row: int, column: int) -> Explanation | None:
        return None

    def _allowed(self, candidates: Sequence[str] | None) -> Flags | None:
        """Which products may be listed; None for all."""
        return None if candidates is None else self.training.products[C.PRODUCT_ID].isin(list(candidates)).to_numpy()

    def _rows(self, customers: Sequence[str] | pd.Series) -> Places:
        rows: Places = pd.Index(self.training.customers[C.CUSTOMER_ID]).get_indexer(list(customers))
        if (rows < 0).any():
            raise KeyError(f"{(rows < 0).sum()} of the customers were not in the training.")
        return rows

    def _block(self, rows: Places, k: int, kind: Kind, allowed: Flags | None) -> pd.DataFrame:
        columns, chosen = self._best(rows, k, kind, allowed)
        row, rank = np.isfinite(chosen).nonzero()
        return pd.DataFrame(
            {
                C.CUSTOMER_ID: self.training.customers[C.CUSTOMER_ID].to_numpy()[rows[row]],
                C.PRODUCT_ID: self.training.products[C.PRODUCT_ID].to_numpy()[columns[row, rank]],
                C.SCORE: chosen[row, rank].astype(np.float64),
                C.RANK: rank + 1,
            }
        )

    def _best(self, rows: Places, k: int, kind: Kind, allowed: Flags | None) -> tuple[Places, Scores]:
        """The places of the best k products of each row, and their scores; -inf where there are fewer."""
        scores = self._scores(rows)
        self.training.restrict(scores, rows, kind, allowed)
        columns = best(scores, k)
        return columns, np.take_along_axis(scores, columns, axis=1)


def in_blocks(rows: Places, action: Callable[[Places], Made]) -> list[Made]:
    """What the action gives for each thousand of the rows, in their order; once for none. Two blocks at a time."""
    blocks = [rows[at : at + _BLOCK] for at in range(0, max(len(rows), 1), _BLOCK)]
    with ThreadPoolExecutor(_THREADS, "blocks", threadpool_limits, (1, "openmp")) as pool:  # trees: no more threads
        return list(pool.map(action, blocks))


def place_among_equals(values: Places) -> Places:
    """The place of each among its equals, from 0; values ascending."""
    return np.arange(len(values)) - np.searchsorted(values, values)


def best(scores: Scores, k: int) -> Places:
    """The places of each row's k largest scores, largest first; equal scores in ascending place.

    >>> best(np.array([[1.0, 3.0, 2.0, 3.0]]), 3).tolist()
    [[1, 3, 2]]

    Of many columns only the k groups with the largest maxima are ordered: no other can hold one of the k largest.
    """
    groups = scores.shape[1] // _GROUP
    if groups < 2 * k:
        return _ordered(scores, k)
    whole = groups * _GROUP
    maxima = scores[:, :whole].reshape(len(scores), _GROUP, groups).max(axis=1)
    largest = np.argpartition(maxima, groups - k, axis=1)[:, groups - k :]
    least = np.take_along_axis(maxima, largest, axis=1).min(axis=1, keepdims=True)
    tied = (maxima >= least).sum(axis=1) > k  # groups left out hold equals
    members = (largest[:, None, :] + groups * np.arange(_GROUP)[:, None]).reshape(len(scores), k * _GROUP)
    rest = np.broadcast_to(np.arange(whole, scores.shape[1]), (len(scores), scores.shape[1] - whole))
    candidates = np.sort(np.concatenate([members, rest], axis=1), axis=1)
    order = _ordered(np.take_along_axis(scores, candidates, axis=1), k)
    places: Places = np.take_along_axis(candidates, order, axis=1)
    if tied.any():
        places[tied] = _ordered(scores[tied], k)
    return places


def _ordered(scores: Scores, k: int) -> Places:
    """`best` by a partition of all columns."""
    k = min(k, scores.shape[1])
    places: Places = np.sort(np.argpartition(-scores, k - 1, axis=1)[:, :k], axis=1)
    chosen = np.take_along_axis(scores, places, axis=1)
    tied = (scores >= chosen.min(axis=1, keepdims=True)).sum(axis=1) > k  # the partition cut among equals
    places = np.take_along_axis(places, np.argsort(-chosen, axis=1, kind="stable"), axis=1)
    places[tied] = np.argsort(-scores[tied], axis=1, kind="stable")[:, :k]
    return places
