"""What was known at each moment that recommendations need: now, before every window of the test, and before those."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from db.columns import Columns as C
from db.queries import features
from db.snapshot import Snapshot
from errors import ConfigurationError, NotEnoughDataError
from models.evaluation import Fold
from models.pipeline.options import Options
from models.pipeline.segments import segments_at
from models.recommenders.training import MAX_PRODUCTS, Training, training
from models.rules import Rules
from models.split import Split, splits

_QUICK_PRODUCTS = 2_000
_MEMORY = 2
"""How many windows before the first one of the test the ranker may learn from."""


@dataclass(frozen=True)
class History:
    """`now`, each moment linked to the one before it, and the windows of the test, the newest first."""

    now: Training
    folds: tuple[Fold, ...]
    days: int

    @property
    def trainings(self) -> tuple[Training, ...]:
        """Every moment, the newest first."""
        found: list[Training] = []
        moment: Training | None = self.now
        while moment is not None:
            found.append(moment)
            moment = moment.before
        return tuple(found)

    @property
    def oldest(self) -> Fold:
        """The first window of the test in time."""
        return self.folds[-1]


def history(data: Snapshot, options: Options, as_of: datetime, segments: pd.DataFrame, clusters: int) -> History:
    """All moments of a run; `segments` are those of now, from so many clusters.

    Of the past only who had bought by then is known; now also who never did. Raises NotEnoughDataError where nothing
    can be tested or recommended.
    """
    bought = features.purchases(data, as_of)
    customers = features.customers(data)
    windows = splits(bought, options.holdout_days, options.windows)

    def known(at: datetime, who: pd.DataFrame, before: Training | None) -> Training:
        return training(
            bought,
            features.products(data, at),
            who,
            at,
            before=before,
            min_buyers=options.rules.min_buyers,
            max_products=_QUICK_PRODUCTS if options.quick else MAX_PRODUCTS,
            again_after=options.rules.again_after_days or float("inf"),
        )

    def customers_of(at: datetime) -> pd.DataFrame:
        try:
            return customers.merge(segments_at(data, at, options, clusters), on=C.CUSTOMER_ID)
        except NotEnoughDataError:  # fewer different histories than clusters: customers without segments
            by_then = bought.loc[bought[C.ORDERED_AT] < at, C.CUSTOMER_ID].unique()
            return customers[customers[C.CUSTOMER_ID].isin(by_then)].assign(**{C.SEGMENT: None})

    before: Training | None = None
    for at in _earlier(windows, bought[C.ORDERED_AT].min()):
        try:
            before = known(at, customers_of(at), before)
        except NotEnoughDataError:
            before = None  # so early nothing had enough buyers yet: the next moment has nothing before it
    folds = []
    for number, window in reversed(list(enumerate(windows, 1))):
        before = known(window.at, customers_of(window.at), before)
        after = window.after[[C.CUSTOMER_ID, C.PRODUCT_ID]]
        folds.append(Fold(number, before, after, _allowed(options.rules, before)))
    now = known(as_of, customers.merge(segments, on=C.CUSTOMER_ID, how="left"), before)
    return History(now, tuple(reversed(folds)), windows[0].days)


def _allowed(rules: Rules, known: Training) -> list[str]:
    """What the rules would have let stand on a list then; none where all that they let through is of later."""
    try:
        return rules.candidates(known.products, known.buyers())
    except ConfigurationError:
        return []


def _earlier(windows: list[Split], first: datetime) -> list[datetime]:
    """The moments before the first window of the test that leave a holdout of history before them, oldest first."""
    holdout = timedelta(days=windows[0].days)
    moments = [windows[-1].at - number * holdout for number in range(1, _MEMORY + 1)]
    return [moment for moment in reversed(moments) if moment - holdout >= first]
