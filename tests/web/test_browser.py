"""The pages in a real browser: nothing sticks out, nothing is logged, and it works with the keyboard."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from core import demo
from core.service import acts, documents
from core.service.system import System
from tests.web.conftest import HANDLER, REVIEWER, Clock, account_of

# The development server leaves files to the garbage collector when a page is left before they were sent.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

SIZES = [(390, 844), (1280, 800)]


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser's console says; refused requests that a test provokes are not among it."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "console",
        lambda message: (
            found.append(message.text)
            if message.type in {"error", "warning"} and "Failed to load resource" not in message.text
            else None
        ),
    )
    return found


def sign_in(page: Page, site: str, login: str = HANDLER) -> None:
    page.goto(f"{site}/signin")
    page.get_by_label("账号").fill(login)
    page.get_by_label("密码").fill(demo.PASSWORD)
    page.get_by_label("密码").press("Enter")
    page.wait_for_url(f"{site}/")


def say(page: Page, text: str) -> None:
    page.locator("#text").fill(text)
    page.locator("#text").press("Enter")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_page_fits_and_is_named(
    page: Page, site: str, complaints: list[str], number: Callable[[str], str], width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    sign_in(page, site)
    plan = number("激光打印机")
    paths = [
        "/", "/todo", "/documents", "/documents?q=zzz", f"/documents/{plan}", f"/documents/{plan}/goals/editable",
        "/documents/new/plan/project", "/documents/new/plan/mall", f"/documents/{number('办公椅')}/edit", "/indicators",
        "/indicators/1", "/nowhere",
    ]  # fmt: skip
    for path in paths:
        page.goto(site + path)
        sticks_out = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert sticks_out <= 0, path
        nameless = page.evaluate(NAMELESS)
        assert nameless == [], path
        assert page.evaluate("document.documentElement.lang") == "zh-CN"
        assert page.locator("main").count() == 1
    assert complaints == []


NAMELESS = """() => {
  const bad = [];
  for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a[href]")) {
    const labels = e.labels ? [...e.labels].map((l) => l.textContent.trim()).join("") : "";
    const name = e.getAttribute("aria-label") || labels || e.textContent.trim();
    if (!name) bad.push(e.outerHTML.slice(0, 120));
  }
  for (const e of document.querySelectorAll("[aria-describedby]"))
    for (const id of e.getAttribute("aria-describedby").trim().split(/\\s+/))
      if (!document.getElementById(id)) bad.push("describedby " + id);
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) bad.push("twice " + id);
  const pictures = document.querySelectorAll("img:not([alt]), svg:not([aria-hidden]):not([aria-label])");
  for (const e of pictures) bad.push(e.outerHTML.slice(0, 80));
  return bad;
}"""


def test_on_a_phone_the_name_of_an_amount_is_not_written_over_it(
    page: Page, site: str, number: Callable[[str], str]
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, site)
    page.goto(f"{site}/documents/{number('激光打印机')}")
    wraps = "getComputedStyle(document.querySelector('table.lines td.num'), '::before').whiteSpace"
    assert page.evaluate(wraps) == "normal"


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_buttons_are_big_enough_for_a_finger(page: Page, site: str, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    sign_in(page, site)
    for path in ("/", "/documents/new/plan/mall", "/documents"):
        page.goto(site + path)
        small = page.evaluate(
            "[...document.querySelectorAll('button:not(.link), .button, .choice')]"
            ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 36).map(e => e.textContent)"
        )
        assert small == [], path


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_conversation(page: Page, site: str, complaints: list[str], width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    sign_in(page, site)
    say(page, "流程到哪里了")
    expect(page.locator(".chat-card.flow svg")).to_be_visible()
    say(page, "计划录错了")
    page.get_by_role("button", name="就是", exact=False).first.click()
    expect(page.get_by_text("可以拿回来修改")).to_be_visible()
    expect(page.locator(".said.me")).to_have_count(3)
    page.get_by_role("button", name="是，开始办").click()
    expect(page.locator(".chat-card.confirm")).to_be_visible()
    expect(page.locator("#text")).to_be_focused()
    page.reload()
    expect(page.locator(".said.me")).to_have_count(4)
    assert complaints == []


def test_shift_enter_makes_a_line_and_an_input_method_is_left_alone(page: Page, site: str) -> None:
    sign_in(page, site)
    page.locator("#text").fill("第一行")
    page.locator("#text").press("Shift+Enter")
    page.locator("#text").type("第二行")
    assert page.locator("#text").input_value() == "第一行\n第二行"
    composing = (
        "new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true})"
    )
    page.evaluate(f"document.getElementById('text').dispatchEvent({composing})")
    assert page.locator(".said.me").count() == 0


def test_what_users_write_does_not_run(page: Page, site: str) -> None:
    sign_in(page, site)
    page.evaluate("window.ran = false")
    say(page, "<img src=x onerror='window.ran=true'><script>window.ran=true</script>")
    expect(page.locator(".said.them").last).to_contain_text("<script>")
    assert page.evaluate("window.ran") is False


def test_what_went_wrong_is_said_and_the_text_stays(page: Page, site: str) -> None:
    sign_in(page, site)
    say(page, "炸")
    expect(page.locator("#flash [role=alert]")).to_contain_text("没有保存任何东西")
    expect(page.locator("#text")).to_have_value("炸")
    expect(page.locator(".said.me")).to_have_count(0)


def fill_plan(page: Page) -> None:
    page.get_by_label("计划名称").fill("激光打印机")
    page.get_by_label("网上竞价").check()
    line = page.locator("[data-table=lines] [data-row]").last
    line.get_by_label("采购品目").fill("A02021003")
    line.get_by_label("标的名称").fill("激光打印机")
    line.get_by_label("数量").fill("3")
    line.get_by_label("单价").fill("1,800.50")


def test_a_plan_is_entered(page: Page, site: str, system: System, complaints: list[str]) -> None:
    sign_in(page, site)
    page.goto(f"{site}/documents/new/plan/mall")
    fill_plan(page)
    expect(page.locator("[data-amount]")).to_have_text("5,401.50")
    page.locator("[data-table=lines]").get_by_role("button", name="加一行").click()
    second = page.locator("[data-table=lines] [data-row]").nth(1)
    expect(second.get_by_label("采购品目")).to_be_focused()
    second.get_by_label("数量").fill("1")
    second.get_by_label("单价").fill("100")
    expect(page.locator("[data-amount]")).to_have_text("5,501.50")
    second.get_by_role("button", name="删除这一行").click()
    page.get_by_label("指标").select_option(index=2)
    funding = page.locator("[data-table=funding]")
    funding.get_by_label("金额").fill("5000")
    funding.get_by_label("金额").blur()
    expect(page.locator("[data-left]")).to_contain_text("1 处")
    funding.get_by_label("金额").fill("5401.50")
    expect(page.locator("[data-left]")).to_have_text("全部填对了")
    expect(page.locator('[data-path="lines.0.total_fen"] output')).to_have_text("5,401.50")
    page.get_by_role("button", name="保存").click()
    page.get_by_role("button", name="送审").click()
    expect(page.locator(".now")).to_contain_text("采购单位复审")
    actor = account_of(system, HANDLER)
    newest = documents.listing(system, actor, kind="plan")[0]
    assert (newest.amount_fen, newest.node) == (540_150, "unit_second")
    page.goto(f"{site}/documents/new/plan/mall")
    expect(page.locator("[data-restored]")).to_be_hidden()
    assert complaints == []


def test_the_catalogue_suggests_names_and_codes(page: Page, site: str) -> None:
    sign_in(page, site)
    page.goto(f"{site}/documents/new/plan/mall")
    field = page.locator("[data-catalogue]").first
    field.press_sequentially("激光")
    expect(page.locator("#codes option").first).to_have_attribute("value", "A02021003 激光打印机")
    field.fill("A02021003 激光打印机")  # what the browser puts in when the suggestion is chosen
    expect(field).to_have_value("A02021003")
    expect(page.locator("#f-lines-0-name")).to_have_value("激光打印机")
    expect(page.get_by_label("计划名称")).to_have_value("激光打印机")


def test_a_draft_survives_leaving_the_page(page: Page, site: str) -> None:
    sign_in(page, site)
    page.goto(f"{site}/documents/new/plan/mall")
    page.locator("[data-table=lines]").get_by_role("button", name="加一行").click()
    fill_plan(page)
    page.goto(f"{site}/documents")
    page.goto(f"{site}/documents/new/plan/mall")
    expect(page.locator("[data-restored]")).to_be_visible()
    expect(page.locator("#f-lines-1-name")).to_have_value("激光打印机")
    expect(page.get_by_label("网上竞价")).to_be_checked()
    expect(page.locator("[data-amount]")).to_have_text("5,401.50")
    page.get_by_role("button", name="不要了").click()
    expect(page.locator("[data-table=lines] [data-row]")).to_have_count(1)
    expect(page.locator("#f-lines-0-name")).to_have_value("")


@pytest.mark.covers("nm-13")
def test_signing_in_in_another_tab_saves_the_form(
    page: Page, site: str, clock: Clock, system: System
) -> None:
    sign_in(page, site)
    page.goto(f"{site}/documents/new/plan/mall")
    fill_plan(page)
    clock.ahead = timedelta(days=1)
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("heading")).to_contain_text("填好的内容还在")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="在另一个标签页登录").click()
    tab = opened.value
    tab.get_by_label("账号").fill(HANDLER)
    tab.get_by_label("密码").fill(demo.PASSWORD)
    tab.get_by_role("button", name="登录").click()
    expect(tab.get_by_role("heading")).to_have_text("已经登录")
    tab.close()
    page.get_by_role("button", name="我已登录，继续提交").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "修改电子卖场采购计划"
    )  # saved, with a gap: no indicator yet
    expect(page.get_by_label("标的名称")).to_have_value("激光打印机")
    actor = account_of(system, HANDLER)
    assert documents.listing(system, actor, kind="plan")[0].title.startswith("激光打印机")


def test_the_keyboard_is_enough(page: Page, site: str, number: Callable[[str], str]) -> None:
    sign_in(page, site, REVIEWER)
    page.goto(f"{site}/documents/{number('空调机')}")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="跳到正文")
    expect(skip).to_be_focused()
    assert skip.evaluate("e => getComputedStyle(e).outlineStyle") != "none"
    skip.press("Enter")
    expect(page.locator("main")).to_be_focused()
    summary = page.locator("summary", has_text="退回")
    summary.focus()
    summary.press("Enter")
    page.locator("#return-opinion").fill("数量不对")
    page.locator("#return-target").select_option("unit_first")
    page.get_by_role("button", name="确认退回").press("Enter")
    expect(page.locator(".now")).to_contain_text("采购单位初审")
    expect(page.locator("blockquote")).to_have_text("数量不对")


def test_a_double_click_acts_once(
    page: Page, site: str, number: Callable[[str], str], system: System
) -> None:
    sign_in(page, site)
    plan = number("办公椅")
    page.goto(f"{site}/documents/{plan}")
    page.get_by_role("button", name="送审").dblclick()
    expect(page.locator(".now")).to_contain_text("采购单位复审")
    actor = account_of(system, HANDLER)
    history = documents.get(system, actor, plan).history
    assert [entry.action for entry in history].count("submit") == 1


def test_pages_work_without_scripts(page: Page, site: str, number: Callable[[str], str]) -> None:
    context = page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    plain = context.new_page()
    sign_in(plain, site)
    plain.locator("#text").fill("你好")
    plain.locator("#send").click()
    expect(plain.locator(".said.them").last).to_contain_text("您说：你好")
    plain.goto(f"{site}/documents/{number('办公椅')}")
    plain.get_by_role("button", name="送审").click()
    expect(plain.locator(".now")).to_contain_text("采购单位复审")
    context.close()


def test_suggestions_are_chosen_with_the_keyboard(page: Page, site: str, complaints: list[str]) -> None:
    sign_in(page, site)
    field, listed = page.locator("#text"), page.get_by_role("listbox")
    field.press_sequentially("备案")
    expect(listed).to_be_visible()
    expect(field).to_have_attribute("aria-expanded", "true")
    field.press("ArrowDown")
    field.press("ArrowDown")
    chosen = page.locator("#suggest-1")
    expect(chosen).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", "suggest-1")
    field.press("Escape")
    expect(listed).to_be_hidden()
    expect(field).to_have_value("备案")
    field.press_sequentially("书")
    expect(listed).to_be_visible()
    field.press("ArrowUp")
    expect(chosen).to_have_attribute("aria-selected", "true")
    field.press("Enter")
    expect(page.locator(".said.me")).to_have_text("备案书在哪里")
    expect(listed).to_be_hidden()
    field.press_sequentially("作废")
    expect(listed).to_be_visible()
    field.press("Enter")  # nothing chosen: what was typed is sent
    expect(page.locator(".said.me").last).to_have_text("作废")
    assert complaints == []


def test_what_waits_is_counted_without_a_reload(
    page: Page, site: str, complaints: list[str], system: System, number: Callable[[str], str]
) -> None:
    sign_in(page, site)
    page.goto(f"{site}/documents")
    before = int(page.locator("#waiting").inner_text().split()[0].split("件")[0])
    reviewer = account_of(system, REVIEWER)
    plan = number("空调机")
    acts.perform(
        system, reviewer, plan, "return", version=documents.get(system, reviewer, plan).document.version,
        arguments={"opinion": "数量不对", "target": "unit_first"}, key="return-it",
    )  # fmt: skip
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#waiting")).to_contain_text(str(before + 1))
    assert complaints == []
