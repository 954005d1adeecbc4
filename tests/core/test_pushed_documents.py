"""What other systems make and move here by signed messages: lots of a trading centre, intranet plans of finance."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core import worlds
from core.bootstrap import build_system, migrate
from core.domain.accounts import Role
from core.domain.errors import DomainError, InvalidError, NotFoundError
from core.service import (
    above,
    accounts,
    documents,
    filling,
    lists,
    review_day,
    situations,
)
from core.service.page_ports import Query
from core.service.system import System
from core.settings import Settings
from tests.core.world import Clock
from tests.support.pushing import push
from tests.support.shared import fast_engine
from tests.support.steps import play

PLAN = {
    "name": "教学服务器", "platform": "city",
    "lines": [{"catalogue": "A02010301", "name": "服务器", "quantity": 1, "unit_price_fen": 5_000_000}],
    "funding": [{"indicator": 1, "amount_fen": 5_000_000}],
}  # fmt: skip


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Units and people of three regions and of no other, an indicator in two of them, no documents."""
    folder = tmp_path_factory.mktemp("pushed")
    settings = Settings(var=folder, database_url=f"sqlite:///{folder / 'pushed.db'}")
    migrate(settings)
    engine = fast_engine(settings.database_url)
    built = build_system(settings, clock=Clock(datetime(2026, 11, 3, 9, tzinfo=UTC)), engine=engine)
    with built.database.write() as tx:
        worlds.build(built, tx, worlds.places()["neimenggu"])
        units = worlds.build(built, tx, worlds.places()["xuchang"])
        worlds.budget(built, tx, units["school"], "Z-1", "设备", 10_000_000)
        units = worlds.build(built, tx, worlds.places()["anhui"])
        worlds.budget(built, tx, units["school"], "Z-1", "设备", 10_000_000)
    yield built
    engine.dispose()


@pytest.mark.covers("ah-3.8.1")
def test_the_trading_centre_sends_an_award_and_takes_it_back(system: System) -> None:
    steps = [
        {"enter": "confirmation/confirmation", "name": "money", "form": {"funding": PLAN["funding"]}},
        {"act": "confirm", "on": "money"},
        {
            "enter": "plan/project", "name": "plan", "form": {
                "name": "教学服务器", "lines": PLAN["lines"], "organisation": "central", "method": "open",
                "entrustment": "agency", "agency": "AG0001",
                "funding": [{"indicator": "account of money", "amount_fen": 5_000_000}],
            },
        },
        {"act": "submit", "on": "plan"},
        {"as": "reviewer", "act": "pass", "on": "plan"},
        {"find": "task_book", "under": "plan", "name": "book"},
        {"act": "file_central", "on": "book"},
    ]  # fmt: skip
    plan = play(system, "anhui", steps).numbers["plan"]
    line: dict[str, object] = {
        "catalogue": "A02010301",
        "name": "服务器",
        "quantity": 1,
        "unit_price_fen": 4_500_000,
    }
    form = {"reference": "CJ-1", "supplier": "SP0001", "awarded_on": "2026-11-03"}
    sent = {"kind": "award", "variant": "trade", "under": plan, "act": "report"}
    award = {**sent, "form": {**form, "lines": [line]}}
    dear = {**sent, "form": {**form, "lines": [{**line, "unit_price_fen": 5_000_001}]}}
    with pytest.raises(DomainError, match="额度不够"):
        push(system, "trade.document", dear, "award-dear")
    said = push(system, "trade.document", award, "award-1").said
    assert "已办“送达执行结果”" in said
    back = {"number": said.split()[0], "act": "retract", "arguments": {"reason": "撤销成交"}}
    assert "已撤销" in push(system, "trade.act", back, "award-back").said


