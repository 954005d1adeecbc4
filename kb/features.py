"""Features of a normalised text: characters, synonym groups; words; how it sounds.

The same functions cut phrasings when the index is built and questions when it is asked.
"""

import logging
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from operator import add
from pathlib import Path
from typing import Any

_GROUP = "\x02"
_SYLLABLES = (1, 2, 3)
# Differences that southern and careless speech does not make.
_FUZZY = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
_FINALS = (("ang", "an"), ("eng", "en"), ("ing", "in"))
_PIECES = re.compile(r"[a-z]+|[0-9]+|.", re.DOTALL)


_LONGEST_WORD = 8  # characters; 政府采购云平台 has 7


class Analyzer:
    """Cuts a compact text into feature strings; the lexicon and the synonym groups are the library's."""

    def __init__(self, lexicon: tuple[str, ...], synonyms: Iterable[Iterable[str]], cache: Path) -> None:
        """Share one loaded dictionary between analyzers of a lexicon; `cache` keeps it for fast starts."""
        self._cut = _tokenizer(_Words(lexicon, cache)).lcut
        self._groups = {
            word.lower(): f"{_GROUP}{number}"
            for number, group in enumerate(synonyms)
            for word in group
            if word
        }
        self._lengths: dict[str, tuple[int, ...]] = {}
        for word in sorted(self._groups, key=len, reverse=True):
            self._lengths[word[0]] = tuple(dict.fromkeys((*self._lengths.get(word[0], ()), len(word))))

    def words(self, text: str) -> list[str]:
        """Words and the synonym groups that occur.

        Cutting takes longer than all the rest and adds little to characters, so questions settled by those are
        not cut.
        """
        return [word for word in self._cut(text, HMM=False) if word != " "] + self.synonyms(text)

    def word_count(self, text: str) -> int:
        """1 for a single word, 2 for more; a text longer than any word is not cut to know."""
        if len(text) > _LONGEST_WORD:
            return 2
        return min(2, len([word for word in self._cut(text, HMM=False) if word != " "]))

    def features(self, text: str) -> list[str]:
        """Character 1- and 2-grams and the synonym groups that occur."""
        return grams(text) + self.synonyms(text)

    def synonyms(self, text: str) -> list[str]:
        """Groups whose words stand in the text, from left to right, the longest word first.

        A loop over the possible lengths at each place is several times faster than one pattern of all words.
        """
        found: list[str] = []
        lengths, groups, end = self._lengths, self._groups, 0
        for at, letter in enumerate(text):
            if at < end or letter not in lengths:
                continue
            for length in lengths[letter]:
                word = text[at : at + length]
                if word in groups and not (word.isascii() and _inside(text, at, length)):
                    found.append(groups[word])
                    end = at + length
                    break
        return found


def grams(text: str) -> list[str]:
    """Character 1- and 2-grams of a compact text; a Latin word or a number counts as one character.

    (Cut into letters, bind and unbind would look alike.)
    """
    found: list[str] = []
    for part in text.split(" "):
        pieces = _PIECES.findall(part)
        found += pieces
        found += map(add, pieces, pieces[1:])
    return found


def sounds(text: str, readings: Mapping[str, str]) -> list[str]:
    """Syllable 1- to 3-grams of a compact text; what has no reading (Latin words, digits, marks) sounds as it is written."""
    found: list[str] = []
    for part in text.split(" "):
        syllables = [readings.get(piece, piece) for piece in _PIECES.findall(part)]
        for size in _SYLLABLES:
            found += [" ".join(syllables[at : at + size]) for at in range(len(syllables) - size + 1)]
    return found


def _inside(text: str, at: int, length: int) -> bool:
    """Whether a Latin word is only a part of a longer one."""
    around = text[max(at - 1, 0) : at] + text[at + length : at + length + 1]
    return any(letter.isascii() and letter.isalpha() for letter in around)


def readings() -> dict[str, str]:
    """Each common character's first reading, toneless, with easily mixed-up initials and finals made equal.

    Needed when an index is built; questions use the table that the index keeps.
    """
    # The package first: a thread that asks for a part of it gets that while another thread is still loading the whole,
    # which knows no style until its very end.
    from pypinyin import Style
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


@dataclass(frozen=True)
class _Words:
    """A lexicon; `cache` only says where the first to need it keeps jieba's dictionary."""

    lexicon: tuple[str, ...]
    cache: Path = field(compare=False)


@lru_cache(maxsize=4)
def _tokenizer(words: _Words) -> Any:
    import jieba

    jieba.setLogLevel(logging.WARNING)
    words.cache.mkdir(parents=True, exist_ok=True)
    tokenizer = jieba.Tokenizer()
    tokenizer.tmp_dir = str(words.cache)
    tokenizer.initialize()
    for word in words.lexicon:
        tokenizer.add_word(word.lower())
    return tokenizer
