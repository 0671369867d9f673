"""The kinds of segments a shop may have: what must be true of a cluster's typical customer, and what to do about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from models.wording import counted, percent

MOSTLY = 0.5
"""From this share of one-time buyers on nothing is said of gaps between orders: most have none."""


@dataclass(frozen=True)
class Centre:
    """A cluster's typical (median) customer; ranks run from 0 (the shop's worst) to 1 (its best).

    Silence counts the usual gaps between orders that have passed since the last. Tenure is in days, its rank 0 for the
    newest customers. What the data do not have is None; `shop_...` is the median of all customers.
    """

    cluster: int
    customers: int
    customer_share: float
    revenue_share: float
    recency: float
    frequency: float
    monetary: float
    silence: float
    recency_rank: float
    frequency_rank: float
    monetary_rank: float
    tenure: float | None = None
    tenure_rank: float | None = None
    shop_tenure: float | None = None
    discount_share: float | None = None
    shop_discount_share: float | None = None
    return_rate: float | None = None
    shop_return_rate: float | None = None
    once: float = 0.0
    """The share of the cluster's customers who ordered once; they have no gap of their own."""
    lead: float = -1.0
    """How far the cluster's ranks in recency and in spend are above those of the next best; below 0: one is not."""

    @property
    def value_rank(self) -> float:
        """Orders and spend together."""
        return (self.frequency_rank + self.monetary_rank) / 2

    @property
    def discount_excess(self) -> float | None:
        """By how much the share of spend on discount exceeds the shop's."""
        return _excess(self.discount_share, self.shop_discount_share)

    @property
    def return_excess(self) -> float | None:
        """By how much the return rate exceeds the shop's."""
        return _excess(self.return_rate, self.shop_return_rate)

    @property
    def tenure_ratio(self) -> float | None:
        """Tenure over the shop's."""
        return self.tenure / self.shop_tenure if self.tenure is not None and self.shop_tenure else None


@dataclass(frozen=True)
class Condition:
    """A measure of a centre is at least, or below, a bound."""

    measure: str
    bound: float
    at_least: bool

    def holds(self, centre: Centre, slack: bool) -> bool:
        """Whether it is true of the centre; with `slack`, of one that has not left it by more than the measure's."""
        value: float | None = getattr(centre, self.measure)
        give = _SLACK.get(self.measure, _RANK_SLACK) if slack else 0.0
        if value is None:
            return False
        return value >= self.bound - give if self.at_least else value < self.bound + give


@dataclass(frozen=True)
class Archetype:
    """A kind of segment; true of a centre of which all conditions of one of its rules are."""

    name: str
    colour: str
    emoji: str
    rules: tuple[tuple[Condition, ...], ...]
    character: str
    play: str
    playbook: str
    evidence: Callable[[Centre], str] | None = None
    """What its name rests on beside recency, orders, spend and silence."""

    def is_true(self, centre: Centre, slack: bool = False) -> bool:
        """Whether the name may be given to the centre; with `slack`, whether one that has it may keep it."""
        return any(all(condition.holds(centre, slack) for condition in rule) for rule in self.rules)


def in_order_of_value(centres: Sequence[Centre]) -> list[Centre]:
    """The centres from the most to the least valuable: by spend, then orders, then recency; with `lead` set."""
    ordered = sorted(centres, key=lambda c: (-c.monetary, -c.frequency, c.recency, c.cluster))
    return [replace(centre, lead=_lead(centre, ordered)) for centre in ordered]


def _lead(centre: Centre, centres: Sequence[Centre]) -> float:
    others = [other for other in centres if other.cluster != centre.cluster]
    return min(
        (min(centre.recency_rank - other.recency_rank, centre.monetary_rank - other.monetary_rank) for other in others),
        default=-1.0,
    )


def _excess(own: float | None, shop: float | None) -> float | None:
    return None if own is None or shop is None else own - shop


def _at_least(measure: str, bound: float) -> Condition:
    return Condition(measure, bound, at_least=True)


def _below(measure: str, bound: float) -> Condition:
    return Condition(measure, bound, at_least=False)


def _discounts(centre: Centre) -> str:
    return (
        f"The typical one spends {percent(centre.discount_share or 0)} on discounted goods, "
        f"against {percent(centre.shop_discount_share or 0)} in the shop."
    )


def _returns(centre: Centre) -> str:
    return (
        f"The typical one sends back {percent(centre.return_rate or 0)} of what was sold to them, "
        f"against {percent(centre.shop_return_rate or 0)} in the shop."
    )


def _newness(centre: Centre) -> str:
    return (
        f"The typical one first bought {counted(round(centre.tenure or 0), 'day')} ago, "
        f"against {counted(round(centre.shop_tenure or 0), 'day')} in the shop."
    )


def _single_orders(centre: Centre) -> str:
    return f"{percent(centre.once)} of them ordered once."


# a name once given is left only by this much: at a border it would else change from run to run for nothing
_RANK_SLACK = 0.05
_SLACK = {"silence": 0.3, "tenure": 14.0, "tenure_ratio": 0.1}

