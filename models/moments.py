"""The moments of the past at which a run looks at all customers."""

from datetime import datetime, timedelta

_NEAR = timedelta(days=7)


def moments(first: datetime, as_of: datetime, months: int) -> list[datetime]:
    """`as_of`, and before it the starts of up to `months` months that lie after `first`; ascending.

    A month's start less than a week before `as_of` is left out: next to nothing happens in between.

    >>> [f"{moment:%d %b}" for moment in moments(datetime(2024, 1, 15), datetime(2024, 4, 3, 12), 12)]
    ['01 Feb', '01 Mar', '03 Apr']
    """
    found = [as_of]
    start = as_of.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while len(found) <= months and start > first:
        if as_of - start >= _NEAR:
            found.append(start)
        start = (start - timedelta(days=1)).replace(day=1)
    return found[::-1]
