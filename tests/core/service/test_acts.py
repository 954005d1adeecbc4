"""The whole way of a plan through the real service, with the money looked at on every node."""

from dataclasses import replace
from itertools import pairwise

import pytest

from core.domain.errors import BlockedError, ConflictError, ForbiddenError, InvalidError, NotFoundError
from core.service import acts, documents, ledger, notices
from tests.core.world import NODES, REVIEWERS, SEALED, World, new_key

SUM = 200_000


def money(world: World) -> tuple[int, int]:
    indicator = world.indicator()
    return indicator.frozen_fen, indicator.used_fen


def kinds(world: World, number: str) -> list[str]:
    lines = ledger.statement(world.system, world["handler"], world.indicator().id)
    return [line.kind for line in lines if line.number == number]


@pytest.mark.parametrize("variant", ["mall", "project", "direct"])
def test_from_entry_to_the_end_with_the_money_right_on_every_node(each_world: World, variant: str) -> None:
    world = each_world
    frozen, used = money(world)
    number = world.plan(variant)
    stations = []
    while world.document(number).node not in {"dispatched", "direct"}:
        node = world.document(number).node
        stations.append(node)
        free = node == "entry"
        spent = node == "filed"
        assert world.funds(number) == ((0, 0) if free else (0, SUM) if spent else (SUM, 0))
        assert money(world) == (
            frozen + (0 if free or spent else SUM),
            used + (SUM if spent else 0),
        )
        if variant == "direct" and spent:
            break
        world.go_on(number)
    end = [] if variant == "direct" else ["dispatched"]
    assert [*stations, *end] == [
        node for node in NODES[variant] if node not in {"unit_first", "cancel_review", "void"}
    ]
    assert kinds(world, number) == ["freeze", "use"]
    assert world.tasks(number) == set()  # it has ended well: nobody has to do anything
    world.sound()


def test_the_history_says_who_did_what_from_where_to_where(world: World) -> None:
    number = world.plan(node="completed")
    history = documents.get(world.system, world["handler"], number).history
    assert [entry.seq for entry in history] == list(range(1, 9))
    assert [(entry.label, entry.target) for entry in history[:3]] == [
        ("录入", "entry"), ("送审", "unit_second"), ("审核通过", "supervising"),
    ]  # fmt: skip
    for before, after in pairwise(history):
        assert after.source == before.target
    assert [entry.account_id for entry in history[2:]] == [world[who].id for who in REVIEWERS.values()]


@pytest.mark.covers("nm-2")
@pytest.mark.parametrize("node", REVIEWERS)
def test_every_review_can_return_to_every_station_passed_and_no_other(world: World, node: str) -> None:
    passed = ["unit_first", *list(REVIEWERS)[: list(REVIEWERS).index(node)]]
    for target in passed:
        number = world.plan(node=node)
        offer = next(
            item
            for item in documents.get(world.system, world[REVIEWERS[node]], number).offers
            if item.action == "return"
        )
        assert [name for name, _ in offer.targets] == passed[::-1]
        world.act(REVIEWERS[node], number, "return", opinion="金额有误", target=target)
        assert world.document(number).node == target
        assert world.funds(number) == ((0, 0) if target == "unit_first" else (SUM, 0))
        expected = "handler" if target == "unit_first" else REVIEWERS[target]
        assert world.tasks(number) == {(world[expected].unit.id, world[expected].role)}
    number = world.plan(node=node)
    before = world.everything()
    for target in ["entry", node, "completed", "filed", "void", "nowhere", *list(REVIEWERS)[len(passed) :]]:
        with pytest.raises(InvalidError) as caught:
            world.act(REVIEWERS[node], number, "return", opinion="金额有误", target=target)
        assert "target" in caught.value.fields
    with pytest.raises(InvalidError, match="请填写意见"):
        world.act(REVIEWERS[node], number, "return", target="unit_first", opinion="  ")
    assert world.everything() == before


