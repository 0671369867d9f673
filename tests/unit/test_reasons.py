"""Reasons in hand-made shops: the purchase that speaks most is named, and what is named is true."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from db.columns import Columns as C
from models.baskets import product_pairs, together
from models.reasons import reasons
from models.recommenders.training import Training, training

AT = pd.Timestamp("2024-06-01").to_pydatetime()
Pair = tuple[str, str]
Group = tuple[str | None, str | None]
"""Segment and country."""
Bought = tuple[str, str, float]
"""Customer, product, days ago."""
ALIKE = [C.PRODUCT_ID, C.OTHER_PRODUCT_ID, C.SIMILARITY]


def shop(
    bought: Sequence[Bought],
    names: dict[str, str | None] | None = None,
    customers: dict[str, Group] | None = None,
) -> Training:
    """A shop of these purchases; a product's name is its id, a customer is (segment, country)."""
    rows = pd.DataFrame(bought, columns=[C.CUSTOMER_ID, C.PRODUCT_ID, "days"])
    rows[C.ORDERED_AT] = [AT - timedelta(days=days) for days in rows["days"]]
    rows[C.ORDER_ID] = rows[C.CUSTOMER_ID] + "/" + rows["days"].astype(str)
    who = customers or dict.fromkeys(rows[C.CUSTOMER_ID], ("Loyal", "France"))
    ids = rows[C.PRODUCT_ID].unique()
    nothing = dict.fromkeys((C.CATEGORY, C.DEPARTMENT, C.BRAND, C.PRICE))
    return training(
        rows.drop(columns="days"),
        pd.DataFrame({C.PRODUCT_ID: ids, C.NAME: [(names or {}).get(i, i) for i in ids], **nothing}),
        pd.DataFrame(
            {
                C.CUSTOMER_ID: list(who),
                C.SEGMENT: [segment for segment, _ in who.values()],
                C.COUNTRY: [country for _, country in who.values()],
                C.ATTRIBUTES: "{}",
            }
        ),
        AT,
        min_buyers=1,
    )


def pairs(
    lift: dict[tuple[str, str], float] | None = None, alike: dict[tuple[str, str], float] | None = None
) -> pd.DataFrame:
    """The table product_pair of these lifts and likenesses."""
    frames = [
        pd.DataFrame([(*pair, value) for pair, value in (told or {}).items()], columns=[*ALIKE[:2], column])
        for told, column in ((lift, C.LIFT), (alike, C.SIMILARITY))
    ]
    return frames[0].merge(frames[1], on=ALIKE[:2], how="outer")


def told(
    known: Training, table: pd.DataFrame, product: str, kind: str = "discover", customer: str = "ann"
) -> tuple[str, object]:
    """The reason of one row of Ann's, and the product it names."""
    rows = pd.DataFrame({C.CUSTOMER_ID: ["ann"], C.PRODUCT_ID: [product], C.KIND: [kind]}, index=[7])
    reason = reasons(rows, known, table)
    assert reason.index.tolist() == [7]
    because = reason[C.BECAUSE].iloc[0]
    return reason[C.REASON].iloc[0], None if pd.isna(because) else because


ANN: list[Bought] = [("ann", "lamp", 10), ("ann", "mug", 20), ("bob", "light", 5), ("bob", "kettle", 5)]


def test_the_strongest_rule_speaks() -> None:
    known = shop(ANN, {"lamp": "RABBIT NIGHT LIGHT"})
    table = pairs({("lamp", "light"): 4.06, ("mug", "light"): 2.0, ("kettle", "light"): 99.0}, {("mug", "light"): 0.9})
    assert told(known, table, "light") == ("Bought RABBIT NIGHT LIGHT; often bought together with it, lift 4.1", "lamp")


def test_without_a_rule_the_likest_purchase_speaks() -> None:
    table = pairs({("kettle", "light"): 9.0, ("lamp", "light"): 1.1}, {("lamp", "light"): 0.3, ("light", "mug"): 0.8})
    assert told(shop(ANN), table, "light") == ("Bought mug, which is much like it", "mug")


