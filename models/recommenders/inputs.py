"""What the ranker is told of a customer and a candidate.

Signals, the product's and the customer's course, how the two meet, and the rhythm of what was bought before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from models.recommenders import facts
from models.recommenders.base import Flags, Places, Scores
from models.recommenders.hybrid import Hybrid
from models.recommenders.signals import LABELS, TRAITS, Signals
from models.recommenders.training import Kind

_BLOCK = 500
_EACH = 60
_CUSTOMERS = 30
_POOL = ("ease", "ease_late", "ease_last", "item_knn", "next", "alike", "hybrid", "segment")


@dataclass(frozen=True)
class Inputs:
    """Pairs of a customer and a product, and what is told of each."""

    rows: Places
    """Places among the customers asked for, ascending."""
    columns: Places
    """Places of products in the training."""
    names: tuple[str, ...]
    labels: tuple[str, ...]
    """What each input tells, in words for people."""
    values: npt.NDArray[np.float32]
    """Pairs x inputs; NaN where unknown."""

    def of(self, pairs: npt.NDArray[np.bool_]) -> "Inputs":
        """Those of some pairs."""
        return replace(self, rows=self.rows[pairs], columns=self.columns[pairs], values=self.values[pairs])


class Teller:
    """Tells the inputs of pairs from the signals of one training."""

    def __init__(self, signals: Signals) -> None:
        self.signals = signals
        self.training = signals.training
        self._products = facts.of_products(self.training)
        self._customers = facts.of_customers(self.training, self._products["price"][1])
        self._traits = facts.of_traits(self.training, signals.fading, signals.began)
        self._rhythm = facts.rhythm(self.training)
        row, column, _ = signals.fitted(Hybrid).likeliest(_CUSTOMERS)
        ones = np.ones(len(row), dtype=bool)
        self._likeliest: sparse.csr_matrix = sparse.csr_matrix((ones, (row, column)), self.training.bought.shape)

    def inputs(self, rows: Places, kinds: Sequence[Kind], allowed: Flags | None) -> dict[Kind, Inputs]:
        """Candidates for lists of some kinds of each customer (places in the training), and what is told of them.

        Candidates to discover are the 60 best products of each of eight signals, and those whose 30 likeliest customers
        they are among, so that every product comes to somebody's notice; to buy again, all that they bought. The
        signals, most of the work, are told once for all kinds.
        """
        blocks: dict[Kind, list[Inputs]] = {kind: [] for kind in kinds}
        for at in range(0, max(len(rows), 1), _BLOCK):
            of_block = rows[at : at + _BLOCK]
            scores = self.signals.of(of_block)
            for kind, told in blocks.items():
                told.append(self._told(of_block, scores, kind, allowed))
        return {kind: _joined(told) for kind, told in blocks.items()}

    def _told(self, rows: Places, scores: Mapping[str, Scores], kind: Kind, allowed: Flags | None) -> Inputs:
        open_ = np.zeros((len(rows), len(self.training.products)), np.float32)
        self.training.restrict(open_, rows, kind, allowed)
        listed = open_ == 0
        if kind == "discover":
            listed &= self._pool(scores, listed) | self._likeliest[rows].toarray()
        row, column = listed.nonzero()
        told: dict[str, tuple[str, npt.NDArray[np.floating]]] = {}
        told |= {name: (LABELS[name], score[row, column]) for name, score in scores.items()}
        who = rows[row]
        told |= {name: (label, values[column]) for name, (label, values) in self._products.items()}
        told |= {name: (label, values[who]) for name, (label, values) in self._customers.items()}
        price = np.log(self._products["price"][1][column])
        told["price to theirs"] = facts.PRICE, price - self._customers["usual price"][1][who]
        for trait, met in self._traits.items():
            told |= {f"{trait} {name}": (TRAITS[trait], amount) for name, amount in met.of(rows, row, column).items()}
        if kind != "discover":
            orders = np.maximum(self._customers["orders"][1][who], 1)
            told |= self._rhythm.of(rows, row, column, orders)
        values = np.column_stack([value for _, value in told.values()]).astype(np.float32)
        return Inputs(row, column, tuple(told), tuple(label for label, _ in told.values()), values)

    def _pool(self, scores: Mapping[str, Scores], listed: Flags) -> Flags:
        pool = np.zeros_like(listed)
        each = min(_EACH, listed.shape[1])
        for name in _POOL:
            score = np.where(listed, scores[name], -np.inf)
            places = np.argpartition(-score, each - 1, axis=1)[:, :each]
            np.put_along_axis(pool, places, True, axis=1)
        return pool


def _joined(blocks: Sequence[Inputs]) -> Inputs:
    """The inputs of customers, a block after the other."""
    return Inputs(
        np.concatenate([block.rows + at * _BLOCK for at, block in enumerate(blocks)]),
        np.concatenate([block.columns for block in blocks]),
        blocks[0].names,
        blocks[0].labels,
        np.concatenate([block.values for block in blocks]),
    )


def direction(name: str) -> int:
    """1 where more of an input can only speak for a product, 0 where it may speak against it.

    A score that said "more bought together, so less likely" would be chance, and no explanation anybody believes.
    """
    return int(name in LABELS)
