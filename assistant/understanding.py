"""What a message is before any knowledge is asked: a move of the conversation, numbers, an ordinal, slots in passing."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from core.adapters.yaml_reader import read_model
from kb import text as words

FILE = Path(__file__).parent / "data" / "patterns.yaml"
LAST = -1

_DASH = r"[-‐-―−－_ ]?"
_NUMBER = re.compile(
    rf"(?<![A-Za-z0-9])([A-Z]{{2}}){_DASH}(\d{{6}}){_DASH}(\d{{4}}){_DASH}(\d{{6}})(?!\d)", re.IGNORECASE
)
_BARE = re.compile(r"(?<![A-Za-z0-9-])(\d{6})-(\d{4})-(\d{6})(?!\d)")
_TAIL = re.compile(r"(?:尾号|编号|末尾|最后几位|后几位)?(?:是|为)?(\d{1,16})(?:号|的)?(?:那条|那个)?\Z")
_ORDINAL = re.compile(
    r"(?:就|选|要|是|那就)?第?(\d{1,2}|[一二三四五六七八九十两])(?:个|条|项|号|行|种)?(?:吧|的)?\Z"
)
_LAST = re.compile(r"(?:就|选|要|是)?(?:最后|末尾)(?:那|一)?(?:一)?(?:个|条|项)?(?:吧)?\Z")
_SLOT = re.compile(
    r"(意见|理由|原因)\s*(?:[:：]|写|填|是|为|改成|改为)\s*[“\"「]?([^”\"」\n]{1,500})[”\"」]?\s*\Z"
)
_PARTICLES = "啊呀哈哦喔呐嘛吧了"  # at the end of a move they change nothing
_ASKING = ("?", "？", "吗", "嘛", "呢", "么", "没")
_HAN = {**{c: i for i, c in enumerate("一二三四五六七八九十", 1)}, "两": 2}
_AROUND_NUMBER = {"", "计划", "查", "看", "编号", "单号", "计划编号", "单据编号", "查编号"}
MARKS = _MARK, _OTHER_MARK = "这条计划", "这张单据"  # what stands for a document's number in `plain`
_PLANS = {"JH", "DD"}
# Figures that are wholes of their own: neither a choice nor the end of a document's number.
_UNIT = r"\s*(?:元|万元|万|亿|块钱?)"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?"
_DAY = r"\d{4}\s*[-/.年]\s*\d{1,2}(?:\s*[-/.月]\s*\d{1,2}\s*[日号]?|\s*月)?"
_VALUES = {
    "金额": re.compile(
        rf"[¥$]?\s*\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?(?:{_UNIT})?|[¥$]?\s*\d+\.\d+(?:{_UNIT})?|¥\s*\d+|\d+{_UNIT}"
    ),
    "日期": re.compile(rf"{_DAY}(?:[\sT]*{_CLOCK})?|\d{{1,2}}月\d{{1,2}}[日号]|{_CLOCK}"),
    "电话号码": re.compile(r"(?:\+?86[-\s]?)?1[3-9]\d{9}|0\d{2,3}-\d{6,8}|0\d{9,11}|400-?\d{3,4}-?\d{3,4}"),
    "账号": re.compile(r"\d{12}0[12]"),
}


class _Pattern(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    exact: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    within: int = 0


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    acts: dict[str, _Pattern]
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Patterns:
    """Compiled from `data/patterns.yaml`."""

    exact: Mapping[str, str]
    starts: tuple[tuple[str, str], ...]
    contains: tuple[tuple[str, str, int], ...]
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Heard:
    """One message.

    `plain` is what knowledge is asked with: document numbers become 这条计划 or 这张单据; `lead` is what stands before 意见：…
    or 理由：…. `act` is a move of the conversation, `rest` what follows a correction; `numbers` are whole document numbers,
    `value` what a message is that is nothing but an amount, a date, a telephone or account number,
    `tail` digits that may be the end of one, `ordinal` a position (1 is the first, -1 the last).
    """

    raw: str
    plain: str
    lead: str = ""
    act: str = ""
    rest: str = ""
    numbers: tuple[str, ...] = ()
    tail: str = ""
    value: str = ""
    ordinal: int = 0
    slots: Mapping[str, str] | None = None
    question: bool = False

    @property
    def asks(self) -> bool:
        """Whether it ends as a question does; 不知道怎么填 only has a word of one in it."""
        return self.raw.rstrip().endswith(_ASKING)

    @property
    def only_number(self) -> bool:
        """Nothing but a document number was sent, with or without what it is called."""
        around = words.key(self.plain).replace(_MARK, "").replace(_OTHER_MARK, "")
        return bool(self.numbers) and around in _AROUND_NUMBER


@lru_cache(maxsize=1)
def patterns(file: Path = FILE) -> Patterns:
    """Read strictly; DataError names file and line."""
    model, _ = read_model(file, _File)
    exact: dict[str, str] = {}
    for act, one in model.acts.items():
        for text in one.exact:
            exact.setdefault(words.key(text), act)
    starts = [(words.key(text), act) for act, one in model.acts.items() for text in one.starts]
    contains = [(words.key(t), act, one.within) for act, one in model.acts.items() for t in one.contains]
    return Patterns(
        exact, tuple(sorted(starts, key=lambda pair: -len(pair[0]))), tuple(contains), model.questions
    )


def hear(raw: str) -> Heard:
    """Take a message apart. Never fails, whatever was typed."""
    text = unicodedata.normalize("NFKC", raw).strip()
    found = [f"{m[1].upper()}-{m[2]}-{m[3]}-{m[4]}" for m in _NUMBER.finditer(text)]
    plain = _NUMBER.sub(lambda match: _MARK if match[1].upper() in _PLANS else _OTHER_MARK, text)
    found += [f"JH-{m[1]}-{m[2]}-{m[3]}" for m in _BARE.finditer(plain)]
    plain = _BARE.sub(_MARK, plain)
    slot = _SLOT.search(plain)
    if slot and any(word in slot[2] for word in patterns().questions):
        slot = None
    key = words.key(plain)
    act, rest = _act(key, plain)
    value = next((name for name, figure in _VALUES.items() if figure.fullmatch(plain)), "")
    return Heard(
        raw=raw,
        plain=plain,
        lead=plain[: slot.start()].rstrip(" ,，。;；、") if slot else plain,
        act=act,
        rest=rest,
        numbers=tuple(dict.fromkeys(found)),
        value=value,
        tail="" if value else _tail(key),
        ordinal=0 if value else _ordinal(key),
        slots={_slot(slot[1]): slot[2].strip()} if slot else {},
        question="?" in plain or any(word in key for word in patterns().questions),
    )


def _slot(word: str) -> str:
    return "opinion" if word == "意见" else "reason"


def _act(key: str, plain: str) -> tuple[str, str]:
    known = patterns()
    if not key:
        return ("silence" if not plain.strip() else "symbols"), ""
    for said in (key, key.rstrip(_PARTICLES), key.rstrip(_PARTICLES).removeprefix("那")):
        if said in known.exact:
            return known.exact[said], ""
    for start, act in known.starts:
        if key.startswith(start):
            return act, key[len(start) :].removeprefix("我要").removeprefix("是")
    for inside, act, within in known.contains:
        if inside in key and len(key) <= within:
            return act, ""
    return "", ""


def _tail(key: str) -> str:
    match = _TAIL.match(key)
    return match[1] if match else ""


def _ordinal(key: str) -> int:
    if _LAST.match(key):
        return LAST
    match = _ORDINAL.match(key)
    if not match:
        return 0
    return int(match[1]) if match[1].isdigit() else _HAN[match[1]]
