"""The generated page in a real browser: what depends on what, rows by keyboard, files, doubts; and without scripts."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.domain.forms import Check, Field, FieldType, Option
from core.service.system import System
from tests.web.own_form import add_fields
from tests.web.test_browser import NAMELESS, SIZES, complaints, sign_in

__all__ = ["complaints"]  # a fixture
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

FIELDS = (
    Field("imported", "是否进口", FieldType.YES_NO, required=True),
    Field("why", "进口理由", FieldType.LONG_TEXT, when="imported", required=True, help="写明为什么国产不行"),
    Field("budget", "预算价", FieldType.MONEY, hint="请填预算价"),
    Field("share", "预留份额", FieldType.MONEY, computed="budget // 2"),
    Field("kinds", "采购方式", FieldType.CHOICES, options=(Option("a", "公开"), Option("b", "邀请"))),
    Field("proof", "论证意见", FieldType.FILE),
)
CHECKS = (Check(id="big", must="budget < 10000000", say="预算价偏大，请核对", field="budget", doubtful=True),)
PATH = "/documents/new/plan/direct"


@pytest.fixture(autouse=True)
def own_form(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    add_fields(system, monkeypatch, FIELDS, CHECKS)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_what_depends_on_an_answer_comes_and_goes(
    page: Page, site: str, complaints: list[str], width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.set_default_timeout(8000)
    sign_in(page, site)
    page.goto(site + PATH)
    why = page.locator('[data-path="why"]')
    expect(why).to_be_hidden()
    page.get_by_role("group", name="是否进口").get_by_label("是", exact=True).check()
    expect(why).to_be_visible()
    expect(why).to_contain_text("写明为什么国产不行")
    page.get_by_role("group", name="是否进口").get_by_label("否", exact=True).check()
    expect(why).to_be_hidden()
    page.get_by_label("预算价").fill("3000.50")
    expect(page.locator('[data-path="share"] output')).to_have_text("1,500.25")
    expect(page.locator('[data-path="budget"]')).to_have_attribute("data-state", "good")
    page.get_by_label("预算价").fill("300000")
    expect(page.locator('[data-path="budget"]')).to_have_attribute("data-state", "doubt")
    expect(page.get_by_text("预算价偏大，请核对")).to_be_visible()
    page.get_by_label("预算价").fill("很多")
    page.get_by_label("预算价").blur()
    expect(page.locator("#f-budget-wrong")).to_contain_text("请写成元")
    expect(page.get_by_label("预算价")).to_have_attribute("aria-invalid", "true")
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert complaints == []


def test_rows_by_keyboard(page: Page, site: str) -> None:
    sign_in(page, site)
    page.goto(site + PATH)
    lines = page.locator("[data-table=lines]")
    page.locator("#f-lines-0-name").fill("第一")
    for text in ("第二", "第三"):
        lines.get_by_role("button", name="加一行").press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type(text)
    expect(lines.locator("[data-row]")).to_have_count(3)
    lines.get_by_role("button", name="删除这一行").nth(1).press("Enter")
    expect(lines.locator("[data-row]")).to_have_count(2)
    expect(page.locator("#f-lines-1-name")).to_have_value("第三")
    expect(page.locator("#f-lines-1-catalogue")).to_be_focused()
    assert page.locator("#f-lines-1-name").get_attribute("name") == "f.lines.1.name"
    assert page.evaluate(NAMELESS) == []
    page.get_by_label("计划名称").fill("激光打印机")
    page.get_by_label("计划名称").press("Enter")  # saves, and adds no row
    expect(page.get_by_role("heading", level=1)).to_contain_text("修改")
    expect(page.locator("#f-lines-1-name")).to_have_value("第三")


def test_a_file_is_uploaded_at_once(page: Page, site: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "论证.pdf", tmp_path / "x.exe"
    good.write_bytes(b"%PDF-1.7 made up")
    bad.write_bytes(b"MZ")
    sign_in(page, site)
    page.goto(site + PATH)
    field = page.get_by_label("论证意见")
    field.set_input_files(bad)
    expect(page.locator("#f-proof-wrong")).to_contain_text("不能上传")
    field.set_input_files(good)
    expect(page.locator("[data-has]")).to_have_text("论证.pdf")
    expect(page.locator("#f-proof-wrong")).to_be_hidden()
    page.get_by_label("计划名称").fill("激光打印机")
    page.goto(f"{site}/documents")
    page.goto(site + PATH)
    expect(page.locator("[data-restored]")).to_be_visible()
    expect(page.locator("[data-has]")).to_have_text("论证.pdf")
    page.get_by_role("button", name="保存").last.click()
    page.get_by_role("link", name="返回").click()
    with page.expect_download() as got:
        page.get_by_role("link", name="论证.pdf").first.click()
    assert Path(got.value.path()).read_bytes() == good.read_bytes()


def test_without_scripts_the_form_works_too(page: Page, site: str, number: Callable[[str], str]) -> None:
    context = page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    plain = context.new_page()
    sign_in(plain, site)
    plain.goto(site + PATH)
    lines = plain.locator("[data-table=lines]")
    plain.locator("#f-lines-0-name").fill("第一")
    lines.get_by_role("button", name="加一行").click()
    plain.locator("#f-lines-1-name").fill("第二")
    lines.get_by_role("button", name="删除这一行").first.click()
    expect(plain.locator("#f-lines-0-name")).to_have_value("第二")
    plain.get_by_role("group", name="是否进口").get_by_label("是", exact=True).check()
    plain.get_by_label("预算价").fill("10")
    plain.get_by_role("button", name="重新计算").click()
    expect(plain.locator('[data-path="why"]')).to_be_visible()
    expect(plain.locator('[data-path="share"] output')).to_have_text("5.00")
    plain.get_by_label("计划名称").fill("激光打印机")
    plain.get_by_role("button", name="保存").last.click()
    expect(plain.get_by_text("往下办以前还要改")).to_be_visible()
    context.close()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_other_pages_fit_and_are_named(
    page: Page, site: str, complaints: list[str], number: Callable[[str], str], width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    sign_in(page, site)
    paths = [
        "/documents/new", "/documents?q=机&least=1&folder=mine", "/todo", "/overview", "/overview/neimenggu/plan",
        "/compare?kind=plan&left=neimenggu&lv=project&right=neimenggu&rv=mall", f"/documents/{number('台式计算机')}",
        f"/documents/{number('办公椅')}/import/lines",
    ]  # fmt: skip
    for path in paths:
        assert page.goto(site + path).status == 200, path  # type: ignore[union-attr]
        over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(over) <= 0, path
        assert page.evaluate(NAMELESS) == [], path
    assert complaints == []
