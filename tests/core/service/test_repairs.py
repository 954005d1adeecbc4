import pytest

from core.domain.accounts import Role
from core.domain.approval import Kind
from core.domain.errors import BlockedError, ConflictError, ForbiddenError, InvalidError, NotFoundError
from core.service import acts, entering, notices, planning, repairs
from core.service.planning import RepairPlan
from core.service.repairs import Repair
from core.service.views import ActResult
from tests.core.panel import assign, colleague
from tests.core.world import World, new_key


def plan(world: World, number: str, goal: str, who: str = "handler") -> RepairPlan:
    found = planning.plan_to(world.system, world[who], number, goal)
    assert isinstance(found, RepairPlan)
    return found


def start(world: World, number: str, goal: str, who: str = "handler", key: str | None = None) -> Repair:
    shown = plan(world, number, goal, who)
    return repairs.start(world.system, world[who], number, goal, shown.fingerprint, key=key or new_key())


def advance(
    world: World,
    who: str,
    repair: Repair,
    key: str | None = None,
    version: int | None = None,
    **arguments: str,
) -> tuple[ActResult, Repair]:
    now = repairs.get(world.system, world[who], repair.id)
    step = now.steps[min(now.position, len(now.steps) - 1)]
    seen = version or world.document(step.number).version
    return repairs.advance(world.system, world[who], repair.id, arguments, version=seen, key=key or new_key())


def waiting(world: World, who: str) -> list[tuple[str, str]]:
    return [(task.step.number, task.step.action) for task in repairs.mine(world.system, world[who])]


@pytest.mark.covers("nm-2")
def test_own_steps_are_carried_out_and_those_of_others_become_tasks(each_world: World) -> None:
    world = each_world
    number = world.plan(node="office_first")
    repair = start(world, number, "editable")
    assert (repair.state, repair.position, repair.step and repair.step.mine) == ("running", 0, True)
    assert waiting(world, "handler") == [(number, "withdraw")]
    result, repair = advance(world, "handler", repair)
    assert result.document.node == "unit_second"
    assert (repair.position, repair.step and repair.step.mine) == (1, False)
    assert waiting(world, "handler") == []
    (task,) = [item for item in repairs.mine(world.system, world["reviewer"]) if item.number == number]
    assert (task.step.action, task.asked_by) == ("return", world["handler"].label)
    told = [item.text for item in notices.unseen(world.system, world["reviewer"]) if item.number == number]
    assert any("请您办理" in text for text in told)
    result, repair = advance(world, "reviewer", repair, opinion="录错了，请修改")
    assert (result.document.node, repair.state) == ("unit_first", "done")
    assert waiting(world, "reviewer") == []
    assert any("全部办完" in item.text for item in notices.unseen(world.system, world["handler"]))
    assert world.funds(number) == (0, 0)
    world.sound()


def test_of_a_task_handed_over_only_who_has_it_is_asked_and_told_that_it_is_void(world: World) -> None:
    number = world.plan(node="unit_second")
    other = colleague(world, "reviewer", Role.REVIEWER, "孟副负责")
    assign(world, "reviewer", number, Kind.HAND, other)
    start(world, number, "editable")
    start(world, number, "editable")
    told = {}
    for account in (other, world["reviewer"]):
        with world.system.database.read() as tx:
            told[account.id] = [one.text for one in tx.records.notices(account.id) if one.number == number]
    for said in ("请您办理", "不用办了"):
        assert any(said in text for text in told[other.id])
        assert not any(said in text for text in told[world["reviewer"].id])


@pytest.mark.covers("nm-4")
def test_voiding_runs_over_two_people(world: World) -> None:
    number = world.plan(node="completed")
    repair = start(world, number, "void")
    with pytest.raises(InvalidError, match="理由"):
        advance(world, "handler", repair)
    advance(world, "handler", repair, reason="录错了")
    with pytest.raises(ForbiddenError, match="王芳"):
        advance(world, "handler", repair)
    _, repair = advance(world, "reviewer", repair)
    assert repair.state == "done"
    assert world.document(number).node == "void"
    assert world.funds(number) == (0, 0)


@pytest.mark.covers("nm-3-1")
def test_a_project_in_execution_asks_its_agency_first(world: World) -> None:
    number = world.plan("project", "dispatched")
    repair = start(world, number, "void")
    assert repair.waiting_for == "陈诚（代理机构）"
    assert waiting(world, "agency") == [(number, "agency_return")]
    with pytest.raises(ForbiddenError):
        advance(world, "handler", repair)
    advance(world, "agency", repair, opinion="应采购人要求退回")
    advance(world, "handler", repair, reason="录错了")
    _, repair = advance(world, "reviewer", repair)
    assert (repair.state, world.document(number).node) == ("done", "void")


