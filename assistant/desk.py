"""The desk of support staff: take a conversation over, answer in it, hand it back; what is asked most.

While a person has taken a ticket, the assistant keeps what the asker writes and answers nothing itself (`turn`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from assistant import desk_store, store
from assistant.handoff import Tickets, TicketView
from assistant.replies import say
from assistant.store import Message
from core.domain.accounts import Account
from core.domain.errors import BlockedError, InvalidError, NotFoundError
from core.domain.rights import Capability
from core.service import accounts, documents, rights
from core.service.system import System
from core.service.views import DocumentSummary

_TEXT_LIMIT = 1000
_SHOWN = 100  # messages of a conversation that staff look at
DAYS = 14


@dataclass(frozen=True)
class Attended:
    """A ticket as staff work on it. `state`: open, taken, closed; `mine`: this account has taken it.

    `messages` are those of the living conversation, and only while the ticket is not closed: whoever handed a
    question over did not hand over what is said afterwards.
    """

    ticket: TicketView
    state: str
    taken_by: str
    mine: bool
    note: str
    messages: Sequence[Message]
    document: DocumentSummary | None


class Desk:
    """For support staff and administrators; everybody else gets ForbiddenError."""

    def __init__(self, system: System) -> None:
        """Over the running core."""
        self._system = system
        self._tickets = Tickets(system)
        self._kept = store.of(system)
        self._desk = desk_store.of(system)

    def listing(self, actor: Account) -> Sequence[TicketView]:
        """Tickets of the actor's region, those not closed first."""
        rights.require(self._system, actor, Capability.SEE_TICKETS)
        return self._tickets.listing(actor)

    def open(self, actor: Account, number: str) -> Attended:
        """One ticket with its conversation and its document as it stands now."""
        rights.require(self._system, actor, Capability.SEE_TICKETS)
        row = self._row(actor, number)
        taken_by = accounts.account(self._system, row.taken_by).label if row.taken_by is not None else ""
        alive = row.state != "closed"
        return Attended(
            ticket=self._tickets.view(row),
            state=row.state,
            taken_by=taken_by,
            mine=row.taken_by == actor.id and row.state == "taken",
            note=row.note,
            messages=self._kept.messages(row.conversation_id, _SHOWN) if alive else (),
            document=self._document(row.document_number),
        )

    def _document(self, number: str) -> DocumentSummary | None:
        """Where the asker's document stands; the asker showed it to us, staff see no other of the unit."""
        if not number:
            return None
        with self._system.database.read() as tx:
            found = tx.documents.by_number(number, None)
            return documents.summarise(self._system, tx, [found])[0] if found else None

    def take(self, actor: Account, number: str) -> None:
        """From now on this person answers. BlockedError where somebody else does already, or it is closed."""
        rights.require(self._system, actor, Capability.TAKE_OVER_CONVERSATIONS)
        row, now = self._row(actor, number), self._system.clock()
        if row.state == "taken" and row.taken_by == actor.id:
            return
        if not self._desk.take(number, actor.id, now):
            raise BlockedError("这张单子已经有人接手或者已经关闭，请刷新", code="ticket_not_open")
        self._kept.tell(row.conversation_id, say("staff_joined", number=number), now)
        self._audit(actor, "ticket_take", number)

    def say(self, actor: Account, number: str, text: str, key: str) -> None:
        """A reply in the asker's conversation; the same `key` again says nothing twice."""
        rights.require(self._system, actor, Capability.TAKE_OVER_CONVERSATIONS)
        words = text.strip()
        if not 0 < len(words) <= _TEXT_LIMIT:
            raise InvalidError(f"请写回复，不超过 {_TEXT_LIMIT} 字", fields={"text": "请写回复"})
        row, now = self._row(actor, number), self._system.clock()
        if row.state != "taken" or row.taken_by != actor.id:
            raise BlockedError("请先接手这张单子，再回复", code="ticket_not_taken")
        told = store.digest(words, row.conversation_id)
        if self._desk.first_time(f"s{actor.id}", key, row.conversation_id, told, now):
            self._kept.tell(row.conversation_id, words, now)
            self._notify(row, words, now)

    def _notify(self, row: Any, words: str, now: datetime) -> None:
        """Who asked in another channel hears it with the next message there; the page shows it by itself."""
        if row.account_id is None or self._kept.channel(row.conversation_id) == "web":
            return
        with self._system.database.write() as tx:
            tx.records.notify([row.account_id], row.document_number, words, now)

    def hand_back(self, actor: Account, number: str) -> None:
        """The assistant answers again; the ticket stays open."""
        rights.require(self._system, actor, Capability.TAKE_OVER_CONVERSATIONS)
        row, now = self._row(actor, number), self._system.clock()
        if not self._desk.give_back(number, actor.id, now):
            raise BlockedError("这张单子不在您手里，请刷新", code="ticket_not_taken")
        self._kept.tell(row.conversation_id, say("staff_left", number=number), now, role="assistant")
        self._audit(actor, "ticket_hand_back", number)

    def close(self, actor: Account, number: str, note: str) -> None:
        """Answer and close; the assistant answers again."""
        rights.require(self._system, actor, Capability.ANSWER_TICKETS)
        self._tickets.close(actor, number, note)
        self._audit(actor, "ticket_close", number)

    def hits(self, actor: Account, days: int = DAYS) -> list[tuple[str, int]]:
        """How often each topic was answered in the last days, the most frequent first."""
        rights.require(self._system, actor, Capability.SEE_TICKETS)
        return [(row.topic, row.times) for row in self._desk.hits(actor.region, self._since(days))]

    def conversation(self, actor: Account, number: str) -> str:
        """Which conversation a ticket came from."""
        rights.require(self._system, actor, Capability.SEE_TICKETS)
        return str(self._row(actor, number).conversation_id)

    def _since(self, days: int) -> datetime:
        return self._system.clock() - timedelta(days=days)

    def _row(self, actor: Account, number: str) -> Any:
        row = self._kept.ticket(number)
        if row is None or row.region != actor.region:
            raise NotFoundError("没有找到这张单子", fields={"ticket": "没有找到"})
        return row

    def _audit(self, actor: Account, act: str, number: str) -> None:
        with self._system.database.write() as tx:
            tx.records.audit(actor.region, self._system.clock(), actor.login, act, number, {})
