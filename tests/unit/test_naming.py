"""Names: no two alike, none untrue, and none that passes from one cluster to another, whatever the clusters are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from db.columns import Columns as C
from models.archetypes import ARCHETYPES, Centre, in_order_of_value
from models.naming import names
from models.profiles import cluster_profiles

COLOURS = {"champions", "loyal", "new", "attention", "at_risk", "lost", "other"}


def clustered(rows: list[tuple[int, int, int, float]], gap: float = 30) -> pd.DataFrame:
    """(cluster, recency, frequency, monetary) a customer, who usually orders every `gap` days."""
    frame = pd.DataFrame(rows, columns=[C.CLUSTER, C.RECENCY, C.FREQUENCY, C.MONETARY])
    return frame.assign(**{C.SILENCE: frame[C.RECENCY] / gap})


def profile_of(shop: pd.DataFrame, currency: str = "£") -> pd.DataFrame:
    return cluster_profiles(shop, shop[C.CLUSTER].to_numpy(), currency).profile


def middling(cluster: int = 0, **told: float) -> Centre:
    """A centre in the middle of the shop, not silent, save for what is told."""
    values = {"recency": 10.0, "frequency": 4.0, "monetary": 100.0, "silence": 0.5}
    ranks = {"recency_rank": 0.5, "frequency_rank": 0.55, "monetary_rank": 0.5}
    return Centre(cluster, 100, 0.1, 0.1, **{**values, **ranks, **told})


shops = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 400), st.integers(1, 30), st.integers(-200, 5_000).map(float)),
    min_size=1,
    max_size=80,
).map(clustered)

ranks = st.floats(0, 1)
shares = st.none() | st.floats(0, 1)
centres = st.builds(
    Centre,
    cluster=st.just(0),
    customers=st.integers(1, 1_000),
    customer_share=ranks,
    revenue_share=ranks,
    recency=st.floats(0, 400),
    frequency=st.floats(1, 50),
    monetary=st.floats(-100, 5_000),
    silence=st.floats(0, 9),
    recency_rank=ranks,
    frequency_rank=ranks,
    monetary_rank=ranks,
    once=ranks,
    tenure=st.none() | st.floats(1, 900),
    tenure_rank=shares,
    shop_tenure=st.none() | st.floats(1, 900),
    discount_share=shares,
    shop_discount_share=shares,
    return_rate=shares,
    shop_return_rate=shares,
)


def numbered(clusters: list[Centre]) -> list[Centre]:
    return in_order_of_value([replace(centre, cluster=number) for number, centre in enumerate(clusters)])


runs = st.lists(centres, min_size=2, max_size=9).map(numbered)
BY_KIND = {archetype.name: archetype for archetype in ARCHETYPES}


def kind(name: str) -> str:
    return name.rstrip(" 0123456789")


@given(shops)
def test_every_shop_gets_different_complete_names(shop: pd.DataFrame) -> None:
    profile = profile_of(shop)
    assert profile[C.SEGMENT].is_unique
    assert sorted(profile[C.CLUSTER]) == sorted(shop[C.CLUSTER].unique())
    assert profile[C.POSITION].tolist() == list(range(1, len(profile) + 1))
    assert profile[C.MONETARY_MEDIAN].is_monotonic_decreasing
    assert set(profile[C.COLOUR]) <= COLOURS
    assert not profile.drop(columns=C.PARETO_SHARE).isna().any().any()
    assert profile[C.CUSTOMERS].sum() == len(shop)
    assert profile[C.CUSTOMER_SHARE].sum() == pytest.approx(1)
    assert profile[C.REVENUE].sum() == pytest.approx(shop[C.MONETARY].sum())
    for column in (C.EMOJI, C.PERSONA, C.PLAY, C.PLAYBOOK, C.PLAY_REASON, C.REASON):
        assert (profile[column].str.len() > 0).all()
        assert not profile[column].str.contains("nan|inf").any()


@given(shops)
def test_no_name_contradicts_the_segment(shop: pd.DataFrame) -> None:
    profile = profile_of(shop).set_index(C.SEGMENT)
    if len(profile) == 1:
        assert profile.index.tolist() == ["All customers"]
        return
    by_value = profile.sort_values(C.POSITION)
    if by_value[C.RECENCY_MEDIAN].iloc[0] == profile[C.RECENCY_MEDIAN].min():
        assert by_value.index[0] == "Champions", "best spend and best recency"
    shop_median = shop[C.RECENCY].median()
    for name, segment in profile.iterrows():
        if str(name).startswith(("Lost", "At risk")):
            assert segment[C.RECENCY_MEDIAN] >= shop_median, f"{name} is no longer away than others"
            assert segment[C.RECENCY_MEDIAN] > 30, f"{name} is within its usual gap"
        once = (shop.loc[shop[C.CLUSTER] == segment[C.CLUSTER], C.FREQUENCY] == 1).mean()
        if str(name).startswith("Promising"):
            assert segment[C.RECENCY_MEDIAN] <= (shop_median if once < 0.5 else 45), f"{name} is not recent"
        if str(name).startswith(("Loyal", "Regulars", "Occasional", "Needs attention", "Drifting away")):
            assert once < 0.5, f"{name} speaks of a rhythm that most have not"
        if str(name).startswith("One-time buyers"):
            assert once >= 0.5
            assert f"{once:.0%} of them ordered once" in segment[C.REASON]


@given(ranks, ranks, ranks, st.floats(0, 9), ranks)
def test_every_place_in_the_shop_has_a_name(
    recency: float, frequency: float, monetary: float, silence: float, once: float
) -> None:
    place = middling(recency_rank=recency, frequency_rank=frequency, monetary_rank=monetary, silence=silence, once=once)
    assert len(names([place, replace(place, cluster=1)], "£")) == 2


@given(runs, runs, st.randoms(use_true_random=False))
def test_from_run_to_run_names_stay_while_they_are_true_and_never_pass_to_another(
    before: list[Centre], after: list[Centre], random: object
) -> None:
    was = dict(zip((c.cluster for c in before), (n.name for n in names(before, "£")), strict=True))
    # half of the clusters of the later run are those of the earlier a little later
    grown = [replace(c, frequency_rank=min(1, c.frequency_rank + 0.01)) for c in before if c.cluster % 2]
    drawn = [replace(c, cluster=c.cluster + 5) for c in after]
    later = in_order_of_value(list({c.cluster: c for c in [*drawn, *grown]}.values()))
    assume(len(later) > 1)
    told = names(later, "£", was)
    given_names = {centre.cluster: name.name for centre, name in zip(later, told, strict=True)}
    assert len(set(given_names.values())) == len(later), "no two alike"
    for centre, name in zip(later, told, strict=True):
        archetype = BY_KIND[kind(name.name)]
        old = was.get(centre.cluster)
        assert archetype.is_true(centre, slack=name.name == old), f"{name.name} is untrue of {centre}"
        assert name.name == old or name.name not in was.values(), f"{name.name} was another's"
        if old and BY_KIND[kind(old)].is_true(centre, slack=True):
            assert name.name == old, "a name that is still true is kept"
        elif old:
            assert f"It was called {old} before" in name.reason
        else:
            assert "It is new" in name.reason


@given(runs)
def test_the_same_run_again_has_the_same_names(run: list[Centre]) -> None:
    first = [name.name for name in names(run, "£")]
    kept = {centre.cluster: name for centre, name in zip(run, first, strict=True)}
    assert [name.name for name in names(run, "£", kept)] == first
    reversed_values = in_order_of_value([replace(c, monetary=-c.monetary) for c in run])
    again = names(reversed_values, "£", kept)
    for centre, name in zip(reversed_values, again, strict=True):
        if BY_KIND[kind(kept[centre.cluster])].is_true(centre):
            assert name.name == kept[centre.cluster], "whatever the order of value is now"


@given(runs, runs)
def test_a_name_always_has_the_same_colour(one: list[Centre], other: list[Centre]) -> None:
    seen: dict[str, str] = {}
    for name in [*names(one, "£"), *names(other, "£")]:
        assert name.colour in COLOURS
        assert seen.setdefault(name.name, name.colour) == name.colour


def test_a_name_does_not_flip_at_a_border() -> None:
    """Loyal begins at the middle of the shop in orders: around it a name stays what it was."""
    just_above, just_below = (middling(frequency_rank=rank) for rank in (0.51, 0.49))
    far_below, other = middling(frequency_rank=0.3, monetary_rank=0.4), middling(1, frequency_rank=0.9)
    assert names([other, just_above], "£", {0: "Loyal"})[1].name == "Loyal"
    assert names([other, just_below], "£", {0: "Loyal"})[1].name == "Loyal"
    assert names([other, just_below], "£", {0: "Regulars"})[1].name == "Regulars"
    renamed = names([other, far_below], "£", {0: "Loyal"})
    assert renamed[1].name == "Regulars"
    assert renamed[1].reason.endswith("It was called Loyal before, which is no longer true of it.")
    assert renamed[0].name == "Loyal 2", "the name just given up goes to nobody in this run"


def test_two_of_a_kind_keep_their_names_when_they_change_places() -> None:
    small, large = (middling(number, monetary=100.0 * (number + 1), frequency_rank=0.9) for number in (0, 1))
    first = {1: "Loyal", 0: "Loyal 2"}
    assert [name.name for name in names([large, small], "£")] == ["Loyal", "Loyal 2"]
    overtaken = [replace(small, monetary=900.0), large]
    assert [name.name for name in names(overtaken, "£", first)] == ["Loyal 2", "Loyal"]


def test_a_name_told_twice_is_kept_by_one() -> None:
    told = [name.name for name in names([middling(0), middling(1)], "£", {0: "Loyal", 1: "Loyal"})]
    assert told == ["Loyal", "Regulars"]


def test_a_name_of_another_version_is_given_up_in_words() -> None:
    told = names([middling(0), middling(1)], "£", {0: "Whales", 1: "All customers"})
    assert all("no longer true" in name.reason for name in told)


@pytest.mark.parametrize(
    ("evidence", "name", "sentence"),
    [
        (
            {"discount_share": 0.62, "shop_discount_share": 0.2},
            "Price-sensitive",
            "The typical one spends 62% on discounted goods, against 20% in the shop.",
        ),
        ({"discount_share": 0.62, "shop_discount_share": 0.55}, "Loyal", ""),  # everybody buys on discount there
        ({"discount_share": 0.25, "shop_discount_share": 0.02}, "Loyal", ""),  # above the shop, and yet not much
        ({"discount_share": 0.62, "shop_discount_share": 0.2, "silence": 5.0}, "Needs attention", ""),
        (
            {"return_rate": 0.3, "shop_return_rate": 0.02},
            "Many returns",
            "The typical one sends back 30% of what was sold to them, against 2.0% in the shop.",
        ),
        ({"return_rate": 0.3, "shop_return_rate": 0.25}, "Loyal", ""),  # a shop of fashion
        (
            {"tenure": 40.0, "shop_tenure": 400.0, "tenure_rank": 0.1, "frequency_rank": 0.2},
            "New customers",
            "The typical one first bought 40 days ago, against 400 days in the shop.",
        ),
        ({"tenure": 40.0, "shop_tenure": 50.0, "tenure_rank": 0.1, "frequency_rank": 0.2}, "Regulars", ""),
        ({"tenure": 300.0, "shop_tenure": 900.0, "tenure_rank": 0.1, "frequency_rank": 0.2}, "Regulars", ""),
    ],
)
def test_special_names_rest_on_evidence(evidence: dict[str, float], name: str, sentence: str) -> None:
    told = names([middling(0, **evidence), middling(1, monetary_rank=0.4)], "£")[0]
    assert told.name == name
    assert sentence in told.reason


def test_the_numbers_of_the_evidence_come_from_the_customers() -> None:
    """Six always buy on discount, the other ten never."""
    rows = [(0, 5, 9, 100.0)] * 6 + [(1, 4, 20, 900.0)] * 10
    shop = clustered(rows).assign(**{C.DISCOUNT_SHARE: [0.9] * 6 + [0.0] * 10})
    profile = profile_of(shop).set_index(C.CLUSTER)
    assert profile[C.SEGMENT].to_dict() == {1: "Champions", 0: "Price-sensitive"}
    assert "spends 90% on discounted goods, against 0% in the shop" in str(profile.loc[0, C.REASON])


def test_the_document_has_every_name_in_its_order() -> None:
    text = (Path(__file__).parents[2] / "docs" / "segments.md").read_text()
    table = text.split("| name | true where", 1)[1].split("\n\n", 1)[0]
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:]] == [a.name for a in ARCHETYPES]


def test_as_many_clusters_as_one_likes_have_different_names() -> None:
    alike = [middling(number, recency_rank=0.7, frequency_rank=0.2, monetary_rank=0.2) for number in range(60)]
    given_names = [name.name for name in names(alike, "£")]
    assert len(set(given_names)) == 60
    assert {"Promising", "Promising 2", "Promising 11"} <= set(given_names)


def test_textbook_segments_get_their_textbook_names() -> None:
    groups = {"Champions": (3, 20, 5000), "Promising": (6, 1, 60), "At risk": (200, 12, 2000), "Lost": (300, 1, 40)}
    rows = [
        (cluster, recency + spread, frequency, float(monetary + spread))
        for cluster, (recency, frequency, monetary) in enumerate(groups.values())
        for spread in range(10)
    ]
    profile = profile_of(clustered(rows)).set_index(C.CLUSTER)
    assert profile[C.SEGMENT].to_dict() == dict(enumerate(groups))
    assert profile.loc[0, C.PERSONA] == (
        "The shop's best customers: 10 customers (25% of all, 70% of revenue), typically 20 orders, £5,004 spent, "
        "the last purchase 8 days ago."
    )


def test_a_grocers_slower_customers_are_not_lost() -> None:
    often, slower, rare = (0, 2, 90, 2700.0), (1, 10, 29, 800.0), (2, 55, 8, 150.0)
    profile = profile_of(clustered([often] * 10 + [slower] * 9 + [rare] * 4, gap=12))
    assert profile[C.SEGMENT].tolist() == ["Champions", "Regulars", "Lost"], "ten days are within a gap of twelve"


def test_names_of_labels_are_those_of_the_profile() -> None:
    rows = [(3, 3, 20, 5000.0)] * 4 + [(7, 300, 1, 40.0)] * 5
    labels = np.array([3] * 4 + [7] * 5, np.int16)
    profiles = cluster_profiles(clustered(rows), labels, "£")
    assert profiles.names == {3: "Champions", 7: "Lost"}
    assert profiles.named(labels).tolist() == ["Champions"] * 4 + ["Lost"] * 5
