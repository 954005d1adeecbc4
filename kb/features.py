"""Features of a normalised text: characters, words, synonym groups; and, apart, how it sounds.

The same functions cut phrasings when the index is built and questions when it is asked.
"""

import logging
import os
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from kb.text import compact

_WORD = "\x01"
_GROUP = "\x02"
_CHARS = (1, 2, 3)
_SYLLABLES = (1, 2, 3)
# Differences that southern and careless speech does not make.
_FUZZY = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
_FINALS = (("ang", "an"), ("eng", "en"), ("ing", "in"))
_LATIN = re.compile(r"[a-z]+|[0-9]+|.", re.DOTALL)


class Analyzer:
    """Cuts a normalised text into feature strings; the lexicon and the synonym groups are the library's."""

    def __init__(self, lexicon: tuple[str, ...], synonyms: Iterable[Iterable[str]], cache: Path) -> None:
        """Share one loaded dictionary between analyzers of a lexicon; `cache` keeps it for fast starts."""
        self._cut = _tokenizer(lexicon, cache).lcut
        self._groups = {
            word.lower(): f"{_GROUP}{number}" for number, group in enumerate(synonyms) for word in group
        }
        longest = sorted(self._groups, key=len, reverse=True)
        self._synonyms = re.compile("|".join(map(re.escape, longest))) if longest else None

    def words(self, text: str) -> list[str]:
        """Words of a compact text, without the gaps."""
        return [word for word in self._cut(text, HMM=False) if word != " "]

    def features(self, clean: str) -> list[str]:
        """Character 1- to 3-grams, words, and the synonym groups that occur."""
        text = compact(clean)
        found = grams(text)
        found += [_WORD + word for word in self.words(text)]
        if self._synonyms:
            found += [self._groups[word] for word in self._synonyms.findall(text)]
        return found


def grams(text: str) -> list[str]:
    """Character n-grams of a compact text; none spans a gap, Latin words count as they stand."""
    found: list[str] = []
    for part in text.split(" "):
        for size in _CHARS:
            found += [part[at : at + size] for at in range(len(part) - size + 1)]
    return found


def sounds(clean: str, readings: Mapping[str, str]) -> list[str]:
    """Syllable 1- to 3-grams; what has no reading (Latin words, digits, marks) sounds as it is written."""
    found: list[str] = []
    for part in compact(clean).split(" "):
        syllables = [readings.get(piece, piece) for piece in _LATIN.findall(part)]
        for size in _SYLLABLES:
            found += [" ".join(syllables[at : at + size]) for at in range(len(syllables) - size + 1)]
    return found


def readings() -> dict[str, str]:
    """Each common character's first reading, toneless, with easily mixed-up initials and finals made equal.

    Needed when an index is built; questions use the table that the index keeps.
    """
    from pypinyin.constants import Style
    from pypinyin.pinyin_dict import pinyin_dict
    from pypinyin.style import convert

    table = {}
    for code, spoken in pinyin_dict.items():
        if 0x4E00 <= code <= 0x9FFF:  # noqa: PLR2004 - the basic block
            table[chr(code)] = fuzzy(convert(spoken.split(",")[0], Style.NORMAL, strict=False))
    return table


def fuzzy(syllable: str) -> str:
    """A toneless syllable with zh=z, ch=c, sh=s, n=l, and ng=n at the end."""
    for careful, careless in _FUZZY:
        if syllable.startswith(careful):
            syllable = careless + syllable[len(careful) :]
            break
    for careful, careless in _FINALS:
        if syllable.endswith(careful):
            return syllable[: -len(careful)] + careless
    return syllable


def cache_folder() -> Path:
    """Where built things are kept between starts: `kb` under CAIGOU_VAR."""
    return Path(os.environ.get("CAIGOU_VAR", "var")) / "kb"


@lru_cache(maxsize=4)
def _tokenizer(lexicon: tuple[str, ...], cache: Path) -> Any:
    import jieba

    jieba.setLogLevel(logging.WARNING)
    cache.mkdir(parents=True, exist_ok=True)
    tokenizer = jieba.Tokenizer()
    tokenizer.tmp_dir = str(cache)
    tokenizer.initialize()
    for word in lexicon:
        tokenizer.add_word(word.lower())
    return tokenizer
