"""Tickets: everything collected, seen by support only, answered into the conversation."""

from collections.abc import Callable

import pytest

from assistant import store
from assistant.cards import FactsCard, Row
from assistant.handoff import Tickets
from assistant.plain import render
from core.domain.errors import ForbiddenError, InvalidError, NotFoundError
from core.service import notices
from tests.assistant.world import World


def opened(world: World) -> str:
    world.say("handler", f"{world.number('激光打印机')} 走到哪了")
    world.say("handler", "怎么做红烧肉")
    world.say("handler", "是")
    return Tickets(world.system).listing(world.account("support"))[0].id


def contacts(world: World) -> tuple[Row, ...]:
    """The contact lines that the last answer showed."""
    shown = store.of(world.system).messages(world.conversations["handler"])[-1].replies
    (card,) = [one.card for one in shown if isinstance(one.card, FactsCard)]
    assert card.rows
    return card.rows


@pytest.mark.covers("nm-contact")
def test_a_ticket_carries_question_document_and_transcript(world: World) -> None:
    opened(world)
    (ticket,) = Tickets(world.system).listing(world.account("support"))
    assert ticket.question == "怎么做红烧肉"
    assert ticket.number == world.number("激光打印机")
    assert ticket.node_label == "业务科室初审"
    assert ticket.asked_by.startswith("李明")
    assert ticket.unit_name == "青原市示范中学"
    assert [text for role, text in ticket.transcript if role == "user"][-1] == "是"
    handed = ticket.transcript[-1][1]
    assert all(row.value in handed for row in contacts(world)), handed
    assert ticket.open


@pytest.mark.covers("ah-4")
def test_whom_to_call_is_said_where_the_region_has_it_and_nothing_is_promised_where_not(
    world_of: Callable[[str], World],
) -> None:
    anhui = world_of("anhui")
    told = render(anhui.say("handler", "转人工"))
    assert "着急的话可以打" in told
    assert "0551-68150640" in told
    shanxi = render(world_of("shanxi").say("handler", "转人工"))
    assert "已转人工" in shanxi
    assert "着急的话可以打" not in shanxi


def test_only_support_sees_and_closes(world: World) -> None:
    ticket = opened(world)
    for who in ("handler", "reviewer", "office", "other"):
        with pytest.raises(ForbiddenError):
            Tickets(world.system).listing(world.account(who))
        with pytest.raises(ForbiddenError):
            Tickets(world.system).close(world.account(who), ticket, "好了")


def test_the_answer_comes_back_into_the_conversation(world: World) -> None:
    ticket = opened(world)
    support = world.account("support")
    tickets = Tickets(world.system)
    with pytest.raises(InvalidError):
        tickets.close(support, ticket, " ")
    with pytest.raises(NotFoundError):
        tickets.close(support, "GD-0", "好了")
    tickets.close(support, ticket, "已经电话联系您")
    with pytest.raises(InvalidError):
        tickets.close(support, ticket, "又一次")
    said = store.of(world.system).messages(world.conversations["handler"])[-1]
    assert (said.role, "已经电话联系您" in said.text) == ("staff", True)
    assert any("已经电话联系您" in one.text for one in notices.unseen(world.system, world.account("handler")))
    again = render(world.say("handler", "转人工"))
    assert "已转人工" in again
    assert ticket not in again.split("已转人工")[1]


def test_one_ticket_while_it_is_open(world: World) -> None:
    opened(world)
    world.say("handler", "转人工")
    assert len(Tickets(world.system).listing(world.account("support"))) == 1
