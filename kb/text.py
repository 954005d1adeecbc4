"""What people type, made comparable: one script, one width, one case, noise apart, numbers as wholes."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import opencc

_WORD = 64  # characters up to which a text's key is remembered
MAX_CHARS = 1200  # of a longer text the beginning and the end are read: the question is in one of them

# Kinds of wholes. Those with a mark stay in the text as that one character, so that "30万元" and "2000元"
# look alike to n-grams; the others say nothing about the question and leave a gap.
_MARKS = {"document": "\ue001", "account": "\ue002", "amount": "\ue003", "date": "\ue004", "phone": "\ue005"}
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_HAN_NUMBER = r"[一二两三四五六七八九十百千零]"
_WHOLES = re.compile(
    rf"""
    (?=[ -~¥￥〔【一二两三四五六七八九十百千零])  # a whole starts with one of these, most characters are others
    (?:
      (?P<url>https?://[^\s，。；、）)\]】"'”]+)
    | (?P<trace>(?:trace|request|req|span|session|event|log)[-_ ]?id["']?\s*[:=：]\s*["']?[\w.-]+)
    | (?P<hex>\b0x[0-9a-f]+\b|\b(?=[0-9a-f-]*\d)(?=[0-9a-f-]*[a-f])[0-9a-f]{{8,}}(?:-[0-9a-f]{{4,}})*\b)
    | (?P<ip>(?<![\d.])\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?::\d+)?(?![\d.]))
    | (?P<date>(?:\d{{4}}|\d{{2}})[-/.年]\d{{1,2}}[-/.月]\d{{1,2}}[日号]?
          (?:[t\ ]\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\.\d+)?z?)?
        |\d{{1,2}}月\d{{1,2}}[日号]|(?<!\d)(?:19|20)\d{{2}}年(?:\d{{1,2}}月)?)
    | (?P<time>(?<![\d:])\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?(?![\d:]))
    | (?P<document>[\[\(〔【](?:19|20)\d{{2}}[\]\)〕】]\s*(?:第\s*)?\d+\s*号?
        |(?<![a-z0-9])[a-z]{{1,6}}-?(?:19|20)\d{{2}}(?:-?\d{{2,}})+(?!\d)|(?<![a-z0-9])[a-z]{{2,6}}-\d{{3,}}(?!\d))
    | (?P<amount>[¥￥]\s*(?:{_NUMBER})(?:万|亿)?|(?:{_NUMBER})\s*(?:[十百千]?[万亿]元?|[百千]?(?:元|块钱?))
        |(?!千万){_HAN_NUMBER}+[万亿]{_HAN_NUMBER}*(?:元|块钱?)?|{_HAN_NUMBER}{{2,}}(?:元|块钱?))
    | (?P<phone>(?<!\d)(?:1[3-9]\d{{9}}|0\d{{2,3}}-\d{{7,8}}|[48]00-?\d{{3,4}}-?\d{{3,4}})(?!\d))
    | (?P<account>(?<!\d)\d{{6,18}}0[12](?!\d))
    | (?P<digits>\d{{8,}})
    )
    """,
    re.VERBOSE,
)
_HINT = re.compile(r"\d|[万亿元块]|https?:|id\b")  # without one of these there is no whole to look for
_GAP = r"\x00-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff"  # control, private
_JOINT = r"\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff"
_GAPS, _JOINTS = re.compile(f"[{_GAP}]+"), re.compile(f"[{_JOINT}]+")
_PUNCTUATION = re.compile(r"(?:[^\w\ue001-\ue005]|_)+")
_SAID = re.compile(r"[^\W_]|[\ue001-\ue005]")
_IN_WORDS = "哩坏沈甦瞭藉衹覆"  # OpenCC changes them in some words only: 坏了 stays, 毛坏 becomes 毛坯
_REPEATED = re.compile(r"(.)\1\1\1+")
_CLAUSES = re.compile(r"[，。！？；：、…—,!?;:\n【】\[\]「」“”\"()（）|>]+")


@dataclass(frozen=True)
class Whole:
    """A run of characters that is one thing: its kind (document, account, amount, date …) and its text."""

    kind: str
    text: str


@dataclass(frozen=True)
class Text:
    """A normalised text: `clean` for comparison (wholes as marks or gaps), and the wholes in order."""

    clean: str
    wholes: tuple[Whole, ...]

    def of(self, kind: str) -> tuple[str, ...]:
        """Texts of the wholes of one kind."""
        return tuple(whole.text for whole in self.wholes if whole.kind == kind)


def normalise(raw: str) -> Text:
    """Traditional to simplified, full width to half, lower case, no control characters, wholes recognised."""
    text = _plain(_shorten(raw))
    wholes: list[Whole] = []

    def replace(match: re.Match[str]) -> str:
        kind = str(match.lastgroup)
        wholes.append(Whole(kind, match.group().strip()))
        return _MARKS.get(kind, " ")

    if _HINT.search(text):
        text = _WHOLES.sub(replace, text)
    if _REPEATED.search(text):
        text = _REPEATED.sub(r"\1\1", text)
    return Text(" ".join(text.split()), tuple(wholes))


def key(raw: str) -> str:
    """What two phrasings must share to be called the same: normalised, without spaces and punctuation."""
    return _key(raw) if len(raw) <= _WORD else _PUNCTUATION.sub("", _plain(raw))


@lru_cache(maxsize=4096)
def _key(raw: str) -> str:
    """The same, remembered: a message is compared with the same words of menus and documents each time."""
    return _PUNCTUATION.sub("", _plain(raw))


def compact(clean: str) -> str:
    """A normalised text with every run of punctuation and spaces as one space: what n-grams are cut from."""
    return _PUNCTUATION.sub(" ", clean).strip()


def says(clean: str) -> bool:
    """Whether a normalised text has anything but punctuation and spaces."""
    return _SAID.search(clean) is not None


def clauses(clean: str, *, least: int = 6) -> list[str]:
    """What stands between punctuation marks, where it is at least `least` characters long."""
    return [part for clause in _CLAUSES.split(clean) if len(part := clause.strip()) >= least]


def windows(clean: str, *, size: int = 14, limit: int = 12) -> list[str]:
    """Runs of clauses at least `size` characters long, one starting at each clause; [] for a short text.

    Long stories hide one question; a window holds it without what surrounds it. At most `limit` windows.
    """
    clauses = [part for clause in _CLAUSES.split(clean) if (part := clause.strip())]
    if len(clauses) < 2:  # noqa: PLR2004 - one clause is the text itself
        return []
    found = []
    for start in range(len(clauses)):
        run = ""
        for clause in clauses[start:]:
            run = f"{run} {clause}".strip()
            if len(run) >= size:
                found.append(run)
                break
    unique = list(dict.fromkeys(found))
    if len(unique) > limit:
        unique = unique[: limit // 2] + unique[-(limit - limit // 2) :]
    return unique


def _plain(raw: str) -> str:
    text = unicodedata.normalize("NFKC", raw)
    if not _odd().search(text):  # nearly all: one look instead of two replacements and a conversion
        return text.lower()
    return str(_converter().convert(_GAPS.sub(" ", _JOINTS.sub("", text)).lower()))


def _shorten(raw: str) -> str:
    if len(raw) <= MAX_CHARS:
        return raw
    half = MAX_CHARS // 2
    return raw[:half] + "\n" + raw[-half:]


@lru_cache(maxsize=1)
def _odd() -> re.Pattern[str]:
    """A joint, a gap, or a character that the conversion may change, alone or in a word."""
    han = "\n".join(map(chr, [*range(0x3400, 0xA000), *range(0xF900, 0xFB00)]))
    changed = "".join(one for one, plain in zip(han, _converter().convert(han), strict=True) if one != plain)
    return re.compile(rf"[{_GAP}{_JOINT}\U00020000-\U0003ffff{_IN_WORDS}{changed}]")


@lru_cache(maxsize=1)
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
