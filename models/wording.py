"""Numbers as a person writes them."""


def counted(number: float, one: str, many: str | None = None) -> str:
    """`1 order`, `2 orders`, `1,250 orders`; give `many` where the plural is not one + s."""
    return f"{number:,.10g} {one if number == 1 else many or one + 's'}"


def money(amount: float, currency: str) -> str:
    """`$1,234`; cents only below ten, the sign in front."""
    digits = 2 if abs(amount) < 10 and round(amount, 2) % 1 else 0
    return f"{'−' if amount < 0 else ''}{currency}{abs(amount):,.{digits}f}"


def percent(share: float) -> str:
    """`48%`; one decimal below ten percent, so that a small share does not read as none."""
    return f"{share:.1%}" if 0 < abs(share) < 0.0995 else f"{share:.0%}"
