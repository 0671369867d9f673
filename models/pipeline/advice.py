"""What a run of recommendations leaves for everybody: lists with reasons, audiences, and what goes together."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from db import result_schema, runs
from db.columns import Columns as C
from models.audience import audience
from models.baskets import product_pairs
from models.lists import SHOWN, Lists
from models.pipeline.workshop import Workshop
from models.reasons import POPULAR, reasons
from models.recommenders.base import Tick
from models.recommenders.hybrid import Hybrid
from models.recommenders.own_history import OwnHistory
from models.recommenders.popular import Popular
from models.recommenders.ranker import Ranker
from models.recommenders.training import Training

_SIMILAR = 10
_DIGITS = 5


@dataclass(frozen=True)
class Advice:
    """The result tables, with both sorts of lists of what to buy again: by the model, and by own history alone."""

    tables: runs.Results
    discover: pd.DataFrame
    again: pd.DataFrame
    own: pd.DataFrame
    popular: pd.DataFrame
    coverage: float

    def results(self, by_own_history: bool) -> tuple[runs.Results, float]:
        """The result tables, and the share of candidates that stands on a discover list of ten."""
        lists = [self.discover, self.own if by_own_history else self.again, self.popular]
        return {**self.tables, result_schema.recommendation: pd.concat(lists, ignore_index=True)}, self.coverage


def advice(work: Workshop, together: pd.DataFrame, tick: Tick) -> Advice:
    """For all customers, as of now; `together` are the rules of `baskets.together`."""
    now = work.past.now
    candidates = work.candidates(now)
    similar = work.of(Hybrid, now).similar(now.products[C.PRODUCT_ID].tolist(), _SIMILAR)
    pairs = product_pairs(together, similar)
    tick()
    discover = work.lists(now, "discover")
    tick()
    again = work.lists(now, "buy_again")
    own = again if work.again is OwnHistory else work.lists(now, "buy_again", OwnHistory)
    popular = work.of(Popular, now).recommend(now.customers[C.CUSTOMER_ID].tolist(), SHOWN, "discover", candidates)
    tick()
    written = audience(work.of(work.chosen, now), candidates)
    told = reasons(written.assign(**{C.KIND: "discover"}), now, pairs)
    tables = {
        result_schema.product_pair: pairs,
        result_schema.product_audience: written.assign(**{C.REASON: told[C.REASON]}),
    }
    tick()
    new, old = _explained([discover, again], work, candidates, now, pairs)
    advised = Advice(
        tables,
        new,
        old,
        _reasoned(own.frame.assign(**{C.KIND: own.kind}), now, pairs),
        _reasoned(popular.assign(**{C.KIND: POPULAR}), now, pairs),
        discover.coverage(len(candidates)),
    )
    tick()
    return advised


def _explained(
    both: Sequence[Lists], work: Workshop, candidates: list[str], now: Training, pairs: pd.DataFrame
) -> list[pd.DataFrame]:
    """The lists with their reasons, and what the ranker's scores are the sum of."""
    told = [_reasoned(lists.frame.assign(**{C.KIND: lists.kind}), now, pairs) for lists in both]
    model = work.of(work.chosen, now)
    if isinstance(model, Ranker):
        parts = model.parts({lists.kind: lists.frame for lists in both}, candidates)
        for lists, frame in zip(both, told, strict=True):
            frame[C.PARTS] = [_json(of_row) if of_row else None for of_row in parts[lists.kind]]
    return told


def _json(parts: Mapping[str, float]) -> str:
    return json.dumps({label: round(amount, _DIGITS) for label, amount in parts.items() if round(amount, _DIGITS)})


def _reasoned(frame: pd.DataFrame, now: Training, pairs: pd.DataFrame) -> pd.DataFrame:
    return frame.join(reasons(frame, now, pairs)).assign(**{C.PARTS: None})
