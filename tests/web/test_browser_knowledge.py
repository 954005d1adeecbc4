"""The knowledge console in a real browser: it fits a phone, everything is named, and the keyboard is enough."""

from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.web.conftest import SUPPORT
from tests.web.test_browser import NAMELESS, SIZES, complaints, sign_in

__all__ = ["complaints"]  # a fixture

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
QUESTIONS = "问题5：单位账号是多少，怎么查\n答：新的答案。\n\n问题：食堂饭卡怎么充值\n答：到一楼窗口。\n"


@pytest.fixture
def app(console: Flask) -> Flask:
    return console


def draft(page: Page, site: str, text: str) -> None:
    """Change the short answer without a mouse."""
    page.goto(f"{site}/knowledge/entries/nm-5/edit")
    page.get_by_label("简答").fill(text)
    page.get_by_role("button", name="保存草稿").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/knowledge/revisions/*")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_page_fits_and_is_named(
    page: Page, site: str, complaints: list[str], tmp_path: Path, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    sign_in(page, site, SUPPORT)
    draft(page, site, "新的说法。")
    revision = page.url
    file = tmp_path / "问答.txt"
    file.write_text(QUESTIONS, "utf-8")
    page.goto(f"{site}/knowledge/upload")
    page.get_by_label("文件", exact=True).set_input_files(file)
    page.get_by_role("button", name="上传并预览").press("Enter")
    page.wait_for_url("**/knowledge/upload/*")
    preview = page.url
    number = revision.rsplit("/", 1)[1]
    paths = [
        "", "?q=账号忘了", "?q=zzz", "/entries/neimenggu/nm-5", "/entries/nm-5/edit", "/new", "/waiting", "/history",
        "/try?q=单位账号是多少", "/upload", "/../desk/questions", f"/release?revision={number}",
    ]  # fmt: skip
    for path in [revision, preview, *(f"{site}/knowledge{path}" for path in paths)]:
        page.goto(path)
        sticks_out = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert sticks_out <= 0, path
        assert page.evaluate(NAMELESS) == [], path
        small = page.evaluate(
            "[...document.querySelectorAll('button:not(.link), .button, summary')]"
            ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 36).map(e => e.textContent)"
        )
        assert small == [], path
    assert complaints == []


def test_a_replay_is_waited_for_on_its_page(page: Page, site: str) -> None:
    sign_in(page, site, SUPPORT)
    draft(page, site, "新的说法。")
    page.goto(f"{site}/knowledge/release?revision={page.url.rsplit('/', 1)[1]}")
    page.get_by_role("button", name="重放评测题").press("Enter")
    expect(page.get_by_text("题的回答会变").first).to_be_visible(timeout=240_000)
