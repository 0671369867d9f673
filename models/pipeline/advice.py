"""What a run of recommendations leaves for everybody: lists with reasons, audiences, and what goes together."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from db import result_schema, runs
from db.columns import Columns as C
from db.queries import features
from db.snapshot import Snapshot
from models.audience import audience
from models.baskets import product_pairs, together
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


def advice(data: Snapshot, as_of: datetime, work: Workshop, tick: Tick) -> Advice:
    """For all customers, as of now."""
    now = work.past.now
    candidates = work.candidates(now)
    rules = together(features.baskets(data, as_of), features.products(data, as_of)).rules
    similar = work.of(Hybrid, now).similar(now.products[C.PRODUCT_ID].tolist(), _SIMILAR)
    pairs = product_pairs(rules, similar)
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
    advised = Advice(
        tables,
        _explained(discover, work, candidates, now, pairs),
        _explained(again, work, candidates, now, pairs),
        _reasoned(own.frame.assign(**{C.KIND: own.kind}), now, pairs),
        _reasoned(popular.assign(**{C.KIND: POPULAR}), now, pairs),
        discover.coverage(len(candidates)),
    )
    tick()
    return advised


def _explained(lists: Lists, work: Workshop, candidates: list[str], now: Training, pairs: pd.DataFrame) -> pd.DataFrame:
    """The lists with their reasons, and what the ranker's scores are the sum of."""
    told = _reasoned(lists.frame.assign(**{C.KIND: lists.kind}), now, pairs)
    model = work.of(work.chosen if lists.kind == "discover" else work.again, now)
    if not isinstance(model, Ranker):
        return told
    parts = model.parts(lists.frame, lists.kind, candidates)
    told[C.PARTS] = [_json(of_row) if of_row else None for of_row in parts]
    return told


def _json(parts: Mapping[str, float]) -> str:
    return json.dumps({label: round(amount, _DIGITS) for label, amount in parts.items() if round(amount, _DIGITS)})


def _reasoned(frame: pd.DataFrame, now: Training, pairs: pd.DataFrame) -> pd.DataFrame:
    return frame.join(reasons(frame, now, pairs)).assign(**{C.PARTS: None})
