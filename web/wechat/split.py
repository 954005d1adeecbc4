"""Cut an answer into messages WeChat accepts, at the boundary of a step wherever there is one."""

import re
from itertools import pairwise

from web.wechat.messages import clean

MAX_CHARACTERS = 600  # what reads well on a phone
MAX_BYTES = 2047  # what WeChat takes, in UTF-8 (found by its users)
_MORE = "\n（内容较长，其余请到网页端查看）"

_NUMERALS = "一二三四五六七八九十"
_STEP = rf"(?=(?:第[{_NUMERALS}\d]+步|[（(]?(?:\d{{1,2}}|[{_NUMERALS}]{{1,3}})[.、）)．]|[①-⑳]))"
# From the best place to cut to the worst; each keeps what it cuts at
_BOUNDARIES = [
    re.compile(rf"(?<=\n)\s*{_STEP}|(?<=\n)\n+"),
    re.compile(r"(?<=\n)"),
    re.compile(r"(?<=[。！？；!?;])"),
    re.compile(r"(?<=[，、, ])"),
    re.compile(r"(?s)(?<=.)(?=.)"),
]


def split_text(
    text: str, *, characters: int = MAX_CHARACTERS, size: int = MAX_BYTES, most: int | None = None
) -> list[str]:
    """`text` in messages of at most `characters` characters and `size` bytes, none of them blank.

    With `most`, no more than so many messages; the last then says that there is more on the web page.
    """
    pieces = [piece.strip() for piece in _pack(clean(text), characters, size, 0)]
    pieces = [piece for piece in pieces if piece]
    if most is None or len(pieces) <= most:
        return pieces
    room, room_bytes = characters - len(_MORE), size - len(_MORE.encode())
    last = split_text(pieces[most - 1], characters=room, size=room_bytes)[0]
    return [*pieces[: most - 1], last + _MORE]


def _pack(text: str, characters: int, size: int, level: int) -> list[str]:
    """Greedy: fill a message with whole parts; a part too long for one is cut at the next finer boundary."""
    if _fits(text, characters, size) or level == len(_BOUNDARIES):
        return [text]
    packed: list[str] = []
    for part in _cut(text, _BOUNDARIES[level]):
        if packed and _fits(packed[-1] + part, characters, size):
            packed[-1] += part
        else:
            packed.extend(_pack(part, characters, size, level + 1))
    return packed


def _cut(text: str, boundary: re.Pattern[str]) -> list[str]:
    places = [0, *(match.end() for match in boundary.finditer(text)), len(text)]
    return [text[a:b] for a, b in pairwise(places) if b > a]


def _fits(text: str, characters: int, size: int) -> bool:
    text = text.strip()
    return len(text) <= characters and len(text.encode()) <= size
