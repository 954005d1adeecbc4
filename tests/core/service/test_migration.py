"""Open documents move to a new version of their process, each by itself, or stay where they are and say why."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.adapters import processes, tables
from core.adapters.process_build import dump, restore
from core.adapters.process_registry import ProcessRegistry
from core.domain.errors import BlockedError
from core.service import flow, migration, planning, repairs
from core.service.migration import Move
from core.service.planning import RepairPlan
from tests.core.world import World, money

BOOK = processes.load()


def reopened(world: World, *edits: tuple[str, str], renamed: Mapping[str, str] | None = None) -> World:
    """The same world after the data of its plans changed: texts in their canonical form replaced."""
    changed = dict(BOOK.processes)
    for key, process in BOOK.processes.items():
        if key[:2] != ("neimenggu", "plan"):
            continue
        text = dump(process)
        for old, new in (*edits, *((f'"{old}"', f'"{new}"') for old, new in (renamed or {}).items())):
            text = text.replace(old, new)
        assert text != dump(process)
        changed[key] = restore(
            json.dumps({**json.loads(text), "renamed": dict(renamed or {})}, ensure_ascii=False)
        )
    registry = ProcessRegistry(replace(BOOK, processes=changed))
    with world.system.database.write() as tx:
        tx.records.keep_processes(registry.all())
    return replace(world, system=replace(world.system, processes=registry))


def of(found: Iterable[Move], number: str) -> Move:
    (mine,) = [item for item in found if item.number == number]
    return mine


RENAMED = {"unit_second": "head_review"}
HELP = ("已办结（待备案）", "已办结")


def test_a_preview_tells_and_changes_nothing(each_world: World) -> None:
    number = each_world.plan(node="office_first")
    world = reopened(each_world, HELP)
    before = world.everything()
    move = of(migration.preview(world.system), number)
    assert (move.source, move.target, move.why) == ("office_first", "office_first", "")
    assert move.before == each_world.document(number).process_version
    assert move.after == world.system.processes.current("neimenggu", "plan", "mall").version
    assert world.everything() == before


def test_what_can_move_moves_once_and_goes_on(each_world: World) -> None:
    number, ended = each_world.plan(node="office_first"), each_world.plan(node="void")
    world = reopened(each_world, HELP)
    held, tasks, before = money(world), world.tasks(number), world.document(number)
    assert list(migration.move(world.system, "fujian")) == []
    assert of(migration.move(world.system), number).why == ""
    after = world.document(number)
    assert (after.node, after.trail, after.version) == (before.node, before.trail, before.version + 1)
    assert after.process_version == world.system.processes.current("neimenggu", "plan", "mall").version
    assert (money(world), world.tasks(number)) == (held, tasks)
    with world.system.database.read() as tx:
        entry = tx.documents.history(after.id)[-1]
    assert (entry.action, entry.source, entry.target) == ("migrate", "office_first", "office_first")
    assert entry.opinion == f"流程版本 {before.process_version} → {after.process_version}"
    mine = sa.select(tables.audit.c.act).where(tables.audit.c.subject == number).order_by(tables.audit.c.seq)
    with world.engine.connect() as connection:
        assert list(connection.execute(mine).scalars())[-1] == "migrate"
    assert list(migration.move(world.system)) == []
    assert migration.waiting(world.system) == 0
    assert world.document(ended).process_version == before.process_version, "what has ended stays"
    world.act("office_first", number, "pass")
    assert world.document(number).node == "office_second"
    world.sound()


def test_a_renamed_node_is_followed_through_trail_history_and_flow(world: World) -> None:
    number = world.plan(node="office_second")
    after = reopened(world, renamed=RENAMED)
    assert of(migration.move(after.system), number).why == ""
    assert "head_review" in after.document(number).trail
    drawn = {node.id: node for node in flow.flow(after.system, after["handler"], number).nodes}
    assert (drawn["head_review"].state, drawn["head_review"].who) == ("done", after["reviewer"].label)
    after.act("office_second", number, "return", opinion="请核对", target="head_review")
    assert after.document(number).node == "head_review"


def test_where_the_own_node_was_renamed_the_turn_is_as_before(world: World) -> None:
    number = world.plan(node="unit_second")
    tasks = world.tasks(number)
    after = reopened(world, renamed=RENAMED)
    move = of(migration.move(after.system), number)
    assert (move.source, move.target, move.why) == ("unit_second", "head_review", "")
    assert after.tasks(number) == tasks
    after.act("reviewer", number, "pass")
    after.sound()


def test_a_document_whose_node_is_gone_stays_and_works_as_before(each_world: World) -> None:
    number, other = each_world.plan(node="unit_second"), each_world.plan(node="supervising")
    world = reopened(each_world, ('"unit_second"', '"head_review"'))
    before = world.document(number)
    found = list(migration.move(world.system))
    assert of(found, number).why == "环节“采购单位复审”在新版里没有了，新版也没有写它改叫什么"
    assert world.document(number) == before
    assert of(found, other).why == ""
    assert world.document(other).trail == ("entry", "unit_first", "supervising")
    assert migration.waiting(world.system) == sum(bool(item.why) for item in found)
    world.act("reviewer", number, "pass")
    assert world.document(number).node == "supervising", "on the version it began with"


def test_a_form_that_the_new_rules_refuse_stays_unless_it_can_be_mended(world: World) -> None:
    under_review, draft = world.plan(node="unit_second"), world.plan()
    rule = '"checks":[{"id":"many","must":"amount_fen > 90000000","say":"金额太小"},'
    after = reopened(world, ('"checks":[', rule))
    found = list(migration.move(after.system))
    assert of(found, under_review).why == "表单不合新版的要求：金额太小；先退回给录入人改，再搬"
    assert of(found, draft).why == ""
    with pytest.raises(BlockedError, match="金额太小"):
        after.act("handler", draft, "submit")
    after.act("reviewer", under_review, "return", opinion="请改", target="unit_first")
    assert of(migration.move(after.system), under_review).why == ""


def test_an_amount_that_would_change_stays(world: World) -> None:
    number = world.plan(node="unit_second")
    after = reopened(world, ("total(lines, 'total_fen')", "total(lines, 'total_fen') + 1"))
    held = money(after)
    assert "金额会从 2,000.00 元变成 2,000.01 元" in of(migration.move(after.system), number).why
    assert money(after) == held


def test_money_goes_where_the_node_now_wants_it(each_world: World) -> None:
    number = each_world.plan(node="filed")
    assert each_world.funds(number) == (0, 200_000)
    world = reopened(each_world, ('"funds":"used"', '"funds":"free"'))
    assert of(migration.move(world.system), number).why == ""
    assert world.funds(number) == (0, 0)
    world.sound()


def test_stopped_half_way_it_goes_on_where_it_was(world: World) -> None:
    numbers = [world.plan() for _ in range(3)]
    after = reopened(world, HELP)
    left = migration.waiting(after.system)
    running = migration.move(after.system)
    first = next(running)
    running.close()
    assert migration.waiting(after.system) == left - 1
    assert {item.number for item in migration.move(after.system)} >= set(numbers) - {first.number}
    assert migration.waiting(after.system) == 0


def test_new_actors_get_the_task_and_hear_of_it(world: World) -> None:
    number = world.plan(node="unit_second")
    review = '"label":"采购单位复审","type":"review","lane":"采购单位","actors":[{"role":"'
    after = reopened(world, (f'{review}reviewer","of":"unit"}}', f'{review}supervising","of":"parent"}}'))
    assert of(migration.move(after.system), number).why == ""
    assert after.tasks(number) == {(after["supervising"].unit.id, after["supervising"].role)}
    with after.system.database.read() as tx:
        told = [item.text for item in tx.records.notices(after["supervising"].id) if item.number == number]
    assert any("流程改版" in text and "轮到您办理" in text for text in told)


def test_a_running_repair_stops_and_says_why(world: World) -> None:
    number = world.plan(node="office_first")
    plan = planning.plan_to(world.system, world["handler"], number, "editable")
    assert isinstance(plan, RepairPlan)
    repairs.start(world.system, world["handler"], number, "editable", plan.fingerprint, key="a repair")
    after = reopened(world, HELP)
    assert of(migration.move(after.system), number).why == ""
    with after.engine.connect() as connection:
        row = connection.execute(sa.select(tables.repair).where(tables.repair.c.number == number)).one()
    assert row.state == "stopped"
    assert "办了别的操作" in row.why_stopped
