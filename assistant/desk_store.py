"""What staff ask of the assistant's tables: tickets taken, questions without an answer, opinions on answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, case, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from assistant.sql import Sql
from assistant.tables import conversation, feedback, message, ticket, turn_key
from core.service.system import System

_asked = message.alias("asked")  # what the asker wrote right before an answer
_ASKED = and_(_asked.c.conversation_id == message.c.conversation_id, _asked.c.seq == message.c.seq - 1)


class DeskStore(Sql):
    """Tickets as staff work on them, and what was asked and thought of answers."""

    def tickets(self, region: str, limit: int = 200) -> Sequence[Row[Any]]:
        """Tickets of a region: those not closed first, newest first."""
        closed = case((ticket.c.state == "closed", 1), else_=0)
        query = select(ticket).where(ticket.c.region == region)
        with self._reading() as connection:
            return connection.execute(query.order_by(closed, ticket.c.id.desc()).limit(limit)).all()

    def set_ticket(self, number: str, *, state: str, note: str, at: datetime) -> bool:
        """Take or close a ticket; False where it is closed already."""
        found = (ticket.c.number == number) & (ticket.c.state != "closed")
        with self._writing() as connection:
            done = connection.execute(
                update(ticket).where(found).values(state=state, note=note, updated_at=at)
            )
        return done.rowcount == 1

    def take(self, number: str, account_id: int, at: datetime) -> bool:
        """An open ticket becomes this person's; False where it is not open."""
        found = (ticket.c.number == number) & (ticket.c.state == "open")
        return self._change(found, {"state": "taken", "taken_by": account_id, "updated_at": at})

    def give_back(self, number: str, account_id: int, at: datetime) -> bool:
        """This person's ticket is open again; False where it is not this person's."""
        found = (ticket.c.number == number) & (ticket.c.state == "taken") & (ticket.c.taken_by == account_id)
        return self._change(found, {"state": "open", "taken_by": None, "updated_at": at})

    def _change(self, found: Any, values: dict[str, Any]) -> bool:
        with self._writing() as connection:
            return connection.execute(update(ticket).where(found).values(**values)).rowcount == 1

    def first_time(self, owner: str, key: str, conversation_id: str, digest: str, at: datetime) -> bool:
        """Keep the key of what somebody of the staff writes; False where it was written already."""
        row = {"owner": owner, "key": key, "digest": digest, "conversation_id": conversation_id}
        try:
            with self._writing() as connection:
                connection.execute(insert(turn_key).values(**row, replies=[], at=at))
        except IntegrityError:
            return False
        return True

    def lacks(self, region: str, since: datetime, limit: int = 500) -> Sequence[Row[Any]]:
        """(text, lack, at) of questions without an answer, newest first."""
        query = (
            select(_asked.c.text, message.c.lack, message.c.at)
            .join(_asked, _ASKED)
            .join(conversation, conversation.c.id == message.c.conversation_id)
            .where(message.c.at >= since, message.c.lack != "", conversation.c.region == region)
        )
        return self._all(query.order_by(message.c.at.desc()).limit(limit))

    def hits(self, region: str, since: datetime) -> Sequence[Row[Any]]:
        """(topic, times) of answers, the most frequent first."""
        count = func.count().label("times")
        query = (
            select(message.c.topic, count)
            .join(conversation, conversation.c.id == message.c.conversation_id)
            .where(message.c.at >= since, message.c.topic != "", conversation.c.region == region)
        )
        return self._all(query.group_by(message.c.topic).order_by(count.desc(), message.c.topic))

    def rate(self, conversation_id: str, seq: int, values: dict[str, Any]) -> bool:
        """Keep an opinion on an answer in place of an earlier one; False where there is no such answer."""
        place = (feedback.c.conversation_id == conversation_id) & (feedback.c.seq == seq)
        with self._writing() as connection:
            answer = (message.c.conversation_id == conversation_id) & (message.c.seq == seq)
            role = connection.scalar(select(message.c.role).where(answer))
            if role != "assistant":
                return False
            if connection.execute(update(feedback).where(place).values(**values)).rowcount == 0:
                row = {"conversation_id": conversation_id, "seq": seq, **values}
                connection.execute(insert(feedback).values(**row))
        return True

    def rated(self, conversation_id: str) -> dict[int, bool]:
        """Opinions on the answers of one conversation."""
        query = select(feedback.c.seq, feedback.c.good).where(feedback.c.conversation_id == conversation_id)
        return {row.seq: row.good for row in self._all(query)}

    def bad(self, region: str, since: datetime, limit: int = 200) -> Sequence[Row[Any]]:
        """(question, topic, answer, reason, at) of answers that did not help, newest first."""
        same = and_(message.c.conversation_id == feedback.c.conversation_id, message.c.seq == feedback.c.seq)
        query = (
            select(
                _asked.c.text.label("question"), message.c.topic, message.c.text.label("answer"),
                feedback.c.reason, feedback.c.at,
            )
            .select_from(feedback.join(message, same).join(_asked, _ASKED))
            .join(conversation, conversation.c.id == message.c.conversation_id)
            .where(feedback.c.good.is_(False), feedback.c.at >= since, conversation.c.region == region)
        )  # fmt: skip
        return self._all(query.order_by(feedback.c.at.desc()).limit(limit))

    def _all(self, query: Any) -> Sequence[Row[Any]]:
        with self._reading() as connection:
            return connection.execute(query).all()


def of(system: System) -> DeskStore:
    """The store beside the core's own tables."""
    return DeskStore(system)
