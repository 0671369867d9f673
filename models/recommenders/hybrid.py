"""LightFM (Kula 2015): a factorisation of who bought what, whose factors are sums over ids and features.

Customers are their id, country, attributes and segment; products their id and their category, department and brand,
or where a shop has none of these, the words of their names. The ranking loss is WARP (Weston et al. 2011).
"""

import json
from typing import Any

import numpy as np
import pandas as pd
from lightfm import LightFM
from scipy import sparse

from db.columns import Columns as C
from models.recommenders.base import Places, Recommender, Scores, Tick
from models.recommenders.training import AGE, Training
from models.wording import counted

_FACTORS = 32
_EPOCHS = 20
_LEARNING_RATE = 0.05
_MAX_SAMPLED = 30
_FADING_DAYS = 60
_PRODUCT_CONTENT = 1.0
_CUSTOMER_CONTENT = 0.3
_MIN_SHARING = 3
_TREND_DAYS = 28
_TREND = 0.5
_BLOCK = 1_000


class Hybrid(Recommender):
    """Score = LightFM's product bias + dot product of summed factors + 0.5 log(1 + buyers of the last 28 days).

    The customer's bias, which moves all products alike, is left out. The last term keeps up with fashion and season,
    which the factors of a year's purchases lag behind.
    """

    name = "hybrid"
    steps = _EPOCHS

    def _fit(self, training: Training, tick: Tick) -> None:
        customer_features = _features(_customer_traits(training.customers), len(training.customers), _CUSTOMER_CONTENT)
        product_features = _features(_product_traits(training.products), len(training.products), _PRODUCT_CONTENT)
        fading = np.exp(-training.purchases[AGE].to_numpy() / _FADING_DAYS)
        weights = training.matrix(training.purchases, fading).sqrt().tocoo()
        weights.data = (weights.data / weights.data.mean()).astype(np.float32)
        positive = sparse.coo_matrix((np.ones_like(weights.data), (weights.row, weights.col)), weights.shape)
        model = LightFM(
            no_components=_FACTORS,
            loss="warp",
            learning_rate=_LEARNING_RATE,
            max_sampled=_MAX_SAMPLED,
            random_state=self.seed,
        )
        for _ in range(_EPOCHS):
            model.fit_partial(
                positive,
                user_features=customer_features,
                item_features=product_features,
                sample_weight=weights,
                num_threads=1,  # a second thread would make the result depend on their timing
            )
            tick()
        _, self._customer_factors = model.get_user_representations(customer_features)
        biases, self._product_factors = model.get_item_representations(product_features)
        self._product_biases = biases + _TREND * np.log1p(training.buyers(_TREND_DAYS))

    def _scores(self, rows: Places) -> Scores:
        products: Scores = self._customer_factors[rows] @ self._product_factors.T + self._product_biases
        return products

    def _reasons(self, rows: Places, columns: Places) -> list[str]:
        """The own product with the nearest factors (cosine), of another name where there is one, else with its id.

        For who has none alike, how many bought the product.
        """
        products = self.training.products
        ids = products[C.PRODUCT_ID].to_numpy()
        names = products[C.NAME].fillna(products[C.PRODUCT_ID]).to_numpy()
        kinds = pd.factorize(names)[0]
        buyers = self.training.buyers()
        lengths = np.linalg.norm(self._product_factors, axis=1, keepdims=True)
        directions = self._product_factors / np.where(lengths > 0, lengths, 1)
        reasons = []
        for at in range(0, len(rows), _BLOCK):
            mine, theirs = rows[at : at + _BLOCK], columns[at : at + _BLOCK]
            alike = np.where(self.training.bought[mine].toarray(), directions[theirs] @ directions.T, -2)
            alike[np.arange(len(theirs)), theirs] = -2  # a product is no reason for itself
            alike[alike <= 0] = -2
            alike[kinds[theirs][:, None] == kinds] -= 1  # behind every product of another name
            nearest = alike.argmax(axis=1)
            found = alike.max(axis=1, initial=-2) > -1
            reasons += [
                f"Close to {names[own]}{f' ({ids[own]})' if kinds[own] == kinds[product] else ''}, which they bought"
                if is_found
                else f"Bought by {counted(buyers[product], 'customer')}"
                for own, product, is_found in zip(nearest, theirs, found, strict=True)
            ]
        return reasons


def _customer_traits(customers: pd.DataFrame) -> pd.DataFrame:
    """One row a customer and trait: row, trait (such as `country:France` or `income:35-49K`)."""
    attributes = pd.DataFrame([json.loads(text) for text in customers[C.ATTRIBUTES]], index=customers.index)
    return _traits(pd.concat([customers[[C.COUNTRY, C.SEGMENT]], attributes], axis=1))


def _product_traits(products: pd.DataFrame) -> pd.DataFrame:
    """One row a product and trait: its category, department and brand; the words of names where a shop has none."""
    traits = _traits(products[[C.CATEGORY, C.DEPARTMENT, C.BRAND]])
    if len(traits):
        return traits
    words = products[C.NAME].fillna("").str.lower().str.findall(r"[^\W\d_]{3,}").explode().dropna()
    return pd.DataFrame({"row": words.index, "trait": words.to_numpy()}).drop_duplicates()


def _traits(columns: pd.DataFrame) -> pd.DataFrame:
    long: list[pd.DataFrame] = []
    for name, values in columns.items():
        known = values.dropna()
        long.append(pd.DataFrame({"row": known.index, "trait": [f"{name}:{value}" for value in known]}))
    return pd.concat(long, ignore_index=True)


def _features(traits: pd.DataFrame, rows: int, content: float) -> Any:
    """Rows x (rows + traits): each row's identity, and its traits sharing the weight `content` evenly.

    Traits of fewer than 3 rows are left out: they say no more than the identity does.
    """
    shared = traits[traits.groupby("trait")["trait"].transform("size") >= _MIN_SHARING]
    codes, kinds = pd.factorize(shared["trait"], sort=True)
    weights = content / shared.groupby("row")["row"].transform("size").to_numpy(dtype=np.float64)
    matrix = sparse.csr_matrix((weights, (shared["row"].to_numpy(dtype=int), codes)), shape=(rows, len(kinds)))
    return sparse.hstack([sparse.identity(rows), matrix], format="csr", dtype=np.float32)
