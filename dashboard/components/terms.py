"""Terms of the field inside a sentence, each with what it means for the mouse."""

import re

from dash import html

from dashboard.judging import MEANS
from dashboard.view import Component

_TERM = re.compile(rf"\b({'|'.join(MEANS)})(@\d+)?\b")


def explained(text: str) -> list[Component]:
    """The sentence in parts: what stands between terms as it is, a term with its meaning on hover."""
    parts: list[Component] = []
    end = 0
    for found in _TERM.finditer(text):
        parts += [text[end : found.start()], html.Abbr(found.group(), title=MEANS[found.group(1)])]
        end = found.end()
    return [part for part in (*parts, text[end:]) if part]
