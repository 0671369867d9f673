"""The customers followed through the past: the tables of movement, for clusters and for RFM groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.behaviour import Known
from models.configuration import Plan
from models.groups import GroupYardstick
from models.movement import LETTERS, Movement, Stand, movement
from models.profiles import Profiles, cluster_profiles
from models.rfm import cut_points
from models.segments import ClusterYardstick, earlier

FEWEST = 10
"""Customers a cluster that a moment must have: fewer would be followed through noise."""

Ids = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Followed:
    """Frames of the tables movement_moment, movement_letter, movement and customer_movement."""

    moments: pd.DataFrame
    letters: pd.DataFrame
    flows: pd.DataFrame
    customers: pd.DataFrame


def followed(
    past: Sequence[Known],
    ids: Ids,
    clusters: ClusterYardstick,
    groups: GroupYardstick,
    profiles: Mapping[str, Profiles],
    plan: Plan,
    seed: int,
) -> Followed:
    """Follow all customers through the moments of `past` (ascending; the last is the run's own).

    `clusters` and `groups` are the yardsticks of the last moment. Each earlier moment has its own: clusters begin at
    the centres of the moment after it, groups take that moment's cut points in the run's table. The past ends where
    there are too few customers for as many clusters. `profiles` (by grouping) name what is there now; what was there in
    the past alone is named by what it was.
    """
    stands = _clusters(past, clusters, seed)
    names = _names(stands, profiles[C.SEGMENT])
    grouped = [
        Stand(one.as_of, one.features, GroupYardstick(cut_points(one.features, plan.scores), groups.table))
        for one in stands
    ]
    group_names = dict(enumerate(group.name for group in groups.table.groups))
    found = {
        C.SEGMENT: (movement(stands, len(ids)), names, profiles[C.SEGMENT]),
        C.RFM_GROUP: (movement(grouped, len(ids)), group_names, profiles[C.RFM_GROUP]),
    }
    there = stands[-1].features.index.to_numpy()
    return Followed(
        moments=pd.DataFrame(
            {
                C.MOMENT: range(len(stands)),
                C.AS_OF: [one.as_of for one in stands],
                C.CUSTOMERS: [len(one.features) for one in stands],
            }
        ),
        letters=pd.concat([_letters(grouping, *parts) for grouping, parts in found.items()], ignore_index=True),
        flows=pd.concat([_flows(grouping, moved, named) for grouping, (moved, named, _) in found.items()]),
        customers=pd.DataFrame(
            {
                C.CUSTOMER_ID: ids[there],
                C.SEGMENTS: _taken(found[C.SEGMENT][0].path, there),
                C.SEGMENT_CAUSES: _taken(found[C.SEGMENT][0].causes, there),
                C.GROUPS: _taken(found[C.RFM_GROUP][0].path, there),
                C.GROUP_CAUSES: _taken(found[C.RFM_GROUP][0].causes, there),
            }
        ),
    )


def _clusters(past: Sequence[Known], yardstick: ClusterYardstick, seed: int) -> list[Stand]:
    """From the last moment back, as far as there are customers and letters enough."""
    stands = [Stand(past[-1].as_of, past[-1].features, yardstick)]
    numbers, later = set(yardstick.numbers), yardstick
    for one in reversed(past[:-1]):
        if len(one.features) < FEWEST * len(yardstick.numbers):
            break
        try:
            later = earlier(later, one.features, seed=seed)
        except NotEnoughDataError:
            break
        numbers |= set(later.numbers)
        if len(numbers) > len(LETTERS):
            break
        stands.insert(0, Stand(one.as_of, one.features, later))
    return stands


def _names(stands: Sequence[Stand], now: Profiles) -> dict[int, str]:
    """The name of each cluster of any moment: today's, or what it was, and until when."""
    names = dict(now.names)
    for one, after in zip(reversed(stands[:-1]), reversed(stands[1:]), strict=True):
        labels = one.yardstick.labels(one.features)
        unknown = set(np.unique(labels).tolist()) - set(names)
        if unknown:
            kept = {number: name for number, name in names.items() if "(" not in name}
            then = cluster_profiles(one.features, labels, "", kept=kept).names
            until = f" (until {after.as_of:%-d %b %Y})"
            names |= {number: then[number] + until for number in sorted(unknown)}
    return names


def _letters(grouping: str, moved: Movement, names: Mapping[int, str], now: Profiles) -> pd.DataFrame:
    told = now.profile.set_index(C.SEGMENT)
    segments = [names[label] for label in moved.letters]
    return pd.DataFrame(
        {
            C.GROUPING: grouping,
            C.LETTER: list(moved.letters.values()),
            C.SEGMENT: segments,
            C.POSITION: [int(told[C.POSITION].get(name, 0)) or None for name in segments],
            C.COLOUR: [told[C.COLOUR].get(name, "other") for name in segments],
        }
    ).astype({C.POSITION: "Int16"})


def _flows(grouping: str, moved: Movement, names: Mapping[int, str]) -> pd.DataFrame:
    named = {-1: "", **names}
    segments = {column: moved.flows[column].map(named) for column in (C.FROM_SEGMENT, C.TO_SEGMENT)}
    return moved.flows.assign(**segments, **{C.GROUPING: grouping})


def _taken(texts: pa.Array, rows: npt.NDArray[np.integer]) -> pd.Series:
    return pd.Series(pd.array(texts.take(pa.array(rows)), dtype=pd.ArrowDtype(pa.large_string())))
