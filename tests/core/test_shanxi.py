"""Shanxi beside its walks: when budgets were imported, and a signature that is demanded or not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core import worlds
from core.adapters import processes
from core.bootstrap import build_system, migrate
from core.domain import graph
from core.domain.documents import Situation
from core.service import documents
from core.service.system import System
from core.settings import Settings
from core.walks import Player
from tests.support.clock import Clock
from tests.support.process_data import copied
from tests.support.pushing import push
from tests.support.shared import fast_engine
from tests.support.steps import go_on, play

PLACE = worlds.places()["shanxi"]
LINE = {"catalogue": "A02021003", "name": "激光打印机", "quantity": 1, "unit_price_fen": 180_000}
BUDGET = {"division": PLACE.division, "unit": "101001", "year": 2026, "name": "设备"}
FORM = {"name": "打印机", "organisation": "central", "lines": [LINE]}


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 2, 17, tzinfo=UTC))  # the 3rd in Shanghai


@pytest.fixture
def shanxi(tmp_path: Path, clock: Clock) -> Iterator[System]:
    settings = Settings(var=tmp_path, database_url=f"sqlite:///{tmp_path / 'shanxi.db'}")
    migrate(settings)
    engine = fast_engine(settings.database_url)
    system = build_system(settings, clock=clock, engine=engine)
    with system.database.write() as tx:
        worlds.build(system, tx, PLACE)
    yield system
    engine.dispose()


def imported(system: System, code: str) -> None:
    """The division's finance office brings a budget onto the platform."""
    push(system, "finance.indicator", {**BUDGET, "code": code, "add_fen": 200_000}, f"push-{code}")


def stated(system: System, code: str) -> None:
    """Finance states what a budget's total is now."""
    lines = [{**BUDGET, "code": code, "total_fen": 300_000}]
    push(system, "finance.budget", {"as_of": system.clock().isoformat(), "lines": lines}, f"state-{code}")


def said_of_budget(system: System, player: Player) -> str:
    view = documents.get(system, player.account("handler"), player.numbers["plan"])
    return view.form_errors["funding"]


@pytest.mark.covers("sx-no-budget", "sx-plan-needed")
def test_without_a_budget_the_last_and_the_next_import_are_shown(shanxi: System, clock: Clock) -> None:
    player = play(shanxi, "shanxi", [{"enter": "plan/general", "name": "plan", "form": FORM}])
    assert "财政还没有导入过，每周一次" in said_of_budget(shanxi, player)
    imported(shanxi, "first")
    assert "上次导入 2026-11-03，下次约 2026-11-10，每周一次" in said_of_budget(shanxi, player)
    clock.pass_by(days=7)
    imported(shanxi, "second")
    assert "上次导入 2026-11-10，下次约 2026-11-17" in said_of_budget(shanxi, player)
    clock.pass_by(days=7)
    stated(shanxi, "second")
    assert "上次导入 2026-11-17，下次约 2026-11-24" in said_of_budget(shanxi, player)
    go_on(player, [
        {"act": "submit", "on": "plan", "refused": "下次约 2026-11-24"},
        {"save": {"funding": [{"indicator": 1, "amount_fen": 180_000}]}, "on": "plan", "errors": []},
        {"act": "submit", "on": "plan", "expect": "unit_second"},
    ])  # fmt: skip


def test_a_kind_without_an_amount_shows_none(shanxi: System) -> None:
    phone = {
        "as": "agency",
        "enter": "acceptance_setting/landline",
        "name": "phone",
        "form": {"landline": "0351-1234567"},
    }
    player = play(shanxi, "shanxi", [phone, {"enter": "plan/general", "name": "plan", "form": FORM}])
    shown = [documents.get(shanxi, player.account(who), player.numbers[name]).summary
             for who, name in (("agency", "phone"), ("handler", "plan"))]  # fmt: skip
    assert [(one.has_amount, one.amount_fen) for one in shown] == [(False, 0), (True, 180_000)]


@pytest.mark.covers("sx-sign-review")
@pytest.mark.parametrize(("wanted", "after"), [(1, "seal"), (0, "accepting")])
def test_a_node_may_be_set_to_demand_a_signature(wanted: int, after: str, tmp_path: Path) -> None:
    """The region's data decides; the flow itself is the same."""
    data = copied(tmp_path)
    file = data / "regions" / "shanxi.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.count("entrustment_seal: [{value: 1,") == 1
    file.write_text(
        text.replace("entrustment_seal: [{value: 1,", f"entrustment_seal: [{{value: {wanted},"),
        encoding="utf-8",
    )
    book = processes.load(data)
    process = book.get("shanxi", "entrustment", "entrustment")
    today = datetime(2026, 11, 20, tzinfo=UTC).date()
    values = book.values["shanxi"]
    skip = graph.skipped(process, Situation(values=lambda name, *keys: values.on(name, today, *keys)))
    assert graph.targets(process, process.actions["pass"], ("entry", "unit_second"), skip=skip) == (after,)
