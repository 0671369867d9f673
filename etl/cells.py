"""Cells that have types, as text."""

import re
from datetime import datetime
from decimal import Decimal

BATCH_ROWS = 65_536

_WHOLE_UP_TO = 1e17  # beyond it a float written in full would claim digits that it does not have
_THREE_DECIMALS = re.compile(r"\.[0-9]{3}$")


def written(cell: object) -> str:
    """A cell that has a type, as text that can be read in one way alone; nothing and not-a-number are blank.

    17850.0 is 17850, as a person writes it, and 1.234 is 1.2340: by its text alone it might be one thousand and more.
    """
    match cell:
        case None:
            return ""
        case str():
            return cell
        case bool():
            return str(cell).lower()
        case float() | Decimal() if cell != cell:
            return ""
        case float() if cell.is_integer() and abs(cell) < _WHOLE_UP_TO:
            return str(int(cell))
        case float():
            return _THREE_DECIMALS.sub(r"\g<0>0", str(cell))
        case Decimal():
            return _THREE_DECIMALS.sub(r"\g<0>0", f"{cell:f}")
        case datetime():
            return cell.isoformat(sep=" ")
        case _:
            return str(cell)
