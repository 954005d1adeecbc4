"""An act is taken once, on what was seen, with what its form asks; whoever has to know is told."""

from dataclasses import replace

import pytest

from core.domain.errors import BlockedError, ConflictError, ForbiddenError, InvalidError, NotFoundError
from core.service import acts, notices
from tests.core.world import SEALED, World, new_key

SUM = 200_000


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
