"""A list dropped into the conversation is checked, cell by cell, and brought in nowhere (nm-12)."""

import io

import pytest
from openpyxl import load_workbook

from assistant import sheets
from assistant.cards import FactsCard, Reply
from core.adapters.spreadsheet import Xlsx
from core.domain.errors import NotFoundError
from core.service import filling, list_import
from tests.assistant.world import World

pytestmark = pytest.mark.covers("nm-12")
GOOD = {"采购品目": "A05010301", "标的名称": "办公椅", "数量": 40, "单价": 450}


def book(world: World, *lines: dict[str, object]) -> bytes:
    """The template of the plan's list, filled in."""
    shown = filling.existing(world.system, world.account("handler"), world.number("办公椅"))
    made = load_workbook(io.BytesIO(list_import.template(world.system, shown, "lines", Xlsx())[1]))
    page = made.worksheets[0]
    heads = [str(cell.value).removesuffix("*") for cell in page[1]]
    for number, line in enumerate(lines, 2):
        for label, value in line.items():
            page.cell(number, heads.index(label) + 1, value)  # type: ignore[arg-type]
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def sent(
    world: World, content: bytes, who: str = "handler", number: str = "", conversation: str | None = None
) -> tuple[str, Reply]:
    actor = world.account(who)
    known, (reply,) = sheets.told(
        world.system, actor, conversation, number, "清单.xlsx", content, Xlsx(), "web"
    )
    return known, reply


def test_every_bad_cell_is_named_and_nothing_is_brought_in(world: World) -> None:
    plan = world.number("办公椅")
    before = world.view("办公椅").document
    bad = book(world, GOOD, {**GOOD, "采购品目": "A0202", "数量": "三"}, {"采购品目": "A05010301"})
    conversation, reply = sent(world, bad, number=plan)
    assert f"按{plan}的采购清单检查，有 5 处不对，一行也不会导入" in reply.text
    assert isinstance(reply.card, FactsCard)
    told = {row.label: row.value for row in reply.card.rows}
    assert told["第 3 行 C 列 数量"] == "“三”不是整数"
    assert {label.split(" 列")[0] for label in told} >= {"第 3 行 A", "第 4 行 B", "第 4 行 C"}
    assert reply.card.page == f"/documents/{plan}/import/lines"
    _, again = sent(world, book(world, GOOD), number=plan, conversation=conversation)
    assert "1 行全部可以导入，现在还没有导入" in again.text
    assert world.view("办公椅").document == before
    with pytest.raises(NotFoundError):
        sent(world, bad, who="reviewer", conversation=conversation)


def test_without_a_document_the_list_that_fits_is_meant(world: World) -> None:
    _, reply = sent(world, book(world, GOOD))
    assert "采购计划的采购清单检查过了：1 行全部可以导入" in reply.text
    assert "读不了：不是 XLSX 文件" in sent(world, b"PK")[1].text
    assert "没有能用表格导入的清单" in sent(world, book(world, GOOD), who="supervising")[1].text
