"""What speaks for a customer and a product: scores of several models, fitted on one training, for all products at once.

Beside the models themselves their answers to a part of what the customer bought (the last basket, late purchases), for
what one buys next depends on more than on all one ever bought.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

from db.columns import Columns as C
from models.recommenders.als import Als
from models.recommenders.base import Places, Recommender, Scores
from models.recommenders.ease import Ease
from models.recommenders.evidence import largest
from models.recommenders.fits import Fits, Model
from models.recommenders.hybrid import Hybrid
from models.recommenders.item_knn import ItemKNN
from models.recommenders.popular_segment import PopularSegment
from models.recommenders.training import AGE, CUSTOMER, PRODUCT, Training

TOGETHER, LAST, ALIKE, TASTE = "Bought together", "Last basket", "Customers alike", "Taste"
SEGMENT, TRAIT, WORDS = "Popular in the segment", "Categories and brands", "Names alike"
NAMESAKES = "namesakes"
TRAITS: Mapping[str, str] = {C.CATEGORY: TRAIT, C.DEPARTMENT: TRAIT, C.BRAND: TRAIT, NAMESAKES: WORDS}
"""What products have in common -> what it tells; namesakes have the same words in their names, whatever their sizes."""

LABELS: Mapping[str, str] = {
    "ease": TOGETHER,
    "ease_late": TOGETHER,
    "item_knn": TOGETHER,
    "next": TOGETHER,
    "ease_last": LAST,
    "item_knn_last": LAST,
    "alike": ALIKE,
    "hybrid": TASTE,
    "als": TASTE,
    "segment": SEGMENT,
    "words": WORDS,
    "names": WORDS,
    "due_names": WORDS,
    **{f"due_{trait}": label for trait, label in TRAITS.items()},
}
"""Signal -> what it tells, in words for people."""

_LATE, _FADING = 60, 45
_LATEST = 28
_SAME_DAY = 0.5
_NEXT_SMOOTHING, _NEXT_KEPT = 20, 200
_NEAREST, _MODELS = 80, 10_000
_WORD = r"[^\W\d_]{3,}"
_ALIKE, _SHARPENED = 0.4, 4


class Signals:
    """The signals of one training; `of` gives them for some customers."""

    models: tuple[type[Recommender], ...] = (Ease, ItemKNN, Als, Hybrid, PopularSegment)

    def __init__(self, training: Training, fits: Fits) -> None:
        self.training = training
        self._fits = fits
        for model in self.models:
            fits.of(model, training)
        purchases = training.purchases
        age = purchases[AGE].to_numpy()
        since = np.full(len(training.customers), np.inf)
        np.minimum.at(since, purchases[CUSTOMER].to_numpy(), age)
        self.fading = training.matrix(purchases, np.exp(-age / _FADING).astype(np.float32))
        self._last = self._flags(age <= since[purchases[CUSTOMER]] + _SAME_DAY)
        self._ever = training.bought.astype(np.float32)
        self._late = self._flags(age <= _LATE)
        self._others, self._directions = self._models()
        first = purchases.groupby([CUSTOMER, PRODUCT])[AGE].max().reset_index()
        is_late = (first[AGE] <= _LATE).to_numpy()
        self.began, past = (
            training.matrix(of, np.ones(len(of), np.float32)) for of in (first[is_late], first[~is_late])
        )
        self._next = self._transitions(past)
        self._due = dict(self._traits())
        self._words = self._texts()
        self._theirs = normalize(self._ever @ self._words)
        self._alike_names, self._of_names = self._names()

    def of(self, rows: Places) -> dict[str, Scores]:
        """Signal -> customers of the rows x all products; higher speaks for the product, by no common measure."""
        ease, nearest = self.fitted(Ease), self.fitted(ItemKNN)
        signals = {
            "ease": ease.of_purchases(self._ever[rows]),
            "ease_late": ease.of_purchases(self.fading[rows]),
            "ease_last": ease.of_purchases(self._last[rows]),
            "item_knn": nearest.of_purchases(self._ever[rows]),
            "item_knn_last": nearest.of_purchases(self._last[rows]),
            "next": (self._ever[rows] @ self._next).toarray(),
            "alike": (self._alike(rows) @ self._late).toarray(),
            "hybrid": self.fitted(Hybrid)._scores(rows),
            "als": self.fitted(Als)._scores(rows),
            "segment": self.fitted(PopularSegment)._scores(rows),
            "words": (self._theirs[rows] @ self._words.T).toarray(),
            "names": (self.fading[rows] @ self._alike_names).toarray(),
        }
        signals["due_names"] = np.sqrt(signals["names"]) * self._of_names
        for trait, (values, share, bought) in self._due.items():
            signals[f"due_{trait}"] = np.sqrt(bought[rows].toarray())[:, values] * share
        return {name: np.asarray(scores, np.float32) for name, scores in signals.items()}

    def fitted(self, recommender: type[Model]) -> Model:
        """One of the models below."""
        return self._fits.of(recommender, self.training)

    def _flags(self, mask: npt.NDArray[np.bool_]) -> sparse.csr_matrix:
        """Customers x products, 1 where bought in one of the purchases of the mask."""
        pairs = self.training.purchases[mask].drop_duplicates([CUSTOMER, PRODUCT])
        return self.training.matrix(pairs, np.ones(len(pairs), np.float32))

    def _models(self) -> tuple[Places, sparse.csr_matrix]:
        """Whom customers are compared with, and everybody's purchases as rows of length 1.

        The 10,000 who bought the most different products: so the search grows with the customers and not with their
        square, and who bought next to nothing tells little of others.
        """
        most = np.argsort(-self._ever.getnnz(axis=1), kind="stable")[:_MODELS]
        return np.sort(most), normalize(self._ever)

    def _alike(self, rows: Places) -> sparse.csr_matrix:
        """Rows x customers: the 80 nearest to each, by the cosine of what they ever bought."""
        alike = (self._directions[rows] @ self._directions[self._others].T).toarray()
        alike[rows[:, None] == self._others] = 0
        near = largest(alike, _NEAREST).tocoo()
        shape = (len(rows), len(self.training.customers))
        return sparse.csr_matrix((near.data, (near.row, self._others[near.col])), shape)

    def _transitions(self, past: sparse.csr_matrix) -> sparse.csr_matrix:
        """Product x product: of who had first bought one more than 60 days ago, the share who since began the other."""
        had = np.asarray(past.sum(axis=0)).ravel() + _NEXT_SMOOTHING
        return largest((past.T @ self.began).toarray() / had[:, None], _NEXT_KEPT)

    def _traits(self) -> Iterator[tuple[str, tuple[Places, Scores, sparse.csr_matrix]]]:
        """Of each trait: each product's value, its share of the value's late buyers, and how much of each value each
        customer bought of late.
        """
        buyers = self.training.buyers(_LATEST)
        for trait in TRAITS:
            values, kinds = of_trait(self.training.products, trait)
            to_values = indicator(values, kinds)
            share = buyers / np.maximum(to_values @ (to_values.T @ buyers), 1)  # no value, no share: 0 below
            yield trait, (values, np.where(values >= 0, share, 0).astype(np.float32), self.fading @ to_values)

    def _names(self) -> tuple[sparse.csr_matrix, npt.NDArray[np.float32]]:
        """Product x product: how alike their names are, sharpened; and each one's share of the late buyers of such."""
        alike = (self._words @ self._words.T).tocsr()
        alike.setdiag(0)
        alike.data = np.where(alike.data > _ALIKE, alike.data, 0) ** _SHARPENED
        alike.eliminate_zeros()
        buyers = self.training.buyers(_LATEST).astype(np.float32)
        return alike, buyers / np.maximum(alike @ buyers + buyers, 1)

    def _texts(self) -> sparse.csr_matrix:
        """Products x words of their names, weighted by how rare a word is; rows of length 1."""
        words = _words(self.training.products).explode().dropna()
        numbers, kinds = pd.factorize(words)
        shape = (len(self.training.products), max(len(kinds), 1))
        counts = sparse.csr_matrix((np.ones(len(words), np.float32), (words.index.to_numpy(), numbers)), shape=shape)
        weighted: sparse.csr_matrix = TfidfTransformer().fit_transform(counts.minimum(1)) if len(words) else counts
        return weighted


def of_trait(products: pd.DataFrame, trait: str) -> tuple[Places, int]:
    """The number of each product's value of a trait (-1 for none), and how many values there are."""
    values = _words(products).str.join(" ").replace("", None) if trait == NAMESAKES else products[trait]
    numbers, kinds = pd.factorize(values)
    return numbers, len(kinds)


def _words(products: pd.DataFrame) -> pd.Series:
    """The words of each product's name, without numbers and what is as short as a measure."""
    words: pd.Series = products[C.NAME].fillna("").str.lower().str.findall(_WORD)
    return words


def indicator(values: npt.NDArray[np.integer], kinds: int) -> sparse.csr_matrix:
    """Products x kinds: 1 where the product is of the kind; a value of -1 is none."""
    known = np.flatnonzero(values >= 0)
    ones = np.ones(len(known), np.float32)
    return sparse.csr_matrix((ones, (known, values[known])), shape=(len(values), max(kinds, 1)))
