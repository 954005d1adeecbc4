"""The knowledge console as staff use it: from an edit to what the assistant says, and back."""

import re
import threading
from collections.abc import Callable
from html import unescape
from io import BytesIO

import pytest
from flask import Flask
from openpyxl import load_workbook
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.web.conftest import HANDLER, SUPPORT, Browser
from tests.web.test_wiring import say

ADMIN = "150299PT000102"
PLACE = "/knowledge/entries/neimenggu/nm-5"


@pytest.fixture
def app(console: Flask) -> Flask:
    return console


def filled(browser: Browser, path: str) -> MultiDict[str, str]:
    """Everything that stands in the form on `path`, as a browser would send it."""
    page = browser.get(path).text
    form = next(one for one in re.findall(r"<form.*?</form>", page, re.DOTALL) if 'class="k-form"' in one)
    fields: MultiDict[str, str] = MultiDict()
    pattern = (
        r'<(?:input|textarea)[^>]*?name="([^"]+)"(?:[^>]*?value="([^"]*)")?[^>]*>(?:([^<]*)</textarea>)?'
    )
    for name, value, text in re.findall(pattern, form):
        fields.add(name, unescape(text or value))
    return fields


def follow(browser: Browser, answer: TestResponse, status: int = 303) -> str:
    assert answer.status_code == status, answer.text
    return browser.get(answer.headers["Location"]).text


