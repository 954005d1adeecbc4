"""axe-core over every page a role meets, at both sizes: labels, contrast, headings, landmarks, focus."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.web.conftest import HANDLER, OFFICE, REVIEWER, SUPPORT
from tests.web.test_browser import SIZES, sign_in

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    # the conversation's box has several lines and suggestions: HTML has no element that is both
    "rules": {"aria-allowed-role": {"enabled": False}},
    "resultTypes": ["violations"],
}
PHONE, DESK = SIZES
PAGES = {
    (HANDLER, PHONE): (
        "/", "/home", "/todo", "/documents?q=zzz", "/documents/{draft}", "/documents/{draft}/edit",
        "/documents/{review}/goals/editable", "/documents/{draft}/import/lines", "/documents/new",
        "/documents/new/contract/contract/above", "/indicators", "/indicators/1", "/budgets", "/account", "/nowhere",
    ),
    (HANDLER, DESK): ("/", "/home", "/documents", "/documents/new/plan/mall", "/budgets"),
    (REVIEWER, DESK): ("/documents/{review}",),
    (OFFICE, PHONE): ("/home", "/todo"),
    (SUPPORT, DESK): ("/home",),
}  # fmt: skip


@pytest.mark.parametrize(("who", "size"), PAGES)
def test_nothing_keeps_anybody_out(
    page: Page, site: str, number: Callable[[str], str], who: str, size: tuple[int, int]
) -> None:
    numbers = {"draft": number("办公椅"), "review": number("空调机")}
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{site}/signin")
    wrong = complaints(page, "/signin")
    sign_in(page, site, who)
    for path in PAGES[who, size]:
        page.goto(site + path.format(**numbers))
        wrong += complaints(page, path)
    assert wrong == []


def complaints(page: Page, path: str) -> list[str]:
    """What axe finds: page, rule, and where."""
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{path} {rule['id']}: {node['html'][:120]} | {node['failureSummary'][:160]}"
        for rule in found
        for node in rule["nodes"]
    ]
