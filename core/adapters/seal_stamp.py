"""The visible seal: a round red stamp with the unit's name on the arc, drawn as a small PDF to be stamped."""

import math
from datetime import datetime
from io import BytesIO

from reportlab.lib import colors
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from core.adapters.pdf_fonts import cjk_font, runs
from core.domain.calendar import HERE

_RED = colors.Color(0.82, 0.05, 0.08)
_RING_WIDTH = 1.2 * mm
_NAME_ARC = math.radians(250)  # the unit's name spans at most this much
_NOTE_HEIGHT = 8 * mm


def stamp(unit: str, label: str, at: datetime, size: tuple[float, float]) -> bytes:
    """A one-page PDF of `size` points, transparent: ring, star, `unit` on the arc, `label`, and the time."""
    width, height = size
    target = BytesIO()
    canvas = Canvas(target, pagesize=size, invariant=1, initialFontName=cjk_font())
    canvas.setStrokeColor(_RED)
    canvas.setFillColor(_RED)
    radius = min(width, height - _NOTE_HEIGHT) / 2 - _RING_WIDTH
    centre_x, centre_y = width / 2, _NOTE_HEIGHT + (height - _NOTE_HEIGHT) / 2
    canvas.setLineWidth(_RING_WIDTH)
    canvas.circle(centre_x, centre_y, radius)
    canvas.saveState()
    canvas.translate(centre_x, centre_y)
    _star(canvas, radius * 0.28)
    _arc(canvas, unit, radius)
    _centred(canvas, label, 0, -radius * 0.62, min(11.0, radius * 1.2 / max(len(label), 1)))
    canvas.restoreState()
    local = at.astimezone(HERE)
    _centred(canvas, f"签章时间 {local:%Y-%m-%d %H:%M}", centre_x, 2 * mm, 7.0)
    canvas.showPage()
    canvas.save()
    return target.getvalue()


def _arc(canvas: Canvas, text: str, radius: float) -> None:
    """Write `text` clockwise along the upper arc, upright at the top."""
    chars = [(font, char) for font, piece in runs(text) for char in piece]
    if not chars:
        return
    size = min(13.0, _NAME_ARC * radius * 0.72 / len(chars))
    base = radius - size * 1.25
    step = min(_NAME_ARC / len(chars), size * 1.35 / base)
    angle = step * (len(chars) - 1) / 2
    for font, char in chars:
        canvas.saveState()
        canvas.rotate(math.degrees(angle))
        canvas.setFont(font, size)
        canvas.drawString(-stringWidth(char, font, size) / 2, base, char)
        canvas.restoreState()
        angle -= step


def _star(canvas: Canvas, radius: float) -> None:
    path = canvas.beginPath()
    for point in range(10):
        reach = radius if point % 2 == 0 else radius * 0.382
        angle = math.pi / 2 + point * math.pi / 5
        (path.lineTo if point else path.moveTo)(reach * math.cos(angle), reach * math.sin(angle))
    path.close()
    canvas.drawPath(path, stroke=0, fill=1)


def _centred(canvas: Canvas, text: str, middle: float, bottom: float, size: float) -> None:
    pieces = runs(text)
    left = middle - sum(stringWidth(piece, font, size) for font, piece in pieces) / 2
    for font, piece in pieces:
        canvas.setFont(font, size)
        canvas.drawString(left, bottom, piece)
        left += stringWidth(piece, font, size)