@pytest.mark.covers("xc-announce", "xc-plan")
def test_the_trading_centre_pushes_lots_and_takes_them_back(system: System) -> None:
    steps = [
        {"enter": "plan/interconnected", "name": "plan", "form": PLAN},
        {"repair": "filed", "on": "plan"},
    ]
    played = play(system, "xuchang", steps)
    plan, handler = played.numbers["plan"], played.account("handler")
    lot = {
        "kind": "lot",
        "variant": "lot",
        "under": plan,
        "act": "push",
        "form": {"name": "第一标段", "lot_no": "BD-1"},
    }
    whole = {**lot, "form": {**lot["form"], "amount_fen": 5_000_000}}
    for wrong, why in (
        (lot, "标段预算"),
        ({**whole, "form": {**whole["form"], "amount_fen": 5_000_001}}, "超过了计划"),
        ({**whole, "kind": "contract", "variant": "contract"}, "没有这种单据"),
        ({**whole, "act": "withdraw_all"}, "withdraw_all"),
    ):
        with pytest.raises(DomainError, match=why):
            push(system, "trade.document", wrong, f"wrong-{why}")
    assert documents.get(system, handler, plan).linked == ()  # nothing is half taken
    assert "已办“推送标段”" in push(system, "trade.document", whole, "lot-1").said
    assert push(system, "trade.document", whole, "lot-1").repeated
    view = documents.get(system, handler, plan)
    assert [one.node for one in view.linked] == ["pushed"]
    assert "lots_pushed" in view.document.flags
    with pytest.raises(InvalidError):
        push(system, "trade.document", {**whole, "colour": "red"}, "lot-2")
    number = view.linked[0].number
    with system.database.write() as tx:  # of very many that came to nothing later
        for one in (number, plan):
            gone = replace(situations.find(tx, None, one), trail=("void",))
            for seq in range(300):
                tx.documents.add(replace(gone, number=f"{one}-{seq}"))
    form = filling.new(system, handler, "contract", "contract", parent=plan)
    assert [one for one, _ in form.choices["lot"]] == [number]
    assert [one.number for one in above.choices(system, handler, "contract", "contract")] == [plan]
    with pytest.raises(NotFoundError, match="没有这种单据"):
        push(system, "trade.act", {"number": plan, "act": "pass"}, "act-1")
    push(
        system,
        "trade.act",
        {"number": number, "act": "withdraw", "arguments": {"reason": "重新划分"}},
        "act-2",
    )
    assert documents.get(system, handler, number).document.node == "void"


@pytest.mark.covers("xc-expert")
def test_experts_answer_there_and_the_list_is_pushed_on_the_review_day(system: System) -> None:
    form = {
        "review_on": "2026-11-10", "place": "评标室", "contact": "李明", "phone": "0374-1234567",
        "groups": [{"category": "医疗设备", "area": "本市", "count": 2}],
    }  # fmt: skip
    ordinary = {key: value for key, value in PLAN.items() if key != "platform"}
    played = play(system, "xuchang", [
        {"enter": "plan/ordinary", "name": "plan", "form": ordinary},
        {"repair": "filed", "on": "plan"},
        {"enter": "expert_request/expert_request", "under": "plan", "name": "request", "form": form},
        {"act": "submit", "on": "request"},
    ])  # fmt: skip
    number, clock = played.numbers["request"], system.clock
    assert isinstance(clock, Clock)
    clock.pass_by(days=7)
    assert review_day.settle_due(system) == 0  # nobody has answered
    for expert in ("ZJ007", "ZJ008"):
        arguments = {"expert": expert, "answer": "accept"}
        push(
            system,
            "trade.act",
            {"number": number, "act": "answer", "arguments": arguments},
            f"answer-{expert}",
        )
    clock.pass_by(days=-1)
    assert review_day.settle_due(system) == 0  # the day before
    clock.pass_by(days=1)
    with system.database.write() as tx:  # many others that came later and wait for an answer for good
        document = situations.find(tx, None, number)
        for seq in range(200):
            tx.documents.add(replace(document, number=f"ZJ-{seq}", flags=frozenset()))
    assert (review_day.settle_due(system), review_day.settle_due(system)) == (1, 0)
    handler = played.account("handler")
    assert documents.get(system, handler, number).document.node == "done"


@pytest.mark.covers("nm-28")
def test_finance_pushes_intranet_plans(system: System) -> None:
    logins = worlds.logins(worlds.places()["neimenggu"])
    login = next(one for (_, role), one in logins.items() if role is Role.HANDLER)
    handler = accounts.sign_in(system, login, worlds.PASSWORD).account
    row = {"unit": "101001", "source_no": "YT-1", "name": "打印机", "catalogue": "A02021003", "quantity": 2}
    plans = [{**row, "unit_price_fen": 180_000}]
    batch = {
        "kind": "intranet_push",
        "variant": "push",
        "act": "push",
        "region": "neimenggu",
        "form": {"name": "一", "plans": plans},
    }
    lost = {**batch, "form": {"name": "一", "plans": [{**plans[0], "unit": "999999"}]}}
    with pytest.raises(DomainError, match="999999"):
        push(system, "finance.document", lost, "batch-0")
    placeless = {name: value for name, value in batch.items() if name != "region"}
    with pytest.raises(InvalidError) as unplaced:
        push(system, "finance.document", placeless, "batch-nowhere")
    assert "region" in unplaced.value.fields["body"]
    for nowhere in ("atlantis", "fujian"):  # fujian has processes, but nobody here
        with pytest.raises(NotFoundError, match="平台账号"):
            push(system, "finance.document", {**batch, "region": nowhere}, f"batch-{nowhere}")
    push(system, "finance.document", batch, "batch-1")
    found = lists.find(system, handler, Query("todo"), limit=10)
    assert [(one.kind, one.title, one.node) for one in found] == [("intranet_plan", "打印机", "unused")]