@pytest.mark.covers("nm-4-1")
def test_over_an_order_and_its_plan(world: World) -> None:
    number = world.plan("mall", "dispatched")
    order = world.order(number, "confirmed")
    repair = start(world, number, "void")
    assert [(step.number, step.action) for step in repair.steps][:2] == [
        (order, "release"),
        (number, "mall_return"),
    ]
    assert waiting(world, "supplier") == [(order, "release")]
    key = new_key()
    for repeated in (
        False,
        True,
    ):  # the supplier sees the order, not the plan, and may repeat itself all the same
        result, repair = advance(world, "supplier", repair, key=key, version=2, opinion="同意取消")
        assert (result.repeated, result.document.number, result.document.node) == (
            repeated,
            order,
            "cancelled",
        )
    advance(world, "handler", repair)
    advance(world, "handler", repair, reason="录错了")
    _, repair = advance(world, "reviewer", repair)
    assert (repair.state, world.document(number).node) == ("done", "void")


def test_it_follows_acts_from_any_page(world: World) -> None:
    number = world.plan(node="supervising")
    repair = start(world, number, "editable")
    world.act("handler", number, "withdraw")
    assert repairs.get(world.system, world["handler"], repair.id).position == 1
    world.act("reviewer", number, "return", opinion="请修改")
    assert repairs.get(world.system, world["handler"], repair.id).state == "done"


def test_it_stops_when_the_document_is_moved_another_way(world: World) -> None:
    number = world.plan(node="supervising")
    repair = start(world, number, "editable")
    notices.mark_seen(
        world.system, world["handler"], [n.id for n in notices.unseen(world.system, world["handler"])]
    )
    world.act("supervising", number, "pass")
    stopped = repairs.get(world.system, world["handler"], repair.id)
    assert (stopped.state, stopped.step) == ("stopped", None)
    assert "孙宁" in stopped.why_stopped
    assert waiting(world, "handler") == []
    assert any("已停下" in item.text for item in notices.unseen(world.system, world["handler"]))
    before = world.everything()
    with pytest.raises(ConflictError) as caught:
        advance(world, "handler", stopped)
    assert caught.value.fields == {"state": "stopped"}
    assert world.everything() == before


def told(world: World, who: str, number: str) -> list[str]:
    return [one.text for one in notices.unseen(world.system, world[who]) if one.number == number]


def test_who_was_asked_hears_that_the_request_is_void(world: World) -> None:
    number = world.plan(node="completed")
    repair = start(world, number, "void")
    advance(world, "handler", repair, reason="录错了")
    assert waiting(world, "reviewer") == [(number, "cancel_pass")]
    world.act("handler", number, "cancel_recall")
    assert repairs.get(world.system, world["handler"], repair.id).state == "stopped"
    assert waiting(world, "reviewer") == []
    (void,) = [text for text in told(world, "reviewer", number) if "不用办了" in text]
    assert "作废终审通过" in void
    assert not any("不用办了" in text for text in told(world, "handler", number))


def test_a_replaced_repair_releases_those_who_were_asked(world: World) -> None:
    number = world.plan("project", "dispatched")
    start(world, number, "void")
    start(world, number, "void", who="reviewer")
    assert any("不用办了" in text for text in told(world, "agency", number))
    assert any("已停下" in text for text in told(world, "handler", number))
    assert waiting(world, "agency") == [(number, "agency_return")]


def test_a_repair_is_replaced_by_its_asker_or_the_documents_unit_only(world: World) -> None:
    number = world.plan(node="office_first")
    repair = start(world, number, "editable")
    before = world.everything()
    with pytest.raises(ForbiddenError, match="重新发起") as caught:
        start(world, number, "editable", who="office_first")
    assert caught.value.fields == {"who": world["handler"].label}
    assert world.everything() == before
    assert repairs.get(world.system, world["handler"], repair.id).state == "running"
    start(world, number, "editable", who="reviewer")
    assert repairs.get(world.system, world["handler"], repair.id).state == "stopped"


def test_a_return_to_elsewhere_than_planned_stops_it_too(world: World) -> None:
    number = world.plan(node="procurement_first")
    repair = start(world, number, "editable")
    world.act("procurement_first", number, "return", opinion="请核", target="office_first")
    assert repairs.get(world.system, world["handler"], repair.id).state == "stopped"


def test_what_moved_since_it_was_shown_is_not_begun(each_world: World) -> None:
    world = each_world
    number = world.plan(node="office_first")
    shown = plan(world, number, "editable")
    world.act("office_first", number, "pass")
    before = world.everything()
    with pytest.raises(ConflictError, match="没有办理任何操作"):
        repairs.start(world.system, world["handler"], number, "editable", shown.fingerprint, key=new_key())
    assert world.everything() == before


