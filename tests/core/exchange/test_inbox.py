"""What mall and finance push: signed, taken once, done by the platform, on both databases and over real HTTP."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from flask import Flask, jsonify, request

from core.adapters.counterpart.server import Counterpart
from core.domain.accounts import Role
from core.domain.documents import Document
from core.domain.errors import AuthenticationError, BlockedError, ConflictError, InvalidError, NotFoundError
from core.service import entering, exchange_inbox
from core.service.exchange_inbox import Receipt
from core.service.exchange_signature import sign
from tests.support.clock import Clock
from tests.support.pushing import SECRETS, push
from tests.support.servers import serving
from tests.support.small_world import DIVISION, TO_FILED, YEAR, World

TOP_UP = {
    "division": DIVISION,
    "unit": "BUYER",
    "year": YEAR,
    "code": "N-1",
    "name": "新指标",
    "add_fen": 500,
}


def came(world: World, topic: str, body: Any, key: str = "push-1", source: str = "") -> Receipt:
    return push(world.system, topic, body, key, source)


def totals(world: World) -> dict[str, int]:
    with world.system.database.read() as tx:
        return {item.code: item.total_fen for item in tx.ledger.indicators(world.units["buyer"])}


@pytest.fixture
def order(world: World) -> Document:
    plan = world.plan("p", *TO_FILED)
    world.act(plan.number, "dispatch", role=Role.INTEGRATION, key="d")
    form = {"name": "打印机", "lines": [], "supplier": "SUPPLIER"}
    return entering.create(
        world.system, world.crew[Role.HANDLER], "mall_order", "order", form, key="o", parent=plan.number
    )


def test_an_indicator_comes_into_being_and_grows_once_for_each_key(world: World) -> None:
    first = came(world, "finance.indicator", TOP_UP)
    assert (first.said, first.repeated) == ("指标 N-1 增加 5.00 元，现在共 5.00 元", False)
    again = came(world, "finance.indicator", TOP_UP)
    assert (again.said, again.repeated) == (first.said, True)
    came(world, "finance.indicator", {**TOP_UP, "add_fen": 70}, key="push-2")
    assert totals(world)["N-1"] == 570
    with pytest.raises(InvalidError) as caught:
        came(world, "finance.indicator", {**TOP_UP, "add_fen": 71}, key="push-2")
    assert caught.value.code == "key_reused"
    assert totals(world)["N-1"] == 570
    assert world.problems() == []


def test_pushes_at_the_same_time_all_count_and_each_once(world: World) -> None:
    def attempt(number: int) -> bool:
        try:
            return not came(world, "finance.indicator", TOP_UP, key=f"push-{number % 4}").repeated
        except ConflictError:  # the same key at this very moment
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 4
    assert totals(world)["N-1"] == 4 * 500


def test_the_supplier_confirms_and_finishes_in_the_mall(world: World, order: Document) -> None:
    assert not came(world, "mall.order.confirm", {"order": order.number}, key="1").repeated
    assert world.find(order.number).node == "confirmed"
    assert came(world, "mall.order.confirm", {"order": order.number}, key="1").repeated
    with pytest.raises(BlockedError):
        came(world, "mall.order.confirm", {"order": order.number}, key="2")
    came(world, "mall.order.finish", {"order": order.number}, key="3")
    assert world.find(order.number).node == "done"


@pytest.mark.parametrize("before", [(), ("confirm",)])
def test_an_order_is_cancelled_in_the_mall_at_any_stage(
    world: World, order: Document, before: tuple[str, ...]
) -> None:
    for verb in (*before, "cancel"):
        came(world, f"mall.order.{verb}", {"order": order.number, "reason": "缺货"}, key=verb)
    assert world.find(order.number).node == "cancelled"
    with world.system.database.read() as tx:
        assert tx.documents.history(order.id)[-1].opinion == "缺货"
    assert world.problems() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"add_fen": 0}, {"add_fen": -5}, {"add_fen": 1.5}, {"add_fen": "5"}, {"add_fen": True}, {"add_fen": 10**14},
        {"division": "１５０２９９"}, {"code": ""}, {"code": "a\x00b"}, {"name": "x" * 101}, {"extra": 1}, {"year": 1},
    ],
)  # fmt: skip
def test_broken_content_is_named_and_changes_nothing(world: World, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidError) as caught:
        came(world, "finance.indicator", {**TOP_UP, **wrong})
    assert set(caught.value.fields) == set(wrong)
    assert "N-1" not in totals(world)


def test_who_may_push_what(world: World, order: Document) -> None:
    with pytest.raises(InvalidError):
        came(world, "finance.indicator", TOP_UP, source="mall")
    with pytest.raises(NotFoundError):
        came(world, "finance.indicator", {**TOP_UP, "unit": "NOBODY"})
    with pytest.raises(NotFoundError):
        came(world, "mall.order.confirm", {"order": "DD-000000-2026-000001"})
    plan = world.find("JH-150299-2026-000001")
    with pytest.raises(NotFoundError):
        came(world, "mall.order.confirm", {"order": plan.number})
    with pytest.raises(NotFoundError):
        exchange_inbox.receive(world.system, SECRETS, "nobody", b"{}", {})
    for raw in (b"", b"\xff", b"[]", b'{"topic": "finance.indicator"}', b"[" * 60_000):
        headers = sign(SECRETS["finance"], "platform:finance", "k", raw, world.system.clock())
        with pytest.raises(InvalidError):
            exchange_inbox.receive(world.system, SECRETS, "finance", raw, headers)
    raw = json.dumps({"topic": "finance.indicator", "body": TOP_UP}).encode()
    headers = sign(SECRETS["mall"], "platform:finance", "k", raw, world.system.clock())
    with pytest.raises(AuthenticationError):
        exchange_inbox.receive(world.system, SECRETS, "finance", raw, headers)


@pytest.fixture
def platform_url(world: World) -> Iterator[str]:
    """The three lines that the web needs, served."""
    app = Flask("platform")

    @app.post("/api/v1/exchange/<source>")
    def incoming(source: str) -> Any:
        receipt = exchange_inbox.receive(
            world.system, SECRETS, source, request.get_data(), dict(request.headers)
        )
        return jsonify(receipt.answer)

    with serving(app) as address:
        yield address


def test_the_counterpart_pushes_twice_over_http(
    world: World, clock: Clock, order: Document, platform_url: str
) -> None:
    with Counterpart(SECRETS, control=True, platform_url=platform_url, clock=clock) as mall:
        plan = world.find(order.number.replace("DD", "JH"))
        mall.store.take("mall", "k", "mall.dispatch", {"number": plan.number, "title": "", "amount_fen": 1})
        placed = {"order": order.number, "plan": plan.number}
        with httpx.Client(base_url=mall.url) as client:
            assert client.post("/mall/orders", json=placed).is_success
            for system in ("mall", "finance"):
                fault = {"system": system, "kind": "twice"}
                assert client.post("/control/faults", json=fault).is_success
            assert client.post(f"/mall/orders/{order.number}/confirm").json()["repeated"] is True
            assert client.get("/mall/orders").json() == [{**placed, "state": "confirmed"}]
            assert client.post("/finance/indicators", json=TOP_UP).json()["repeated"] is True
    assert world.find(order.number).node == "confirmed"
    assert totals(world)["N-1"] == 500


def stated(total: int, hour: int) -> dict[str, Any]:
    line = {name: value for name, value in TOP_UP.items() if name != "add_fen"}
    return {"as_of": f"2026-03-01T{hour:02}:00:00+08:00", "lines": [{**line, "total_fen": total}]}


def test_totals_may_come_in_any_order_late_and_twice(world: World) -> None:
    first = came(world, "finance.budget", stated(700, 9), key="t-1")
    assert (first.said, first.repeated) == ("新增 1 条；总额增加 7.00 元", False)
    assert came(world, "finance.budget", stated(700, 9), key="t-1").repeated
    assert came(world, "finance.budget", stated(500, 11), key="t-3").said == "调减 1 条；总额减少 2.00 元"
    late = came(world, "finance.budget", stated(900, 10), key="t-2")
    assert late.said.startswith("已有更新的数、没有用 1 条")
    assert totals(world)["N-1"] == 500
    with world.system.database.read() as tx:
        ((_, body), *_) = tx.records.imports("neimenggu", ["N-1"])
    assert (body["code"], body["total_fen"]) == ("N-1", 700)
    with pytest.raises(InvalidError) as caught:
        came(world, "finance.budget", stated(1, 12), key="t-1")
    assert caught.value.code == "key_reused"
    assert world.problems() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"as_of": "2026-03-01T09:00:00"}, {"as_of": 1}, {"lines": []}, {"more": 1},
        {"lines": [{**stated(1, 9)["lines"][0], "total_fen": -1}]}, {"lines": [{**stated(1, 9)["lines"][0], "unit": "NOBODY"}]},
    ],
)  # fmt: skip
def test_totals_that_cannot_be_taken(world: World, wrong: dict[str, Any]) -> None:
    before = totals(world)
    with pytest.raises(InvalidError):
        came(world, "finance.budget", {**stated(1, 9), **wrong})
    assert totals(world) == before
