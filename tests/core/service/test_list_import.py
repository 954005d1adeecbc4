"""Lists from spreadsheets: the template of any table, every bad cell by its place, and all or nothing."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from core.adapters import processes
from core.adapters.spreadsheet import Xlsx
from core.domain.cells import importable
from core.domain.documents import Document
from core.domain.errors import ConflictError, InvalidError
from core.domain.forms import FieldType
from core.domain.process import Process
from core.service import entering, filling, list_import
from core.service.filling import Filling
from core.service.list_import import Report
from tests.core.world import World, new_key

XLSX = Xlsx()
HEAD = ["采购品目*", "标的名称*", "数量*", "计量单位", "单价*", "需求描述"]
GOOD = ["A02021003 激光打印机", "激光打印机", 3, "台", 1800.5, "双面"]
TABLES = [
    (process, field)
    for process in processes.load().processes.values()
    for field in process.form.fields
    if field.type is FieldType.TABLE and any(importable(column) for column in field.fields)
]


def sheet(*rows: Iterable[Any], head: Sequence[Any] = HEAD) -> bytes:
    book = Workbook()
    for row in ([*head], *map(list, rows)):
        book.active.append(row)  # type: ignore[union-attr]
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.fixture
def draft(world: World) -> Document:
    form = {"name": "激光打印机", "implementation": "网上竞价", "lines": [{"name": "原来的一行"}]}
    return entering.create(world.system, world.people["handler"], "plan", "mall", form, key=new_key())


def fill_of(world: World, draft: Document) -> Callable[[Mapping[str, Any] | None], Filling]:
    return partial(filling.existing, world.system, world.people["handler"], draft.number)


def checked(world: World, draft: Document, content: bytes) -> Report:
    return list_import.check(world.system, fill_of(world, draft), "lines", content, XLSX)


def places(report: Report) -> dict[str, str]:
    return {f"{cell.column}{cell.row}": cell.why for cell in report.wrong}


def take(world: World, draft: Document, content: bytes, *, version: int | None = None) -> Document:
    return list_import.take(
        world.system, world.people["handler"], draft.number, "lines", content, XLSX,
        version=version or draft.version, key=new_key(),
    )  # fmt: skip


def stored(world: World, draft: Document) -> Document:
    return world.document(draft.number)


@pytest.mark.covers("nm-12")
def test_a_right_list_takes_the_place_of_the_lines(world: World, draft: Document) -> None:
    content = sheet(GOOD, [], ["A02021118", "扫描仪", "2", None, "2,500元", None])
    saved = take(world, draft, content)
    assert saved.form["lines"] == [
        {"catalogue": "A02021003", "name": "激光打印机", "quantity": 3, "unit": "台", "unit_price_fen": 180_050,
         "requirement": "双面", "total_fen": 540_150},
        {"catalogue": "A02021118", "name": "扫描仪", "quantity": 2, "unit_price_fen": 250_000, "total_fen": 500_000},
    ]  # fmt: skip
    assert (saved.version, saved.amount_fen) == (draft.version + 1, 1_040_150)
    assert saved.form["name"] == "激光打印机"


@pytest.mark.covers("nm-12")
def test_every_bad_cell_is_named_and_nothing_is_half_imported(world: World, draft: Document) -> None:
    content = sheet(
        GOOD,
        ["A0202", "办公设备", 1, "台", 100, None],  # not a leaf
        ["没有的品目", "", "三", "台", "十元", "字" * 301],
        ["A02020501 专业照相机", "照相机", 0, "台", 9800, None],  # the mall has none
        [None, "只有名称", 1.5, None, -3, None],
    )
    found = places(checked(world, draft, content))
    assert found == {
        "A3": "“办公设备”不是最底层品目，请选到不能再展开为止",
        "A4": "采购目录里没有“没有的品目”，请从模板的下拉里选到最底层品目",
        "B4": "请填标的名称，不超过 100 字",
        "C4": "“三”不是整数",
        "E4": "金额“十元”看不懂，请写成元，最多两位小数，例如 12800.50",
        "F4": "需求描述 301 字，不能超过 300 字",
        "C5": "数量要大于 0",
        "A6": "请选择采购品目",
        "C6": "“1.5”不是整数",
        "E6": "金额“-3”看不懂，请写成元，最多两位小数，例如 12800.50",
    }
    with pytest.raises(InvalidError) as caught:
        take(world, draft, content)
    assert caught.value.code == "bad_list"
    assert "一行也没有导入：第 3 行 A 列（采购品目）：“办公设备”不是最底层品目" in caught.value.message
    assert caught.value.fields.keys() == found.keys()
    assert stored(world, draft) == draft


@pytest.mark.covers("nm-12", "nm-25")
def test_what_the_form_checks_of_a_row_is_named_too(world: World, draft: Document) -> None:
    found = places(checked(world, draft, sheet(GOOD, ["A02020501", "照相机", 1, "台", 9800, None])))
    assert found == {"A3": "电子卖场没有“专业照相机”，只能走无过程采购计划"}


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (["采购品目*", "标的名称*", "个数", *HEAD[3:]], {"C1": "模板里是“数量”，现在是“个数”"}),
        (HEAD[:5], {"F1": "模板里是“需求描述”，现在是空的"}),
        ([*HEAD, "备注"], {"G1": "模板里没有这一列，现在是“备注”"}),
        ([HEAD[1], HEAD[0], *HEAD[2:]], {"A1": "现在是“标的名称”", "B1": "现在是“采购品目”"}),
    ],
)
def test_a_changed_template_is_named_by_its_columns(
    head: list[str], expected: dict[str, str], world: World, draft: Document
) -> None:
    found = places(checked(world, draft, sheet(GOOD, head=head)))
    assert found.keys() == expected.keys()
    assert all(part in found[place] and "重新下载模板" in found[place] for place, part in expected.items())


def test_a_cell_outside_the_template_is_named(world: World, draft: Document) -> None:
    assert places(checked(world, draft, sheet([*GOOD, "多写的"]))) == {"G2": "模板里没有这一列，请删掉"}


def test_an_empty_list_is_no_list(world: World, draft: Document) -> None:
    assert places(checked(world, draft, sheet([None] * 6))) == {"2": "表里没有内容，请从第 2 行开始填"}
    assert "A1" in places(checked(world, draft, sheet(head=[])))


def test_more_lines_than_the_table_takes(world: World, draft: Document) -> None:
    found = places(checked(world, draft, sheet(*[GOOD] * 501)))
    assert found == {"502": "采购清单最多 500 行，现有 501 行"}


def test_a_document_that_moved_meanwhile_keeps_its_lines(world: World, draft: Document) -> None:
    take(world, draft, sheet(GOOD))
    with pytest.raises(ConflictError):
        take(world, draft, sheet(GOOD, GOOD), version=draft.version)
    assert len(stored(world, draft).form["lines"]) == 1


def test_a_table_that_is_not_there(world: World, draft: Document) -> None:
    with pytest.raises(InvalidError, match="没有“nowhere”这张表"):
        list_import.check(world.system, fill_of(world, draft), "nowhere", sheet(GOOD), XLSX)


def test_the_indicators_of_a_unit_by_code_or_as_offered(world: World, draft: Document) -> None:
    shown = fill_of(world, draft)(None)
    _, content = list_import.template(world.system, shown, "funding", XLSX)
    offered = [cell.value for cell in load_workbook(io.BytesIO(content))["可选项"]["A"]]
    code = str(offered[0]).rsplit("（", 1)[1].rstrip("）")
    rows = [[offered[0], 100], [code, 200], ["没有的指标", 1]]
    report = list_import.check(
        world.system, fill_of(world, draft), "funding", sheet(*rows, head=["指标*", "金额*"]), XLSX
    )
    assert places(report) == {"A4": "没有“没有的指标”这个指标，请从模板的下拉里选"}
    assert report.rows[0]["indicator"] == report.rows[1]["indicator"]


@pytest.mark.covers("nm-12")
def test_every_table_of_every_kind_has_its_template(world: World) -> None:
    """From the field data: what the template heads is what the import wants."""
    for process, field in TABLES:
        shown = blank(world, process)
        name, content = list_import.template(world.system, shown, field.id, XLSX)
        assert name == f"{process.label}-{field.label}.xlsx"
        heading = XLSX.read(content)[0]
        columns = [column for column in field.fields if importable(column)]
        assert [str(cell).removesuffix("*") for cell in heading] == [column.label for column in columns]
        assert [str(cell).endswith("*") for cell in heading] == [column.required for column in columns]
        report = list_import.check(world.system, always(shown), field.id, content, XLSX)
        assert places(report) == {"2": "表里没有内容，请从第 2 行开始填"}


def always(shown: Filling) -> Callable[[Mapping[str, Any] | None], Filling]:
    return lambda _values: shown


def blank(world: World, process: Process) -> Filling:
    """The form of a new document of any process, as the school's handler would see it."""
    handler = world.people["handler"]
    document = entering.blank(process, handler.unit, handler.id, None, world.clock())
    with world.system.database.read() as tx:
        return filling._filling(world.system, tx, handler, document, process, {}, None)


