"""Print the filing certificate (采购计划备案书): A4, embedded fonts, the same bytes for the same plan."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from core.adapters.pdf_fonts import CJK, cjk_font, runs
from core.domain.calendar import HERE
from core.domain.errors import InvalidError
from core.domain.money import yuan
from core.service.sealing_ports import (
    CertificateIndicator,
    CertificateLine,
    CertificateReview,
    FilingCertificate,
)

_MARGIN = 20 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_SEAL_WIDTH, _SEAL_HEIGHT = 46 * mm, 54 * mm

SEAL_BOX = (
    A4[0] - _MARGIN - 6 * mm - _SEAL_WIDTH,
    _MARGIN,
    A4[0] - _MARGIN - 6 * mm,
    _MARGIN + _SEAL_HEIGHT,
)
"""Where the seal goes on the last page: left, bottom, right, top in points."""
_SECOND = _SEAL_WIDTH + 8 * mm
SEAL_BOXES = (SEAL_BOX, (SEAL_BOX[0] - _SECOND, SEAL_BOX[1], SEAL_BOX[2] - _SECOND, SEAL_BOX[3]))
"""The same for whoever seals first and second; the second place is kept free only where there is a supplier."""

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ((10**8, "亿"), (10**4, "万"), (1000, "仟"), (100, "佰"), (10, "拾"))
_TALL_CELL = 400  # characters in one cell that may fill a page of the narrowest wide column
_MOST_FEN = 10**18


def capital_amount(fen: int) -> str:
    """Fen → 人民币大写 without the word 人民币: `140950` → `壹仟肆佰零玖元伍角`.

    After 支付结算办法, annex 1 (中国人民银行): 整 after whole yuan only, one 零 for zeros in between. Raises
    InvalidError (code `amount`) below zero and from ten quadrillion yuan on.
    """
    if not 0 <= fen < _MOST_FEN:
        raise InvalidError(
            "金额超出大写金额的范围，请核对各行金额", code="amount", fields={"amount": "须为非负数"}
        )
    whole, cents = divmod(fen, 100)
    jiao, rest = divmod(cents, 10)
    text = _capital_number(whole) + "元" if whole or not cents else ""
    if not cents:
        return text + "整"
    if whole and (not jiao or not whole % 10):
        text += "零"
    if jiao:
        text += _DIGITS[jiao] + "角"
    if rest:
        text += _DIGITS[rest] + "分"
    return text


def _capital_number(number: int) -> str:
    for place, name in _PLACES:
        if number >= place:
            head, rest = divmod(number, place)
            gap = "零" if 0 < rest * 10 < place else ""
            return _capital_number(head) + name + gap + (_capital_number(rest) if rest else "")
    return _DIGITS[number]


def render(certificate: FilingCertificate) -> bytes:
    """Unsigned PDF of `certificate`; the last page keeps `SEAL_BOX` free. Times must be timezone-aware."""
    target = BytesIO()
    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"{certificate.heading} {certificate.plan_number}",
        author=certificate.unit,
        subject=certificate.title,
        lang="zh-CN",
        initialFontName=cjk_font(),  # named on each page even if unused, and the default is not embedded
        invariant=1,  # no clock, no random identifier: equal plans give equal bytes
    )
    document.build(_story(certificate), canvasmaker=partial(_NumberedCanvas, plan=certificate.plan_number))
    return target.getvalue()


def _story(certificate: FilingCertificate) -> list[Flowable]:
    parts = [
        (words, table)
        for words, rows, table in (
            ("采购明细", certificate.lines, _lines(certificate.lines, certificate.total_fen)),
            ("预算指标", certificate.indicators, _indicators(certificate.indicators)),
            ("审核情况", certificate.reviewers, _reviews(certificate.reviewers)),
        )
        if rows
    ]
    return [
        _text(certificate.heading, "title"),
        _text(f"{certificate.region}政府采购", "subtitle"),
        Spacer(0, 4 * mm),
        _facts(certificate),
        *(
            flowable
            for number, (words, table) in zip("一二三", parts, strict=False)
            for flowable in (*_heading(f"{number}、{words}"), table)
        ),
        _SealPlace(certificate.unit, certificate.supplier),
    ]


def _heading(words: str) -> list[Flowable]:
    """Starts a new page where no row would follow; `keepWithNext` would move a long table as a whole."""
    return [CondPageBreak(40 * mm), _text(words, "heading")]


def _facts(certificate: FilingCertificate) -> Table:
    rows = [
        ("计划编号", certificate.plan_number, "采购类型", certificate.kind),
        ("项目名称", certificate.title, "", ""),
        ("采购单位", certificate.unit, "", ""),
        ("采购金额", f"{yuan(certificate.total_fen)} 元", "生成时间", _moment(certificate.created_at)),
        ("人民币大写", capital_amount(certificate.total_fen), "", ""),
    ]
    table = Table(
        [[_text(cell, "cell") for cell in row] for row in rows],
        colWidths=[26 * mm, 64 * mm, 26 * mm, _WIDTH - 116 * mm],
    )
    spans = [("SPAN", (1, row), (3, row)) for row in (1, 2, 4)]
    shades = [("BACKGROUND", cell, cell, _SHADE) for cell in ((2, 0), (2, 3))]
    table.setStyle(TableStyle([*_GRID, *spans, ("BACKGROUND", (0, 0), (0, -1), _SHADE), *shades]))
    return table


def _lines(lines: Sequence[CertificateLine], total_fen: int) -> Table:
    body = [
        [
            _text(str(number), "centre"),
            _text(line.name, "cell"),
            _text(line.catalogue_code, "cell"),
            _text(_plain(line.quantity), "number"),
            _text(line.unit, "centre"),
            _text(yuan(line.unit_price_fen), "number"),
            _text(yuan(line.total_fen), "number"),
        ]
        for number, line in enumerate(lines, start=1)
    ]
    head = ["序号", "名称", "品目编码", "数量", "单位", "单价（元）", "金额（元）"]
    foot = [_text("合计", "centre"), "", "", "", "", "", _text(yuan(total_fen), "number")]
    table = _table(head, [*body, foot], [11, 51, 25, 16, 13, 26, 28])
    table.setStyle(TableStyle([("SPAN", (0, -1), (5, -1))]))
    return table


def _indicators(indicators: Sequence[CertificateIndicator]) -> Table:
    body = [
        [_text(each.code, "cell"), _text(each.name, "cell"), _text(yuan(each.amount_fen), "number")]
        for each in indicators
    ]
    return _table(["指标编号", "指标名称", "使用金额（元）"], body, [50, 85, 35])


def _reviews(reviews: Sequence[CertificateReview]) -> Table:
    body = [
        [_text(each.node, "cell"), _text(each.person, "cell"), _text(_moment(each.at), "centre")]
        for each in reviews
    ]
    return _table(["环节", "审核人", "时间"], body, [65, 60, 45])


def _table(head: Sequence[str], body: Sequence[Sequence[Any]], widths_mm: Sequence[float]) -> Table:
    """A table whose header is repeated on each page.

    Rows are split only where one may be taller than a page: elsewhere it would cut them at each page's foot.
    """
    tall = any(
        isinstance(cell, Paragraph) and len(cell.getPlainText()) > _TALL_CELL for row in body for cell in row
    )
    table = Table(
        [[_text(cell, "centre") for cell in head], *body],
        colWidths=[width * mm for width in widths_mm],
        repeatRows=1,
        splitInRow=int(tall),
    )
    table.setStyle(TableStyle([*_GRID, ("BACKGROUND", (0, 0), (-1, 0), _SHADE)]))
    return table


class _SealPlace(Flowable):  # type: ignore[misc]
    """The closing block: fills the page to its foot, so that the seal's box is always at the same place."""

    def __init__(self, unit: str, supplier: str) -> None:
        super().__init__()
        self._places = _SECOND if supplier else 0
        said = [
            f"采购单位（盖章）：{unit}",
            *([f"供应商（盖章）：{supplier}"] if supplier else []),
            "日期：见签章",
        ]
        self._words = [_text(words, "closing") for words in said]

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        # Two points of air: the frame compares with rounding.
        self.height = max(_SEAL_HEIGHT, height - 2)
        self._text_width = width - _SEAL_WIDTH - 10 * mm - self._places
        return width, self.height

    def draw(self) -> None:
        top = _SEAL_HEIGHT - 14 * mm
        for words in self._words:
            _, height = words.wrap(self._text_width, top)
            words.drawOn(self.canv, 0, top - height)
            top -= height + 3 * mm


