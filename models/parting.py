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
class Left:
    """What the run before left of one method: its yardstick, the names by cluster number, since when each is there."""

    yardstick: ClusterYardstick
    names: Mapping[int, str]
    since: Mapping[str, datetime]


@dataclass(frozen=True)
class Before:
    """What the run before left: clusters by method, and since when each RFM group is there."""

    clusters: Mapping[Method, Left] = field(default_factory=dict)
    groups: Mapping[str, datetime] = field(default_factory=dict)


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
    method, other = plan.clusters.method, _OTHER[plan.clusters.method]
    left = {one: before.clusters.get(one) for one in (method, other)}
    clustered = partial(segmentation, features, transform=transform, n_init=n_init, seed=seed)
    main = clustered(plan.clusters, clusters=clusters, before=_yardstick(left[method]))
    compared = plan.clusters.model_copy(update={"method": other})
    second = clustered(compared, clusters=main.k, before=_yardstick(left[other]), compare=False)
    labels = {C.SEGMENT: main.labels, C.RFM_GROUP: groups.labels(features), C.ALTERNATIVE: second.labels}
    grouped = group_profiles(features, labels[C.RFM_GROUP], groups.table.groups, currency)
    profiles = {
        C.SEGMENT: _named(features, main, left[method], currency, C.SEGMENT, as_of),
        C.RFM_GROUP: _dated(grouped, before.groups, as_of),
        C.ALTERNATIVE: _named(features, second, left[other], currency, C.ALTERNATIVE, as_of),
    }
    scale = main.yardstick.scale
    picture = pca(scale.points(features), scale.features)
    return Parting(features, {C.SEGMENT: main, C.ALTERNATIVE: second}, groups, profiles, labels, picture)


def _yardstick(left: Left | None) -> ClusterYardstick | None:
    return left.yardstick if left else None


def _named(
    features: pd.DataFrame, found: Segmentation, left: Left | None, currency: str, grouping: str, as_of: datetime
) -> Profiles:
    """Profiles with the names of the run before where its clusters are of the same features, else with names anew."""
    now = found.yardstick
    if left is None or not left.yardstick.comparable(now.scale, now.fitted.method):
        left = None
    profiles = cluster_profiles(features, found.labels, currency, grouping=grouping, kept=left.names if left else None)
    return _dated(profiles, left.since if left else {}, as_of)


def _dated(found: Profiles, since: Mapping[str, datetime], as_of: datetime) -> Profiles:
    """With the moment since which each segment is there under its name; a look back is never before it."""
    days = [min(since.get(name, as_of), as_of) for name in found.profile[C.SEGMENT]]
    return Profiles(found.profile.assign(**{C.SINCE: pd.to_datetime(days)}), found.measures)
