"""The moments of the past at which a run looks at all customers."""

from datetime import datetime, timedelta

_NEAR = timedelta(days=7)
_SETTLED = timedelta(days=90)
"""What a shop needs before anybody in it can have gone quiet; a quarter of its history where that is shorter."""


def moments(first: datetime, as_of: datetime, months: int) -> list[datetime]:
    """`as_of`, and before it the starts of up to `months` months, of a shop whose `first` order is given; ascending.

    Left out are months that begin less than a week before `as_of`, for next to nothing happens in between, and the
    shop's first 90 days (or quarter of its history), in which all customers are recent.

    >>> [f"{moment:%d %b}" for moment in moments(datetime(2024, 1, 15), datetime(2024, 4, 3, 12), 12)]
    ['01 Mar', '03 Apr']
    """
    found = [as_of]
    settled = datetime.combine(first + min(_SETTLED, (as_of - first) / 4), datetime.min.time())
    start = as_of.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while len(found) <= months and start >= settled:
        if as_of - start >= _NEAR:
            found.append(start)
        start = (start - timedelta(days=1)).replace(day=1)
    return found[::-1]