class _NumberedCanvas(Canvas):  # type: ignore[misc]
    """Keeps the pages back until their number is known."""

    def __init__(self, *args: Any, plan: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plan = plan
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab's name
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            foot = f"计划编号 {self._plan}　第 {number} 页，共 {len(self._pages)} 页"
            words = _text(foot, "foot")
            words.wrap(_WIDTH, _MARGIN)
            words.drawOn(self, _MARGIN, 10 * mm)
            super().showPage()
        super().save()


_SHADE = colors.Color(0.94, 0.95, 0.97)
_GRID = [
    ("FONTNAME", (0, 0), (-1, -1), CJK),  # for empty cells too
    ("GRID", (0, 0), (-1, -1), 0.5, colors.Color(0.45, 0.48, 0.52)),
    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ("TOPPADDING", (0, 0), (-1, -1), 3),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ("LEFTPADDING", (0, 0), (-1, -1), 4),
    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
]


@cache
def _styles() -> dict[str, ParagraphStyle]:
    base = ParagraphStyle("base", fontName=CJK, fontSize=9.5, leading=14, wordWrap="CJK")
    more: dict[str, dict[str, Any]] = {
        "title": {"fontSize": 20, "leading": 28, "alignment": TA_CENTER},
        "subtitle": {"fontSize": 11, "leading": 16, "alignment": TA_CENTER},
        "heading": {"fontSize": 11, "leading": 16, "spaceBefore": 10, "spaceAfter": 4},
        "cell": {},
        "centre": {"alignment": TA_CENTER},
        "number": {"alignment": TA_RIGHT},
        "closing": {"fontSize": 11, "leading": 17},
        "foot": {"fontSize": 8, "leading": 10, "alignment": TA_CENTER},
    }
    return {name: ParagraphStyle(name, parent=base, **changes) for name, changes in more.items()}


def _text(text: str, style: str) -> Paragraph:
    """A paragraph of plain text: mark-up in users' words is printed, not obeyed."""
    marked = "".join(
        escape(piece) if font == CJK else f'<font name="{font}">{escape(piece)}</font>'
        for font, piece in runs(text)
    )
    return Paragraph(marked, _styles()[style])


def _plain(quantity: Decimal) -> str:
    """`Decimal("2.50")` → `2.5`, `Decimal("1E+2")` → `100`."""
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("times on a certificate must be timezone-aware")
    return at.astimezone(HERE).strftime("%Y-%m-%d %H:%M")