def drafted(browser: Browser, short: str) -> str:
    """Path of the revision that `browser` has just drafted."""
    fields = filled(browser, "/knowledge/entries/nm-5/edit")
    fields["short"] = short
    answer = browser.post("/knowledge/entries/nm-5/edit", fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def replayed(browser: Browser, path: str) -> str:
    """The page of a release after its replay."""
    browser.post("/knowledge/release/replay", {**browser.form(path, "/knowledge/release/replay")})
    for _ in range(1200):
        page = browser.get(path).text
        if "正在重放" not in page:
            return page
        threading.Event().wait(0.1)
    pytest.fail("the replay did not end")


def test_an_edit_is_reviewed_replayed_published_said_and_taken_back(browse: Callable[[str], Browser]) -> None:
    support, admin, handler = browse(SUPPORT), browse(ADMIN), browse(HANDLER)
    place = drafted(support, "全新的说法，在这里。")
    page = support.get(place).text
    assert "全新的说法" in page
    assert "请别人审核" in page
    review = f"{place}/review"
    refused = support.post(review, support.form(place, f"{place}/discard"))
    assert refused.status_code == 409
    assert "全新的说法" not in say(handler, "单位账号是多少")
    assert "已审核" in follow(admin, admin.post(review, admin.form(place, review)))
    number = place.rsplit("/", 1)[1]
    release = f"/knowledge/release?revision={number}"
    early = admin.post("/knowledge/release", admin.form(release, "/knowledge/release"))
    assert early.status_code == 409
    assert "请先重放" in early.text
    assert re.search(r"问了 \d{3,} 题", replayed(admin, release))
    assert support.post("/knowledge/release", support_fields(support, release, number)).status_code == 403
    done = admin.post("/knowledge/release", admin.form(release, "/knowledge/release"))
    assert "已发布第 2 版" in follow(admin, done)
    spoken = ""
    for _ in range(600):
        spoken = say(handler, "单位账号是多少")
        if "全新的说法" in spoken:
            break
        threading.Event().wait(0.1)
    assert "全新的说法" in spoken
    back = "/knowledge/history/1/roll-back"
    follow(admin, admin.post(back, admin.form("/knowledge/history", back)))
    assert "全新的说法" not in admin.get(PLACE).text.split("修改记录")[0]
    assert "第 3 版" in admin.get("/knowledge/history").text


def support_fields(support: Browser, release: str, number: str) -> dict[str, str]:
    """The form that the page does not show to who may not publish."""
    hidden = (
        support.form(release, "/knowledge/release/replay")
        if "重放评测题" in support.get(release).text
        else {}
    )
    token = support.form("/", "/chat")["csrf_token"]
    return {"csrf_token": token, **hidden, "number": "1", "revision": number}


def test_the_form_brings_everything_back(browse: Callable[[str], Browser]) -> None:
    support = browse(SUPPORT)
    fields = filled(support, "/knowledge/entries/nm-5/edit")
    answer = support.post("/knowledge/entries/nm-5/edit", fields)
    assert "和已发布的一样" in follow(support, answer)


def test_what_is_wrong_is_said_beside_the_field(browse: Callable[[str], Browser]) -> None:
    support = browse(SUPPORT)
    fields = filled(support, "/knowledge/entries/nm-5/edit")
    fields["title"], fields["neighbours"] = "长" * 25, "没有冒号"
    fields["effective_from"], fields["effective_until"] = "2026-12-02", "2026-12-01"
    answer = support.post("/knowledge/entries/nm-5/edit", fields)
    assert answer.status_code == 422
    for text in ("标题有 25 字", "要写成“编号：区别”", "失效日期不能早于", "没有冒号"):
        assert text in answer.text
    assert answer.text.count('aria-invalid="true"') == 3


def test_a_new_entry_waits_for_its_phrasings(browse: Callable[[str], Browser]) -> None:
    support, admin = browse(SUPPORT), browse(ADMIN)
    fields = filled(support, "/knowledge/new?title=食堂饭卡怎么充值&q=饭卡没钱了")
    assert fields["phrasings-short"] == "饭卡没钱了"
    fields["short"], fields["steps"] = "到一楼窗口充值。", "到一楼"
    answer = support.post("/knowledge/new", fields)
    page = follow(support, answer)
    assert "还差 19 种问法" in page
    place = answer.headers["Location"]
    follow(admin, admin.post(f"{place}/review", admin.form(place, f"{place}/review")))
    release = admin.get(f"/knowledge/release?revision={place.rsplit('/', 1)[1]}").text
    assert "只有 1 种问法" in release
    assert "nm-k1" in admin.get("/knowledge/waiting").text


def test_the_list_is_searched_by_word_and_meaning_in_every_region(browse: Callable[[str], Browser]) -> None:
    support = browse(SUPPORT)
    assert "nm-5" in support.get("/knowledge").text
    found = support.get("/knowledge", query_string={"q": "我们单位登录用的号忘了"}).text
    assert "/knowledge/entries/neimenggu/nm-5" in found
    other = support.get("/knowledge?region=fujian").text
    assert "/knowledge/entries/fujian/" in other
    place = re.search(r'href="(/knowledge/entries/fujian/[^"]+)"', other)
    assert place is not None
    assert "/edit" not in support.get(place[1]).text
    assert support.get("/knowledge?region=mars").status_code == 404
    assert support.get("/knowledge/entries/neimenggu/nm-999").status_code == 404


def test_why_an_entry_won_is_shown(browse: Callable[[str], Browser]) -> None:
    page = browse(SUPPORT).get("/knowledge/try", query_string={"q": "单位账号是多少"}).text
    assert "直接回答" in page
    assert "各项得分" in page


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/waiting",
        "/history",
        "/try",
        "/upload",
        "/new",
        "/export",
        "/entries/neimenggu/nm-5",
        "/entries/nm-5/edit",
    ],
)
def test_the_console_is_for_staff(browse: Callable[[str], Browser], path: str) -> None:
    assert browse(HANDLER).get(f"/knowledge{path}").status_code == 403


def uploaded(browser: Browser, name: str, data: bytes) -> TestResponse:
    fields = {**browser.form("/knowledge/upload", "/knowledge/upload"), "file": (BytesIO(data), name)}
    return browser.post("/knowledge/upload", fields, content_type="multipart/form-data")


