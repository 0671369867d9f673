"""How the shop's country writes numbers and days; the words of the product stay English.

A small table instead of a library: marks, the order of a day, and where a currency's sign stands are all it takes.
"""

from contextvars import ContextVar
from dataclasses import dataclass

from errors import ConfigurationError

_NARROW, _SPACE = "\u202f", "\u00a0"


@dataclass(frozen=True)
class Locale:
    """The marks of a number, what parts it from a percent sign, and whether a currency's sign stands after it."""

    decimal: str = "."
    thousands: str = ","
    before_percent: str = ""
    sign_after: bool = False
    month_first: bool = False

    @property
    def separators(self) -> str:
        """As plotly wants them: the decimal mark, then that of thousands."""
        return self.decimal + self.thousands


_COMMA = Locale(",", ".", _SPACE, sign_after=True)
_SPACED = Locale(",", _SPACE, _SPACE, sign_after=True)
LOCALES = {
    "en": Locale(),
    "en_US": Locale(month_first=True),
    "cs": _SPACED,
    "da": _COMMA,
    "de": _COMMA,
    "de_CH": Locale(".", "’", ""),
    "es": _COMMA,
    "es_MX": Locale(),
    "fi": _SPACED,
    "fr": Locale(",", _NARROW, _SPACE, sign_after=True),
    "it": Locale(",", ".", "", sign_after=True),
    "nb": _SPACED,
    "nl": Locale(",", ".", ""),
    "pl": Locale(",", _SPACE, "", sign_after=True),
    "pt": Locale(",", ".", "", sign_after=True),
    "pt_BR": Locale(",", ".", ""),
    "sv": _SPACED,
}
"""By language, or by language and country where the country writes otherwise."""

LOCALE: ContextVar[Locale] = ContextVar("locale", default=LOCALES["en"])
"""That of the request at hand: several shops may be served by one process."""


def known(name: str) -> Locale:
    """The locale of that name, else of its language. Raises ConfigurationError where neither is known."""
    name = name.replace("-", "_")
    found = LOCALES.get(name) or LOCALES.get(name.split("_")[0])
    if found is None:
        raise ConfigurationError(f"SPECTRUM_LOCALE is {name!r}; known are {', '.join(LOCALES)}.")
    return found