@pytest.mark.covers("nm-2")
@pytest.mark.parametrize("who", ["handler", "reviewer"])
@pytest.mark.parametrize("node", ["supervising", "office_first", "office_second"])
def test_01_or_02_takes_it_back_then_it_is_returned_and_edited(world: World, who: str, node: str) -> None:
    number = world.plan(node=node)
    world.act(who, number, "withdraw")
    assert world.document(number).node == "unit_second"
    assert world.tasks(number) == {(world["reviewer"].unit.id, world["reviewer"].role)}
    world.act("reviewer", number, "return", opinion="数量录错")
    assert world.document(number).node == "unit_first"
    assert world.funds(number) == (0, 0)
    fewer = world.form(funding=[{"indicator": world.indicator().id, "amount_fen": SUM}], need_by="2026-12-30")
    documents.save(
        world.system, world["handler"], number, fewer, version=world.document(number).version, key=new_key()
    )
    world.act("handler", number, "submit")
    assert world.document(number).trail == ("entry", "unit_first", "unit_second")
    assert world.funds(number) == (SUM, 0)
    world.sound()


@pytest.mark.covers("nm-2")
@pytest.mark.parametrize("node", ["unit_second", "procurement_first", "procurement_second", "completed"])
def test_it_cannot_be_taken_back_from_elsewhere(world: World, node: str) -> None:
    number = world.plan(node=node)
    for who in ("handler", "reviewer"):
        with pytest.raises(BlockedError, match="不能撤销"):
            world.act(who, number, "withdraw")


@pytest.mark.covers("nm-4")
@pytest.mark.parametrize("node", ["completed", "filed"])
def test_voiding_releases_the_indicator_exactly_once(each_world: World, node: str) -> None:
    world = each_world
    before = money(world)
    number = world.plan("direct", node)
    with pytest.raises(InvalidError, match="请填写理由"):
        world.act("handler", number, "cancel")
    with pytest.raises(ForbiddenError):
        world.act("reviewer", number, "cancel", reason="录错了")
    world.act("handler", number, "cancel", reason="录错了")
    kept = (SUM, 0) if node == "completed" else (0, SUM)
    assert world.funds(number) == kept  # asked for is not yet done
    with pytest.raises(ForbiddenError):
        world.act("handler", number, "cancel_pass")
    key, version = new_key(), world.document(number).version
    for _ in range(2):
        done = acts.perform(
            world.system, world["reviewer"], number, "cancel_pass", version=version, arguments={}, key=key
        )
    assert done.repeated
    with pytest.raises(BlockedError):
        world.act("reviewer", number, "cancel_pass")
    assert world.funds(number) == (0, 0)
    assert money(world) == before
    back = "release" if node == "completed" else "reverse"
    assert kinds(world, number).count(back) == 1
    assert world.document(number).node == "void"  # it stays, with its history
    world.sound()


@pytest.mark.covers("nm-4")
@pytest.mark.parametrize("node", ["completed", "filed"])
@pytest.mark.parametrize(("who", "action"), [("reviewer", "cancel_reject"), ("handler", "cancel_recall")])
def test_a_voiding_refused_or_recalled_leaves_everything_as_it_was(
    world: World, node: str, who: str, action: str
) -> None:
    number = world.plan(node=node)
    before, trail = world.funds(number), world.document(number).trail
    moves = kinds(world, number)
    world.act("handler", number, "cancel", reason="想改")
    world.act(who, number, action, **({"opinion": "不必"} if action == "cancel_reject" else {}))
    assert world.document(number).trail == trail
    assert world.funds(number) == before
    assert kinds(world, number) == moves


@pytest.mark.covers("nm-3")
@pytest.mark.covers("nm-4-1")
@pytest.mark.parametrize("order", ["placed", "confirmed"])
def test_a_mall_plan_comes_back_only_when_no_order_is_open(world: World, order: str) -> None:
    plan = world.plan("mall", "dispatched")
    with pytest.raises(BlockedError):
        world.act("handler", plan, "cancel", reason="录错了")  # dispatched: not voided directly
    number = world.order(plan, order)
    before = world.everything()
    with pytest.raises(BlockedError, match=number):
        world.act("handler", plan, "mall_return")
    assert world.everything() == before
    if order == "placed":
        world.act("handler", number, "cancel", reason="不买了")
    else:
        with pytest.raises(BlockedError):
            world.act("handler", number, "cancel", reason="不买了")
        world.act("supplier", number, "release", opinion="同意")
    world.act("handler", plan, "mall_return")
    assert world.document(plan).node == "filed"
    assert world.funds(plan) == (0, SUM)
    world.act("handler", plan, "cancel", reason="录错了")
    world.act("reviewer", plan, "cancel_pass")
    assert world.funds(plan) == (0, 0)
    world.sound()