_LOW, _MIDDLE, _HIGH, _TOP = 0.3, 0.5, 0.6, 0.7
_ACTIVE, _SILENT, _GONE = _below("silence", 1.5), _at_least("silence", 1.5), _at_least("silence", 3.0)
_RECENT, _AWAY = _at_least("recency_rank", _MIDDLE), _below("recency_rank", _MIDDLE)
_SMALL = _below("value_rank", _MIDDLE)
_ONCE, _AGAIN = _at_least("once", MOSTLY), _below("once", MOSTLY)

# from the most to the least telling; without the three that rest on more than recency, orders, spend and silence some
# archetype is still true of every centre, which a test proves
ARCHETYPES = (
    Archetype(
        "Champions",
        "champions",
        "🏆",
        (
            (_at_least("lead", 0.0),),
            (_ACTIVE, _at_least("recency_rank", _HIGH), _at_least("value_rank", _TOP)),
        ),
        "The shop's best customers",
        "retain",
        "Reward and keep them: early access, a personal contact, a referral offer; no blanket discounts.",
    ),
    Archetype(
        "Many returns",
        "other",
        "↩️",
        ((_ACTIVE, _at_least("return_rate", 0.15), _at_least("return_excess", 0.1)),),
        "Customers who send much of it back",
        "retain",
        "Find out what comes back and why before selling them more: sizes, pictures, descriptions, quality.",
        _returns,
    ),
    Archetype(
        "Price-sensitive",
        "attention",
        "🏷️",
        ((_ACTIVE, _at_least("discount_share", 0.4), _at_least("discount_excess", 0.15)),),
        "Customers who buy at a discount",
        "grow",
        "Tell them of offers that run anyway and of good value at full price; give them no discount of their own.",
        _discounts,
    ),
    Archetype(
        "Loyal",
        "loyal",
        "💚",
        ((_ACTIVE, _AGAIN, _at_least("frequency_rank", _MIDDLE)),),
        "Customers who keep coming back",
        "retain",
        "Raise the basket: recommendations from categories new to them, bundles, a loyalty scheme with tiers.",
    ),
    Archetype(
        "Big spenders",
        "champions",
        "💎",
        ((_ACTIVE, _at_least("monetary_rank", _HIGH), _below("frequency_rank", _MIDDLE)),),
        "Customers who order seldom but large",
        "grow",
        "Give them reasons to come between their large orders: reminders, subscriptions, free delivery.",
    ),
    Archetype(
        "New customers",
        "new",
        "✨",
        ((_ACTIVE, _below("tenure", 183.0), _below("tenure_ratio", 0.5), _below("tenure_rank", _LOW)),),
        "Customers who have only just begun",
        "grow",
        "Make the second order easy while the first is fresh: a welcome, help with what they have, what goes with it.",
        _newness,
    ),
    Archetype(
        "Promising",
        "new",
        "🌱",
        ((_ACTIVE, _at_least("recency_rank", _HIGH), _below("frequency_rank", _MIDDLE)), (_ACTIVE, _ONCE)),
        "Customers with few orders yet, whose next is not overdue",
        "grow",
        "Win the next order soon: a welcome series, the shop's best-loved products, a small offer with an end date.",
    ),
    Archetype(
        "Regulars",
        "loyal",
        "🙂",
        ((_ACTIVE, _AGAIN, _at_least("value_rank", _LOW), _below("value_rank", _TOP)),),
        "Customers of the middle who keep their rhythm",
        "grow",
        "Make each visit larger: add what customers like them buy, and a reason to come one day sooner.",
    ),
    Archetype(
        "Occasional",
        "attention",
        "🛍️",
        ((_ACTIVE, _AGAIN, _SMALL),),
        "Customers who come now and then",
        "grow",
        "Stay in mind at low cost: seasonal news, popular products, bundles that make the trip worthwhile.",
    ),
    Archetype(
        "Needs attention",
        "attention",
        "⏰",
        ((_SILENT, _AGAIN, _RECENT),),
        "Customers who are slowing down",
        "win_back",
        "Bring them back before they cool: remind them of what they buy again, with a limited offer.",
    ),
    Archetype(
        "At risk",
        "at_risk",
        "⚠️",
        ((_SILENT, _AWAY, _at_least("value_rank", _MIDDLE)),),
        "Good customers who have gone silent",
        "win_back",
        "Win them back now, in person where it pays: ask what went wrong, offer their favourites at a good price.",
    ),
    Archetype(
        "Drifting away",
        "at_risk",
        "🍂",
        ((_SILENT, _AGAIN, _below("silence", 3.0), _AWAY, _SMALL),),
        "Small customers who come ever more seldom",
        "win_back",
        "Remind them cheaply and by machine: what they buy again, what is new; no costly offers.",
    ),
    Archetype(
        "Lost",
        "lost",
        "💤",
        ((_GONE, _AWAY, _SMALL),),
        "Customers long silent who bought little",
        "leave",
        "Spend little: one last offer, then leave them out of paid campaigns.",
    ),
    Archetype(
        "One-time buyers",
        "lost",
        "1️⃣",
        ((_SILENT, _ONCE),),
        "Customers most of whom ordered once and have not come back",
        "win_back",
        "Invite them once more, cheaply and by machine: what goes with their first order; no costly offers.",
        _single_orders,
    ),
)

EVERYONE = Archetype(
    "All customers",
    "other",
    "👥",
    ((),),
    "All customers, who do not differ enough to be told apart",
    "grow",
    "Treat them alike for now; more history will tell them apart.",
)
