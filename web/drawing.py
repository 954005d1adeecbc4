"""Places a flow on paper: swimlanes for wide screens, a line from top to bottom for phones and cards.

Only geometry and short texts come out; the templates write the SVG. Units are SVG user units (CSS pixels at 1:1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Protocol
from unicodedata import east_asian_width

from web.words import short_when, span, turn


class FlowNode(Protocol):
    """A station as `core.service.flow` gives it."""

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def lane(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def who(self) -> str: ...
    @property
    def when(self) -> datetime | None: ...
    @property
    def opinion(self) -> str: ...
    @property
    def whose(self) -> str: ...
    @property
    def help(self) -> str: ...
    @property
    def spent_s(self) -> int: ...
    @property
    def due(self) -> str: ...


Edge = tuple[str, str, str]


@dataclass(frozen=True)
class Box:
    """A station: top left corner, size, up to two lines of label, and what is noted under it."""

    x: float
    y: float
    width: float
    height: float
    label: tuple[str, ...]
    notes: tuple[str, ...]
    state: str
    tip: str


@dataclass(frozen=True)
class Line:
    """A way between two stations: SVG path data, `forward` or `return`, and whether it was gone or lies ahead."""

    path: str
    kind: str
    gone: bool


@dataclass(frozen=True)
class Lane:
    """A band across the drawing; in the narrow drawing the text beside a station."""

    label: str
    y: float
    height: float


@dataclass(frozen=True)
class Drawing:
    """All of it, with the size of the paper."""

    width: float
    height: float
    lanes: tuple[Lane, ...]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


STATES = {
    "done": "已办", "current": "正在这里", "returned": "退回过", "ahead": "还没到", "side": "其他去向",
    "plain": "环节", "beside": "旁支",
}  # fmt: skip
_GONE = {"done", "current", "returned"}

_GUTTER, _COLUMN, _ROW, _BOX_W, _BOX_H = 92.0, 103.0, 92.0, 90.0, 68.0
_STEP, _DOT, _PAPER = 60.0, 22.0, 360.0


def _width(text: str) -> float:
    return sum(1.0 if east_asian_width(c) in "WF" else 0.55 for c in text)


def clip(text: str, room: float) -> str:
    """`text` cut to `room` full-width characters, with an ellipsis."""
    if _width(text) <= room:
        return text
    out = ""
    for character in text:
        if _width(out + character) > room - 1:
            break
        out += character
    return out + "…"


def wrap(text: str, room: float) -> tuple[str, ...]:
    """`text` in at most two lines of `room` full-width characters; breaks before a bracket where it can."""
    if _width(text) <= room:
        return (text,)
    cut = text.find("（")
    if 0 < cut <= room:
        return (text[:cut], clip(text[cut:], room))
    cut = next((i for i in range(len(text), 0, -1) if _width(text[:i]) <= room), 1)
    return (text[:cut], clip(text[cut:], room))


def _tip(node: FlowNode, me: str) -> str:
    parts = [f"{node.label}：{STATES.get(node.state, node.state)}"]
    if node.who:
        parts.append(f"{node.who} {short_when(node.when)}".strip())
    if node.opinion:
        parts.append(f"意见：{node.opinion}")
    if node.spent_s and (node.state in {"done", "returned"} or node.whose):
        parts.append(f"停留 {span(node.spent_s)}")
    if node.due:
        parts.append(node.due)
    if node.whose:
        parts.append(turn(node.whose, me))
    return "\n".join([*parts, node.help] if node.help else parts)


def _person(node: FlowNode, me: str) -> str:
    if node.state == "current" and me in node.whose.split("、"):
        return "轮到您"
    return (node.whose if node.state == "current" else node.who).split("（")[0]


def _under(node: FlowNode) -> str:
    """Until when where the document is, else when somebody acted."""
    if node.state == "current" and node.due:
        return node.due.split("，")[0].replace(" 个工作日", " 工作日")
    return short_when(node.when)


def _split(nodes: Sequence[FlowNode], edges: Sequence[Edge]) -> tuple[list[FlowNode], list[FlowNode]]:
    """The main line, which comes first and hangs together, and what lies beside it."""
    forward = {(a, b) for a, b, kind in edges if kind == "forward"}
    end = next((i for i in range(1, len(nodes)) if (nodes[i - 1].id, nodes[i].id) not in forward), len(nodes))
    return list(nodes[:end]), list(nodes[end:])


def _places(
    main: Sequence[FlowNode], beside: Sequence[FlowNode]
) -> tuple[dict[str, tuple[int, int]], list[str], dict[str, int]]:
    """Column and sub-row of each node; lanes in order of appearance; sub-rows of each lane."""
    lanes = list(dict.fromkeys(node.lane for node in (*main, *beside)))
    rows = dict.fromkeys(lanes, 1)
    places = {node.id: (column, 0) for column, node in enumerate(main)}
    for lane in lanes:
        aside = [node for node in beside if node.lane == lane]
        if aside:
            rows[lane] = 2
            last = max((places[node.id][0] for node in main if node.lane == lane), default=0)
            first = max(0, min(last, len(main) - len(aside)))
            places |= {node.id: (first + offset, 1) for offset, node in enumerate(aside)}
    return places, lanes, rows


def wide(nodes: Sequence[FlowNode], edges: Sequence[Edge], me: str = "") -> Drawing:
    """Lanes as bands, time from left to right; what lies off the main way in a second row of its lane.

    `me` is the label of the account that looks.
    """
    places, names, rows = _places(*_split(nodes, edges))
    lanes, top = [], 0.0
    for name in names:
        height = _ROW * rows[name] - (rows[name] - 1) * 6
        lanes.append(Lane(name, top, height))
        top += height
    tops = {lane.label: lane.y for lane in lanes}
    boxes: dict[str, Box] = {}
    for node in nodes:
        column, row = places[node.id]
        x = _GUTTER + column * _COLUMN + (_COLUMN - _BOX_W) / 2
        y = tops[node.lane] + (_ROW - _BOX_H) / 2 + row * (_ROW - 6)
        notes = tuple(clip(note, 7.2) for note in (_person(node, me), _under(node)) if note)
        boxes[node.id] = Box(x, y, _BOX_W, _BOX_H, wrap(node.label, 6.4), notes, node.state, _tip(node, me))
    width = _GUTTER + (max(column for column, _ in places.values()) + 1) * _COLUMN + 6
    lines = tuple(
        _route(boxes[a], boxes[b], kind) for a, b, kind in edges if a in boxes and b in boxes and a != b
    )
    return Drawing(width, top, tuple(lanes), tuple(boxes.values()), _by_weight(lines))


def _by_weight(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """What was gone is drawn last, on top."""
    return tuple(sorted(lines, key=lambda line: (line.gone, line.kind == "return")))


def _route(a: Box, b: Box, kind: str) -> Line:
    gone = a.state in _GONE and b.state in _GONE
    if kind == "return" or b.x <= a.x:
        return Line(_back(a, b), kind, gone)
    start, end, y1, y2 = a.x + a.width, b.x, a.y + a.height / 2, b.y + b.height / 2
    if y1 == y2:
        if end - start < _COLUMN:
            return Line(f"M{start:g} {y1:g}H{end:g}", kind, gone)
        low = a.y + a.height + 6  # past the boxes between
        return Line(
            f"M{a.x + a.width / 2:g} {a.y + a.height:g}V{low:g}H{b.x + b.width / 2:g}V{b.y + b.height:g}",
            kind,
            gone,
        )
    turn = end - (_COLUMN - _BOX_W) / 2
    if end - start < _COLUMN:
        return Line(f"M{start:g} {y1:g}H{turn:g}V{y2:g}H{end:g}", kind, gone)
    return Line(f"M{start:g} {y1:g}H{start + 6:g}V{y2:g}H{end:g}", kind, gone)


def _back(a: Box, b: Box) -> str:
    """A bow from the bottom of `a` to the bottom of `b` in another row, or above both in the same row."""
    x1, x2 = a.x + a.width * 0.35, b.x + b.width * 0.65
    y1, y2 = a.y + a.height, b.y + b.height
    if a.y < b.y:
        y2 = b.y
        return f"M{x1:g} {y1:g}C{x1:g} {(y1 + y2) / 2:g} {x2:g} {(y1 + y2) / 2:g} {x2:g} {y2:g}"
    if a.y == b.y:
        return f"M{x1:g} {y1:g}C{x1:g} {y1 + 16:g} {x2:g} {y2 + 16:g} {x2:g} {y2:g}"
    return f"M{x1:g} {a.y:g}C{x1:g} {y2 + 12:g} {x2:g} {a.y:g} {x2:g} {y2:g}"


def _in_order(nodes: Sequence[FlowNode], edges: Sequence[Edge]) -> list[FlowNode]:
    """What lies beside the main line follows the station it left; after an end nothing is ahead any more."""
    main, beside = _split(nodes, edges)
    sources = {b: a for a, b, kind in edges if kind == "forward" and any(node.id == b for node in beside)}
    order = list(main)
    for node in beside:
        at = next((i for i, known in enumerate(order) if known.id == sources.get(node.id)), len(order) - 1)
        order.insert(at + 1, node)
    if any(node.state == "current" and not node.whose for node in beside):
        order = [node for node in order if node.state != "ahead"]
    return order


def narrow(nodes: Sequence[FlowNode], edges: Sequence[Edge], paper: float = _PAPER, me: str = "") -> Drawing:
    """One station under the other on a rail; returns bow out at the right. Lanes are named where there is room.

    `me` is the label of the account that looks.
    """
    boxes: dict[str, Box] = {}
    lanes, y = [], 8.0
    for node in _in_order(nodes, edges):
        notes = _notes(node, (paper - 100) / 12.5, me)
        boxes[node.id] = Box(10, y, 24, 24, (clip(node.label, 12),), notes, node.state, _tip(node, me))
        lanes.append(Lane(node.lane if paper >= _PAPER else "", y, 24))
        y += _STEP if notes else _STEP * 0.75
        y += 12 if len(notes) > 1 else 0
    order = list(boxes)
    lines = [
        Line(f"M{_DOT:g} {boxes[a].y + 24:g}V{boxes[b].y:g}", "forward", boxes[b].state in _GONE)
        for a, b in pairwise(order)
    ]
    back = [
        (boxes[a].y + 12, boxes[b].y + 12)
        for a, b, kind in edges
        if kind == "return" and a in boxes and b in boxes
    ]
    for depth, (y1, y2) in enumerate(back):
        edge, out = paper - 54, paper - 30 + 8 * (depth % 4)
        bow = f"M{edge:g} {y1:g}H{out - 8:g}Q{out:g} {y1:g} {out:g} {(y1 + y2) / 2:g}T{out - 8:g} {y2:g}H{edge:g}"
        lines.append(Line(bow, "return", gone=True))
    return Drawing(paper, y, tuple(lanes), tuple(boxes.values()), tuple(lines))


def _notes(node: FlowNode, room: float, me: str) -> tuple[str, ...]:
    if node.state == "ahead":
        return ()
    if node.state == "current":
        whose = me if me in node.whose.split("、") else node.whose.split("（")[0]
        return tuple(clip(note, room) for note in (turn(whose, me), node.due) if note and whose)
    acted = " · ".join(part for part in (_person(node, me), short_when(node.when)) if part)
    return tuple(clip(note, room) for note in (acted, node.opinion) if note)
