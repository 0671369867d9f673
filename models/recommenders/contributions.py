"""What each input adds to the score of a tree ensemble, exactly: the path contributions of Saabas (2014).

Walking down a tree, each step from a node to a child moves the expected score (the mean of the leaves below it,
weighted by the training rows that came there); the move belongs to the input the node asks. The moves of all trees and
the expectation at their roots add up to the score.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Tree:
    nodes: npt.NDArray[np.void]
    added: Values
    """Nodes x groups: what the path from the root to the node has added."""
    start: float


class Contributions:
    """The contributions of one fitted model (two classes), by group of inputs; the raw score is a log-odds."""

    def __init__(self, model: HistGradientBoostingClassifier, groups: npt.NDArray[np.intp]) -> None:
        """`groups` gives each input the number of its group, from 0."""
        size = int(np.max(groups)) + 1
        self._trees = [_tree(predictor.nodes, groups, size) for (predictor,) in model._predictors]
        self._size = size
        self.start = float(np.ravel(model._baseline_prediction)[0]) + sum(tree.start for tree in self._trees)
        """The score of who is not asked anything: the same for all."""

    def of(self, values: npt.NDArray[np.float32]) -> Values:
        """Rows x groups; with `start` they add up to the score of each row (inputs as in the training)."""
        total = np.zeros((len(values), self._size))
        for tree in self._trees:
            total += tree.added[_leaves(tree.nodes, values)]
        return total


def _tree(nodes: npt.NDArray[np.void], groups: npt.NDArray[np.intp], size: int) -> _Tree:
    expected = nodes["value"].astype(np.float64)
    count = nodes["count"].astype(np.float64)
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    left, right = nodes["left"].astype(np.intp), nodes["right"].astype(np.intp)
    for node in inner[::-1]:  # children stand behind their parents
        below = [left[node], right[node]]
        expected[node] = np.average(expected[below], weights=count[below])
    added = np.zeros((len(nodes), size))
    for node in inner:
        for child in (left[node], right[node]):
            added[child] = added[node]
            added[child, groups[nodes["feature_idx"][node]]] += expected[child] - expected[node]
    return _Tree(nodes, added, float(expected[0]))


def _leaves(nodes: npt.NDArray[np.void], values: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """The leaf each row comes to; an unknown value goes where the node sends unknown ones."""
    place = np.zeros(len(values), np.intp)
    every = np.arange(len(values))
    while True:
        at = nodes[place]
        if at["is_leaf"].all():
            return place
        value = values[every, np.where(at["is_leaf"], 0, at["feature_idx"])].astype(np.float64)
        to_left = np.where(np.isnan(value), at["missing_go_to_left"], value <= at["num_threshold"])
        place = np.where(at["is_leaf"], place, np.where(to_left, at["left"], at["right"])).astype(np.intp)
