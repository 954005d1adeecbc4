"""Places the kinds of a region on paper, each to the right of those it hangs on. Only geometry, as `web.drawing`."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.service.overview import KindBox
from web.drawing import wrap

_COLUMN, _ROW, _WIDTH, _HEIGHT, _EDGE = 190.0, 62.0, 148.0, 46.0, 8.0
_BEND = 26.0  # how far a way back hangs below its boxes
_ROOM = 9.5  # characters in a line of a box


@dataclass(frozen=True)
class Place:
    """A kind's box: top left corner, lines of its label."""

    kind: str
    x: float
    y: float
    label: tuple[str, ...]
    tip: str


@dataclass(frozen=True)
class Map:
    """All of it, with the size of the paper and of a box."""

    width: float
    height: float
    places: tuple[Place, ...]
    ways: tuple[str, ...]
    again: tuple[str, ...] = ()  # back to where the path begins anew
    box: tuple[float, float] = (_WIDTH, _HEIGHT)


def place(boxes: Sequence[KindBox]) -> Map:
    """Columns by depth; within one, near what a kind hangs on."""
    columns: dict[int, list[KindBox]] = {}
    for box in boxes:
        columns.setdefault(box.depth, []).append(box)
    rows: dict[str, float] = {}
    for depth in sorted(columns):
        wanted = {box.kind: _middle(box, rows) for box in columns[depth]}
        ordered = sorted(columns[depth], key=lambda box: wanted[box.kind])
        last = -1.0
        for box in ordered:
            rows[box.kind] = last = max(last + 1, round(wanted[box.kind]) if depth else last + 1)
    tallest = max(rows.values(), default=0.0)
    places = {
        box.kind: Place(
            box.kind,
            _EDGE + box.depth * _COLUMN,
            _EDGE + rows[box.kind] * _ROW,
            wrap(box.label, _ROOM),
            box.menu,
        )
        for box in boxes
    }
    ways = tuple(_way(places[above], places[box.kind]) for box in boxes for above in box.above)
    again = tuple(_back(places[above], places[box.kind]) for box in boxes for above in box.again)
    width = max(columns, default=0) * _COLUMN + _WIDTH + 2 * _EDGE
    height = tallest * _ROW + _HEIGHT + 2 * _EDGE + (_BEND if again else 0)
    return Map(width, height, tuple(places.values()), ways, again)


def _middle(box: KindBox, rows: dict[str, float]) -> float:
    known = [rows[one] for one in box.above if one in rows]
    return sum(known) / len(known) if known else 0.0


def _way(a: Place, b: Place) -> str:
    x1, y1, x2, y2 = a.x + _WIDTH, a.y + _HEIGHT / 2, b.x, b.y + _HEIGHT / 2
    middle = (_COLUMN - _WIDTH) * 0.9
    return f"M{x1:g} {y1:g}C{x1 + middle:g} {y1:g} {x2 - middle:g} {y2:g} {x2:g} {y2:g}"


def _back(a: Place, b: Place) -> str:
    """From below one box to below another, to its left."""
    x1, y1, x2, y2 = a.x + _WIDTH * 0.4, a.y + _HEIGHT, b.x + _WIDTH * 0.6, b.y + _HEIGHT
    return f"M{x1:g} {y1:g}C{x1:g} {y1 + _BEND:g} {x2:g} {y2 + _BEND:g} {x2:g} {y2:g}"