cells = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**15), 10**15), st.floats(allow_nan=False, allow_infinity=False),
    st.dates(), st.text(st.characters(min_codepoint=32, max_codepoint=0x9FFF, exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(["A02021003", "A0202", "激光打印机", "是", "2026-01-05", "1e3", "１２", "=1+1", "NaN", "Infinity"]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.lists(cells, min_size=1, max_size=7), min_size=1, max_size=5))
def test_whatever_stands_in_the_cells_is_read_or_named(
    rows: list[list[Any]], shared_draft: tuple[World, Document]
) -> None:
    """Never an internal error; each wrong cell has a place; without one the rows are the form's own."""
    world, draft = shared_draft

    class Given:
        def read(self, _content: bytes) -> list[tuple[Any, ...]]:
            return [tuple(HEAD), *map(tuple, rows)]

        def left(self, _content: bytes) -> tuple[str, tuple[str, ...]]:
            return "填报", ()

        def write(self, _template: Any) -> bytes:
            return b""

    report = list_import.check(world.system, fill_of(world, draft), "lines", b"", Given())
    assert all(cell.row >= 1 and cell.why for cell in report.wrong)
    if not report.wrong:
        shown = fill_of(world, draft)({**draft.form, "lines": list(report.rows)})
        assert not any(path.startswith("lines") for path in shown.review.errors)


@pytest.fixture(scope="module")
def shared_draft(new_world: Callable[[], World]) -> tuple[World, Document]:
    world = new_world()
    return world, entering.create(
        world.system, world.people["handler"], "plan", "mall", {"name": "激光打印机"}, key=new_key()
    )
