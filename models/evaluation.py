"""Every recommender, fitted on what was known before each of several moments, against what customers then bought."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.metrics import COVERAGE, by_customer, by_list, catalogue, coverage, intervals
from models.recommenders.base import Recommender, Tick
from models.recommenders.training import AGE, CUSTOMER, KINDS, ORDER, ORDERS, PRODUCT, Kind, Training

KS = (5, 10)
JUDGED = ("ndcg", 10)
"""What models are compared by."""
PUBLISHED = "published"
"""The name under which the lists as customers get them stand among the models."""
POOLED = 0
"""The number of all folds together."""
_BASELINES = ("popular", "own_history", "item_knn", "ease", "als")
AGAINST = {PUBLISHED: _BASELINES, "ranker": _BASELINES, "hybrid": (*_BASELINES, "lightfm_ids")}
"""Model -> the models it is compared with, customer by customer."""

ALL, FEW, REGULAR, NEW = "all", "customers:few", "customers:regular", "products:new"
OF_SEGMENT = "segment:"
_REGULAR_ORDERS = 3
_NEW_SHARE = 0.1


@dataclass(frozen=True)
class Fold:
    """One window of the test, 1 the newest: what was known before it, and what was bought in it.

    after: customer_id, product_id; repeats count once. candidates: the products that any model might have listed (None:
    all of the training); others do not count.
    """

    number: int
    training: Training
    after: pd.DataFrame
    candidates: Sequence[str] | None = None


@dataclass(frozen=True)
class Evaluation:
    """`rows` is the table `evaluation` but for its run; the rest is what stands behind it.

    by_customer: (fold, model, slice) -> a frame of `metrics.by_customer`; fold 0 holds those of all folds one below the
    other, so that a customer tested in two windows has two rows. customers: one row a fold and customer tested: fold,
    customer_id, segment and orders as known before the fold.
    """

    rows: pd.DataFrame
    by_customer: dict[tuple[int, str, str], pd.DataFrame]
    customers: pd.DataFrame


Models = Callable[[Training], Iterable[Recommender]]
Published = Callable[[Fold, Kind, Sequence[str], int], pd.DataFrame]


def evaluation(
    folds: Sequence[Fold],
    models: Models,
    seed: int,
    published: Published | None = None,
    tick: Tick = lambda: None,
) -> Evaluation:
    """Judge the lists of the models, fitted on what was known before each fold, by what was bought in it.

    Only customers with a purchase before the fold and products that were candidates then count. In the slice `discover`
    the relevant products are those new to the customer and nothing else is recommended; in `buy_again` they are those
    bought before; in `any` they are both. A model is judged in the slices of its `kinds`, `published` (fold, kind,
    customers, k -> customer_id, product_id, rank) in discover and buy_again; who gets no list counts as 0.

    Subsets are `all`; `segment:NAME`, `customers:few` (fewer than 3 orders) and `customers:regular`, each as known
    before the fold; and, of discover, `products:new`: the same lists judged by the products alone that were first sold
    in the last tenth of the time before the fold, for who bought one. Fold 0 pools all folds. Ticks after each
    model of a fold. Raises NotEnoughDataError where no fold has a customer who bought something new to them.
    """
    customers = pd.concat([_tested(fold) for fold in folds], ignore_index=True)
    judged = [one for fold in folds for one in _judged(fold, models, published, tick)]
    if not any(one.slice == "discover" for one in judged):
        raise NotEnoughDataError(
            "Recommendations need customers who bought something new to them in the days held out to test them, and "
            "none was found; load a longer history or hold out more with --holdout-days."
        )
    numbers = [fold.number for fold in folds]
    values: dict[tuple[int, str, str], pd.DataFrame] = {
        (one.fold, one.model, one.slice): one.values for one in judged if one.subset == ALL
    }
    for model, slice_ in {(one.model, one.slice): None for one in judged}:
        of_folds = [values[number, model, slice_] for number in numbers if (number, model, slice_) in values]
        values[POOLED, model, slice_] = pd.concat(of_folds)
    return Evaluation(_rows(judged, numbers, customers, seed), values, customers)


@dataclass(frozen=True)
class _Judged:
    """The lists of one model, judged by all that was bought of a slice or by what is new in the shop."""

    fold: int
    model: str
    slice: Kind
    subset: str
    values: pd.DataFrame
    coverage: float


def _judged(fold: Fold, models: Models, published: Published | None, tick: Tick) -> Iterator[_Judged]:
    known = fold.training
    offered = catalogue(known.products[C.PRODUCT_ID], known.bought)
    fresh = [product for product in new_products(known) if fold.candidates is None or product in set(fold.candidates)]
    after = fold.after if fold.candidates is None else fold.after[fold.after[C.PRODUCT_ID].isin(list(fold.candidates))]
    sought = {(slice_, ALL): relevant(known, after, slice_) for slice_ in KINDS}
    new = sought["discover", ALL]
    sought["discover", NEW] = new[new[C.PRODUCT_ID].isin(fresh)]
    asked = {slice_: sorted(sought[slice_, ALL][C.CUSTOMER_ID].unique()) for slice_ in KINDS}

    def judged(model: str, slice_: Kind, lists: pd.DataFrame) -> Iterator[_Judged]:
        size = len(known.products if fold.candidates is None else fold.candidates)
        for subset, all_of in ((ALL, size), (NEW, len(fresh))):
            wanted = sought.get((slice_, subset))
            if wanted is not None and len(wanted):
                of = lists[lists[C.CUSTOMER_ID].isin(wanted[C.CUSTOMER_ID])]
                values = by_customer(of, wanted, KS).join(by_list(of, offered, max(KS)))
                shown = of if subset == ALL else of[of[C.PRODUCT_ID].isin(fresh)]
                yield _Judged(fold.number, model, slice_, subset, values, coverage(shown, all_of, max(KS)))

    for model in models(known):
        for slice_, customers in asked.items():
            if slice_ in model.kinds and customers:
                yield from judged(model.name, slice_, model.recommend(customers, max(KS), slice_, fold.candidates))
        tick()
    for slice_, customers in asked.items() if published else ():
        if published and customers and slice_ != "any":
            yield from judged(PUBLISHED, slice_, published(fold, slice_, customers, max(KS)))


def relevant(training: Training, after: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """What a list of the kind should have held: customer_id, product_id, one row each.

    Of `after` (customer_id, product_id) only customers with a purchase in the training and its candidate products.
    """
    pairs = after[[C.CUSTOMER_ID, C.PRODUCT_ID]].drop_duplicates()
    rows = pd.Index(training.customers[C.CUSTOMER_ID]).get_indexer(pd.Index(pairs[C.CUSTOMER_ID]))
    columns = pd.Index(training.products[C.PRODUCT_ID]).get_indexer(pd.Index(pairs[C.PRODUCT_ID]))
    is_active = np.diff(training.bought.indptr) > 0
    counts = (rows >= 0) & (columns >= 0)
    counts[counts] = is_active[rows[counts]]
    if kind != "any" and counts.any():  # of no places scipy would give a matrix, not flags
        own = training.held if kind == "discover" else training.bought
        is_own = np.asarray(own[rows[counts], columns[counts]]).ravel()
        counts[counts] = is_own == (kind == "buy_again")
    found: pd.DataFrame = pairs[counts].astype({C.CUSTOMER_ID: str, C.PRODUCT_ID: str}).reset_index(drop=True)
    return found


def new_products(training: Training) -> list[str]:
    """The candidates first sold in the last tenth of the time between the first purchase and the training's moment."""
    first_sold = training.purchases.groupby(PRODUCT)[AGE].max()
    fresh = first_sold.index[first_sold <= _NEW_SHARE * first_sold.max()]
    ids: list[str] = training.products[C.PRODUCT_ID].iloc[fresh].tolist()
    return ids


