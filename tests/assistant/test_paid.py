"""What has been paid of a contract, asked in chat (fj-6.2)."""

from collections.abc import Callable

import pytest

from assistant.cards import FactsCard
from core.service import documents
from core.service.views import DocumentSummary
from tests.assistant.world import World

pytestmark = pytest.mark.covers("fj-6.2")


def fulfilled(world: World) -> DocumentSummary:
    found = documents.listing(world.system, world.account("handler"), kind="contract")
    return next(one for one in found if one.node == "fulfilled")


def test_the_assistant_tells_what_was_paid_and_what_is_open(world_of: Callable[[str], World]) -> None:
    world = world_of("fujian")
    contract = fulfilled(world)
    (reply, *_) = world.say("handler", f"{contract.number} 合同付了多少").replies
    assert f"合同 {contract.number} 共 40,000.00 元，已付 40,000.00 元" in reply.text
    assert isinstance(reply.card, FactsCard)
    assert [row.value for row in reply.card.rows][-2:] == ["20,000.00 元", "20,000.00 元"]


def test_another_units_contract_is_not_there(world_of: Callable[[str], World]) -> None:
    world = world_of("fujian")
    contract = fulfilled(world)
    said = "".join(r.text for r in world.say("other", f"{contract.number} 合同付了多少").replies)
    assert "40,000.00" not in said
