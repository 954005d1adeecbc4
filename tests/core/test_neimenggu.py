"""Inner Mongolia beside its walks: choosing a plan for the next contract, tasks along a chain of returns, used indicators."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.adapters import tables
from core.domain.errors import NotFoundError
from core.service import above, acts, planning, repairs
from core.service.planning import RepairPlan
from core.service.system import System
from core.settings import Settings
from tests.core.world import SEALED, new_key
from tests.support.shared import copy_of
from tests.support.steps import go_on, play


@pytest.fixture
def system(bare_worlds: Settings, tmp_path: Path) -> Iterator[System]:
    with copy_of(bare_worlds, tmp_path / "own.db") as made:
        yield made


class Stage:
    """Walks that go on, and plans brought on without a key."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.player = play(system, "neimenggu", [{"as": "handler"}])

    def play(self, *steps: dict[str, Any]) -> None:
        go_on(self.player, steps)

    def filed(self, name: str, variant: str, form: dict[str, Any]) -> str:
        """A filed plan."""
        self.play(
            {"enter": f"plan/{variant}", "name": name, "form": form},
            {"repair": "completed", "on": name},
        )
        document = self.player.document(name)
        acts.perform(
            self.system, self.player.account("handler"), document.number, "sign",
            version=document.version, arguments={}, key=new_key(), certificate=SEALED,
        )  # fmt: skip
        self.play({"act": "file", "on": name, "expect": "filed"})
        return document.number


@pytest.fixture
def stage(system: System) -> Stage:
    return Stage(system)


def plan_form(fen: int, **more: Any) -> dict[str, Any]:
    line = {"catalogue": "C2309", "name": "教师培训", "quantity": 1, "unit_price_fen": fen}
    return {"name": "培训服务", "lines": [line], "funding": [{"indicator": 1, "amount_fen": fen}], **more}


def contract_form(fen: int) -> dict[str, Any]:
    line = {
        "catalogue": "C2309",
        "name": "教师培训",
        "quantity": 1,
        "unit_price_fen": fen,
        "statistics": "plain",
    }
    return {
        "name": "培训合同", "signed_on": "2026-11-02", "supplier": "SP0001", "supplier_size": "small",
        "payees": [{"name": "某公司", "bank": "示范银行", "account": "6200000000000001"}], "lines": [line],
        "payments": [{"due_on": "2026-12-10", "amount_fen": fen}], "text": "合同.pdf",
    }  # fmt: skip


@pytest.mark.covers("nm-14-1")
def test_a_plan_stays_to_be_chosen_until_contracts_cover_it(system: System, stage: Stage) -> None:
    handler = stage.player.account("handler")
    number = stage.filed("plan", "direct", plan_form(3_000_000))
    other = stage.filed("other", "direct", plan_form(1_000_000))
    stage.play({"enter": "plan/direct", "name": "draft", "form": plan_form(100)})

    def shown(*, uncovered: bool) -> list[tuple[str, int | None]]:
        found = above.choices(system, handler, "contract", "contract", uncovered=uncovered)
        return [(one.number, one.left_fen) for one in found]

    both = [(other, 1_000_000), (number, 3_000_000)]
    assert shown(uncovered=True) == shown(uncovered=False) == both
    stage.play(
        {"enter": "contract/contract", "under": "plan", "name": "first", "form": contract_form(2_000_000)},
        {"repair": "filed", "on": "first"},
    )
    assert shown(uncovered=True) == [(other, 1_000_000), (number, 1_000_000)]
    stage.play(
        {"enter": "contract/contract", "under": "plan", "name": "second", "form": contract_form(1_000_000)},
        {"repair": "filed", "on": "second"},
    )
    assert shown(uncovered=True) == [(other, 1_000_000)]
    assert shown(uncovered=False) == [(other, 1_000_000), (number, 0)]
    stage.play({"repair": "void", "on": "second"})
    assert shown(uncovered=True) == [(other, 1_000_000), (number, 1_000_000)]


def test_only_who_may_enter_it_is_shown_where(system: System, stage: Stage) -> None:
    stage.filed("plan", "direct", plan_form(3_000_000))
    for who in ("reviewer", "handler@member", "agency"):
        assert above.choices(system, stage.player.account(who), "contract", "contract") == []
    assert (
        above.choices(system, stage.player.account("handler"), "contract", "contract", words="没有的") == []
    )
    with pytest.raises(NotFoundError):
        above.choices(system, stage.player.account("handler"), "nothing", "nothing")


@pytest.mark.covers("nm-3-1")
def test_the_chain_of_returns_becomes_tasks_one_after_the_other(system: System, stage: Stage) -> None:
    number = stage.filed("plan", "project", plan_form(3_000_000, agency="AG0001"))
    stage.play(
        {"as": "integration", "act": "dispatch", "on": "plan"},
        {"as": "agency", "enter": "execution/project", "under": "plan", "name": "run"},
        {"as": "agency", "act": "take", "on": "run"},
        {
            "as": "agency",
            "save": {"lots": [{"lot": "1", "name": "培训", "amount_fen": 3_000_000}]},
            "on": "run",
        },
        {"as": "agency", "act": "divide", "on": "run"},
        {"save": {"technical": "三期", "commercial": "含教材"}, "on": "run"},
        {"act": "submit", "on": "run"},
    )
    people = {name: stage.player.account(name) for name in ("handler", "reviewer", "agency")}
    found = planning.plan_to(system, people["handler"], number, "void")
    assert isinstance(found, RepairPlan)
    run = stage.player.numbers["run"]
    expected = [
        ("agency", run, "return_allowing"),
        ("handler", run, "return_to_lots"),
        ("agency", run, "back_to_accept"),
        ("agency", run, "decline"),
        ("agency", number, "agency_return"),
        ("handler", number, "cancel"),
        ("reviewer", number, "cancel_pass"),
    ]
    assert [(step.number, step.action) for step in found.steps] == [step[1:] for step in expected]
    repair = repairs.start(system, people["handler"], number, "void", found.fingerprint, key=new_key())
    for who, on, action in expected:
        tasks = {
            name: [(task.step.number, task.step.action) for task in repairs.mine(system, account)]
            for name, account in people.items()
        }
        assert tasks == {name: [(on, action)] if name == who else [] for name in people}
        step = repairs.get(system, people[who], repair.id).step
        assert step is not None
        version = stage.player.document("run" if on == run else "plan").version
        given = {field.name: "项目不做了" for field in step.form if field.required}
        _, repair = repairs.advance(system, people[who], repair.id, given, version=version, key=new_key())
    assert repair.state == "done"
    assert (stage.player.document("plan").node, stage.player.document("run").node) == ("void", "returned")


@pytest.mark.covers("nm-15")
def test_an_indicator_that_was_used_cannot_be_deleted(stage: Stage) -> None:
    """Not even where all of its money came back: its movements stay."""
    engine = stage.system.database.engine  # type: ignore[attr-defined]
    stage.play(
        {"enter": "plan/direct", "name": "plan", "form": plan_form(100)},
        {"act": "submit", "on": "plan", "expect_held_yuan": 1},
    )
    drop = sa.delete(tables.indicator)
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(drop)
    stage.play(
        {
            "as": "reviewer",
            "act": "return",
            "on": "plan",
            "with": {"opinion": "不办", "target": "unit_first"},
        },
        {"act": "discard", "on": "plan", "with": {"reason": "不办"}, "expect_held_yuan": 0},
    )
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(drop)
