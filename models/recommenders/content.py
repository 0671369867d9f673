"""What is known of customers and products beside who bought what: their traits, as LightFM's feature matrices."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.preprocessing import normalize

from db.columns import Columns as C
from models.recommenders.base import Flags

_MIN_SHARING = 3
_PRICE_BANDS = 8
_ROW, _TRAIT = "row", "trait"


@dataclass(frozen=True)
class Content:
    """Features of rows (customers or products): `matrix` is rows x (rows + traits), float32.

    The first columns are each row's own id, the others the traits that `labels` names.
    """

    matrix: sparse.csr_matrix
    labels: tuple[str, ...]


def identity(known: Flags) -> Content:
    """The ids alone: 1 for each known row. The others have no feature at all."""
    return Content(sparse.diags(known.astype(np.float32), format="csr"), ())


def content(traits: pd.DataFrame, known: Flags, weight: float) -> Content:
    """The ids of known rows, and each row's traits (row, trait), which share `weight` evenly.

    Who is not known is its traits alone: an id that was never trained is noise. Traits of fewer than 3 rows are left
    out: they say no more than the id does.
    """
    shared = traits[traits.groupby(_TRAIT)[_TRAIT].transform("size") >= _MIN_SHARING]
    if shared.empty:
        return identity(known)
    codes, labels = pd.factorize(shared[_TRAIT], sort=True)
    ones = np.ones(len(shared), dtype=np.float32)
    matrix = sparse.csr_matrix((ones, (shared[_ROW].to_numpy(dtype=int), codes)), shape=(len(known), len(labels)))
    both = [identity(known).matrix, normalize(matrix, norm="l1") * weight]
    return Content(sparse.hstack(both, format="csr", dtype=np.float32), tuple(labels))


def customer_traits(customers: pd.DataFrame) -> pd.DataFrame:
    """One row a customer and trait: row, trait (such as `Country: France` or `Income: 35-49K`)."""
    attributes = pd.DataFrame([json.loads(text) for text in customers[C.ATTRIBUTES]], index=customers.index)
    return _traits(pd.concat([customers[[C.COUNTRY, C.SEGMENT]], attributes], axis=1))


def product_traits(products: pd.DataFrame) -> pd.DataFrame:
    """One row a product and trait: category, department, brand, price band; its name's words in a shop without these.

    Price bands are eighths of the products; equal prices are in the same one.
    """
    told = _traits(products[[C.CATEGORY, C.DEPARTMENT, C.BRAND]])
    if told.empty:
        words = products[C.NAME].fillna("").str.upper().str.findall(r"[^\W\d_]{3,}").explode().dropna()
        told = pd.DataFrame({_ROW: words.index, _TRAIT: [f"Word: {word}" for word in words]}).drop_duplicates()
    return pd.concat([told, _traits(_price_band(products[C.PRICE]).to_frame(C.PRICE))], ignore_index=True)


def _price_band(prices: pd.Series) -> pd.Series:
    prices = prices.dropna().astype(np.float64)
    bands = np.ceil(prices.rank(method="max", pct=True) * _PRICE_BANDS)
    ends = prices.groupby(bands)
    low, high = ends.transform("min"), ends.transform("max")
    return pd.Series([f"{a:.2f} to {b:.2f}" for a, b in zip(low, high, strict=True)], index=prices.index, dtype=object)


def _traits(columns: pd.DataFrame) -> pd.DataFrame:
    long = [pd.DataFrame({_ROW: [], _TRAIT: []}, dtype=object)]
    for name, values in columns.items():
        known = values.dropna()
        word = str(name).replace("_", " ").capitalize()
        long.append(pd.DataFrame({_ROW: known.index, _TRAIT: [f"{word}: {value}" for value in known]}, dtype=object))
    return pd.concat(long, ignore_index=True).drop_duplicates()
