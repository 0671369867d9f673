"""Numbers and days as the shop's country writes them."""

from collections.abc import Iterator
from datetime import date

import pytest

from dashboard import format as fmt
from dashboard.components import axes
from dashboard.locales import LOCALE, LOCALES, known
from errors import ConfigurationError

SPACE, NARROW = "\u00a0", "\u202f"


@pytest.fixture(params=["de_DE", "en_US", "fr"])
def spoken(request: pytest.FixtureRequest) -> Iterator[str]:
    token = LOCALE.set(known(request.param))
    yield request.param
    LOCALE.reset(token)


WRITTEN = {
    "de_DE": ("1.234.567,9", f"12,3k{SPACE}€", f"−1.250{SPACE}€", f"48,0{SPACE}%", f"<0,1{SPACE}%", "9 Dec 2011"),
    "en_US": ("1,234,567.9", "€12.3k", "−€1,250", "48.0%", "<0.1%", "Dec 9, 2011"),
    "fr": (
        f"1{NARROW}234{NARROW}567,9",
        f"12,3k{SPACE}€",
        f"−1{NARROW}250{SPACE}€",
        f"48,0{SPACE}%",
        f"<0,1{SPACE}%",
        "9 Dec 2011",
    ),
}


def test_each_country_has_its_own_way(spoken: str) -> None:
    assert WRITTEN[spoken] == (
        fmt.number(1_234_567.89, 1),
        fmt.short_money(12_345, "€"),
        fmt.money(-1250, "€"),
        fmt.percent(0.48),
        fmt.percent(0.0001),
        fmt.day(date(2011, 12, 9)),
    )


def test_axes_have_the_sign_where_the_country_puts_it(spoken: str) -> None:
    _, texts = axes.ticks("monetary", 1, 200_000, "€")
    before, after = ("€", "") if spoken == "en_US" else ("", f"{SPACE}€")
    assert texts[0] == f"≤ {before}1{after}"
    assert {f"{before}10{after}", f"{before}10k{after}"} <= set(texts)
    assert axes.money("€") == {"tickprefix": before, "ticksuffix": after}


def test_the_words_between_two_days() -> None:
    token = LOCALE.set(known("en-US"))
    assert fmt.days(date(2011, 9, 10), date(2011, 12, 9)) == "Sep 10 – Dec 9, 2011"
    LOCALE.reset(token)
    assert fmt.days(date(2011, 9, 10), date(2011, 12, 9)) == "10 Sep – 9 Dec 2011"


def test_marks_never_meet() -> None:
    for name, locale in LOCALES.items():
        assert len(locale.separators) == 2, name
        assert locale.decimal != locale.thousands, name


def test_a_country_without_its_own_way_has_its_languages_and_an_unknown_one_is_refused() -> None:
    assert known("de_AT") == known("de")
    with pytest.raises(ConfigurationError, match="'xx'; known are en"):
        known("xx")
