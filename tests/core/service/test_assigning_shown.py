"""What is shown of tasks handed over and opinions asked, and the ways that lead on from them."""

from core.domain.accounts import Account
from core.domain.approval import Kind
from core.service import decisions, planning, repairs
from core.service.planning import RepairPlan
from tests.core.panel import answer, assign
from tests.core.world import World, new_key


def test_the_way_on_names_who_is_asked_and_a_repair_follows(world: World) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.BEFORE, "office_second")
    shown = planning.plan_to(world.system, world["handler"], number, "completed")
    assert isinstance(shown, RepairPlan)
    assert [(step.label, step.who) for step in shown.steps[:2]] == [
        ("加签", world["office_second"].label),
        ("审核通过", world["office_first"].label),
    ]
    begun = repairs.start(
        world.system, world["handler"], number, "completed", shown.fingerprint, key=new_key()
    )
    answer(world, "office_second", number)
    assert repairs.get(world.system, world["handler"], begun.id).position == 1
    assign(world, "office_first", number, Kind.AFTER, "office_second")
    world.act("office_first", number, "pass")
    answer(world, "office_second", number)
    now = repairs.get(world.system, world["handler"], begun.id)
    assert (now.state, now.position) == ("running", 2)


def test_what_is_shown_of_it(world: World, second: Account) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.BEFORE, "office_second")
    seen = decisions.decision(world.system, world["office_second"], number)
    assert [(line.label, line.who, line.state) for line in seen.lines] == [
        ("前加签", world["office_second"].label, "waiting")
    ]
    assert [line.mine for line in seen.lines] == [True]
    own = decisions.decision(world.system, world["office_first"], number)
    assert [line.back for line in own.lines] == ["减签"]
    assert {gift.kind: [name for _, name in gift.to] for gift in own.gifts} == {
        "before": [second.label], "after": [second.label],
    }  # fmt: skip
    assert decisions.decision(world.system, world["handler"], number).gifts == ()
    assert [line.note for line in seen.lines] == ["请看技术参数"]
