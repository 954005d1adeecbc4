"""Statements of indicators and documents: every movement, and the balance after each."""

import pytest

from core.domain.errors import NotFoundError
from core.service import ledger
from tests.core.world import World


def test_the_balance_after_each_movement_of_an_indicator(each_world: World) -> None:
    world = each_world
    before = ledger.statement(world.system, world["handler"], world.indicator().id)
    number = world.plan(node="filed")
    lines = ledger.statement(world.system, world["handler"], world.indicator().id)
    assert (lines[0].kind, lines[0].number, lines[0].source_label) == ("grant", "", "期初")
    mine = lines[len(before) :]
    assert [(line.kind, line.number) for line in mine] == [("freeze", number), ("use", number)]
    after, now = lines[-1], world.indicator()
    assert (after.total_fen, after.frozen_fen, after.used_fen) == (
        now.total_fen,
        now.frozen_fen,
        now.used_fen,
    )
    assert after.available_fen == now.available_fen
    assert mine[0].frozen_fen - before[-1].frozen_fen == 200_000


def test_what_a_document_moved_and_who_may_see_it(world: World) -> None:
    number = world.plan(node="filed")
    section, account = ledger.of_document(world.system, world["reviewer"], number)
    assert (section.own, section.indicator.id) == (False, world.indicator().id)
    kept = [(line.kind, line.frozen_fen, line.used_fen) for line in section.lines]
    assert kept == [("freeze", 200_000, 0), ("use", 0, 200_000)]
    assert account.own
    assert [(line.kind, line.available_fen) for line in account.lines] == [("grant", 200_000)]
    world.act("handler", number, "cancel", reason="录错了")
    world.act("reviewer", number, "cancel_pass")
    section, account = ledger.of_document(world.system, world["handler"], number)
    assert (section.lines[-1].frozen_fen, section.lines[-1].used_fen) == (0, 0)
    assert account.lines[-1].total_fen == 0
    assert ledger.of_document(world.system, world["handler"], world.plan()) == []
    with pytest.raises(NotFoundError):
        ledger.of_document(world.system, world["library_handler"], number)