@pytest.mark.covers("nm-3")
def test_a_project_plan_comes_back_through_its_agency(world: World) -> None:
    number = world.plan("project", "dispatched")
    for who in ("handler", "reviewer"):
        with pytest.raises((ForbiddenError, BlockedError)):
            world.act(who, number, "agency_return", opinion="退回")
        with pytest.raises(BlockedError):
            world.act(who, number, "cancel", reason="录错了")
    world.act("agency", number, "agency_return", opinion="应采购人要求退回")
    assert world.document(number).node == "filed"
    world.act("handler", number, "cancel", reason="录错了")
    world.act("reviewer", number, "cancel_pass")
    assert world.document(number).node == "void"


@pytest.mark.covers("nm-3")
def test_a_plan_without_process_is_voided_directly(world: World) -> None:
    number = world.plan("direct", "filed")
    world.act("handler", number, "cancel", reason="录错了")
    world.act("reviewer", number, "cancel_pass")
    assert world.document(number).node == "void"
    assert world.funds(number) == (0, 0)


def test_what_leaves_the_house_is_in_the_outbox_once(world: World) -> None:
    def topics(number: str) -> list[str]:
        rows = world.everything()["outbox"]
        return [row[2] for row in sorted(rows) if row[3]["number"] == number]

    mall, project, direct = (world.plan(variant, "filed") for variant in ("mall", "project", "direct"))
    assert (topics(mall), topics(project), topics(direct)) == (["mall.dispatch"], ["agency.dispatch"], [])
    world.go_on(mall)
    world.act("handler", mall, "mall_return")
    assert topics(mall) == ["mall.dispatch", "mall.withdraw"]
    world.act("handler", mall, "redispatch")
    assert topics(mall) == ["mall.dispatch", "mall.withdraw", "mall.dispatch"]


def test_more_than_the_indicator_has_is_refused_with_what_it_has(each_world: World) -> None:
    world = each_world
    left = world.indicator().available_fen
    price = left // 2 + 100
    line = {"catalogue": "A02021003", "name": "激光打印机", "quantity": 2, "unit_price_fen": price}
    funding = [{"indicator": world.indicator().id, "amount_fen": 2 * price}]
    number = world.plan(lines=[line], funding=funding)
    before = world.everything()
    with pytest.raises(BlockedError) as caught:
        world.act("handler", number, "submit")
    assert caught.value.code == "insufficient_funds"
    assert caught.value.fields["available_fen"] == left
    assert world.everything() == before


def test_of_two_indicators_neither_is_touched_when_one_falls_short(world: World) -> None:
    rich, poor = world.indicator(0), world.indicator(2)
    over = poor.available_fen + 1
    line = {"catalogue": "A02021003", "name": "激光打印机", "quantity": 1, "unit_price_fen": over + 500}
    funding = [{"indicator": rich.id, "amount_fen": 500}, {"indicator": poor.id, "amount_fen": over}]
    number = world.plan(lines=[line], funding=funding)
    before = world.everything()
    with pytest.raises(BlockedError) as caught:
        world.act("handler", number, "submit")
    assert caught.value.fields["indicator"] == poor.id
    assert world.everything() == before


class TestKeys:
    def test_the_same_again_brings_the_same_and_does_nothing(self, each_world: World) -> None:
        world, number, key = each_world, each_world.plan(), new_key()

        def submit() -> acts.ActResult:
            return acts.perform(
                world.system, world["handler"], number, "submit", version=1, arguments={}, key=key
            )

        first = submit()
        before = world.everything()
        again = submit()
        assert (again.label, again.said, again.document) == (first.label, first.said, first.document)
        assert (first.repeated, again.repeated) == (False, True)
        assert world.everything() == before

    def test_for_something_else_it_is_refused(self, world: World) -> None:
        number, key = world.plan(node="unit_second"), new_key()
        version = world.document(number).version
        world_before_key = (world.system, world["reviewer"], number, "pass")
        acts.perform(*world_before_key, version=version, arguments={}, key=key)
        before = world.everything()
        for action, arguments in (("pass", {"opinion": "同意"}), ("return", {"opinion": "x"})):
            with pytest.raises(InvalidError) as caught:
                acts.perform(
                    world.system,
                    world["reviewer"],
                    number,
                    action,
                    version=version,
                    arguments=arguments,
                    key=key,
                )
            assert caught.value.code == "key_reused"
        assert world.everything() == before

    def test_each_account_has_its_own(self, world: World) -> None:
        number, key = world.plan(node="unit_second"), new_key()
        for who in ("reviewer", "supervising", "office_first"):
            version = world.document(number).version
            result = acts.perform(
                world.system, world[who], number, "pass", version=version, arguments={}, key=key
            )
            assert not result.repeated

    def test_a_failed_act_does_not_use_it_up(self, world: World) -> None:
        number, key = world.plan(node="unit_second"), new_key()
        version = world.document(number).version
        with pytest.raises(ForbiddenError):
            acts.perform(
                world.system, world["handler"], number, "pass", version=version, arguments={}, key=key
            )
        with pytest.raises(InvalidError):
            acts.perform(
                world.system, world["reviewer"], number, "return", version=version, arguments={}, key=key
            )
        acts.perform(world.system, world["reviewer"], number, "pass", version=version, arguments={}, key=key)
        assert world.document(number).node == "supervising"