@pytest.mark.parametrize(
    ("bought", "speaks"),
    [
        ([("ann", "lamp", 100), ("ann", "mug", 20)], "mug"),
        ([("ann", "lamp", 20), ("ann", "mug", 100)], "lamp"),
        ([("ann", "lamp", 20), ("ann", "mug", 21), ("ann", "mug", 150)], "mug"),
        ([("ann", "lamp", 20), ("ann", "mug", 20)], "lamp"),
    ],
    ids=["the later", "the later too", "the oftener", "else the smaller id"],
)
def test_among_equals_the_one_bought_oftener_and_later_speaks(bought: list[Bought], speaks: str) -> None:
    known = shop([*bought, ("bob", "light", 5)])
    table = pairs({("lamp", "light"): 4.01, ("mug", "light"): 3.99})  # both are shown as 4.0
    assert told(known, table, "light")[1] == speaks


def test_one_of_the_same_name_never_speaks() -> None:
    known = shop(ANN, {"lamp": "Night  light", "light": "NIGHT LIGHT"})
    table = pairs({("lamp", "light"): 9.0, ("mug", "light"): 2.0}, {("lamp", "light"): 0.9})
    assert told(known, table, "light")[1] == "mug"


def test_the_product_itself_never_speaks_though_it_was_bought_long_ago() -> None:
    table = pairs({("lamp", "lamp"): 9.0}, {("lamp", "lamp"): 1.0})
    assert told(shop(ANN), table, "lamp")[1] is None


def test_names_are_told_as_they_are() -> None:
    hostile = "<b>{name} %s\x1b[31m\n</b>"
    known = shop(ANN, {"lamp": f"\u202e{hostile}\u2067", "mug": None})
    told_of = told(known, pairs({("lamp", "light"): 2.0}), "light")[0]
    assert told_of.startswith(f"Bought {hostile}; often"), "but for marks that turn a text around"
    assert told(known, pairs({}, {("mug", "light"): 0.5}), "light")[0] == "Bought product mug, which is much like it"


@pytest.mark.parametrize(
    ("ann", "others", "reason"),
    [
        (("Champions", "France"), (209, 9, 781), "32 of 210 customers in Champions bought it in the last 28 days"),
        (("Lost", "Norway"), (210, 8, 781), "6 of 9 customers in Norway bought it in the last 28 days"),
        (("Lost", "France"), (210, 9, 780), "39 of 1,000 customers bought it in the last 28 days"),
        ((None, None), (210, 9, 780), "39 of 1,000 customers bought it in the last 28 days"),
    ],
)
def test_where_no_purchase_speaks_others_do(ann: Group, others: tuple[int, int, int], reason: str) -> None:
    """The customer's segment or country is told of where it likes the product clearly better than all do."""
    customers: dict[str, Group] = {"ann": ann}
    bought: list[Bought] = [("ann", "mug", 400)]
    groups = ("Champions", "France"), ("New", "Norway"), ("Lost", "France")
    for group, size, buyers in zip(groups, others, (32, 6, 1), strict=True):
        names = [f"{group[0]} {number}" for number in range(size)]
        customers |= dict.fromkeys(names, group)
        bought += [(name, "light", 3) for name in names[:buyers]]
    known = shop(bought, customers=customers)
    assert told(known, pairs(), "light")[0] == reason
    popular = told(known, pairs({("mug", "light"): 9.0}), "light", "popular")
    assert popular == ("39 of 1,000 customers bought it in the last 28 days", None)


def test_what_nobody_bought_of_late_is_told_by_all_who_did() -> None:
    bought = [(f"c{number}", "light", 40.0) for number in range(3)] + [("ann", "mug", 1)]
    assert told(shop(bought), pairs(), "light") == ("3 customers bought it", None)


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        ([86, 72, 58, 44, 30, 16], "Bought 6 times, about every 14 days, last 16 days ago: due"),
        ([66, 36, 6], "Bought 3 times, about every 30 days, last 6 days ago: due in about 24 days"),
        ([100, 80, 60.5], "Bought 3 times, about every 20 days, last 60 days ago: overdue"),
        ([43.2, 20.1], "Bought twice, 23 days apart, last 20 days ago: due in about 3 days"),
        ([9, 8, 7], "Bought 3 times, about every 1 day, last 7 days ago: overdue"),
        ([5.3, 5.1], "Bought twice, last 5 days ago"),
        ([31, 0.5], "Bought twice, 30 days apart, last today: due in about 30 days"),
        ([40], "Bought once, 40 days ago"),
        ([1.5], "Bought once, 1 day ago"),
    ],
)
def test_what_to_buy_again_is_told_by_the_own_rhythm(days: list[float], reason: str) -> None:
    known = shop([("ann", "milk", ago) for ago in days] + [("ann", "mug", 3), ("bob", "milk", 10)])
    table = pairs({("mug", "milk"): 9.0})
    assert told(known, table, "milk", "buy_again") == (reason, None)


