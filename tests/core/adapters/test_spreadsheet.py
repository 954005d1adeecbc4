"""Spreadsheets from outside: values only; what is dangerous or broken is refused in words."""

import io
import zipfile
from datetime import datetime

import pytest
from openpyxl import Workbook, load_workbook

from core.adapters import spreadsheet
from core.adapters.spreadsheet import Xlsx
from core.domain.errors import InvalidError
from core.service.list_ports import MAX_LINES, Column, Template

XLSX = Xlsx()


def book(*rows: list[object]) -> bytes:
    made = Workbook()
    for row in rows:
        made.active.append(row)  # type: ignore[union-attr]
    return saved(made)


def saved(made: Workbook) -> bytes:
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def changed(content: bytes, name: str, body: bytes) -> bytes:
    """The workbook with one part replaced or added."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for part in before.namelist():
            if part != name:
                after.writestr(part, before.read(part))
        after.writestr(name, body)
    return stream.getvalue()


def refused(content: bytes) -> str:
    with pytest.raises(InvalidError) as caught:
        XLSX.read(content)
    assert caught.value.code == "bad_spreadsheet"
    return caught.value.message


def test_values_come_as_they_are() -> None:
    moment = datetime(2026, 3, 31)  # noqa: DTZ001 - a sheet knows no zones
    rows = XLSX.read(book(["甲", "乙"], [1, 2.5], [True, moment], [None, " "], [None]))
    assert rows == [("甲", "乙"), (1, 2.5), (True, moment)]


def test_the_sheet_that_was_filled_in_is_read_and_the_others_are_told() -> None:
    made = load_workbook(io.BytesIO(XLSX.write(Template("清单", (Column("名称", "文字", required=False),)))))
    made["填报"]["A2"] = "甲"
    assert XLSX.left(saved(made)) == ("填报", ())  # neither the notes nor the choices are lines
    made.create_sheet("第二批")["A1"] = "乙"
    made.create_sheet("空表")
    made.move_sheet("填报", 3)
    assert XLSX.read(saved(made)) == [("名称",), ("甲",)]
    assert XLSX.left(saved(made)) == ("填报", ("第二批",))
    assert XLSX.left(book(["甲"])) == ("Sheet", ())


def test_no_workbook() -> None:
    assert "不是 XLSX 文件" in refused(b"")
    assert "不是 XLSX 文件" in refused(b"\xd0\xcf\x11\xe0" + b"0" * 600)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("readme.txt", "x")
    assert "文件打不开" in refused(stream.getvalue())


def test_broken_parts_are_no_internal_error() -> None:
    good = book(["甲"])
    assert "文件打不开" in refused(changed(good, "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row>"))
    assert "文件打不开" in refused(changed(good, "xl/workbook.xml", b"nothing"))


def test_a_macro_is_refused() -> None:
    assert "宏" in refused(changed(book(["甲"]), "xl/vbaProject.bin", b"\x00"))


def test_a_bomb_is_refused_before_it_unpacks() -> None:
    assert "解开后太大" in refused(changed(book(["甲"]), "xl/media/big.bin", b"\0" * 100_000_001))


def test_too_many_bytes() -> None:
    assert "不能超过 10 MB" in refused(b"0" * (spreadsheet.MAX_BYTES + 1))


def test_entities_are_refused() -> None:
    body = (
        b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>'
    )
    assert "文件打不开" in refused(changed(book(["甲"]), "xl/worksheets/sheet1.xml", body))


def test_a_formula_is_read_as_what_it_had_or_refused() -> None:
    assert "第 2 行 A 列是没有算出结果的公式" in refused(book(["甲"], ["=1+1"]))
    body = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1"><f>1+1</f><v>2</v></c></row></sheetData></worksheet>'
    )
    assert XLSX.read(changed(book(["甲"]), "xl/worksheets/sheet1.xml", body)) == [(2,)]


def test_an_error_value_is_named_by_its_place() -> None:
    assert "第 2 行 B 列是错误值 #REF!" in refused(book(["甲", "乙"], [1, "#REF!"]))


def test_ten_thousand_lines_and_not_one_more() -> None:
    lines: list[list[object]] = [[number] for number in range(MAX_LINES)]
    assert len(XLSX.read(book(["数量"], *lines))) == MAX_LINES + 1
    assert f"最多 {MAX_LINES} 行，现有 {MAX_LINES + 1} 行" in refused(book(["数量"], *lines, [1]))


def test_a_sheet_that_is_blank_far_down_ends_somewhere() -> None:
    made = Workbook()
    made.active.cell(1, 1, "甲")  # type: ignore[union-attr]
    made.active.cell(1_048_576, 1, "底")  # type: ignore[union-attr]
    assert "请删掉后面多余的行" in refused(saved(made))


def test_the_template_offers_choices_and_none_is_a_formula() -> None:
    template = Template(
        "计划-清单",
        (
            Column("品目*", "从下拉里选", required=True, options=("=A1", "打印机")),
            Column("名称", "文字", required=False),
        ),
    )
    content = XLSX.write(template)
    made = load_workbook(io.BytesIO(content))
    assert made.sheetnames == ["填报", "填表说明", "可选项"]
    assert [cell.data_type for cell in made["可选项"]["A"]] == ["s", "s"]
    rule = made["填报"].data_validations.dataValidation[0]
    assert (rule.formula1, str(rule.sqref)) == ("可选项!$A$1:$A$2", f"A2:A{MAX_LINES + 1}")
    assert made["可选项"].sheet_state == "hidden"
    assert XLSX.read(content) == [("品目*", "名称")]
