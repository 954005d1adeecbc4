"""Notices in the portal: public fields only, an address each, never changed, still there after a withdrawal."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from core.adapters.counterpart.server import Counterpart
from core.adapters.exchange_client import HttpExchange
from core.domain.errors import NotFoundError
from core.service import exchange, publications
from core.service.exchange_ports import SYSTEMS
from tests.core.fujian_money.stage import Stage
from tests.web.echo import app_over


@pytest.fixture
def anyone(stage: Stage) -> FlaskClient:
    """Somebody without an account."""
    return app_over(stage.system).test_client()


def published(stage: Stage, name: str = "contract") -> list[str]:
    found = publications.of(stage.system, stage.person("handler"), stage.numbers[name])
    return [one.address for one in found]


@pytest.mark.covers("fj-8.1")
def test_a_contract_is_for_everyone_to_read_without_its_account_numbers(
    stage: Stage, anyone: FlaskClient
) -> None:
    stage.plan()
    stage.contract(filed=False)
    stage.acts("contract", "submit", "reviewer:pass")
    assert published(stage) == []
    stage.acts("contract", "publish")
    (address,) = published(stage)
    page = anyone.get(f"/portal/notices/{address}").text
    for text in ("北疆办公设备有限公司", "台式计算机", "20,000.00 元", "闽浦市示范中学", "2026-11-10"):
        assert text in page
    assert "6200000000000001" not in page
    assert "演示银行" not in page
    assert address in anyone.get("/portal/fujian?q=电脑").text
    assert address not in anyone.get("/portal/fujian?q=没有这个").text
    assert anyone.get("/portal/nowhere").status_code == 404
    assert anyone.get("/portal/notices/HT-1").status_code == 404
    stage.acts("contract", "file")


@pytest.mark.covers("fj-5.1.6")
def test_a_withdrawn_contract_leaves_its_notice_and_is_published_again(
    stage: Stage, anyone: FlaskClient
) -> None:
    stage.plan()
    stage.contract()
    (first,) = published(stage)
    before = anyone.get(f"/portal/notices/{first}").text
    stage.acts("contract", "cancel")
    stage.take(
        who="handler", save={"cancel_reason": "名称录错", "cancel_statement": "说明.pdf"}, on="contract"
    )
    stage.acts("contract", "cancel_submit", "reviewer:cancel_pass")
    assert anyone.get(f"/portal/notices/{first}").status_code == 200
    stage.acts("contract", "renew")
    stage.take(who="handler", save={"name": "改好的名称"}, on="contract")
    stage.acts("contract", "submit", "reviewer:pass", "publish", "file")
    again = published(stage)
    assert again[0] == first
    assert len(again) == 2
    assert "改好的名称" in anyone.get(f"/portal/notices/{again[1]}").text
    assert _main(anyone.get(f"/portal/notices/{first}").text) == _main(before)


def _main(page: str) -> str:
    return page[page.index("<main") : page.index("</main>")]


@pytest.mark.covers("fj-8.3")
def test_a_single_source_notice_shows_suppliers_and_experts(stage: Stage, anyone: FlaskClient) -> None:
    stage.plan()
    stage.enter(
        "single_source/single_source", "single", name="原厂扩容", origin="plan", plan="@plan", content="扩容",
        budget_fen=1_000_000, suppliers=[{"name": "原厂公司"}], reason="只有原厂能扩容", attachment="论证.pdf",
        experts=[{"name": "陈一鸣", "organisation": "甲大学", "opinion": "同意"}],
    )  # fmt: skip
    stage.acts("single", "submit", "reviewer:pass", "publish")
    (address,) = published(stage, "single")
    page = anyone.get(f"/portal/notices/{address}").text
    for text in ("原厂公司", "陈一鸣", "只有原厂能扩容", "10,000.00 元"):
        assert text in page


@pytest.fixture
def portal() -> Iterator[Counterpart]:
    with Counterpart({name: f"secret of {name}".encode() for name in SYSTEMS}) as counterpart:
        yield counterpart


@pytest.mark.covers("fj-8.1")
def test_the_portal_hears_of_a_published_contract(stage: Stage, portal: Counterpart) -> None:
    stage.plan()
    stage.contract()
    secrets = {name: f"secret of {name}".encode() for name in SYSTEMS}
    with HttpExchange(dict.fromkeys(SYSTEMS, portal.url), secrets) as port:
        assert exchange.deliver_due(stage.system, port) == 1
    assert [plan.number for plan in portal.store.plans("portal")] == [stage.numbers["contract"]]


def test_an_address_that_is_none_is_said_so(stage: Stage) -> None:
    with pytest.raises(NotFoundError, match="核对网址"):
        publications.read(stage.system, "nothing")