def test_a_file_is_previewed_and_becomes_drafts(browse: Callable[[str], Browser]) -> None:
    support = browse(SUPPORT)
    text = "问题5：单位账号是多少，怎么查\n答：新的答案。\n\n问题：食堂饭卡怎么充值\n答：到一楼窗口。\n\n问题：没有答案的\n"
    answer = uploaded(support, "问答.txt", text.encode())
    page = follow(support, answer)
    assert "文件里有 3 条" in page
    for label in ("新增", "有改动", "存疑"):
        assert label in page
    place = answer.headers["Location"].split("?")[0]
    fields = MultiDict(support.form(answer.headers["Location"], place))
    for item in ("0", "1"):
        fields.add("item", item)
    waiting = follow(support, support.post(place, fields))
    assert "已写成 2 份草稿" in waiting
    assert "食堂饭卡怎么充值" in waiting
    assert support.post(place, {**support.form(answer.headers["Location"], place)}).status_code == 422


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.exe", b"MZ", "只能上传"),
        ("a.docx", b"not a zip", "不是有效的 DOCX"),
        ("a.csv", "列一,列二\n1,2\n".encode(), "缺少列"),
        ("../../a.md", b"", "请选择文件"),
        ("a.txt", b"\xff\xfe\xff", "编码"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    browse: Callable[[str], Browser], name: str, data: bytes, said: str
) -> None:
    answer = uploaded(browse(SUPPORT), name, data)
    assert answer.status_code == 422
    assert said in answer.text
    assert ".txt:1" not in answer.text


def test_an_export_comes_back_unchanged(browse: Callable[[str], Browser]) -> None:
    support = browse(SUPPORT)
    given = support.get("/knowledge/export")
    assert given.headers["Cache-Control"] == "no-store"  # the next one may hold other entries
    data = given.data
    assert "nm-5" in [cell.value for cell in load_workbook(BytesIO(data))["条目"]["A"]]
    page = follow(support, uploaded(support, "knowledge.xlsx", data))
    assert "新增 0，有改动 0" in page
    assert support.get("/knowledge/upload/" + "0" * 64 + "?name=a.txt").status_code == 404
    assert support.get("/knowledge/upload/..%2F..%2Fetc").status_code == 404


def test_an_entry_is_taken_out_of_the_answers(browse: Callable[[str], Browser]) -> None:
    admin, support = browse(ADMIN), browse(SUPPORT)
    assert "撤下这个条目" not in support.get(PLACE).text
    blocked = admin.post(
        "/knowledge/entries/nm-5/withdraw", admin.form(PLACE, "/knowledge/entries/nm-5/withdraw")
    )
    assert blocked.status_code == 422
    assert "nm-5" in blocked.text


def test_a_question_nobody_answered_becomes_knowledge_in_two_clicks(browse: Callable[[str], Browser]) -> None:
    support, handler = browse(SUPPORT), browse(HANDLER)
    say(handler, "<i>食堂饭卡</i>怎么充值")
    page = support.get("/desk/questions").text
    assert "&lt;i&gt;食堂饭卡&lt;/i&gt;怎么充值" in page
    place = unescape(page.split('href="/knowledge/new?')[1].split('"')[0])
    fields = filled(support, f"/knowledge/new?{place}")
    kept = follow(support, support.post("/knowledge/new", fields))  # as it is, nothing typed
    assert "400-0471-010" in kept
    assert "还没有人答过，简答和步骤只写了找谁" in kept
    assert "都答上了" in support.get("/desk/questions").text
    say(handler, "怎么做红烧肉")
    form = support.form("/desk/questions", "/desk/questions/phrasing")
    given = {**form, "topic": "nm-5", "text": "食堂饭卡怎么充值"}
    assert "的草稿" in follow(support, support.post("/desk/questions/phrasing", given))
    assert "食堂饭卡怎么充值" in support.get("/knowledge/waiting").text
    aside = support.form("/desk/questions", "/desk/questions/aside")
    aside["text"] = unescape(aside["text"])
    follow(support, support.post("/desk/questions/aside", aside))
    assert "都答上了" in support.get("/desk/questions").text
    assert handler.get("/desk/questions").status_code == 403
