"""Who may be contacted: the one condition of every list that people are contacted by."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from db.conditions import Condition
from settings import Consent

_AGREED: dict[Consent, str] = {
    "opt-out": "consent IS DISTINCT FROM 'no'",
    "opt-in": "consent IS NOT DISTINCT FROM 'yes'",
}


@dataclass(frozen=True)
class WholeList:
    """A list to be downloaded: how many rows, the batches that bring them, and how many customers it leaves out."""

    total: int
    batches: Iterator[pa.RecordBatch]
    left_out: int = 0


def agreed(consent: Consent) -> Condition:
    """On rows of `known`, who may be contacted: who did not say no, or (opt-in) who said yes; true or false for all."""
    return Condition(_AGREED[consent])


def refused(consent: Consent) -> Condition:
    """All others."""
    return Condition(f"NOT ({_AGREED[consent]})")