@pytest.mark.parametrize("offset", [-1, 1])
def test_what_was_seen_is_old_so_nothing_is_done(each_world: World, offset: int) -> None:
    world = each_world
    number = world.plan(node="unit_second")
    version = world.document(number).version
    before = world.everything()
    with pytest.raises(ConflictError) as caught:
        acts.perform(
            world.system,
            world["reviewer"],
            number,
            "pass",
            version=version + offset,
            arguments={},
            key=new_key(),
        )
    assert caught.value.code == "moved"
    assert caught.value.fields["version"] == version
    assert "采购单位复审" in caught.value.message
    assert world.everything() == before


def test_a_document_that_moves_between_look_and_act_is_left_alone(world: World) -> None:
    """The compare-and-set itself: the row is changed under the act's feet."""
    number = world.plan(node="unit_second")
    seen = world.document(number)
    world.act("reviewer", number, "pass")
    before = world.everything()
    with world.system.database.write() as tx:
        assert not tx.documents.replace(seen, replace(seen, version=seen.version + 1))
    assert world.everything() == before


def test_fields_that_nobody_asked_for_and_too_many_words_are_refused(world: World) -> None:
    number = world.plan(node="unit_second")
    with pytest.raises(InvalidError) as caught:
        world.act("reviewer", number, "pass", pin="12345678")
    assert "pin" in caught.value.fields
    with pytest.raises(InvalidError, match="不能超过 500 字"):
        world.act("reviewer", number, "pass", opinion="长" * 501)
    with pytest.raises(InvalidError, match="没有“fly”"):
        world.act("reviewer", number, "fly")


def test_signing_is_not_done_without_a_certificate(world: World) -> None:
    number = world.plan(node="completed")
    before = world.everything()
    with pytest.raises(BlockedError, match="签章功能"):
        world.act("handler", number, "sign")
    with pytest.raises(BlockedError, match="还没有签章"):
        world.act("handler", number, "file")
    assert world.everything() == before
    world.seal(number, SEALED)
    world.act("handler", number, "file")


def test_whoever_has_to_know_is_told(world: World) -> None:
    number = world.plan(node="unit_second")

    def heard(who: str) -> list[str]:
        found = notices.unseen(world.system, world[who])
        notices.mark_seen(world.system, world[who], [item.id for item in found])
        return [item.text for item in found if item.number == number]

    for who in ("handler", "reviewer", "supervising"):
        heard(who)
    world.act("reviewer", number, "pass", opinion="同意")
    assert heard("reviewer") == []  # not what one did oneself
    (told,) = heard("supervising")
    assert told.endswith("轮到您办理")
    (told,) = heard("handler")
    assert "意见：同意" in told
    assert "主管单位审核" in told
    world.act("supervising", number, "return", opinion="请补充", target="unit_first")
    (told,) = heard("handler")
    assert "意见：请补充" in told
    assert told.endswith("轮到您办理")
    assert heard("handler") == []


def test_notices_of_others_are_not_marked(world: World) -> None:
    world.plan(node="unit_second")
    ids = [item.id for item in notices.unseen(world.system, world["reviewer"])]
    assert ids
    notices.mark_seen(world.system, world["library_reviewer"], ids)
    assert [item.id for item in notices.unseen(world.system, world["reviewer"])] == ids


def test_another_units_document_is_not_found_for_an_act(world: World) -> None:
    number = world.plan(node="unit_second")
    with pytest.raises(NotFoundError):
        world.act("library_reviewer", number, "pass")
