"""Clusters that keep their number from run to run: new centres are matched to those of the run before.

The assignment with the least sum of squared distances (Kuhn 1955, the "Hungarian" method). A pair stands only where the
predecessor is also the nearest of all old centres, and no farther than FAR.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from models.points import Floats

FAR = 1.0
"""How far a centre may move and stay the same, in standard deviations: the root mean square over the features."""


def numbered(centres: Floats, before: Floats, numbers: Sequence[int], used: int) -> tuple[int, ...]:
    """The number of each centre: its predecessor's, or where it has none one above `used`, the largest ever given.

    `centres` and `before` (clusters x features) are in standard deviations on one scale; `numbers` are those of
    `before`, which may be empty.
    """
    squares = ((centres[:, None, :] - before[None, :, :]) ** 2).mean(axis=2)
    pairs = zip(*linear_sum_assignment(np.minimum(squares, FAR**2)), strict=True)
    kept = {new: numbers[old] for new, old in pairs if squares[new, old] <= min(FAR**2, squares[new].min())}
    fresh = iter(range(used + 1, used + 1 + len(centres)))
    return tuple(kept[new] if new in kept else next(fresh) for new in range(len(centres)))
