import io
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from core.adapters import sheet_writer
from core.service import documents, entering, lists
from core.service.page_ports import Query
from core.service.system import System
from core.settings import Settings
from tests.support.shared import copy_of
from tests.web.conftest import HANDLER, OTHER, REVIEWER, Browser, Clock, account_of, signed_in
from tests.web.echo import app_over


def titles(system: System, login: str, **wanted: object) -> set[str]:
    query = Query(**wanted)  # type: ignore[arg-type]
    return {one.title for one in lists.find(system, account_of(system, login), query, limit=100)}


def draft(system: System, name: str, key: str) -> str:
    form = {"name": name, "lines": [], "funding": []}
    return entering.create(system, account_of(system, HANDLER), "plan", "direct", form, key=key).number


def test_folders(system: System, number: Callable[[str], str]) -> None:
    mine = titles(system, HANDLER, folder="mine")
    assert {"激光打印机", "办公椅"} <= mine
    assert titles(system, REVIEWER, folder="mine") == set()
    assert "空调机" in titles(system, REVIEWER, folder="todo")
    assert "空调机" not in titles(system, REVIEWER, folder="done")
    assert "激光打印机" in titles(system, REVIEWER, folder="done")
    assert "办公椅" not in titles(system, HANDLER, folder="done")
    assert titles(system, OTHER, folder="all") == {"便携式计算机"}
    assert number("办公椅")


def test_filters(system: System) -> None:
    assert titles(system, HANDLER, words="激光") == {"激光打印机"}
    assert titles(system, HANDLER, words="%") == set()
    assert titles(system, HANDLER, kind="plan", node="dispatched") == {
        "多功能一体机", "学校食堂设备", "台式计算机",
    }  # fmt: skip
    assert titles(system, HANDLER, least_fen=18_000_000, most_fen=18_000_000) == {"学校食堂设备"}
    tomorrow = system.clock() + timedelta(days=1)
    assert titles(system, HANDLER, since=tomorrow) == set()
    assert "办公椅" in titles(system, HANDLER, until=tomorrow)


def test_a_document_that_waits_too_long_is_late(system: System, clock: Clock) -> None:
    actor = account_of(system, REVIEWER)
    assert lists.find(system, actor, Query("late"), limit=100) == []
    clock.ahead = timedelta(days=9)
    late = lists.find(system, actor, Query("late"), limit=100)
    assert {"空调机", "激光打印机"} <= {one.title for one in late}
    assert all(one.whose for one in late)  # what nobody has to act on is not late


def test_the_pages_filter_and_page_on(system: System, browse: Callable[[str], Browser]) -> None:
    for at in range(25):
        draft(system, f"第{at:02}张", f"many-drafts-{at}")
    browser = browse(HANDLER)
    first = browser.get("/documents?q=张").text
    assert first.count('class="doc-card"') == 20
    more = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert browser.get(more).text.count('class="doc-card"') == 5
    odd = browser.get("/documents?least=abc&since=gestern&kind=nothing&folder=x")
    assert odd.status_code == 200
    assert "金额请写成元" in odd.text
    assert "日期要写成" in odd.text
    for folder in lists.FOLDERS:
        assert browser.get(f"/documents?folder={folder}").status_code == 200


def test_views_are_kept_for_the_account_alone(browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    fields = {**browser.form("/documents?q=打印机&least=5000", "/documents/views"), "name": "大额<打印机>"}
    kept = browser.post("/documents/views", fields, follow_redirects=True).text
    assert "大额&lt;打印机&gt;" in kept
    assert "least=5000" in kept
    assert "大额" not in browse(REVIEWER).get("/documents").text
    again = browser.post("/documents/views", {**fields, "q": "空调"}, follow_redirects=True).text
    assert again.count("大额&lt;打印机&gt;</a>") == 1
    address = re.findall(r"/documents/views/\d+/delete", browser.get("/documents").text)[0]
    foreign = browse(REVIEWER)
    foreign.post(address, foreign.form("/", "/chat"))
    assert "大额" in browser.get("/documents").text
    gone = browser.post(address, browser.form("/documents", address), follow_redirects=True)
    assert "大额" not in gone.text
    nameless = browser.post("/documents/views", {**fields, "name": " "})
    assert nameless.status_code == 422


def test_the_list_is_exported_without_formulas(system: System, browse: Callable[[str], Browser]) -> None:
    draft(system, "=HYPERLINK(1)", "formula-0001")
    answer = browse(HANDLER).get("/documents/export.xlsx")
    sheet = load_workbook(io.BytesIO(answer.data)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(min_row=2))
    assert len(rows) == 13
    named = next(row[3] for row in rows if str(row[3].value).startswith("="))
    assert (named.value, named.data_type, named.quotePrefix) == ("=HYPERLINK(1)", "s", True)
    amounts = {row[3].value: row[5].value for row in rows}
    assert amounts["办公椅"] == 18_000.0


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1"])
def test_no_cell_becomes_a_formula(text: str) -> None:
    content = sheet_writer.write("表", ["列"], [[text]])
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    cell = sheet["A2"]
    assert cell.data_type in {"s", "inlineStr"}
    assert cell.quotePrefix


def test_the_same_act_on_several_documents(
    system: System, browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    handler, plans = browse(HANDLER), [number("办公椅")]
    plans.append(draft(system, "不在目录里", "batch-draft"))
    page = handler.get("/todo").text
    assert "一起办" in page
    view = [documents.get(system, account_of(system, HANDLER), one).document for one in plans]
    picks = [f"{one.number}:{one.version}" for one in view]
    hidden = handler.form("/todo", "/todo/batch")
    fields = {**hidden, "pick": picks, "action": "submit"}
    done = handler.post("/todo/batch", fields).text
    assert "办成 1 张" in done
    assert "没办成 1 张" in done
    assert documents.get(system, account_of(system, HANDLER), plans[0]).document.node == "unit_second"
    again = handler.post("/todo/batch", fields).text
    assert "办成 1 张" in again  # the same key: nothing twice, and the same is said
    history = documents.get(system, account_of(system, HANDLER), plans[0]).history
    assert [entry.action for entry in history].count("submit") == 1
    assert handler.post("/todo/batch", {**hidden, "action": "submit"}).status_code == 422
    assert handler.post("/todo/batch", {**fields, "pick": "x", "key": "other-key-1"}).status_code == 422
    foreign = browse(OTHER)
    stranger = {**foreign.form("/", "/chat"), "key": "foreign-0001", "pick": picks, "action": "submit"}
    assert "没办成 2 张" in foreign.post("/todo/batch", stranger).text


def test_whoever_has_something_to_enter_is_offered_to(bare_worlds: Settings, tmp_path: Path) -> None:
    """What there is to enter is the region's: in 许昌 complaints for the 采购监管, and nothing for agencies."""
    with copy_of(bare_worlds, tmp_path / "bare.db") as system:
        for login, offered in (("411099CZCG0101", True), ("411099AG000101", False)):
            browser = signed_in(app_over(system), login)
            for path in ("/home", "/documents"):
                page = browser.get(path)
                assert page.status_code == 200, (login, path)
                assert ('href="/documents/new"' in page.text) is offered, (login, path)
