"""From the outbox to the counterpart over real HTTP, on both databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest

from core.adapters.exchange_client import HttpExchange
from core.domain.accounts import Role
from core.domain.errors import BlockedError, ForbiddenError, InvalidError
from core.service import exchange, notices
from core.service.exchange import LEASE, MOST_ATTEMPTS
from tests.core.exchange.conftest import Exchange
from tests.support.servers import free_port
from tests.support.small_world import TO_FILED


def parked(line: Exchange) -> list[exchange.Stuck]:
    return exchange.stuck(line.world.system, line.world.crew[Role.SUPPORT])


@pytest.mark.covers("nm-2")
@pytest.mark.parametrize(("variant", "system"), [("mall", "mall"), ("project", "agency")])
def test_a_filed_plan_is_dispatched_by_the_platform(line: Exchange, variant: str, system: str) -> None:
    plan = line.world.plan("p", *TO_FILED, variant=variant)
    assert line.deliver() == 1
    document = line.world.find(plan.number)
    assert document.node == "dispatched"
    assert [(p.number, p.state) for p in line.counterpart.store.plans(system)] == [(plan.number, "received")]
    with line.world.system.database.read() as tx:
        last = tx.documents.history(document.id)[-1]
    assert (last.action, last.account_id) == ("dispatch", line.world.crew[Role.INTEGRATION].id)
    assert line.deliver() == 0
    assert line.world.problems() == []


def test_a_plan_without_process_is_sent_nowhere(line: Exchange) -> None:
    plan = line.world.plan("p", *TO_FILED, variant="direct")
    assert line.deliver() == 0
    assert line.node(plan.number) == "filed"


def test_a_plan_that_left_meanwhile_is_taken_back_over_there(line: Exchange) -> None:
    plan = line.world.plan("p", *TO_FILED)
    line.world.act(plan.number, "cancel", role=Role.HANDLER, key="c", reason="录错了")
    assert line.deliver() == 1
    assert line.node(plan.number) == "cancel_review"
    assert line.deliver() == 1
    assert line.seen() == [("mall.dispatch", 1), ("mall.withdraw", 1)]
    assert [p.state for p in line.counterpart.store.plans("mall")] == ["withdrawn"]
    line.world.act(plan.number, "cancel_reject", role=Role.REVIEWER, key="r", opinion="照常采购")
    line.world.act(plan.number, "redispatch", role=Role.HANDLER, key="again")
    assert line.deliver() == 1
    assert line.node(plan.number) == "dispatched"
    assert [p.state for p in line.counterpart.store.plans("mall")] == ["received"]


def test_messages_of_one_document_keep_their_order(line: Exchange) -> None:
    plan = line.world.plan("p", *TO_FILED)
    line.deliver()
    line.world.act(plan.number, "mall_return", role=Role.HANDLER, key="back")
    line.world.act(plan.number, "redispatch", role=Role.HANDLER, key="again")
    line.counterpart.fail("mall", "busy")
    assert line.deliver() == 0  # the withdrawal did not get through, and the dispatch behind it waits
    line.clock.pass_by(seconds=1)
    assert line.deliver() == 0
    line.clock.pass_by(seconds=5)
    assert [line.deliver(), line.deliver()] == [1, 1]
    assert [topic for topic, _ in line.seen()] == ["mall.dispatch", "mall.withdraw", "mall.dispatch"]
    assert line.node(plan.number) == "dispatched"


def test_what_arrived_but_was_answered_too_late_is_sent_again_and_acts_once(line: Exchange) -> None:
    plan = line.world.plan("p", *TO_FILED)
    line.counterpart.fail("mall", "late", seconds=30)
    assert line.deliver() == 0
    assert line.node(plan.number) == "filed"
    line.clock.pass_by(seconds=6)
    assert line.deliver() == 1
    assert line.seen() == [("mall.dispatch", 2)]
    assert line.node(plan.number) == "dispatched"


@pytest.mark.parametrize("kind", ["wrong", "gone", "busy"])
def test_no_understandable_answer_means_again(line: Exchange, kind: str) -> None:
    plan = line.world.plan("p", *TO_FILED)
    line.counterpart.fail("mall", kind)
    assert line.deliver() == 0
    assert line.deliver() == 0, "not before its time"
    assert parked(line) == []
    line.clock.pass_by(seconds=5)
    assert line.deliver() == 1
    assert line.node(plan.number) == "dispatched"


def test_a_refusal_is_parked_told_and_resumed_by_hand(line: Exchange) -> None:
    plan = line.world.plan("p", *TO_FILED)
    line.counterpart.fail("mall", "refuse")
    line.deliver()
    (item,) = parked(line)
    assert (item.label, item.message.number, item.message.attempts) == ("下达到电子卖场", plan.number, 1)
    assert item.message.problem == "电子卖场不接收：资料不全，请补充后再送"
    heard = [notice.text for notice in notices.unseen(line.world.system, line.world.crew[Role.HANDLER])]
    assert any("资料不全" in text and "已转客服" in text for text in heard)
    line.clock.pass_by(days=1)
    assert line.deliver() == 0
    with pytest.raises(ForbiddenError):
        exchange.resume(line.world.system, line.world.crew[Role.HANDLER], item.message.id)
    exchange.resume(line.world.system, line.world.crew[Role.SUPPORT], item.message.id)
    assert line.deliver() == 1
    assert line.node(plan.number) == "dispatched"
    with pytest.raises(BlockedError) as caught:
        exchange.resume(line.world.system, line.world.crew[Role.SUPPORT], item.message.id)
    assert caught.value.code == "not_parked"
    assert line.world.problems() == []


def test_a_parked_message_holds_back_its_document_until_set_aside(line: Exchange) -> None:
    plan = line.world.plan("p", *TO_FILED)
    line.counterpart.fail("mall", "refuse")
    line.deliver()
    line.world.act(plan.number, "redispatch", role=Role.HANDLER, key="again")
    assert line.deliver() == 0
    support, message = line.world.crew[Role.SUPPORT], parked(line)[0].message.id
    with pytest.raises(InvalidError):
        exchange.set_aside(line.world.system, support, message, " ")
    exchange.set_aside(line.world.system, support, message, "卖场已在电话里处理")
    assert line.deliver() == 1
    assert line.node(plan.number) == "dispatched"


def test_an_unreachable_system_is_tried_eight_times_then_parked(
    line: Exchange, port_to: Callable[[str], HttpExchange]
) -> None:
    line.world.plan("p", *TO_FILED)
    nowhere = port_to(f"http://127.0.0.1:{free_port()}")
    tried = []
    while not parked(line):
        with line.world.system.database.read() as tx:
            ready = bool(tx.outbox.due(line.clock(), 1))
        if ready:
            tried.append(line.clock())
            exchange.deliver_due(line.world.system, nowhere)
        line.clock.pass_by(seconds=5)
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses == [timedelta(seconds=5 * 2**n) for n in range(MOST_ATTEMPTS - 1)]
    assert parked(line)[0].message.problem == "电子卖场联系不上"
    assert exchange.pause(20) == timedelta(minutes=10)


def test_one_silent_system_does_not_hold_up_the_others(line: Exchange) -> None:
    mall = [line.world.plan(f"m{n}", *TO_FILED).number for n in range(3)]
    project = line.world.plan("a", *TO_FILED, variant="project").number
    line.counterpart.fail("mall", "busy", times=3)
    assert line.deliver() == 1
    assert line.node(project) == "dispatched"
    assert {line.node(number) for number in mall} == {"filed"}
    assert len(line.counterpart._faults["mall"]) == 2, "asked once in this round"


def test_a_sender_that_died_after_sending_is_replaced_when_its_lease_ends(line: Exchange) -> None:
    plan = line.world.plan("p", *TO_FILED)
    with line.world.system.database.read() as tx:
        (message,) = tx.outbox.due(line.clock(), 10)
    claimed = exchange._claim(line.world.system, message)
    assert claimed is not None
    line.port.send("mall", claimed.topic, claimed.body, claimed.key)  # and here the power failed
    assert line.deliver() == 0, "its lease still runs"
    line.clock.pass_by(seconds=LEASE.total_seconds() + 1)
    assert line.deliver() == 1
    assert line.seen() == [("mall.dispatch", 2)]
    assert exchange._settle(line.world.system, claimed) == 0, "who comes back late changes nothing"
    assert line.world.find(plan.number).version == plan.version + 1


def test_many_workers_deliver_each_message_once(line: Exchange) -> None:
    plans = [line.world.plan(f"p{n}", *TO_FILED).number for n in range(4)]
    with ThreadPoolExecutor(6) as pool:
        arrived = list(pool.map(lambda _: line.deliver(), range(6)))
    assert sum(arrived) == len(plans)
    assert line.seen() == [("mall.dispatch", 1)] * len(plans)
    assert {line.node(number) for number in plans} == {"dispatched"}
    assert line.world.problems() == []


def test_the_platform_sees_its_region_and_nobody_elses(line: Exchange) -> None:
    plan = line.world.plan("p")
    platform = line.world.crew[Role.INTEGRATION]
    elsewhere = type(platform.unit)(99, "other", "999999", "X", "别处")
    with line.world.system.database.read() as tx:
        assert tx.documents.by_number(plan.number, platform) is not None
        stranger = type(platform)(99, "x", "x", Role.INTEGRATION, elsewhere)
        assert tx.documents.by_number(plan.number, stranger) is None
        assert tx.documents.by_number(plan.number, line.world.crew[Role.SUPPORT]) is None
