"""The outbox in SQL: what has to reach other systems, in order per document, each message with one sender at a time."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, insert, select, update

from core.adapters.tables import document, outbox
from core.service.ports import OutboxMessage, ParkedMessage

_earlier = outbox.alias("earlier")


def _message(row: Row[Any]) -> OutboxMessage:
    return OutboxMessage(row.id, row.document_id, row.topic, row.body, row.key, row.attempts)


class OutboxStore:
    """Implements `core.service.ports.Outbox`.

    A message is claimed by counting an attempt and moving `due` behind the lease. The count is then the token that
    shows whether the claim still holds: who comes back after another sender took over changes nothing.
    """

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection

    def send(self, document_id: int, topic: str, body: Mapping[str, Any], key: str, at: datetime) -> None:
        """Put a message into the outbox."""
        values = {
            "document_id": document_id,
            "topic": topic,
            "body": dict(body),
            "key": key,
            "at": at,
            "due": at,
        }
        self._connection.execute(insert(outbox).values(values))

    def due(self, now: datetime, limit: int) -> list[OutboxMessage]:
        """Messages to be sent now, longest due first; of each document only the first that is not done."""
        # A parked message holds back the later ones of its document: a withdrawal must not overtake a dispatch.
        blocked = exists().where(
            _earlier.c.document_id == outbox.c.document_id,
            _earlier.c.id < outbox.c.id,
            _earlier.c.state != "done",
        )
        statement = select(outbox).where(outbox.c.state == "waiting", outbox.c.due <= now, ~blocked)
        rows = self._connection.execute(statement.order_by(outbox.c.due, outbox.c.id).limit(limit))
        return [_message(row) for row in rows]

    def claim(self, message: OutboxMessage, now: datetime, until: datetime) -> OutboxMessage | None:
        """Reserve the message for one sender until `until`; None when another one has it or it is done."""
        claimed = self._settle(message, due=until, attempts=message.attempts + 1, not_before=now)
        return replace(message, attempts=message.attempts + 1) if claimed else None

    def delivered(self, message: OutboxMessage) -> bool:
        """The other system has it; False when the claim was lost."""
        return self._settle(message, state="done", problem="")

    def postponed(self, message: OutboxMessage, due: datetime, problem: str, *, parked: bool) -> bool:
        """Try again at `due`, or park it for staff; False when the claim was lost."""
        return self._settle(message, state="parked" if parked else "waiting", due=due, problem=problem)

    def _settle(self, message: OutboxMessage, *, not_before: datetime | None = None, **values: Any) -> bool:
        mine = update(outbox).where(
            outbox.c.id == message.id, outbox.c.state == "waiting", outbox.c.attempts == message.attempts
        )
        if not_before is not None:
            mine = mine.where(outbox.c.due <= not_before)
        return self._connection.execute(mine.values(values)).rowcount == 1

    def parked(self, region: str) -> list[ParkedMessage]:
        """What staff of the region have to look at, oldest first."""
        statement = (
            select(outbox, document.c.number, document.c.title)
            .join(document, document.c.id == outbox.c.document_id)
            .where(outbox.c.state == "parked", document.c.region == region)
        )
        return [
            ParkedMessage(row.id, row.number, row.title, row.topic, row.attempts, row.problem, row.at)
            for row in self._connection.execute(statement.order_by(outbox.c.id))
        ]

    def resume(self, message_id: int, now: datetime) -> bool:
        """Send a parked message again from the first attempt on; False when it is not parked any more."""
        return self._unpark(message_id, state="waiting", due=now, attempts=0)

    def set_aside(self, message_id: int, problem: str) -> bool:
        """Give a parked message up; False when it is not parked any more."""
        return self._unpark(message_id, state="done", problem=problem)

    def _unpark(self, message_id: int, **values: Any) -> bool:
        parked = update(outbox).where(outbox.c.id == message_id, outbox.c.state == "parked")
        return self._connection.execute(parked.values(values)).rowcount == 1
