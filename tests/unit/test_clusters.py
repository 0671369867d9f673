"""Points, the two methods in one contract, matching by hand, and the votes on the number of clusters."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from db.columns import Columns as C
from models.configuration import Method
from models.matching import FAR, numbered
from models.methods import NARROWEST, Fitted, Mixture, fit, from_json
from models.number_of_clusters import Curves, curves, elbow, first_without_gain
from models.pca import pca
from models.points import Capped, Floats, Scale, Transform, learned

METHODS: tuple[Method, ...] = ("kmeans", "mixture")
NAN = float("nan")


def clouds(centres: list[tuple[float, ...]], each: int = 60, seed: int = 3) -> Floats:
    """Points around centres, the standard deviation a tenth."""
    random = np.random.default_rng(seed)
    return np.concatenate([random.normal(centre, 0.1, (each, len(centre))) for centre in centres])


SQUARE = clouds([(0, 0), (0, 2), (2, 0), (2, 2)])


def test_outliers_are_drawn_in_and_told() -> None:
    """Of 200 customers 1% is two: at each end the two farthest are drawn in to the next."""
    features = pd.DataFrame({C.FREQUENCY: np.arange(1, 201)})
    scale = learned(features, [C.FREQUENCY], "log", 0.01)
    assert scale.capped(features) == [Capped(C.FREQUENCY, 2.0, 199.0, 1, 1)]
    points = scale.points(features)[:, 0]
    assert points[0] == points[1] < points[2]
    assert points[-3] < points[-2] == points[-1]
    assert (points.mean(), points.std()) == pytest.approx((0, 1))
    few = features.iloc[:50]
    assert learned(few, [C.FREQUENCY], "log", 0.01).capped(few) == [], "one in a hundred of fifty is nobody"


def test_values_are_taken_as_they_are_where_asked() -> None:
    features = pd.DataFrame({C.MONETARY: [-50.0, 0.0, 10.0, 10_000.0], C.FREQUENCY: [1, 1, 1, 1]})
    scale = learned(features, [C.MONETARY, C.FREQUENCY], "none", 0.2)
    values = features[C.MONETARY].to_numpy()
    assert scale.points(features)[:, 0] == pytest.approx((values - values.mean()) / values.std())
    assert scale.points(features)[:, 1].tolist() == [0, 0, 0, 0], "what all have alike tells nobody apart"
    assert scale.capped(features) == []


def test_shares_are_not_logged_and_debts_count_as_nothing() -> None:
    features = pd.DataFrame({C.RETURN_RATE: [0.0, 0.5, 1.0], C.MONETARY: [-80.0, 0.0, 9.0]})
    scale = learned(features, [C.RETURN_RATE, C.MONETARY], "log", 0)
    rate, money = scale.points(features).T
    assert rate[2] - rate[1] == pytest.approx(rate[1] - rate[0])
    assert money[0] == money[1] < money[2]


def test_who_ordered_once_waits_at_least_since_then() -> None:
    """The shop's median gap is 20 days; nobody's assumed gap is shorter, and who came 300 days ago waits for 300."""
    features = pd.DataFrame({C.GAP: [10.0, 20.0, 30.0, NAN, NAN], C.TENURE: [99, 99, 99, 3, 300]})
    scale = learned(features, [C.GAP], "none", 0)
    assert scale.restored(scale.points(features))[:, 0] == pytest.approx([10, 20, 30, 20, 300])
    nobody = features.assign(**{C.GAP: NAN})
    assert np.isfinite(learned(nobody, [C.GAP], "log", 0.01).points(nobody)).all()


numbers = st.one_of(st.floats(-1e9, 1e9), st.sampled_from([NAN, float("inf")]))


@given(
    st.lists(st.tuples(numbers, numbers, st.integers(0, 5_000)), min_size=1, max_size=30),
    st.sampled_from(["log", "none"]),
    st.sampled_from([0, 0.005, 0.2]),
)
def test_a_scale_is_finite_and_outlives_json(rows: list[tuple[float, ...]], how: Transform, share: float) -> None:
    features = pd.DataFrame(rows, columns=[C.MONETARY, C.GAP, C.TENURE])
    scale = learned(features, [C.MONETARY, C.GAP, C.TENURE], how, share)
    stored = Scale.from_json(json.loads(json.dumps(scale.as_json(), allow_nan=False)))
    assert stored == scale
    assert np.isfinite(scale.points(features)).all()
    assert (stored.points(features) == scale.points(features)).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", [2, 3, 5])
def test_labels_are_those_of_scikit_learn(method: Method, k: int) -> None:
    found = fit(method, SQUARE, k, seed=5, n_init=3)
    if method == "kmeans":
        theirs = KMeans(k, n_init=3, random_state=5).fit_predict(SQUARE)
    else:
        theirs = GaussianMixture(k, reg_covar=NARROWEST, n_init=3, random_state=5).fit_predict(SQUARE)
    pairs = set(zip(found.labels(SQUARE).tolist(), theirs.tolist(), strict=True))
    assert len(pairs) == len(found.centres) == len(set(theirs)), "one of theirs for each of ours"


@pytest.mark.parametrize("method", METHODS)
def test_a_label_depends_on_the_point_alone_and_outlives_json(method: Method) -> None:
    found = fit(method, SQUARE, 3, seed=5, n_init=3)
    together = found.labels(SQUARE)
    assert [int(found.labels(SQUARE[at : at + 1])[0]) for at in range(len(SQUARE))] == together.tolist()
    stored = from_json(json.loads(json.dumps(found.as_json(), allow_nan=False)))
    assert (stored.labels(SQUARE) == together).all()
    assert found.labels(SQUARE[:0]).tolist() == []


@pytest.mark.parametrize("method", METHODS)
def test_many_points_are_begun_on_a_sample(method: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.methods.STARTS_SAMPLE", {"kmeans": 100, "mixture": 100})
    monkeypatch.setattr("models.methods.MIXTURE_SAMPLE", 150)
    found = fit(method, SQUARE, 4, seed=5, n_init=3)
    assert np.bincount(found.labels(SQUARE)).tolist() == [60, 60, 60, 60]


@pytest.mark.parametrize("method", METHODS)
def test_a_scale_changes_the_units_and_not_the_clusters(method: Method) -> None:
    features = pd.DataFrame(np.exp(SQUARE), columns=[C.MONETARY, C.AVERAGE_ORDER])
    one = learned(features, [C.MONETARY, C.AVERAGE_ORDER], "log", 0)
    other = replace(one, mean=(5.0, -3.0), spread=(0.5, 7.0))
    found = fit(method, one.points(features), 4, seed=5, n_init=3)
    assert (found.rescaled(one, other).labels(other.points(features)) == found.labels(one.points(features))).all()


def test_a_component_without_members_is_left_out() -> None:
    """Two components of one shape in one place: the lighter is nowhere the likelier."""
    twice = Mixture(np.zeros((2, 2)), np.array([0.7, 0.3]), np.stack([np.eye(2)] * 2))
    points = np.random.default_rng(2).normal(size=(300, 2))
    found = fit("mixture", points, 2, seed=1, n_init=1, start=twice)
    assert len(found.centres) == 1
    assert set(found.labels(points)) == {0}


def test_matched_centres_keep_their_numbers() -> None:
    """Three stay where they were, in another order; one is far from all and gets a number never given."""
    before = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 0.0]])
    now = np.array([[9.0, 9.0], [2.1, 0.0], [0.0, 0.1], [0.1, 2.0]])
    assert numbered(now, before, (4, 7, 5), 8) == (9, 5, 4, 7)


def test_a_centre_nearer_to_another_predecessor_is_no_successor() -> None:
    """Of two near the same old centre one follows it; the other would be left with one that it is not nearest to."""
    before = np.array([[0.0], [0.9]])
    now = np.array([[0.0], [0.3]])
    assert numbered(now, before, (0, 1), 1) == (0, 2)


def test_too_far_is_another_cluster() -> None:
    assert numbered(np.array([[FAR * 0.99]]), np.zeros((1, 1)), (0,), 3) == (0,)
    assert numbered(np.array([[FAR * 1.01]]), np.zeros((1, 1)), (0,), 3) == (4,)
    assert numbered(np.zeros((2, 1)), np.zeros((0, 1)), (), 3) == (4, 5)


points = st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=6)


@given(points, points)
def test_no_number_goes_to_two_and_each_is_the_nearest(
    before: list[tuple[float, float]], now: list[tuple[float, float]]
) -> None:
    found = numbered(np.array(now), np.array(before), range(len(before)), len(before) - 1)
    assert len(set(found)) == len(now)
    for number, centre in zip(found, now, strict=True):
        far = np.linalg.norm(np.array(before) - centre, axis=1)
        assert number >= len(before) or far[number] == np.min(far)


def test_the_elbow_is_where_the_curve_bends() -> None:
    assert elbow({2: 100, 3: 60, 4: 20, 5: 18, 6: 16, 7: 14}) == [4]
    assert elbow({2: 40, 3: 30, 4: 20, 5: 10}) == [], "a straight line bends nowhere"
    assert elbow({2: 40, 3: 30}) == []


def test_the_rule_of_the_gap() -> None:
    """Tibshirani, Walther, Hastie: the smallest k with gap(k) >= gap(k + 1) - s(k + 1)."""
    error = {2: 0.01, 3: 0.9, 4: 0.01, 5: 0.05, 6: 0.01}
    assert first_without_gain({2: 0, 3: 0.5, 4: 0.9, 5: 0.94, 6: 0.8}, error) == [4]
    assert first_without_gain({2: 0, 3: 0.5, 4: 0.9, 5: 1.3}, error) == []


def test_the_votes_decide_and_names_that_stay_have_one() -> None:
    votes = {"silhouette": [4], "elbow": [5], "gap": [4], "stability": [5]}
    even = Curves([3, 4, 5], [0.2, 0.412, 0.3], [9, 8, 7], [0, 1, 0], [0, 0, 0], [0.8, 0.9, 0.93], votes)
    assert even.best() == 5, "the more stable of two"
    assert even.best(before=4) == 4
    assert even.best(before=3) == 5
    assert (
        even.sentence(4) == "silhouette (0.412) and the gap statistic speak for it; the elbow and stability point to 5"
    )
    ahead = replace(even, votes={"silhouette": [4], "elbow": [5], "gap": [5], "stability": [3]})
    assert ahead.best(before=4) == 4, "one vote more is not worth other names"
    clear = replace(even, votes={"silhouette": [4], "elbow": [4], "gap": [], "stability": [3, 4]})
    assert clear.best(before=5) == 4
    assert clear.sentence(12) == (
        "no criterion speaks for it; silhouette and the elbow point to 4; the gap statistic cannot tell; "
        "stability points to 3 and 4"
    )


@pytest.mark.parametrize("method", METHODS)
def test_every_criterion_sees_five_clouds(method: Method) -> None:
    found = curves(method, clouds([(0, 0), (0, 3), (3, 0), (3, 3), (6, 6)]), seed=1)
    assert found is not None
    assert found.best() == 5
    assert all(5 in voted for voted in found.votes.values())
    assert found.stability[found.k.index(5)] == 1


def test_too_few_different_points_have_no_curves() -> None:
    assert curves("kmeans", np.array([[0.0], [1.0]] * 40), seed=1) is None
    assert curves("kmeans", np.array([[0.0], [1.0], [2.0]]), seed=1) is None
    some = curves("kmeans", np.array([[0.0], [1.0], [2.0], [5.0]] * 20), seed=1)
    assert some is not None
    assert some.k == [3, 4]
    assert np.isfinite([some.silhouette, some.inertia, some.gap, some.gap_se, some.stability]).all()


def test_a_small_shop_gets_no_segments_of_a_handful() -> None:
    scattered = np.random.default_rng(5).normal(size=(99, 2))
    few, enough = curves("kmeans", scattered[:20], seed=1), curves("kmeans", scattered, seed=1)
    assert few is not None
    assert enough is not None
    assert (few.k, enough.k) == ([3], [3, 4]), "twenty customers for each"


def test_the_picture_shows_the_longest_axes_first() -> None:
    """Along the diagonal 3, across 1, and 0.1 in the third direction: shares 9, 1 and 0.01 of 10.01."""
    random = np.random.default_rng(1)
    along, across, little = random.normal(size=(3, 20_000)) * np.array([[3], [1], [0.1]])
    points = np.stack([along + across, across - along, little * np.sqrt(2)], axis=1) / np.sqrt(2)
    found = pca(points, ["a", "b", "c"])
    assert found.explained == pytest.approx((9 / 10.01, 1 / 10.01), abs=0.005)
    assert np.abs(found.loadings) == pytest.approx(
        np.array([[0.5**0.5, 0.5**0.5, 0], [0.5**0.5, 0.5**0.5, 0]]), abs=0.02
    )
    assert found.coordinates(points).std(axis=0) == pytest.approx((3, 1), rel=0.02)
    assert pca(points[::-1], ["a", "b", "c"]).loadings == pytest.approx(found.loadings), "never mirrored"


@pytest.mark.parametrize("points", [np.zeros((1, 1)), np.zeros((5, 3)), np.array([[1.0], [2.0]])])
def test_a_picture_of_little_is_no_error(points: Floats) -> None:
    found = pca(points, ["x"] * points.shape[1])
    assert np.isfinite(found.coordinates(points)).all()
    json.dumps(found.as_json(), allow_nan=False)


def test_the_contract_says_which_method_it_is() -> None:
    found: list[Fitted] = [fit(method, SQUARE, 2, seed=1, n_init=1) for method in METHODS]
    assert [one.method for one in found] == list(METHODS)
