"""The moments of the past at which a run looks at all customers."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from errors import ConfigurationError

_NEAR = timedelta(days=7)
_SETTLED = timedelta(days=90)
"""What a shop needs before anybody in it can have gone quiet; a quarter of its history where that is shorter."""


def moments(first: datetime, as_of: datetime, months: int, at: Sequence[datetime] = ()) -> list[datetime]:
    """`as_of`, before it the starts of up to `months` months of a shop with this `first` order, and `at`; ascending.

    Left out are months that begin less than a week before `as_of`, for next to nothing happens in between, and the
    shop's first 90 days (or quarter of its history), in which all customers are recent.

    >>> [f"{moment:%d %b}" for moment in moments(datetime(2024, 1, 15), datetime(2024, 4, 3, 12), 12)]
    ['01 Mar', '03 Apr']

    Raises ConfigurationError where one of `at` is not between the two.
    """
    for moment in at:
        if not first < moment < as_of:
            raise ConfigurationError(
                f"--at {moment:%Y-%m-%d} is no day between the first order, of {first:%Y-%m-%d}, and the run's own "
                f"day, {as_of:%Y-%m-%d}; choose one."
            )
    found = [as_of]
    settled = datetime.combine(first + min(_SETTLED, (as_of - first) / 4), datetime.min.time())
    start = as_of.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while len(found) <= months and start >= settled:
        if as_of - start >= _NEAR:
            found.append(start)
        start = (start - timedelta(days=1)).replace(day=1)
    return sorted({*found, *at})
