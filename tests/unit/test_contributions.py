"""What each input adds to the score of trees: a tree by hand, and sums against the model's own scores."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

from models.recommenders.contributions import Contributions


def test_a_tree_by_hand() -> None:
    """Input 0 up to 1.5 gives 1 (4 rows); else input 1, up to 0.5 or unknown, gives -2 (2 rows), else 1/2 (4 rows)."""
    nodes = np.zeros(5, PREDICTOR_RECORD_DTYPE)
    nodes["is_leaf"] = [0, 1, 0, 1, 1]
    nodes["value"] = [99, 1, 99, -2, 0.5]  # what stands in a node that asks is not looked at
    nodes["count"] = [10, 4, 6, 2, 4]
    nodes["left"][[0, 2]], nodes["right"][[0, 2]] = [1, 3], [2, 4]
    nodes["feature_idx"][[0, 2]], nodes["num_threshold"][[0, 2]] = [0, 1], [1.5, 0.5]
    nodes["missing_go_to_left"][2] = 1
    model = SimpleNamespace(_predictors=[[SimpleNamespace(nodes=nodes)]], _baseline_prediction=np.array([[0.25]]))
    inner = (2 * -2 + 4 / 2) / 6
    root = (4 * 1 + 6 * inner) / 10
    found = Contributions(model, np.array([0, 1]))
    assert found.start == pytest.approx(0.25 + root)
    rows = np.array([[1.5, 9], [2, 0.5], [2, 0.6], [np.nan, np.nan]], np.float32)
    expected = [[1 - root, 0], [inner - root, -2 - inner], [inner - root, 0.5 - inner], [inner - root, -2 - inner]]
    assert found.of(rows) == pytest.approx(np.array(expected))
    together = Contributions(model, np.array([0, 0])).of(rows)
    assert together == pytest.approx(np.sum(expected, axis=1, keepdims=True)), "a group is the sum of its inputs"


@pytest.mark.parametrize("seed", range(3))
def test_the_contributions_add_up_to_the_score(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=(4_000, 6)).astype(np.float32)
    values[:, 3] = random.integers(0, 4, 4_000)
    likely = values[:, 0] + (values[:, 3] > 1) * values[:, 1] > 0.5
    values[random.random(values.shape) < 0.2] = np.nan
    values[:, 5] = 3
    model = HistGradientBoostingClassifier(max_iter=60, max_features=0.5, early_stopping=False, random_state=seed)
    model.fit(values, likely)
    asked = np.vstack([values, np.full((1, 6), np.nan, np.float32), np.full((1, 6), 1e30, np.float32)])
    found = Contributions(model, np.array([0, 1, 1, 2, 2, 0]))
    parts = found.of(asked)
    assert parts.shape == (len(asked), 3)
    np.testing.assert_allclose(found.start + parts.sum(axis=1), model.decision_function(asked), rtol=0, atol=1e-9)
    alone = Contributions(model, np.arange(6)).of(asked)
    assert (alone[:, 5] == 0).all(), "what is the same everywhere says nothing"
    assert np.abs(alone[:, 0]).mean() > 3 * np.abs(alone[:, 4]).mean(), "what decides says more than what does not"
