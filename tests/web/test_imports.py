"""Lists from spreadsheets on the page: preview, every bad cell, all or nothing."""

import io
from collections.abc import Callable

import pytest
from flask import Flask
from openpyxl import load_workbook
from werkzeug.test import TestResponse

from core.service import documents
from core.service.system import System
from tests.web.conftest import HANDLER, OTHER, REVIEWER, Browser, account_of

LINE = {"采购品目": "A02021003", "标的名称": "激光打印机", "数量": 2, "计量单位": "台", "单价": 1800.5}


def sheet(browser: Browser, path: str, lines: list[dict[str, object]], beside: str = "") -> bytes:
    """The template, filled in; `beside` names one more sheet that holds something."""
    book = load_workbook(io.BytesIO(browser.get(f"{path}/template.xlsx").data))
    page = book.worksheets[0]
    head = [str(cell.value).removesuffix("*") for cell in page[1]]
    for number, line in enumerate(lines, 2):
        for column, label in enumerate(head, 1):
            if label in line:
                page.cell(number, column, line[label])
    if beside:
        book.create_sheet(beside)["A1"] = "还有"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def preview(browser: Browser, path: str, content: bytes, name: str = "清单.xlsx") -> tuple[int, str]:
    fields = {**browser.form(path), "file": (io.BytesIO(content), name)}
    answer = browser.post(path, fields, content_type="multipart/form-data")
    return answer.status_code, answer.text


def lines(system: System, number: str) -> list[dict[str, object]]:
    actor = account_of(system, HANDLER)
    found: list[dict[str, object]] = documents.get(system, actor, number).document.form["lines"]
    return found


@pytest.mark.covers("nm-12")
def test_a_list_is_previewed_and_taken(
    system: System, browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    browser, plan = browse(HANDLER), number("办公椅")
    path = f"/documents/{plan}/import/lines"
    before = lines(system, plan)
    status, page = preview(browser, path, sheet(browser, path, [LINE] * 250, beside="第二批"))
    assert status == 200
    assert "文件里的“第二批”也有内容，没有读" in page
    assert "有 250 行，全部可以导入" in page
    assert "3,601.00" in page  # the amount of a line, which the file does not hold
    assert lines(system, plan) == before
    sha256 = page.split('name="sha256" value="')[1].split('"')[0]
    hidden = {**browser.form(path), "sha256": sha256}
    done = browser.post(path, hidden)
    assert done.status_code == 303
    assert len(lines(system, plan)) == 250
    edit = browser.get(done.headers["Location"]).text
    assert "这个清单有 250 行" in edit
    kept = {**browser.form(f"/documents/{plan}/edit"), "f.lines._": "kept", "f.name": "激光打印机"}
    browser.post(f"/documents/{plan}/edit", kept)
    assert len(lines(system, plan)) == 250


@pytest.mark.covers("nm-12")
def test_one_bad_cell_keeps_the_whole_list_out(
    system: System, browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    browser, plan = browse(HANDLER), number("办公椅")
    path = f"/documents/{plan}/import/lines"
    before = lines(system, plan)
    content = sheet(browser, path, [LINE, {**LINE, "数量": "三"}, {**LINE, "采购品目": "Z99"}])
    status, page = preview(browser, path, content)
    assert status == 422
    assert "一行也没有导入" in page
    assert "第 3 行" in page
    assert "第 4 行" in page
    sha256 = accounts_file(browser, content)
    forced = browser.post(path, {**browser.form(path), "sha256": sha256})
    assert forced.status_code == 422
    assert lines(system, plan) == before


def accounts_file(browser: Browser, content: bytes) -> str:
    fields = {"csrf_token": browser.form("/", "/chat")["csrf_token"], "file": (io.BytesIO(content), "a.xlsx")}
    told = browser.post("/attachments", fields, content_type="multipart/form-data").get_json()
    return str(told["sha256"])


def test_only_who_may_change_the_document_may_import(
    browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    plan = number("办公椅")
    assert browse(OTHER).get(f"/documents/{plan}/import/lines").status_code == 404
    assert browse(REVIEWER).get(f"/documents/{plan}/import/lines").status_code == 403
    handler = browse(HANDLER)
    assert handler.get(f"/documents/{plan}/import/nothing").status_code == 422
    assert handler.get(f"/documents/{number('空调机')}/import/lines").status_code == 403
    path = f"/documents/{plan}/import/lines"
    assert preview(handler, path, b"no workbook")[0] == 422
    assert preview(handler, path, b"%PDF-1", "a.pdf")[0] == 422
    stranger = accounts_file(browse(OTHER), sheet(handler, path, [LINE]))
    assert handler.post(path, {**handler.form(path), "sha256": stranger}).status_code == 404


def test_a_new_document_is_saved_on_the_way(browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    fields = {**browser.form("/documents/new/plan/mall"), "f.name": "激光打印机", "do": "import:lines"}
    saved = browser.post("/documents/new/plan/mall", fields)
    assert saved.headers["Location"].endswith("/import/lines")
    assert "用表格导入采购清单" in browser.get(saved.headers["Location"]).text


def test_a_program_imports_too(
    app: Flask, bearer: Callable[[str], dict[str, str]], system: System, number: Callable[[str], str]
) -> None:
    client, plan, headers = app.test_client(), number("办公椅"), bearer(HANDLER)
    path = f"/api/v1/documents/{plan}/tables/lines"
    book = load_workbook(io.BytesIO(client.get(f"{path}/template", headers=headers).data))
    labels = [str(cell.value).removesuffix("*") for cell in book.worksheets[0][1]]
    assert set(LINE) <= set(labels)

    def post(line: dict[str, object], version: int) -> TestResponse:
        for column, label in enumerate(labels, 1):
            book.worksheets[0].cell(2, column, line.get(label))
        content = io.BytesIO()
        book.save(content)
        content.seek(0)
        return client.post(f"{path}?version={version}", data={"file": (content, "a.xlsx")}, headers=headers)

    version = client.get(f"/api/v1/documents/{plan}", headers=headers).get_json()["summary"]["version"]
    wrong = post({**LINE, "数量": "x"}, version)
    assert (wrong.status_code, wrong.get_json()["code"]) == (422, "bad_list")
    assert len(wrong.get_json()["fields"]) == 1
    done = post(LINE, version)
    assert done.status_code == 200, done.text
    assert done.get_json()["lines"] == len(lines(system, plan)) == 1
    assert post(LINE, version).status_code == 409
