"""The text of a PDF that chromium printed: as much of the format as its writer uses."""

import re
import zlib
from dataclasses import dataclass

_OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\s(.*?)endobj", re.DOTALL)
_DRAWN = re.compile(rb"/(F\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)> Tj|(\bET\b)")


@dataclass(frozen=True)
class Sheet:
    """A page: its size in points and all its text, what is drawn apart by a line end each."""

    width: float
    height: float
    text: str


def sheets(pdf: bytes) -> list[Sheet]:
    """The pages of a PDF, first to last."""
    objects = {int(found[1]): found[2] for found in _OBJECT.finditer(pdf)}
    return [_sheet(content, objects) for _, content in sorted(objects.items()) if re.search(rb"/Type /Page\b", content)]


def _sheet(page: bytes, objects: dict[int, bytes]) -> Sheet:
    size = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", page)
    body = re.search(rb"/Contents (\d+) 0 R", page)
    assert size is not None
    assert body is not None
    fonts = {name: _letters(objects[int(at)], objects) for name, at in re.findall(rb"/(F\d+) (\d+) 0 R", page)}
    words, letters = "", dict[int, str]()
    for font, drawn, end in _DRAWN.findall(_stream(objects[int(body[1])])):
        letters = fonts[font] if font else letters
        words += "".join(letters.get(int(drawn[at : at + 4], 16), "") for at in range(0, len(drawn), 4))
        words += "\n" if end else ""
    return Sheet(float(size[1]), float(size[2]), words)


def _letters(font: bytes, objects: dict[int, bytes]) -> dict[int, str]:
    """Glyph -> text."""
    table = re.search(rb"/ToUnicode (\d+) 0 R", font)
    assert table is not None
    letters: dict[int, str] = {}
    for line in _stream(objects[int(table[1])]).decode().splitlines():
        numbers = re.findall(r"<([0-9A-Fa-f]+)>", line)
        if len(numbers) == 2:
            letters[int(numbers[0], 16)] = bytes.fromhex(numbers[1]).decode("utf-16-be")
        elif len(numbers) == 3:
            first, last, to = (int(number, 16) for number in numbers)
            letters |= {first + step: chr(to + step) for step in range(last - first + 1)}
    return letters


def _stream(content: bytes) -> bytes:
    start = re.search(rb"stream\r?\n", content)
    assert start is not None
    return zlib.decompress(content[start.end() : content.rindex(b"endstream")])
