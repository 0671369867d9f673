"""RFM groups: the yardstick that puts customers into the groups of a table, at the moment it was made or any other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.columns import Columns as C
from models.configuration import SCORES, GroupTable, Plan
from models.rfm import Cuts, cut_points, scores


@dataclass(frozen=True)
class GroupYardstick:
    """Cut points and the table of groups that they lead into."""

    cuts: Cuts
    table: GroupTable

    def labels(self, features: pd.DataFrame) -> npt.NDArray[np.int16]:
        """The place in `table.groups` of each row of recency_days, frequency and monetary; none for no rows."""
        given = scores(features, self.cuts)
        return _grid(self.table)[given[C.R_SCORE], given[C.FM_SCORE]]

    def as_json(self) -> dict[str, Any]:
        """The yardstick in plain lists, texts and numbers, for `from_json`."""
        cuts = {column: list(points) for column, points in self.cuts.items()}
        return {"cuts": cuts, "table": self.table.model_dump(mode="json")}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """The yardstick that `as_json` wrote."""
        return cls(told["cuts"], GroupTable.model_validate(told["table"]))


def group_yardstick(features: pd.DataFrame, plan: Plan) -> GroupYardstick:
    """The yardstick of these customers: the plan's cut points, and its table for so many customers.

    Raises NotEnoughDataError where there is no customer.
    """
    return GroupYardstick(cut_points(features, plan.scores), plan.table(len(features)))


def _grid(table: GroupTable) -> npt.NDArray[np.int16]:
    """The place of the group that covers each (r, fm); scores begin at 1."""
    grid = np.zeros((len(SCORES) + 1, len(SCORES) + 1), dtype=np.int16)
    for place, group in enumerate(table.groups):
        for cell in group.cells():
            grid[cell] = place
    return grid
