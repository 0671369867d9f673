"""Names for clusters, from what their typical customers are within the shop; none alike, untrue or swapped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.archetypes import ARCHETYPES, EVERYONE, MOSTLY, Archetype, Centre
from models.wording import counted, money, percent

_NUMBERED_COLOUR = "other"
_BY_NAME = {archetype.name: archetype for archetype in ARCHETYPES}


@dataclass(frozen=True)
class Name:
    """What a segment is called, shown as, and what to do about it; `colour` is a key of the dashboard's theme."""

    name: str
    colour: str
    emoji: str
    persona: str
    play: str
    playbook: str
    reason: str


def names(centres: Sequence[Centre], currency: str, kept: Mapping[int, str] | None = None) -> list[Name]:
    """A name for each centre, given `in_order_of_value`; `kept` has the names of the run before by cluster number.

    A cluster keeps its name while that is still true of it, with some slack. Any other gets the first archetype true
    of it that no cluster has or had; where there is none, the first of them with a number, which tells two of a kind
    apart and claims no order between them, so that it stays true. A name always has the same colour. One cluster alone
    is always "All customers".
    """
    before = kept or {}
    if len(centres) == 1:
        return [_named(EVERYONE, EVERYONE.name, centres[0], currency, before)]
    standing: dict[str, Archetype] = {}
    keepers: dict[int, str] = {}
    for centre in centres:
        name = before.get(centre.cluster, "")
        archetype = _BY_NAME.get(_kind(name))
        if archetype and name not in standing and archetype.is_true(centre, slack=True):
            standing[name] = archetype
            keepers[centre.cluster] = name
    taken = set(before.values())
    result = []
    for centre in centres:
        name = keepers.get(centre.cluster) or _free(centre, taken)
        taken.add(name)
        result.append(_named(_BY_NAME[_kind(name)], name, centre, currency, before))
    return result


def _free(centre: Centre, taken: set[str]) -> str:
    fitting = [archetype.name for archetype in ARCHETYPES if archetype.is_true(centre)]
    numbered = (f"{fitting[0]} {number}" for number in range(2, len(taken) + 3))
    return next(name for name in (*fitting, *numbered) if name not in taken)


def _kind(name: str) -> str:
    """The archetype's own name: that of `Loyal 2` is `Loyal`."""
    return name.rstrip("0123456789").rstrip()


def _named(archetype: Archetype, name: str, centre: Centre, currency: str, before: Mapping[int, str]) -> Name:
    persona = (
        f"{archetype.character}: {counted(centre.customers, 'customer')} ({percent(centre.customer_share)} of all, "
        f"{percent(centre.revenue_share)} of revenue), typically {counted(centre.frequency, 'order')}, "
        f"{money(centre.monetary, currency)} spent, the last purchase {counted(round(centre.recency), 'day')} ago."
    )
    is_numbered = name != archetype.name
    return Name(
        name=name,
        colour=_NUMBERED_COLOUR if is_numbered else archetype.colour,
        emoji=archetype.emoji,
        persona=persona,
        play=archetype.play,
        playbook=archetype.playbook,
        reason=" ".join(_reasons(archetype, name, centre, before)),
    )


def _reasons(archetype: Archetype, name: str, centre: Centre, before: Mapping[int, str]) -> list[str]:
    """The sentences that justify the name, with the numbers it rests on."""
    ranks = (centre.recency_rank, centre.frequency_rank, centre.monetary_rank)
    recency, frequency, monetary = (f"{100 * rank:.0f}" for rank in ranks)
    whose = "the shop's" if centre.once >= MOSTLY else "their"
    said = [
        f"Among all customers of the shop (0 worst, 100 best) the typical one here ranks {recency} in recency, "
        f"{frequency} in orders and {monetary} in spend; since the last order {centre.silence:.1f} of {whose} usual "
        "gaps between orders have passed."
    ]
    if centre.lead >= 0:
        said.append("In no other segment does the typical one rank higher in recency or in spend.")
    if archetype.evidence:
        said.append(archetype.evidence(centre))
    if name != archetype.name:
        said.append(f"Another segment is or was called {archetype.name}; the number tells them apart.")
    was = before.get(centre.cluster)
    if was and was != name:
        said.append(f"It was called {was} before, which is no longer true of it.")
    if before and not was:
        said.append("It is new: no segment of the run before is its predecessor.")
    return said
