"""The customers of one moment parted three ways: clusters by the run's method, RFM groups, clusters by the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.columns import Columns as C
from models.configuration import Method, Plan
from models.groups import GroupYardstick, group_yardstick
from models.pca import Components, pca
from models.points import Transform
from models.profiles import Profiles, cluster_profiles, group_profiles
from models.rfm import scores
from models.segments import ClusterYardstick, Segmentation, segmentation

_OTHER: dict[Method, Method] = {"kmeans": "mixture", "mixture": "kmeans"}


@dataclass(frozen=True)
class Before:
    """What the run before left, by grouping: yardsticks, names by cluster number, since when each name is there."""

    yardsticks: Mapping[str, ClusterYardstick] = field(default_factory=dict)
    names: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    since: Mapping[tuple[str, str], datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Parting:
    """`clusters` by grouping (segment, alternative), `groups` of RFM, and the profiles of all three by grouping."""

    features: pd.DataFrame
    clusters: Mapping[str, Segmentation]
    groups: GroupYardstick
    profiles: Mapping[str, Profiles]
    labels: Mapping[str, npt.NDArray[np.integer]]
    picture: Components

    def customers(self) -> pd.DataFrame:
        """One row a customer in the order of `features`: scores, cluster, the segment of each grouping, the picture."""
        picture = self.picture.coordinates(self.clusters[C.SEGMENT].yardstick.scale.points(self.features))
        columns = {
            **scores(self.features, self.groups.cuts),
            C.CLUSTER: self.labels[C.SEGMENT],
            **{grouping: profiles.named(self.labels[grouping]).array for grouping, profiles in self.profiles.items()},
            C.PCA_X: picture[:, 0],
            C.PCA_Y: picture[:, 1],
        }
        return pd.DataFrame(columns, index=self.features.index)


def parting(
    features: pd.DataFrame,
    plan: Plan,
    *,
    as_of: datetime,
    transform: Transform,
    clusters: int | None,
    n_init: int,
    seed: int,
    currency: str,
    before: Before,
) -> Parting:
    """Part the customers (see `models.behaviour.Known`; with churn_risk and clv where there is a forecast).

    The other method parts them into as many clusters, for comparison. Raises NotEnoughDataError where there is no
    customer or not one for each cluster wanted, ConfigurationError where the data have none of the plan's features.
    """
    groups = group_yardstick(features, plan)
    clustered = partial(segmentation, features, transform=transform, n_init=n_init, seed=seed)
    main = clustered(plan.clusters, clusters=clusters, before=before.yardsticks.get(C.SEGMENT))
    other = clustered(
        plan.clusters.model_copy(update={"method": _OTHER[plan.clusters.method]}),
        clusters=main.k,
        before=before.yardsticks.get(C.ALTERNATIVE),
        compare=False,
    )
    labels = {C.SEGMENT: main.labels, C.RFM_GROUP: groups.labels(features), C.ALTERNATIVE: other.labels}
    profiles = {
        C.SEGMENT: cluster_profiles(features, main.labels, currency, kept=before.names.get(C.SEGMENT)),
        C.RFM_GROUP: group_profiles(features, labels[C.RFM_GROUP], groups.table.groups, currency),
        C.ALTERNATIVE: cluster_profiles(
            features, other.labels, currency, grouping=C.ALTERNATIVE, kept=before.names.get(C.ALTERNATIVE)
        ),
    }
    dated = {grouping: _dated(grouping, found, as_of, before) for grouping, found in profiles.items()}
    scale = main.yardstick.scale
    picture = pca(scale.points(features), scale.features)
    return Parting(features, {C.SEGMENT: main, C.ALTERNATIVE: other}, groups, dated, labels, picture)


def _dated(grouping: str, found: Profiles, as_of: datetime, before: Before) -> Profiles:
    """With the moment since which each segment is there under its name; a look back is never before it."""
    since = [min(before.since.get((grouping, name), as_of), as_of) for name in found.profile[C.SEGMENT]]
    return Profiles(found.profile.assign(**{C.SINCE: pd.to_datetime(since)}), found.measures)
