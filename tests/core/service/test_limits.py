"""Time limits, what follows when they pass, copies and reminders, on a made-up region with all of them."""

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.adapters import processes
from core.adapters.process_registry import ProcessRegistry
from core.domain.accounts import Role
from core.domain.calendar import Calendar, Year
from core.domain.errors import BlockedError, DataError, ForbiddenError, InvalidError, NotFoundError
from core.service import copies, documents, escalating, flow, home, limits, lists, notices, reminders
from core.service.page_ports import Query
from tests.support import small_world
from tests.support.limited import CHANGES, data
from tests.support.small_world import World

FRIDAY = datetime(2026, 11, 20, 2, tzinfo=UTC)  # 10:00 in Shanghai


class Clock:
    def __init__(self) -> None:
        self.at = FRIDAY

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return processes.load(data(tmp_path_factory.mktemp("limits")))


@pytest.fixture(scope="module")
def registry(book: Any) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.bootstrap.ProcessRegistry", lambda _book: ProcessRegistry(book))
        yield


@pytest.fixture(scope="module")
def shared(registry: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Clock]]:
    """One world for the tests that look only at their own documents."""
    folder, clock = tmp_path_factory.mktemp("limits"), Clock()
    built = small_world.build(f"sqlite:///{folder / 'caigou.db'}", folder, clock=clock)
    yield built, clock
    assert built.problems() == []
    built.system.database.engine.dispose()  # type: ignore[attr-defined]


@pytest.fixture
def world(shared: tuple[World, Clock]) -> World:
    return shared[0]


@pytest.fixture
def clock(shared: tuple[World, Clock]) -> Clock:
    shared[1].at = FRIDAY
    return shared[1]


@pytest.fixture
def crowd(registry: None, database_url: str, tmp_path: Path) -> Iterator[tuple[list[World], Clock]]:
    """The same world opened four times, on each database."""
    clock = Clock()
    built = small_world.build(database_url, tmp_path, clock=clock)
    opened = [built, *(small_world.reopen(database_url, tmp_path, clock=clock) for _ in range(3))]
    yield opened, clock
    assert built.problems() == []
    for one in opened:
        one.system.database.engine.dispose()  # type: ignore[attr-defined]


def escalate(world: World) -> None:
    while escalating.escalate_due(world.system, limit=3):
        pass


def at_once(worlds: list[World], work: Callable[[World], None]) -> None:
    start = threading.Barrier(len(worlds))

    def run(one: World) -> None:
        start.wait()
        work(one)

    threads = [threading.Thread(target=run, args=(one,)) for one in worlds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


_keys = itertools.count()


def plan(world: World, *steps: str) -> str:
    return world.plan(f"p{next(_keys)}", *steps).number


def due(world: World, number: str, role: Role = Role.HANDLER) -> Any:
    return documents.get(world.system, world.crew[role], number).summary.due


def heard(world: World, role: Role, number: str, word: str = "") -> list[str]:
    """What a role was told of a document."""
    unseen = notices.unseen(world.system, world.crew[role])
    return [one.text for one in unseen if one.number == number and word in one.text]


def recorded(world: World, number: str) -> list[str]:
    with world.system.database.read() as tx:
        return [one.text for one in tx.terms.nudges(world.find(number).id)]


def listed(world: World, role: Role, folder: str, **more: Any) -> list[str]:
    query = Query(folder, order=lists.order_of(folder), **more)
    return [line.number for line in lists.find(world.system, world.crew[role], query)]


def test_a_limit_counts_working_days_from_entry(world: World, clock: Clock) -> None:
    number = plan(world, "submit")
    held = due(world, number)
    assert held.at == datetime(2026, 11, 25, 16, tzinfo=UTC)  # the end of Wednesday in Shanghai
    assert (held.days, held.left, held.late, held.words) == (3, 3, False, "11月25日前办，还剩 3 个工作日")
    drawn = flow.flow(world.system, world.crew[Role.HANDLER], number).nodes
    assert [one.due for one in drawn if one.state == "current"] == [held.words]
    draft = world.enter(f"e{next(_keys)}").number
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
        assert (
            len(heard(world, Role.REVIEWER, number, "期限，"))
            + len(heard(world, Role.REVIEWER, number, "还剩"))
            == 2
        )
        assert len(heard(world, Role.OFFICE_FIRST, number, "请督促")) == 1


def test_what_cannot_be_taken_is_said_once(tmp_path: Path) -> None:
    wrong = CHANGES.replace(
        "hidden: true", "hidden: true\n        requires: [{must: amount_fen < 1, say: 金额不是零}]"
    )
    book, clock = processes.load(data(tmp_path, wrong)), Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.bootstrap.ProcessRegistry", lambda _book: ProcessRegistry(book))
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
    assert copies.of(system, handler, number)[0].reader == "某人（主管单位审核）"
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
    number = world.enter(f"e{next(_keys)}").number
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
    assert [(c.note, c.read_at) for c in copies.of(system, handler, number)] == [("改过了，再看看", None)]
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
    draft = world.enter(f"e{next(_keys)}").number
    with pytest.raises(BlockedError) as caught:
        reminders.remind(system, world.crew[Role.HANDLER], draft, key=f"own-{number}")
    assert caught.value.code == "own_turn"


def test_clicks_at_once_remind_once(crowd: tuple[list[World], Clock]) -> None:
    worlds, _ = crowd
    number, outcomes = plan(worlds[0], "submit"), []

    def click(one: World) -> None:
        try:
            reminders.remind(one.system, one.crew[Role.HANDLER], number, key=f"click-{next(_keys)}")
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
