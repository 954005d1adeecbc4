from core.domain.accounts import Role
from core.service import documents, filling, notices
from tests.core.world import World


def offered(world: World) -> tuple[tuple[str, str], ...]:
    return filling.new(world.system, world["handler"], "plan", "project").choices["agency"]


def test_a_form_offers_agencies_of_the_region_at_work(each_world: World) -> None:
    world = each_world
    agency = world["agency"].unit
    assert offered(world) == ((agency.code, f"{agency.name}（{agency.code}）"),)
    with world.system.database.write() as tx:
        for account in tx.accounts.of(agency.id, Role.AGENCY):
            tx.staff.set_active(account.id, active=False)
    assert offered(world) == ()


def test_what_waits_is_counted_as_it_is_listed(each_world: World) -> None:
    world = each_world
    before = notices.pulse(world.system, world["reviewer"])
    number = world.plan()
    world.act("handler", number, "submit")
    for name in ("handler", "reviewer", "support"):
        listed = documents.todo(world.system, world[name])
        assert notices.pulse(world.system, world[name]).waiting == len(listed)
    pulse = notices.pulse(world.system, world["reviewer"])
    assert pulse.waiting == before.waiting + 1
    assert [one.number for one in pulse.unseen] == [*(one.number for one in before.unseen), number]
    assert list(pulse.unseen) == notices.unseen(world.system, world["reviewer"])


def test_whoever_acts_on_a_document_is_not_told_afterwards_that_it_waits(each_world: World) -> None:
    world = each_world
    done, open_ = world.plan(), world.plan()
    for number in (done, open_):
        world.act("handler", number, "submit")
    world.act("reviewer", done, "pass")
    told = {one.number for one in notices.unseen(world.system, world["reviewer"])}
    assert open_ in told
    assert done not in told
    world.act("supervising", done, "return", opinion="数量请核对", target="unit_first")
    back = [one.text for one in notices.unseen(world.system, world["handler"]) if one.number == done]
    assert "轮到您办理" in back[-1]  # what others do afterwards is news again
