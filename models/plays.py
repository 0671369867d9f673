"""Why a play is the right one for a segment: one sentence with the numbers it rests on and what is at stake."""

from dataclasses import dataclass

from models.archetypes import MOSTLY
from models.wording import counted, money, percent

SHAKY = 0.5
"""A churn risk from which on a customer more likely stays away than not."""


@dataclass(frozen=True)
class Stakes:
    """What a segment has brought and may yet bring; `orders_worth` is one more order of each at their own average.

    `silence` counts usual gaps, `recency` days since the last order (both of the typical customer) and `once` is the
    share who ordered once. `expected` is the revenue forecast for the next 365 days and `shaky` counts the customers of
    whom no order in the next 90 days is likelier than one; both are None where there is no forecast.
    """

    customers: int
    revenue: float
    revenue_share: float
    silence: float
    recency: float
    once: float
    orders_worth: float
    expected: float | None = None
    shaky: int | None = None


def play_reason(play: str, stakes: Stakes, currency: str) -> str:
    """The sentence for `retain`, `grow`, `win_back` or `leave`."""
    who = counted(stakes.customers, "customer")
    each = money(stakes.revenue / stakes.customers, currency)
    revenue = money(stakes.revenue, currency)
    share = f" ({percent(stakes.revenue_share)} of the shop's)" if stakes.revenue_share > 0 else ""
    # who ordered once has no gap; and what little comes back of a segment to leave alone is no reason to act
    long = (
        f"{stakes.silence:.1f} of their usual gaps"
        if stakes.once < MOSTLY
        else f"{counted(round(stakes.recency), 'day')}, {percent(stakes.once)} of them after one order"
    )
    silent = f"{'is' if stakes.customers == 1 else 'are'} silent for {long}"
    told = {
        "retain": f"Retain: {who} brought {revenue} of revenue so far{share}, {each} each",
        "grow": f"Grow: one more order each, at their own average, from {who} is worth "
        f"{money(stakes.orders_worth, currency)}; {revenue} of revenue so far{share} is theirs",
        "win_back": f"Win back: {who} who spent {each} each {silent}; {revenue} of revenue so far{share} is theirs",
        "leave": f"Leave alone: {who} who spent {each} each {silent}; all of them together brought {revenue} of "
        f"revenue so far{share}",
    }[play]
    return told + ("" if play == "leave" else _expected(stakes, currency)) + _doubtful(stakes) + "."


def _expected(stakes: Stakes, currency: str) -> str:
    if stakes.expected is None:
        return ""
    return f"; {money(stakes.expected, currency)} of revenue is expected of them in the next year"


def _doubtful(stakes: Stakes) -> str:
    return f"; of {stakes.shaky:,} an order in the next 90 days is unlikely" if stakes.shaky else ""
