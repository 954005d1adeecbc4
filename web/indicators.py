"""Budget indicators, what moved on them, and what a unit and those below it have to spend."""

from collections.abc import Sequence

from flask import Blueprint, Response, render_template, request

from core.adapters import sheet_writer
from core.domain.errors import NotFoundError
from core.service import budget_queries, ledger
from core.service.budget_queries import ORIGIN_LABELS, Budget, Origin
from core.service.ledger import MovementView
from core.service.ports import Indicator
from web import downloads
from web.parts import system
from web.security import actor, require_session
from web.words import when

pages = Blueprint("indicators", __name__)
pages.before_request(require_session)


@pages.get("/indicators")
def listing() -> str:
    """All indicators of the unit."""
    own = budget_queries.budgets(system(), actor(), below=False)
    return render_template("indicators.html", budgets=own, origins=ORIGIN_LABELS)


@pages.get("/budgets")
def budgets() -> str:
    """What the unit and those below it have to spend, entered by hand or come over from finance (fj-1.1, fj-1.2)."""
    found, given = _asked()
    return render_template(
        "budgets.html", budgets=found, given=given, origins=ORIGIN_LABELS, mine=actor().unit.id,
        totals={
            name: sum(getattr(one.indicator, name) for one in found)
            for name in ("total_fen", "used_fen", "frozen_fen", "available_fen")
        },
    )  # fmt: skip


@pages.get("/budgets.xlsx")
def download() -> Response:
    """The same as a spreadsheet."""
    found, _ = _asked()
    header = (
        "单位编码", "单位", "指标编码", "指标名称", "年度", "来源", "同步时间", "状态", "总额（元）", "已用（元）",
        "冻结（元）", "可用（元）",
    )  # fmt: skip
    return downloads.file(
        sheet_writer.write("采购预算", header, [_line(one) for one in found]), "采购预算.xlsx"
    )


def _line(one: Budget) -> tuple[str | float, ...]:
    item = one.indicator
    return (
        one.unit.code, one.unit.name, item.code, item.name, item.year, ORIGIN_LABELS[one.origin],
        when(one.synchronised_at), one.why or "有效",
        *(fen / 100 for fen in (item.total_fen, item.used_fen, item.frozen_fen, item.available_fen)),
    )  # fmt: skip


def _asked() -> tuple[Sequence[Budget], dict[str, str]]:
    """From the address: `q` in code or name, `origin`, `below=no` leaves the units below out."""
    names = ("q", "origin", "below")
    given = {name: text for name in names if (text := request.args.get(name, "").strip()[:100])}
    origin = next((one for one in Origin if one.value == given.get("origin")), None)
    found = budget_queries.budgets(
        system(), actor(), text=given.get("q", ""), below=given.get("below") != "no", origin=origin
    )
    return found, given


@pages.get("/indicators/<int:indicator>")
def statement(indicator: int) -> str:
    """Every movement on one indicator."""
    found, movements = _statement(indicator)
    return render_template("indicator.html", indicator=found, movements=movements)


def _statement(number: int) -> tuple[Indicator, Sequence[MovementView]]:
    movements = ledger.statement(system(), actor(), number)
    found = next((item for item in ledger.indicators(system(), actor()) if item.id == number), None)
    if found is None:
        raise NotFoundError("没有这个指标")
    return found, movements


@pages.get("/indicators/<int:indicator>.xlsx")
def statement_file(indicator: int) -> Response:
    """The same as a spreadsheet."""
    found, lines = _statement(indicator)
    name = f"{found.code} 流水"
    return downloads.file(
        sheet_writer.write("流水", _HEADER[1:], [_movement(row)[1:] for row in lines]), f"{name}.xlsx"
    )


@pages.get("/documents/<number>/money")
def money(number: str) -> str:
    """Every movement that a document made, and the account of its own."""
    sections = ledger.of_document(system(), actor(), number)
    return render_template("money.html", number=number, sections=sections)


@pages.get("/documents/<number>/money.xlsx")
def money_file(number: str) -> Response:
    """The same as a spreadsheet."""
    lines = [
        _movement(row, "本单据的额度" if section.own else section.indicator.code, own=section.own)
        for section in ledger.of_document(system(), actor(), number)
        for row in section.lines
    ]
    return downloads.file(sheet_writer.write("资金流水", _HEADER, lines), f"{number} 资金流水.xlsx")


_HEADER = (
    "指标", "时间", "事由", "来源", "金额（元）", "总额（元）", "冻结（元）", "已用（元）", "可用（元）",
)  # fmt: skip


def _movement(row: MovementView, code: str = "", *, own: bool = True) -> tuple[str | float, ...]:
    """One line; of somebody else's indicator only what the document keeps is known here."""
    whole = (row.total_fen / 100, row.available_fen / 100) if own else ("", "")
    return (
        code, when(row.at), row.kind_label, row.number or row.source_label, row.amount_fen / 100, whole[0],
        row.frozen_fen / 100, row.used_fen / 100, whole[1],
    )  # fmt: skip
