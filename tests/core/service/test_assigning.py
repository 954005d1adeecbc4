"""Handing over, asking, adding and removing signers: the right person alone has the task, and everything is recorded."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from core.adapters import tables
from core.domain.accounts import Account, Role
from core.domain.approval import Kind
from core.domain.errors import BlockedError, ConflictError, ForbiddenError, InvalidError, NotFoundError
from core.service import deputies, documents, flow, staff
from tests.core.panel import answer, assign, colleague, labels, live, offered, take_back, todo
from tests.core.world import World, new_key

HELPERS = """    - set_node: {id: office_first, helpers: [{role: procurement_second, of: procurement}]}
"""


def notices(world: World, who: Account) -> list[str]:
    with world.system.database.read() as tx:
        return [notice.text for notice in tx.records.notices(who.id)]


def audited(world: World, number: str) -> list[str]:
    with world.engine.connect() as connection:
        rows = connection.execute(
            sa.select(tables.audit).where(tables.audit.c.subject == number).order_by(tables.audit.c.seq)
        )
        return [row.act for row in rows]


# ── 转办


def test_a_task_handed_over_is_the_others_alone(world: World, second: Account) -> None:
    number = world.plan(node="office_first")
    assert number in todo(world, "office_first")
    assert number in todo(world, second)
    result = assign(world, "office_first", number, Kind.HAND, second, note="我要出差")
    assert result.said.endswith(f"还在“业务科室初审”，接下来由{second.label}办理。")
    assert number not in todo(world, "office_first")
    assert number in todo(world, second)
    assert offered(world, "office_first", number) == []
    assert any("轮到您办理" in text and "我要出差" in text for text in notices(world, second))
    with pytest.raises(ForbiddenError, match="赵一鸣"):
        world.act("office_first", number, "pass")
    world.act(second, number, "pass")
    assert world.document(number).node == "office_second"
    assert labels(world, number)[-2:] == ["转办给赵一鸣（业务科室初审）", "审核通过"]
    assert audited(world, number)[-2:] == ["hand_over", "pass"]
    world.sound()


def test_it_can_be_handed_back_and_on_to_nobody_else(world: World, second: Account) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.HAND, second)
    assign(world, second, number, Kind.HAND, "office_first")
    assert (number in todo(world, "office_first"), number in todo(world, second)) == (True, False)
    for other in ("office_second", "reviewer", "library_reviewer"):
        with pytest.raises(InvalidError) as caught:
            assign(world, "office_first", number, Kind.HAND, other)
        assert set(caught.value.fields) == {"to"}


def test_the_flow_shows_who_has_it(world: World, second: Account) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.HAND, second)
    here = next(n for n in flow.flow(world.system, world["handler"], number).nodes if n.state == "current")
    assert here.whose == second.label
    assert documents.get(world.system, world["handler"], number).whose_turn == second.label


def test_data_may_name_others_who_take_a_task(with_rules: Callable[[str], World]) -> None:
    world = with_rules(HELPERS)
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.HAND, "procurement_second")
    assert number in todo(world, "procurement_second")
    world.act("procurement_second", number, "pass")
    assert world.document(number).node == "office_second"


def test_only_whose_task_it_is_gives_it_away(world: World, second: Account) -> None:
    number = world.plan(node="office_first")
    for other in ("handler", "office_second", "supervising"):
        with pytest.raises(ForbiddenError, match="转办"):
            assign(world, other, number, Kind.HAND, second)
    with pytest.raises(NotFoundError):
        assign(world, "library_handler", number, Kind.HAND, second)


def test_not_where_it_makes_no_sense(world: World) -> None:
    number = world.plan()
    other = colleague(world, "handler", Role.HANDLER, "何小川")
    with pytest.raises(BlockedError, match="不能转办"):
        assign(world, "handler", number, Kind.HAND, other)
    world.bring(number, "completed")
    with pytest.raises(BlockedError, match="不能前加签"):
        assign(world, "handler", number, Kind.BEFORE, other)
    assign(world, "handler", number, Kind.HAND, other)
    with pytest.raises(ForbiddenError):
        world.seal(number)
    world.bring(number := world.plan(), "void")
    with pytest.raises(BlockedError):
        assign(world, "handler", number, Kind.OPINION, other)


def test_who_is_suspended_leaves_the_task_to_the_others(world: World, second: Account) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.HAND, second)
    staff.suspend(world.system, world["admin"], second.login)
    assert number in todo(world, "office_first")
    world.act("office_first", number, "pass")


def test_a_deputy_does_what_was_handed_to_the_principal(world: World, second: Account) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.HAND, second)
    day = world.system.today
    deputies.appoint(world.system, second, world["office_second"].login, day, day)
    at_work = world["office_second"].standing_in_for(second)
    other = world["office_second"].standing_in_for(world["office_first"])
    assert (number in todo(world, at_work), number in todo(world, other)) == (True, False)
    world.act(at_work, number, "pass")


# ── 委派


def test_an_opinion_is_asked_and_comes_back(world: World) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.OPINION, "office_second", note="参数合适吗")
    assert number in todo(world, "office_second")
    assert number not in todo(world, "office_first")
    assert any("参数合适吗" in text for text in notices(world, world["office_second"]))
    assert "pass" not in offered(world, "office_first", number)
    with pytest.raises(BlockedError, match="还在等"):
        world.act("office_first", number, "pass")
    with pytest.raises(ForbiddenError):
        world.act("office_second", number, "pass")
    answer(world, "office_second", number, note="合适")
    assert world.document(number).node == "office_first"
    assert number in todo(world, "office_first")
    assert number not in todo(world, "office_second")
    assert any("合适" in text and "轮到您" in text for text in notices(world, world["office_first"]))
    world.act("office_first", number, "pass")
    name = world["office_second"].name
    assert labels(world, number)[-3:] == [f"委派给{name}（业务科室复审）", "委派意见：同意", "审核通过"]
    assert audited(world, number)[-3:] == ["delegate", "answer", "pass"]
    world.sound()


def test_it_comes_back_to_who_asked_and_not_to_its_colleague(world: World, second: Account) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.OPINION, "office_second")
    assert number not in todo(world, second)
    answer(world, "office_second", number, agrees=False, note="太贵")
    assert (number in todo(world, "office_first"), number in todo(world, second)) == (True, False)


def test_who_asked_takes_it_back_or_returns_the_document(world: World) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.OPINION, "office_second")
    with pytest.raises(ForbiddenError):
        take_back(world, "office_second", number, live(world, number)[0])
    take_back(world, "office_first", number, live(world, number)[0])
    assert number in todo(world, "office_first")
    assert number not in todo(world, "office_second")
    assert any("不用您办了" in text for text in notices(world, world["office_second"]))
    assign(world, "office_first", number, Kind.OPINION, "office_second")
    world.act("office_first", number, "return", opinion="先改", target="unit_first")
    assert live(world, number) == []
    assert number not in todo(world, "office_second")


def test_an_answer_that_is_not_asked_for(world: World) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.OPINION, "office_second")
    with pytest.raises(NotFoundError):
        answer(world, "procurement_first", number)
    with pytest.raises(InvalidError, match="意见"):
        answer(world, "office_second", number, agrees=False, note="")
    answer(world, "office_second", number)
    with pytest.raises(NotFoundError):
        answer(world, "office_second", number)


# ── all of them


def test_on_both_databases(each_world: World) -> None:
    world = each_world
    second = colleague(world, "office_first", Role.OFFICE_FIRST, "赵一鸣")
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.HAND, second)
    assert (number in todo(world, "office_first"), number in todo(world, second)) == (False, True)
    assign(world, second, number, Kind.OPINION, "office_first")
    answer(world, "office_first", number)
    assign(world, second, number, Kind.AFTER, "office_second")
    world.act(second, number, "pass")
    assert (number in todo(world, second), number in todo(world, "office_second")) == (False, True)
    answer(world, "office_second", number)
    assert world.document(number).node == "office_second"
    assert live(world, number) == []
    world.sound()


def test_once_with_the_same_key_and_not_on_what_moved(world: World) -> None:
    number = world.plan(node="office_first")
    version, key = world.document(number).version, new_key()
    assign(world, "office_first", number, Kind.OPINION, "office_second", key=key)
    again = assign(world, "office_first", number, Kind.OPINION, "office_second", key=key, version=version)
    assert again.repeated
    assert len(live(world, number)) == 1
    with pytest.raises(ConflictError):
        assign(world, "office_first", number, Kind.BEFORE, "office_second", version=version)


@pytest.mark.parametrize("note", ["", "长" * 501, "看\x00看"])
def test_a_reason_is_wanted(world: World, note: str) -> None:
    number = world.plan(node="office_first")
    before = world.everything()
    with pytest.raises(InvalidError) as caught:
        assign(world, "office_first", number, Kind.OPINION, "office_second", note=note)
    assert set(caught.value.fields) == {"note"}
    assert world.everything() == before
