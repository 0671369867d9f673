"""Names for clusters, from what their typical customers are within the shop; no two alike, none untrue."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from models.wording import counted, money, percent


@dataclass(frozen=True)
class Centre:
    """A cluster's typical (median) customer; ranks run from 0 (the shop's worst) to 1 (its best).

    Silence counts the usual gaps between orders that have passed since the last.
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
    leads: bool = False
    """Whether no other cluster bought more recently and none spent more."""

    @property
    def value_rank(self) -> float:
        """Orders and spend together."""
        return (self.frequency_rank + self.monetary_rank) / 2

    @property
    def is_silent(self) -> bool:
        """Whether the typical customer is away for longer than one and a half of their usual gaps."""
        return self.silence >= _SILENT


@dataclass(frozen=True)
class Name:
    """What a segment is called, shown as, and what to do about it; `colour` is a key of the dashboard's theme."""

    name: str
    colour: str
    emoji: str
    persona: str
    playbook: str
    reason: str


@dataclass(frozen=True)
class _Archetype:
    name: str
    colour: str
    emoji: str
    is_true: Callable[[Centre], bool]
    character: str
    playbook: str


_LOW, _MIDDLE, _HIGH, _TOP = 0.3, 0.5, 0.6, 0.7
_SILENT, _GONE = 1.5, 3.0
_OTHER = "other"

# some archetype is true of every centre; a test proves it
_ARCHETYPES = (
    _Archetype(
        "Champions",
        "champions",
        "🏆",
        lambda c: c.leads or (not c.is_silent and c.recency_rank >= _HIGH and c.value_rank >= _TOP),
        "The shop's best customers",
        "Reward and keep them: early access, a personal contact, a referral offer; no blanket discounts.",
    ),
    _Archetype(
        "Loyal",
        "loyal",
        "💚",
        lambda c: not c.is_silent and c.frequency_rank >= _MIDDLE,
        "Customers who keep coming back",
        "Raise the basket: recommendations from categories new to them, bundles, a loyalty scheme with tiers.",
    ),
    _Archetype(
        "Big spenders",
        "champions",
        "💎",
        lambda c: not c.is_silent and c.monetary_rank >= _HIGH and c.frequency_rank < _MIDDLE,
        "Customers who order seldom but large",
        "Give them reasons to come between their large orders: reminders, subscriptions, free delivery.",
    ),
    _Archetype(
        "Promising",
        "new",
        "🌱",
        lambda c: not c.is_silent and c.recency_rank >= _HIGH and c.frequency_rank < _MIDDLE,
        "Recent customers with few orders yet",
        "Win the next order soon: a welcome series, the shop's best-loved products, a small offer with an end date.",
    ),
    _Archetype(
        "Regulars",
        "loyal",
        "🙂",
        lambda c: not c.is_silent and _LOW <= c.value_rank < _TOP,
        "Customers of the middle who keep their rhythm",
        "Make each visit larger: add what customers like them buy, and a reason to come one day sooner.",
    ),
    _Archetype(
        "Occasional",
        "attention",
        "🛍️",
        lambda c: not c.is_silent and c.value_rank < _MIDDLE,
        "Customers who come now and then",
        "Stay in mind at low cost: seasonal news, popular products, bundles that make the trip worthwhile.",
    ),
    _Archetype(
        "Needs attention",
        "attention",
        "⏰",
        lambda c: c.is_silent and c.recency_rank >= _MIDDLE,
        "Customers who are slowing down",
        "Bring them back before they cool: remind them of what they buy again, with a limited offer.",
    ),
    _Archetype(
        "At risk",
        "at_risk",
        "⚠️",
        lambda c: c.is_silent and c.recency_rank < _MIDDLE <= c.value_rank,
        "Good customers who have gone silent",
        "Win them back now, in person where it pays: ask what went wrong, offer their favourites at a good price.",
    ),
    _Archetype(
        "Drifting away",
        "at_risk",
        "🍂",
        lambda c: c.is_silent and c.silence < _GONE and c.recency_rank < _MIDDLE and c.value_rank < _MIDDLE,
        "Small customers who come ever more seldom",
        "Remind them cheaply and by machine: what they buy again, what is new; no costly offers.",
    ),
    _Archetype(
        "Lost",
        "lost",
        "💤",
        lambda c: c.silence >= _GONE and c.recency_rank < _MIDDLE and c.value_rank < _MIDDLE,
        "Customers long silent who bought little",
        "Spend little: one last offer, then leave them out of paid campaigns.",
    ),
)
_EVERYONE = _Archetype(
    "All customers",
    _OTHER,
    "👥",
    lambda _: True,
    "All customers, who do not differ enough to be told apart",
    "Treat them alike for now; more history will tell them apart.",
)
_TIERS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def in_order_of_value(centres: Sequence[Centre]) -> list[Centre]:
    """The centres from the most to the least valuable: by spend, then orders, then recency; with `leads` set."""
    ordered = sorted(centres, key=lambda c: (-c.monetary, -c.frequency, c.recency, c.cluster))
    leads = len(ordered) > 1 and ordered[0].recency <= min(c.recency for c in ordered)
    return [replace(centre, leads=leads and at == 0) for at, centre in enumerate(ordered)]


def names(centres: Sequence[Centre], currency: str) -> list[Name]:
    """A name for each centre, given `in_order_of_value`: the first archetype true of it that is still free.

    Where all that are true are taken, the first of them with a tier, which is true because the order is by value. A
    colour is given once; who comes too late for it is `other`.
    """
    given: dict[str, int] = {}
    colours: set[str] = set()
    result = []
    for centre in centres:
        fitting = [_EVERYONE] if len(centres) == 1 else [a for a in _ARCHETYPES if a.is_true(centre)]
        archetype = next((a for a in fitting if a.name not in given), fitting[0])
        taken = given.get(archetype.name, 0)
        given[archetype.name] = taken + 1
        colour = _OTHER if archetype.colour in colours else archetype.colour
        colours.add(colour)
        result.append(_name(archetype, centre, currency, taken, colour))
    return result


def _name(archetype: _Archetype, centre: Centre, currency: str, taken: int, colour: str) -> Name:
    persona = (
        f"{archetype.character}: {counted(centre.customers, 'customer')} ({percent(centre.customer_share)} of all, "
        f"{percent(centre.revenue_share)} of revenue), typically {counted(centre.frequency, 'order')}, "
        f"{money(centre.monetary, currency)} spent, the last purchase {counted(round(centre.recency), 'day')} ago."
    )
    lead = " No other segment bought more recently or spent more." if centre.leads else ""
    reason = (
        f"Among all customers of the shop (0 worst, 100 best) the typical one here ranks {centre.recency_rank:.0%} in "
        f"recency, {centre.frequency_rank:.0%} in orders and {centre.monetary_rank:.0%} in spend; since the last order "
        f"{centre.silence:.1f} of their usual gaps between orders have passed."
    ).replace("%", "")
    return Name(
        name=archetype.name if taken == 0 else f"{archetype.name}, {_tier(taken)}",
        colour=colour,
        emoji=archetype.emoji,
        persona=persona,
        playbook=archetype.playbook,
        reason=reason + lead,
    )


def _tier(taken: int) -> str:
    return f"{_TIERS[taken - 1]} tier" if taken <= len(_TIERS) else f"tier {taken + 1}"
