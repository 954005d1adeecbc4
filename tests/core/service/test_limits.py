"""Time limits and what follows when they pass, on a made-up rule with all of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.adapters import processes, tables
from core.domain.accounts import Role
from core.domain.calendar import Calendar, Year
from core.domain.errors import DataError
from core.service import documents, escalating, flow, limits
from tests.support import small_world
from tests.support.clock import Clock
from tests.support.limited import (
    CHANGES,
    FRIDAY,
    at_once,
    clock,
    data,
    due,
    escalate,
    heard,
    listed,
    new_key,
    plan,
    recorded,
    world,
)
from tests.support.process_data import in_force
from tests.support.small_world import World

__all__ = ["clock", "world"]  # fixtures


def test_a_limit_counts_working_days_from_entry(world: World, clock: Clock) -> None:
    number = plan(world, "submit")
    held = due(world, number)
    assert held.at == datetime(2026, 11, 25, 16, tzinfo=UTC)  # the end of Wednesday in Shanghai
    assert (held.days, held.left, held.late, held.words) == (3, 3, False, "11月25日前办，还剩 3 个工作日")
    drawn = flow.flow(world.system, world.crew[Role.HANDLER], number).nodes
    assert [one.due for one in drawn if one.state == "current"] == [held.words]
    draft = world.enter(new_key()).number
    ahead = flow.flow(world.system, world.crew[Role.HANDLER], draft).nodes
    assert [one.due for one in ahead if one.id == "unit_second"] == ["限 3 个工作日"]
    clock.at = datetime(2026, 11, 25, 15, 59, tzinfo=UTC)
    assert due(world, number).words == "11月25日到期"
    assert due(world, number).spent_s == 3 * 86400 + 14 * 3600 - 60  # the weekend does not count
    assert number not in listed(world, Role.REVIEWER, "late")
    clock.at = datetime(2026, 11, 25, 16, tzinfo=UTC)
    assert number in listed(world, Role.REVIEWER, "late")
    clock.at = datetime(2026, 11, 30, 2, tzinfo=UTC)
    assert due(world, number).words == "超期 3 个工作日"
    world.act(number, "pass", role=Role.REVIEWER, key=f"on-{number}")
    fresh = due(world, number)  # a node without a limit of its own: the platform's idea of too long
    assert (fresh.days, fresh.words, fresh.since) == (None, "", clock.at)
    assert number not in listed(world, Role.SUPERVISING, "late")


def test_a_limit_begins_anew_on_re_entry(world: World, clock: Clock) -> None:
    """Fault 4 of the guide: timers vanish on re-entry."""
    number = plan(world, "submit")
    clock.at = datetime(2026, 11, 24, 16, tzinfo=UTC)
    escalate(world)
    assert len(recorded(world, number)) == 1
    world.act(
        number, "return", role=Role.REVIEWER, key=f"back-{number}", target="unit_first", opinion="请核对"
    )
    assert due(world, number).days is None
    clock.at = datetime(2026, 12, 1, 2, tzinfo=UTC)
    world.act(number, "submit", role=Role.HANDLER, key=f"again-{number}")
    assert due(world, number).words == "12月4日前办，还剩 3 个工作日"
    escalate(world)
    assert len(recorded(world, number)) == 1
    clock.at = datetime(2026, 12, 3, 16, tzinfo=UTC)
    escalate(world)
    assert len(recorded(world, number)) == 2


def test_an_act_that_stays_moves_no_limit(world: World, clock: Clock) -> None:
    number = plan(world, *small_world.TO_COMPLETED)
    before = due(world, number)
    clock.at += timedelta(days=1)
    world.act(number, "sign", role=Role.HANDLER, key=f"sign-{number}")
    assert (due(world, number).since, due(world, number).at) == (before.since, before.at)
    world.act(number, "file", role=Role.HANDLER, key=f"file-{number}")
    assert due(world, number) is None  # it has ended well, so nobody is waited for


def test_escalation_step_by_step_each_once(world: World, clock: Clock) -> None:
    number, other = plan(world, "submit"), plan(world, "submit", "pass")
    escalate(world)
    assert number not in listed(world, Role.OFFICE_FIRST, "all")
    for steps, day in enumerate((24, 25, 27), 1):
        clock.at = datetime(2026, 11, day, 15, 59, tzinfo=UTC)
        escalate(world)
        assert len(recorded(world, number)) == steps - 1
        clock.at += timedelta(minutes=1)
        escalate(world)
        assert len(recorded(world, number)) == steps
    said = recorded(world, number)
    assert said[0] == "在“采购单位复审”的 3 个工作日期限还剩 1 个工作日，已提醒某人（采购单位负责人 02）"
    assert "又过了 2 个工作日，已提醒某人（业务科室初审）" in said[2]
    own = heard(world, Role.REVIEWER, number, "期限")
    assert len(own) == 2
    assert own[1].endswith("超过了 3 个工作日的期限，轮到您办理")
    assert len(heard(world, Role.OFFICE_FIRST, number, "请督促")) == 1
    assert number in listed(world, Role.OFFICE_FIRST, "copied")
    assert world.find(number).node == "unit_second"
    clock.at = datetime(2026, 11, 30, 16, tzinfo=UTC)  # Saturday and Sunday are not counted
    escalate(world)
    assert world.find(number).node == "unit_first"
    last = documents.get(world.system, world.crew[Role.HANDLER], number).history[-1]
    assert (last.label, last.opinion) == (
        "超期退回",
        "超过了 3 个工作日的期限，又过了 3 个工作日，系统自动办理",
    )
    assert last.who == "某人（系统对接）"
    assert recorded(world, other) == []


def test_steps_missed_while_no_worker_ran_are_caught_up_with(world: World, clock: Clock) -> None:
    number = plan(world, "submit")
    clock.at = datetime(2026, 11, 27, 17, tzinfo=UTC)
    escalate(world)
    assert len(recorded(world, number)) == 3


def ever_told(world: World, role: Role, number: str) -> list[str]:
    """As `heard`, with what is no news any more because the document has moved on."""
    mine = (tables.notice.c.account_id == world.crew[role].id, tables.notice.c.number == number)
    with world.system.database.engine.connect() as connection:  # type: ignore[attr-defined]
        return list(connection.execute(sa.select(tables.notice.c.text).where(*mine)).scalars())


def test_workers_at_once_do_each_step_once(crowd: tuple[list[World], Clock]) -> None:
    (world, *others), clock = crowd
    numbers = [plan(world, "submit") for _ in range(5)]
    clock.at = datetime(2026, 12, 3, 17, tzinfo=UTC)
    at_once([world, *others], escalate)
    escalate(world)  # what each left to the others while they held it
    for number in numbers:
        assert world.find(number).node == "unit_first"
        history = documents.get(world.system, world.crew[Role.HANDLER], number).history
        assert [entry.action for entry in history].count("give_back") == 1
        assert len(recorded(world, number)) == 3
        told = ever_told(world, Role.REVIEWER, number)
        assert sum("期限，" in text or "还剩" in text for text in told) == 2
        assert len(heard(world, Role.OFFICE_FIRST, number, "请督促")) == 1


def test_what_cannot_be_taken_is_said_once(tmp_path: Path) -> None:
    wrong = CHANGES.replace(
        "hidden: true", "hidden: true\n        requires: [{must: amount_fen < 1, say: 金额不是零}]"
    )
    book, clock = processes.load(data(tmp_path, wrong)), Clock(FRIDAY)
    with in_force(book):
        world = small_world.build(f"sqlite:///{tmp_path / 'caigou.db'}", tmp_path, clock=clock)
    number = plan(world, "submit")
    clock.at = datetime(2026, 12, 3, 17, tzinfo=UTC)
    escalate(world)
    assert world.find(number).node == "unit_second"
    assert recorded(world, number)[-1].endswith("没能自动办理：金额不是零。请您办理")
    assert len(heard(world, Role.REVIEWER, number, "没能自动办理")) == 1
    assert escalating.escalate_due(world.system) == 0
    assert world.problems() == []
    world.system.database.engine.dispose()  # type: ignore[attr-defined]


def test_holidays_announced_later_are_counted(world: World, clock: Clock) -> None:
    clock.at = datetime(2026, 12, 30, 2, tzinfo=UTC)
    number = plan(world, "submit")
    assert (due(world, number).guessed, due(world, number).at) == (True, datetime(2027, 1, 4, 16, tzinfo=UTC))
    assert limits.recount(world.system) == 0
    year = Year(
        frozenset({date(2027, 1, 1), date(2027, 1, 4)}),
        frozenset({date(2027, 1, 3)}),
        date(2026, 12, 31),
        "某通知",
    )
    later = replace(world.system, calendar=Calendar({**world.system.calendar.years, 2027: year}))
    assert limits.recount(later) == 1
    assert (due(world, number).guessed, due(world, number).at) == (
        False,
        datetime(2027, 1, 5, 16, tzinfo=UTC),
    )
    assert limits.recount(later) == 0


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("take: give_back", "take: nothing", "没有动作“nothing”"),
        ("take: give_back", "take: pass", "没有写明系统可以办"),
        ("hidden: true", "hidden: true\n        cost: public", "对外公开，不能自动办"),
        ("form: [reason]", "form: [reason, seal]", "要人填写，不能自动办"),
        ("after: 2, tell", "after: 9, tell", "要按 after 从小到大写"),
        ("after: -1", "after: -4", "早于到达这个节点的那一天"),
        ("id: unit_second", "id: void", "已经结束，不能有期限"),
        ("after: 0, remind: true", "after: 0, remind: true, take: pass", "只写一个"),
    ],
)
def test_limits_that_cannot_be_meant_are_refused_at_the_start(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    assert CHANGES.count(before) == 1
    with pytest.raises(DataError) as caught:
        processes.load(data(tmp_path, CHANGES.replace(before, after)))
    assert said in caught.value.message