def _tested(fold: Fold) -> pd.DataFrame:
    """One row a customer who counts: fold, customer_id, segment, orders."""
    known = fold.training
    orders = known.purchases.groupby(CUSTOMER)[ORDER].nunique()
    who = relevant(known, fold.after, "any")[C.CUSTOMER_ID].unique()
    rows = np.sort(pd.Index(known.customers[C.CUSTOMER_ID]).get_indexer(pd.Index(who)))
    return pd.DataFrame(
        {
            C.FOLD: fold.number,
            C.CUSTOMER_ID: known.customers[C.CUSTOMER_ID].iloc[rows],
            C.SEGMENT: known.customers[C.SEGMENT].iloc[rows],
            ORDERS: orders.reindex(rows).to_numpy(),
        }
    )


def _rows(judged: Sequence[_Judged], numbers: Sequence[int], customers: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The table: each fold and all together, each slice, each subset."""
    about = customers.set_index([C.FOLD, C.CUSTOMER_ID])
    rows = [_coverages(judged)]
    for slice_, given in {(one.slice, one.subset): None for one in judged}:
        table = _side_by_side([one for one in judged if (one.slice, one.subset) == (slice_, given)])
        subsets = _subsets(about.loc[table.index]) if given == ALL else {given: np.ones(len(table), dtype=bool)}
        folds, people = table.index.get_level_values(C.FOLD), table.droplevel(C.FOLD)
        for number in (POOLED, *numbers):
            within = np.ones(len(table), dtype=bool) if number == POOLED else folds == number
            for subset, belongs in subsets.items():
                if (within & belongs).any():
                    found = intervals(people[within & belongs], seed).dropna(subset=[C.VALUE])
                    rows.append(found.reset_index().assign(**{C.FOLD: number, C.SLICE: slice_, C.SUBSET: subset}))
    return pd.concat(rows, ignore_index=True)


def _side_by_side(judged: Sequence[_Judged]) -> pd.DataFrame:
    """Fold x customer -> a column for each (model, against, metric, k); null where a model has no lists in a fold."""
    models: dict[str, list[_Judged]] = {}
    for one in judged:
        models.setdefault(one.model, []).append(one)
    tables: dict[str, pd.DataFrame] = {
        model: pd.concat({one.fold: one.values for one in its}, names=[C.FOLD, C.CUSTOMER_ID])
        for model, its in models.items()
    }
    columns = {(model, "", *name): table[name] for model, table in tables.items() for name in table.columns.tolist()}
    for model, others in AGAINST.items():
        for other in others:
            if model in tables and other in tables:
                columns[model, other, *JUDGED] = tables[model][JUDGED] - tables[other][JUDGED]
    return pd.DataFrame(columns).rename_axis(columns=[C.MODEL, C.AGAINST, C.METRIC, C.K])


def _subsets(about: pd.DataFrame) -> dict[str, npt.NDArray[np.bool_]]:
    """Subset -> who belongs to it, of rows that have segment and orders."""
    is_few = (about[ORDERS] < _REGULAR_ORDERS).to_numpy()
    segments = about[C.SEGMENT]
    named = {f"{OF_SEGMENT}{name}": (segments == name).to_numpy() for name in sorted(segments.dropna().unique())}
    return {ALL: np.ones(len(about), dtype=bool), **named, FEW: is_few, REGULAR: ~is_few}


def _coverages(judged: Sequence[_Judged]) -> pd.DataFrame:
    """Coverage of all lists of a model and fold, and its mean over folds; a share of products has no interval."""
    found: dict[tuple[int, str, Kind, str], list[_Judged]] = {}
    for one in judged:
        for fold in (POOLED, one.fold):
            found.setdefault((fold, one.model, one.slice, one.subset), []).append(one)
    rows = [
        (*key, np.mean([one.coverage for one in its]), pd.concat([one.values for one in its]).index.nunique())
        for key, its in found.items()
    ]
    frame = pd.DataFrame(rows, columns=[C.FOLD, C.MODEL, C.SLICE, C.SUBSET, C.VALUE, C.CUSTOMERS])
    frame[[C.AGAINST, C.METRIC, C.K, C.CI_LOW, C.CI_HIGH]] = "", COVERAGE, max(KS), np.nan, np.nan
    return frame
