"""A project's public timeline: for everyone, with what is public and nothing else, on a phone and on a desk."""

import json
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page

from core import walks
from core.service import entering
from core.settings import Settings
from core.walks import Player
from tests.support.servers import serving
from tests.support.shared import copy_of
from tests.web.echo import app_over

WALK = "xuchang/from_plan_to_acceptance"


@pytest.fixture(scope="module")
def played(bare_worlds: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Player]]:
    """A project of 许昌 from its plan to its acceptance."""
    with copy_of(bare_worlds, tmp_path_factory.mktemp("portal") / "walked.db") as system:
        player = Player(system, walks.load()[WALK], WALK)
        player.play()
        handler = player.account("handler")
        made = entering.create(system, handler, "plan", "ordinary", {"name": "还没公开"}, key="portal-secret")
        player.numbers["secret"] = made.number
        yield app_over(system), player


@pytest.fixture
def anyone(played: tuple[Flask, Player]) -> FlaskClient:
    return played[0].test_client()


def test_the_timeline_tells_what_is_public(played: tuple[Flask, Player], anyone: FlaskClient) -> None:
    _, player = played
    page = anyone.get(f"/portal/projects/{player.numbers['contract']}").text
    for text in ("教学服务器采购公告", "中标公告", "118,000.00", "北疆办公设备有限公司", "履约验收", "通过"):
        assert text in page
    for text in ("罗验收", "6200000000000001", "示范银行", "李明", "计划录入"):
        assert text not in page
    assert anyone.get(f"/portal/projects/{player.numbers['plan']}").text == page, "one page for the project"
    unheard, unpublished = (
        anyone.get(f"/portal/projects/{one}") for one in ("HT-1", player.numbers["secret"])
    )
    assert unheard.status_code == unpublished.status_code == 404
    sentence = "没有这个项目，或者它还没有公开的内容"
    assert sentence in unheard.text
    assert sentence in unpublished.text, "nobody learns that there is such a plan"


def test_notices_lead_to_the_timeline_and_it_to_the_data(
    played: tuple[Flask, Player], anyone: FlaskClient
) -> None:
    _, player = played
    plan = player.numbers["plan"]
    listing = anyone.get("/portal/xuchang").text
    address = listing.split("/portal/notices/")[1].split('"')[0]
    assert f"/portal/projects/{plan}" in anyone.get(f"/portal/notices/{address}").text
    releases = anyone.get(f"/portal/projects/{plan}/releases.json")
    assert releases.mimetype == "application/json"
    found = json.loads(releases.text)["releases"]
    assert [one["tag"][0] for one in found] == ["tender", "tenderUpdate", "contract", "implementationUpdate"]
    urls = [paper["url"] for one in found for paper in one.get("tender", {}).get("documents", [])]
    assert all("/portal/notices/" in url for url in urls)
    assert len(urls) == 2
    records = anyone.get(f"/portal/projects/{plan}/records.json").get_json()
    assert records["records"][0]["compiledRelease"]["contracts"][0]["value"]["amount"] == 118000
    assert anyone.get(f"/portal/projects/{plan}/secrets.json").status_code == 404


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_the_timeline_fits(played: tuple[Flask, Player], page: Page, width: int, height: int) -> None:
    app, player = played
    with serving(app) as address:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{address}/portal/projects/{player.numbers['plan']}")
        sticks_out = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert sticks_out <= 0
        assert page.locator(".course li").count() == 4
        page.get_by_role("link", name="教学服务器采购公告").click()
        assert page.get_by_role("heading", level=1).inner_text() == "教学服务器采购公告"
