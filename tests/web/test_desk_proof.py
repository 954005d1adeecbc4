"""Signing in with a key through the desk's agent, in a real browser: the page never sees the PIN."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

import diagnostics
from core import demo
from core.adapters import challenge_signing
from core.adapters.database import SqlDatabase
from core.domain.errors import ForbiddenError
from core.service.system import System
from core.settings import Settings
from diagnostics import agent
from diagnostics.desk_reports import DeskReports
from diagnostics.result import Report
from tests.support.need import softhsm_module
from tests.support.servers import running
from tests.web.echo import app_over
from web import probe, security

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def check(_only: list[str] | None, _facts: dict[str, object]) -> Report:
    return diagnostics.run("neimenggu", only=["token"], offline=True)


@pytest.fixture
def app(system: System) -> Flask:
    assert isinstance(system.database, SqlDatabase)
    return app_over(system, reports=DeskReports(system.database.engine))


@pytest.fixture
def said() -> list[str]:
    """What the person at the desk is asked."""
    return []


@pytest.fixture
def desk(
    site: str, said: list[str], demo_world: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], agent.Agent]]:
    """`desk(pin)` is an agent with the school's demonstration key; an empty PIN is a refusal."""
    softhsm_module()
    monkeypatch.setenv("CAIGOU_VAR", str(demo_world.var))
    monkeypatch.delenv("SOFTHSM2_CONF", raising=False)

    def start(pin: str) -> agent.Agent:
        def ask(words: str) -> str:
            said.append(words)
            if not pin:
                raise ForbiddenError("在电脑上没有同意签名", code="declined")
            return pin

        def sign(challenge: str, _origin: str) -> str:
            return challenge_signing.prove(challenge, ask, token="DEMO-SCHOOL", wanted="公章")

        made = agent.Agent(check, [site], None, sign)
        address = f"http://{agent.HOST}:{stack.enter_context(running(agent.serve(made, 0)))}"
        policy = security.HEADERS["Content-Security-Policy"].replace(security.AGENT, address)
        monkeypatch.setitem(security.HEADERS, "Content-Security-Policy", policy)
        monkeypatch.setattr(probe, "AGENT", address)
        return made

    with ExitStack() as stack:
        yield start


@pytest.mark.covers("nm-6", "ah-2.2")
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_signing_in_with_the_key_on_the_desk(
    page: Page, site: str, desk: Callable[[str], agent.Agent], said: list[str], width: int, height: int
) -> None:
    helper = desk(demo.PIN)
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{site}/signin/certificate")
    page.get_by_role("button", name="用诊断助手签名").click()
    code = page.get_by_label("诊断助手显示的 8 位配对码")
    expect(code).to_be_visible()
    code.fill(helper.pairing.code or "")
    page.get_by_role("button", name="用诊断助手签名").click()
    expect(page.locator("[data-desk-state]")).to_contain_text("已签名")
    assert said == ["用证书“公章”签名，用途：登录"]
    assert demo.PIN not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.locator("main")).to_contain_text("还没有绑定账号")  # the server took the proof


def test_refused_at_the_desk_nothing_is_signed(
    page: Page, site: str, desk: Callable[[str], agent.Agent]
) -> None:
    helper = desk("")
    page.goto(f"{site}/signin/certificate")
    page.get_by_role("button", name="用诊断助手签名").click()
    page.get_by_label("诊断助手显示的 8 位配对码").fill(helper.pairing.code or "")
    page.get_by_role("button", name="用诊断助手签名").click()
    expect(page.locator("[data-desk-state]")).to_contain_text("没有同意签名")
    expect(page.get_by_label("签名结果")).to_have_value("")


def test_without_an_agent_the_way_by_hand_is_still_there(page: Page, site: str) -> None:
    page.goto(f"{site}/signin/certificate")
    expect(page.locator("main")).to_contain_text("sign-challenge")
    page.get_by_role("button", name="用诊断助手签名").click()
    expect(page.locator("[data-desk-state]")).not_to_be_empty()
