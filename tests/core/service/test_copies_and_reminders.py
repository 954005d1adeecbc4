"""Copies to read, reminders by hand, lists by urgency, where documents have limits."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.domain.accounts import Role
from core.domain.errors import BlockedError, ForbiddenError, InvalidError, NotFoundError
from core.service import copies, documents, home, lists, reminders, told
from core.service.page_ports import Query
from tests.support.clock import Clock
from tests.support.limited import (
    FRIDAY,
    at_once,
    clock,
    due,
    heard,
    listed,
    new_key,
    plan,
    recorded,
    world,
)
from tests.support.small_world import World

__all__ = ["clock", "world"]  # fixtures


def test_copied_by_the_process_to_a_role(world: World, clock: Clock) -> None:
    number = plan(world, "submit")
    assert len(heard(world, Role.SUPERVISING, number, "抄送给您看")) == 1
    found = lists.find(world.system, world.crew[Role.SUPERVISING], Query("copied", order="copied"), limit=50)
    line = next(one for one in found if one.number == number)
    assert line.copy
    assert (line.copy.who, line.copy.read_at) == ("系统（自动抄送）", None)
    assert number not in listed(world, Role.OFFICE_FIRST, "copied")


def test_who_got_a_copy_may_read_and_nothing_else(world: World, clock: Clock) -> None:
    number, system = plan(world, "submit"), world.system
    reader, handler = world.crew[Role.SUPERVISING], world.crew[Role.HANDLER]
    assert documents.get(system, reader, number).offers == ()
    waiting = home.desk(system, reader).counts["copied"]
    assert copies.read(system, reader, number) is not None
    assert copies.read(system, reader, number) is None
    assert told.told(system, handler, number).copies[0].reader == "某人（主管单位审核）"
    assert home.desk(system, reader).counts["copied"] == waiting - 1
    assert number in listed(world, Role.SUPERVISING, "copied")
    assert number not in listed(world, Role.SUPERVISING, "copied", unread=True)
    assert number not in listed(world, Role.SUPERVISING, "todo")
    version = world.find(number).version
    for action in ("pass", "return", "withdraw", "give_back"):
        with pytest.raises(ForbiddenError) as caught:
            world.act(number, action, role=Role.SUPERVISING, key=f"no-{action}-{number}", version=version)
        assert caught.value.code == "read_only"
    for refused in (
        lambda: copies.send(system, reader, number, "reviewer", "", key=f"k1-{number}"),
        lambda: reminders.remind(system, reader, number, key=f"k2-{number}"),
    ):
        with pytest.raises(ForbiddenError):
            refused()
    assert world.find(number).version == version
    with pytest.raises(NotFoundError):
        documents.get(system, world.crew[Role.OFFICE_FIRST], number)
    world.act(number, "pass", role=Role.REVIEWER, key=f"on-{number}")  # now it is the reader's turn
    world.act(number, "pass", role=Role.SUPERVISING, key=f"may-{number}")


def test_copied_by_hand_to_a_person_of_the_unit_tree(world: World, clock: Clock) -> None:
    system, handler, bureau = world.system, world.crew[Role.HANDLER], world.crew[Role.SUPERVISING]
    number = world.enter(new_key()).number
    assert {one.login for one in copies.readers(system, handler)} == {"reviewer", "supervising"}
    with pytest.raises(NotFoundError):
        documents.get(system, bureau, number)
    done = copies.send(system, handler, number, "supervising", "请先看看", key=f"c1-{number}")
    assert done.said == f"已把 {number} 抄送给某人（主管单位审核），只能看，不能办理"
    assert copies.send(system, handler, number, "supervising", "请先看看", key=f"c1-{number}") == done
    assert len(heard(world, Role.SUPERVISING, number, "附言：请先看看")) == 1
    assert documents.get(system, bureau, number).summary.number == number
    assert copies.read(system, bureau, number)
    copies.send(system, handler, number, "supervising", "改过了，再看看", key=f"c2-{number}")
    assert [(c.note, c.read_at) for c in told.told(system, handler, number).copies] == [
        ("改过了，再看看", None)
    ]
    for to, field in (("office_first", "to"), ("nobody", "to"), ("handler", "to"), ("", "to")):
        with pytest.raises(InvalidError) as caught:
            copies.send(system, handler, number, to, "", key=f"wrong-{to}-{number}")
        assert field in caught.value.fields
    with pytest.raises(InvalidError) as caught:
        copies.send(system, handler, number, "reviewer", "长" * 201, key=f"long-{number}")
    assert "note" in caught.value.fields
    with pytest.raises(NotFoundError):
        copies.send(
            system, world.crew[Role.OFFICE_FIRST], number, "office_second", "", key=f"foreign-{number}"
        )


def test_a_reminder_reaches_whose_turn_it_is_once_a_working_day(world: World, clock: Clock) -> None:
    system, handler = world.system, world.crew[Role.HANDLER]
    number = plan(world, "submit")
    clock.at = datetime(2026, 11, 24, 2, tzinfo=UTC)
    assert reminders.prospect(system, handler, number).told == "某人（采购单位负责人 02）"
    done = reminders.remind(system, handler, number, key=f"r1-{number}")
    assert done.said == f"已提醒某人（采购单位负责人 02）办理 {number}。11月25日起可以再催一次"
    assert reminders.remind(system, handler, number, key=f"r1-{number}") == done
    title = world.find(number).title
    text = f"某人（采购单位经办 01）催办：{number} {title} 在“采购单位复审”已等 2 个工作日，请尽快办理"
    assert heard(world, Role.REVIEWER, number, "催办") == [text]
    assert due(world, number).reminded == 1
    assert recorded(world, number) == ["催办：某人（采购单位负责人 02）"]
    with pytest.raises(BlockedError) as caught:
        reminders.remind(system, handler, number, key=f"r2-{number}")
    assert (caught.value.code, caught.value.fields) == ("reminded_today", {"again": "2026-11-25"})
    assert "11月25日起可以再催" in reminders.prospect(system, handler, number).why_not
    world.act(number, "pass", role=Role.REVIEWER, key=f"on-{number}")
    assert reminders.remind(system, handler, number, key=f"r3-{number}").told == "某人（主管单位审核）"
    assert due(world, number).reminded == 1


def test_on_a_weekend_the_next_working_day_is_used_up(world: World, clock: Clock) -> None:
    number = plan(world, "submit")
    clock.at = datetime(2026, 11, 21, 2, tzinfo=UTC)
    assert reminders.remind(world.system, world.crew[Role.HANDLER], number, key=f"r1-{number}").again == date(
        2026, 11, 24
    )
    clock.at = datetime(2026, 11, 23, 2, tzinfo=UTC)
    with pytest.raises(BlockedError):
        reminders.remind(world.system, world.crew[Role.HANDLER], number, key=f"r2-{number}")
    clock.at = datetime(2026, 11, 24, 2, tzinfo=UTC)
    reminders.remind(world.system, world.crew[Role.HANDLER], number, key=f"r3-{number}")


def test_who_may_remind(world: World, clock: Clock) -> None:
    system, number = world.system, plan(world, "submit", "pass", "pass")
    for role in (Role.HANDLER, Role.SUPERVISING):  # who entered it, and who brought it here
        assert reminders.prospect(system, world.crew[role], number).mine
    with pytest.raises(ForbiddenError):
        reminders.remind(system, world.crew[Role.REVIEWER], number, key=f"no-{number}")
    with pytest.raises(NotFoundError):
        reminders.remind(system, world.crew[Role.AGENCY], number, key=f"no-{number}")
    draft = world.enter(new_key()).number
    with pytest.raises(BlockedError) as caught:
        reminders.remind(system, world.crew[Role.HANDLER], draft, key=f"own-{number}")
    assert caught.value.code == "own_turn"


def test_clicks_at_once_remind_once(crowd: tuple[list[World], Clock]) -> None:
    worlds, _ = crowd
    number, outcomes = plan(worlds[0], "submit"), []

    def click(one: World) -> None:
        try:
            reminders.remind(one.system, one.crew[Role.HANDLER], number, key=new_key())
            outcomes.append("done")
        except BlockedError as error:
            outcomes.append(error.code)

    at_once(worlds, click)
    assert sorted(outcomes) == ["done", *["reminded_today"] * 3]
    assert len(heard(worlds[0], Role.REVIEWER, number, "催办")) == 1


def test_lists_by_urgency_page_on_without_gaps(world: World, clock: Clock) -> None:
    clock.at = datetime(2026, 3, 2, 2, tzinfo=UTC)  # nothing else is due as early
    slow = plan(world, "submit", "pass")
    clock.at += timedelta(hours=1)
    urgent = [plan(world, "submit") for _ in range(4)]
    whole: list[str] = [*reversed(urgent), slow]
    seen: list[str] = []
    line = None
    clock.at = FRIDAY
    while page := lists.find(
        world.system, world.crew[Role.HANDLER],
        Query("late", order="urgent", after=lists.rank("late", line) if line else None),
        limit=2, before=line.id if line else None,
    ):  # fmt: skip
        seen += [one.number for one in page]
        line = page[-1]
    assert seen[: len(whole)] == whole
    assert len(seen) == len(set(seen))