def test_what_was_bought_once_is_told_by_how_soon_others_buy_it_again() -> None:
    others = [
        (f"c{number}", "milk", ago) for number, gap in enumerate([10, 30, 35, 60, 90]) for ago in (100, 100 - gap)
    ]
    ann: Bought = ("ann", "milk", 40)
    after = "Bought once, 40 days ago; others buy it again after about 35 days"
    assert told(shop([ann, *others]), pairs(), "milk", "buy_again")[0] == after
    assert told(shop([ann, *others[2:]]), pairs(), "milk", "buy_again")[0] == "Bought once, 40 days ago"


def test_no_rows_no_reasons_and_no_strangers() -> None:
    known, rows = shop(ANN), pd.DataFrame({C.CUSTOMER_ID: ["ann"], C.PRODUCT_ID: ["light"], C.KIND: ["discover"]})
    assert reasons(rows[:0], known, pairs()).columns.tolist() == [C.REASON, C.BECAUSE]
    for column in (C.CUSTOMER_ID, C.PRODUCT_ID):
        with pytest.raises(KeyError, match="not in the training"):
            reasons(rows.assign(**{column: "stranger"}), known, pairs())


@pytest.mark.parametrize("seed", range(8))
def test_what_is_named_is_true(seed: int) -> None:
    """Whatever was bought: the named purchase is the customer's own, and the lift is the strongest of the table."""
    random = np.random.default_rng(seed)
    who, what, days = random.choice([*"abcdef"], 40), random.choice([*"UVWXYZ"], 40), random.integers(1, 9, 40)
    bought: list[Bought] = sorted(set(zip(who.tolist(), what.tolist(), days.tolist(), strict=True)))
    known = shop(bought, dict.fromkeys("UV", "Twin"))
    orders = pd.DataFrame(bought, columns=[C.CUSTOMER_ID, C.PRODUCT_ID, "days"])
    orders[C.ORDER_ID] = orders[C.CUSTOMER_ID] + orders["days"].astype(str)
    rules = together(orders[[C.ORDER_ID, C.PRODUCT_ID]].astype("category"), known.products, 1).rules
    ids = known.products[C.PRODUCT_ID].tolist()
    alike = pd.DataFrame([(*pair, 0.5) for pair in permutations(ids, 2)], columns=ALIKE)
    rows = pd.MultiIndex.from_product(
        [known.customers[C.CUSTOMER_ID], ids, ["discover", "buy_again", "popular"]],
        names=[C.CUSTOMER_ID, C.PRODUCT_ID, C.KIND],
    ).to_frame(index=False)
    found = rows.join(reasons(rows, known, product_pairs(rules, alike[::3])))
    own = Counter((customer, product) for customer, product, _ in bought)
    sides = rules[C.PRODUCT_ID], rules[C.OTHER_PRODUCT_ID], rules[C.LIFT]
    lifts = {frozenset((one, other)): float(lift) for one, other, lift in zip(*sides, strict=True)}
    spoke = 0
    for customer, product, kind, reason, because in found.to_numpy(object).tolist():
        if isinstance(because, str):
            spoke += 1
            assert kind == "discover" or (kind == "buy_again" and not own[customer, product])
            assert own[customer, because]
            assert because != product
            assert {because, product} != {"U", "V"}
            assert reason.startswith(f"Bought {'Twin' if because in 'UV' else because}")
            if shown := re.search(r"lift ([\d.,]+)$", reason):
                rivals = [lifts.get(frozenset((other, product)), 0) for who, other in own if who == customer]
                assert float(shown[1]) == pytest.approx(lifts[frozenset((because, product))], abs=0.0501)
                assert float(shown[1]) >= max(rivals) - 0.0501
        elif kind == "buy_again" and own[customer, product]:
            times = {1: "once", 2: "twice"}.get(own[customer, product], f"{own[customer, product]} times")
            assert reason.startswith(f"Bought {times}, ")
        else:
            assert "bought it" in reason
    assert spoke > 10
