"""The first look at a text file: all of it once, for its encoding and its lines; what is no text is refused."""

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from errors import InputError

_PIECE = 1 << 20
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LARGEST_UNREMARKABLE = 100 << 20
_LARGEST_RATIO = 200  # sales shrink to a tenth or a thirtieth


@dataclass(frozen=True)
class Look:
    """The encoding by Python's name for it, and how many lines there are, counted by their ends."""

    encoding: str
    lines: int


def look(path: Path, opened: Callable[[Path], IO[bytes]], given: str | None) -> Look:
    """Decode all of it: a file that is UTF-8 nearly to its end would otherwise fail half-way through a load.

    `opened` gives the unpacked content. What is neither UTF-8 nor UTF-16 is taken for Windows-1252. Raises InputError
    where it is not in the `given` encoding, or is no text, or unpacks beyond measure.
    """
    packed = path.stat().st_size
    with opened(path) as stream:
        piece = stream.read(_PIECE)
        encoding = given or _guessed(piece)
        decoder = codecs.getincrementaldecoder(encoding)()
        fits, size, feeds, returns, last = True, 0, 0, 0, b""  # a file of an old Mac has returns alone
        while piece:
            size += len(piece)
            if size > max(_LARGEST_UNREMARKABLE, packed * _LARGEST_RATIO):
                raise InputError(
                    f"{path.name} unpacks to more than {_LARGEST_RATIO} times its size; unpack it yourself."
                )
            if b"\0" in piece and not encoding.startswith("utf-16"):
                raise InputError(f"{path.name} has NUL characters: it is no text, or damaged; export it as CSV again.")
            feeds += piece.count(b"\n")
            returns += 0 if feeds else piece.count(b"\r")
            fits = fits and _decodes(decoder, piece)
            last, piece = piece, stream.read(_PIECE)
    fits = fits and not decoder.getstate()[0]  # bytes of a character that was never finished
    if not fits and (given or encoding != "utf-8"):
        raise strange_encoding(path, given)
    lines = (feeds or returns) + (not last.endswith((b"\n", b"\n\0", b"\r")))
    return Look(("utf-8-sig" if encoding == "utf-8" else encoding) if fits else "cp1252", lines)


def strange_encoding(path: Path, given: str | None = None) -> InputError:
    """The error of a file that is not in the given encoding, or in none that is known."""
    if given:
        return InputError(f"{path.name} is not written in {given}; mend the mapping, or leave out its encoding.")
    return InputError(
        f"{path.name} is written neither in UTF-8, UTF-16 nor Windows-1252; save it as UTF-8 and load it again."
    )


def _guessed(start: bytes) -> str:
    """UTF-16 by its mark, or by the zeros that are every other byte of plain letters in it; else UTF-8."""
    if start.startswith(_UTF16_MARKS):
        return "utf-16"
    even, odd = start[0:4096:2].count(0), start[1:4096:2].count(0)
    half = len(start[:4096]) // 2
    if max(even, odd) * 2 > half and min(even, odd) * 20 < half:
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8"


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes) -> bool:
    if piece.isascii() and not decoder.getstate()[0] and b"\0" not in piece:
        return True  # the same in all these encodings, and much faster to see
    try:
        decoder.decode(piece)
    except UnicodeDecodeError:
        return False
    return True
