"""The embedded fonts: a CJK font of our own, and reportlab's Vera for the Latin signs that one lacks.

Nothing depends on fonts of the machine. A character that neither has is printed as its code point, because an
empty box on a certificate tells nobody which rare character a name has.
"""

import unicodedata
from functools import cache
from itertools import groupby
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

CJK = "CaigouCJK"
LATIN = "CaigouLatin"
_CJK_FILE = Path(__file__).parent.parent / "data" / "fonts" / "DroidSansFallbackFull.ttf"

# The same sign for the reader, in a character the fonts have.
_ALIKE = {"Φ": "ø", "φ": "ø", "′": "'", "″": '"', "\t": " "} | {
    chr(0x2460 + n): f"({n + 1})"
    for n in range(20)  # ①…⑳
}


@cache
def _coverage() -> tuple[frozenset[int], frozenset[int]]:
    """Register both fonts and return the code points each has."""
    fonts = (TTFont(CJK, str(_CJK_FILE)), TTFont(LATIN, "Vera.ttf"))
    for font in fonts:
        pdfmetrics.registerFont(font)
        # One weight only: bold and italic of the paragraphs' mark-up map to it.
        pdfmetrics.registerFontFamily(font.fontName, *[font.fontName] * 4)
    cjk, latin = (frozenset(font.face.charToGlyph) for font in fonts)
    return cjk, latin


def _font_of(char: str) -> str | None:
    cjk, latin = _coverage()
    return CJK if ord(char) in cjk else LATIN if ord(char) in latin else None


def _printable(char: str) -> str:
    if _font_of(char):
        return char
    alike = _ALIKE.get(char) or unicodedata.normalize("NFKC", char)
    return alike if all(_font_of(each) for each in alike) else f"[U+{ord(char):04X}]"


def runs(text: str) -> list[tuple[str, str]]:
    """`text` as (font, piece) in order, each piece printable in its font; line breaks become spaces."""
    printable = "".join(_printable(char) for char in " ".join(text.split()))
    return [(font or CJK, "".join(chars)) for font, chars in groupby(printable, key=_font_of)]


def cjk_font() -> str:
    """The CJK font's name, registered."""
    _coverage()
    return CJK
