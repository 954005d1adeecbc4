"""Questions with two characters replaced by others that sound the same, as phones and dictation write them.

The replacements come from a seeded generator over common characters with the same toneless reading, not from any
list of known slips, so that a figure on them speaks of slips that nobody wrote down.
"""

import hashlib
import random
from collections.abc import Iterable
from functools import lru_cache

_WRONG = 2  # characters a question


def garble(text: str, *, seed: int = 0, wrong: int = _WRONG) -> str:
    """`text` with `wrong` characters replaced by homophones (fewer where fewer have one); always the same ones."""
    # The text is part of the seed: a question added to a file does not change what becomes of the others.
    source = random.Random(f"{seed}:{hashlib.sha256(text.encode()).hexdigest()}")  # noqa: S311 - not for secrets
    same = _homophones()
    places = [at for at, character in enumerate(text) if character in same]
    characters = list(text)
    for at in source.sample(places, min(wrong, len(places))):
        characters[at] = source.choice(same[text[at]])
    return "".join(characters)


@lru_cache(maxsize=1)
def _homophones() -> dict[str, tuple[str, ...]]:
    """Each character of GB 2312's first level with the others of its toneless first reading."""
    from pypinyin import Style
    from pypinyin.pinyin_dict import pinyin_dict
    from pypinyin.style import convert

    sounding: dict[str, list[str]] = {}
    for character in _first_level():
        reading = convert(pinyin_dict[ord(character)].split(",")[0], Style.NORMAL, strict=False)
        sounding.setdefault(reading, []).append(character)
    return {
        character: tuple(other for other in group if other != character)
        for group in sounding.values()
        if len(group) > 1
        for character in group
    }


def _first_level() -> Iterable[str]:
    """The 3,755 common characters: rows 16 to 55 of GB 2312."""
    for row in range(0xB0, 0xD8):
        for cell in range(0xA1, 0xFF):
            character = bytes((row, cell)).decode("gb2312", "ignore")
            if character:  # row 55 is not full
                yield character