def test_a_new_order_on_the_plan_is_a_move_too(world: World) -> None:
    number = world.plan("mall", "dispatched")
    shown = plan(world, number, "void")
    world.order(number)
    with pytest.raises(ConflictError):
        repairs.start(world.system, world["handler"], number, "void", shown.fingerprint, key=new_key())


def test_no_way_and_nothing_to_do_are_no_repairs(world: World) -> None:
    number = world.plan(node="completed")
    with pytest.raises(BlockedError, match="只能作废"):
        repairs.start(world.system, world["handler"], number, "editable", "x", key=new_key())
    draft = world.plan()
    shown = plan(world, draft, "editable")
    with pytest.raises(BlockedError, match="不需要再办"):
        repairs.start(world.system, world["handler"], draft, "editable", shown.fingerprint, key=new_key())


def test_the_same_key_begins_one_repair(each_world: World) -> None:
    world = each_world
    number, key = world.plan(node="office_first"), new_key()
    fingerprint = plan(world, number, "editable").fingerprint
    first = repairs.start(world.system, world["handler"], number, "editable", fingerprint, key=key)
    before = world.everything()
    assert repairs.start(world.system, world["handler"], number, "editable", fingerprint, key=key) == first
    assert world.everything() == before
    with pytest.raises(InvalidError) as caught:
        repairs.start(world.system, world["handler"], number, "void", fingerprint, key=key)
    assert caught.value.code == "key_reused"


def test_the_same_key_takes_one_step(each_world: World) -> None:
    world = each_world
    number, key = world.plan(node="office_first"), new_key()
    version = world.document(number).version
    repair = start(world, number, "editable")
    first, _ = advance(world, "handler", repair, key=key, version=version)
    before = world.everything()
    again, _ = advance(world, "handler", repair, key=key, version=version)
    assert (first.repeated, again.repeated, again.said) == (False, True, first.said)
    assert world.everything() == before


def test_a_key_of_something_else_takes_no_step(world: World) -> None:
    number, key = world.plan(node="office_first"), new_key()
    repair = start(world, number, "editable", key=key)
    with pytest.raises(InvalidError) as caught:
        advance(world, "handler", repair, key=key)
    assert caught.value.code == "key_reused"
    other, used = world.plan(node="unit_second"), new_key()
    acts.perform(
        world.system,
        world["reviewer"],
        other,
        "pass",
        version=world.document(other).version,
        arguments={},
        key=used,
    )
    advance(world, "handler", repair)
    with pytest.raises(InvalidError):
        advance(world, "reviewer", repair, key=used, opinion="x")
    assert world.document(number).node == "unit_second"


def test_a_step_seen_at_an_old_version_is_not_taken(world: World) -> None:
    number = world.plan(node="office_first")
    repair = start(world, number, "editable")
    before = world.everything()
    with pytest.raises(ConflictError):
        advance(world, "handler", repair, version=world.document(number).version - 1)
    assert world.everything() == before


def test_another_repair_takes_the_place_of_the_first(world: World) -> None:
    number = world.plan(node="office_first")
    first = start(world, number, "editable")
    second = start(world, number, "void")
    assert repairs.get(world.system, world["handler"], first.id).state == "stopped"
    assert repairs.get(world.system, world["handler"], second.id).state == "running"
    assert waiting(world, "handler") == [(number, "withdraw")]


def test_another_units_repair_is_not_there(world: World) -> None:
    number = world.plan(node="office_first")
    repair = start(world, number, "editable")
    errors = []
    for repair_id in (repair.id, 999_999):
        for attempt in (
            lambda n: repairs.get(world.system, world["library_handler"], n),
            lambda n: repairs.advance(
                world.system, world["library_handler"], n, {}, version=5, key=new_key()
            ),
        ):
            with pytest.raises(NotFoundError) as caught:
                attempt(repair_id)
            errors.append(caught.value.message)
    assert len(set(errors)) == 1
    assert number not in errors[0]
    assert waiting(world, "library_handler") == []


def test_filing_waits_for_the_seal_and_goes_on_from_there(world: World) -> None:
    number = world.plan(node="completed")
    repair = start(world, number, "filed")
    with pytest.raises(BlockedError, match="签章功能"):
        advance(world, "handler", repair)
    world.seal(number)
    _, repair = advance(world, "handler", repair)
    assert (repair.state, world.document(number).node) == ("done", "filed")


def test_saving_in_between_does_not_stop_it(world: World) -> None:
    number = world.plan(node="unit_first")
    repair = start(world, number, "completed")
    entering.save(
        world.system,
        world["handler"],
        number,
        world.form(need_by="x"),
        version=world.document(number).version,
        key=new_key(),
    )
    advance(world, "handler", repair)
    assert repairs.get(world.system, world["handler"], repair.id).position == 1
