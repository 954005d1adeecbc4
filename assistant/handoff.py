"""Handing over to a person: a ticket with everything already collected, and the region's contact lines."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from assistant import desk_store, store
from assistant.cards import FactsCard, Reply, Row
from assistant.replies import say
from assistant.scene import Outcome, Scene
from core.domain.accounts import Account
from core.domain.errors import InvalidError, NotFoundError
from core.domain.rights import Capability
from core.service import accounts, rights
from core.service.system import System
from kb import Entry

_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # read out over the telephone without mistakes
_NOTE_LIMIT = 1000
_CONTACT = ("-contact", "ah-4")  # ids of the entries with contact lines end so


@dataclass(frozen=True)
class TicketView:
    """What support staff see of a handed-over question."""

    id: str
    at: datetime
    asked_by: str
    unit_name: str
    question: str
    number: str | None
    node_label: str | None
    transcript: Sequence[tuple[str, str]]
    open: bool
    state: str = "open"


def is_contact(entry: Entry) -> bool:
    """Whether an entry has the region's contact lines."""
    return entry.id.endswith(_CONTACT)


def contacts(scene: Scene) -> FactsCard:
    """Contact lines of the region, from its own entry."""
    entry = next(filter(is_contact, scene.knowledge.library.of_region(scene.region)), None)
    rows = tuple(Row(case.when, "\n".join(case.steps)) for case in entry.cases) if entry else ()
    return FactsCard(say("ticket_title"), rows, type="contacts")


def hand_over(scene: Scene, at: datetime) -> tuple[Outcome, dict[str, Any] | None]:
    """The outcome and the ticket's row (None where this conversation has an open one already)."""
    if scene.state.ticket:
        again = say("ticket_again", number=scene.state.ticket)
        return Outcome(scene.state, (_with_lines(scene, again),)), None
    number = f"GD-{at:%Y%m%d}-" + "".join(secrets.choice(_LETTERS) for _ in range(5))
    row = {
        "number": number,
        "topic": scene.state.topic,
        "question": scene.state.question[:500],
        "document_number": "",
        "document_state": "",
    }
    spoken = scene.number
    if scene.viewer and spoken and scene.viewer.sees(spoken):
        summary = scene.viewer.look(spoken).summary
        row |= {"document_number": summary.number, "document_state": summary.node_label}
    state = replace(scene.state, ticket=number, unknowns=0)
    replies = (_with_lines(scene, say("ticket", number=number)), Reply(say("ticket_after")))
    return Outcome(state, replies), row


def _with_lines(scene: Scene, text: str) -> Reply:
    """With whom to call meanwhile, where the region has said."""
    card = contacts(scene)
    return Reply(text + say("ticket_call"), card) if card.rows else Reply(text)


class Tickets:
    """Handed-over questions, for the people who answer them."""

    def __init__(self, system: System) -> None:
        """Over the running core."""
        self._system = system
        self._store, self._desk = store.of(system), desk_store.of(system)

    def listing(self, actor: Account) -> list[TicketView]:
        """Tickets of the actor's region, open ones first; ForbiddenError for others than support staff."""
        rights.require(self._system, actor, Capability.SEE_TICKETS)
        return [self.view(row) for row in self._desk.tickets(actor.region)]

    def close(self, actor: Account, ticket: str, note: str) -> None:
        """Answer and close; the asker reads the answer in the conversation and gets a notice."""
        rights.require(self._system, actor, Capability.ANSWER_TICKETS)
        if not 0 < len(note.strip()) <= _NOTE_LIMIT:
            raise InvalidError(f"请写答复，不超过 {_NOTE_LIMIT} 字", fields={"note": "请写答复"})
        row = self._store.ticket(ticket)
        if row is None or row.region != actor.region:
            raise NotFoundError("没有找到这张单子", fields={"ticket": "没有找到"})
        now = self._system.clock()
        if not self._desk.set_ticket(ticket, state="closed", note=note.strip(), at=now):
            raise InvalidError("这张单子已经关闭了", code="ticket_closed", fields={"ticket": "已关闭"})
        text = say("ticket_closed", number=ticket, note=note.strip())
        self._store.tell(row.conversation_id, text, now)
        if row.account_id is not None:
            with self._system.database.write() as tx:
                tx.records.notify([row.account_id], row.document_number, text, now)

    def view(self, row: Any) -> TicketView:
        """A stored ticket as staff see it."""
        asked = accounts.account(self._system, row.account_id) if row.account_id is not None else None
        return TicketView(
            id=row.number,
            at=row.created_at,
            asked_by=asked.label if asked else "",
            unit_name=asked.unit.name if asked else "",
            question=row.question,
            number=row.document_number or None,
            node_label=row.document_state or None,
            transcript=[(role, text) for role, text in row.transcript],
            open=row.state != "closed",
            state=row.state,
        )
