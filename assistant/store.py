"""Conversations in SQL: loaded before a turn, written after it in one transaction, compare-and-set on the version."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from assistant import conversation as talk
from assistant.cards import Reply, Turn, from_json, to_json
from assistant.conversation import State
from assistant.plain import render_replies
from assistant.sql import Sql
from assistant.tables import conversation, feedback, message, ticket, turn_key
from core.adapters.prepared import Prepared
from core.domain.errors import InvalidError, NotFoundError
from core.service.system import System

# Statements are built once: building them anew takes longer than running them.
_KEY = Prepared(
    select(turn_key).where(turn_key.c.owner == bindparam("owner"), turn_key.c.key == bindparam("key"))
)
_CONVERSATION = Prepared(select(conversation).where(conversation.c.id == bindparam("id")))
_BEGIN = insert(conversation)
_ADVANCE = Prepared(
    update(conversation)
    .where(conversation.c.id == bindparam("known"), conversation.c.version == bindparam("seen"))
    .values(state=bindparam("state"), version=bindparam("next"), updated_at=bindparam("updated_at"))
)
_SAY = Prepared(insert(message))
_KEEP_KEY = Prepared(insert(turn_key))
_EACH = 2  # messages of one turn; so a message's number follows from the conversation's version

KEY_LIMIT = 80
TEXT_LIMIT = 4000  # characters kept of one message
TRANSCRIPT = 40  # messages that go with a ticket


@dataclass(frozen=True)
class Owner:
    """Whose conversations: an account, or a peer of a channel without one."""

    account_id: int | None
    peer: str | None = None

    @property
    def name(self) -> str:
        """Distinguishes owners in `turn_key`."""
        return f"a{self.account_id}" if self.account_id is not None else f"p{self.peer or ''}"


@dataclass(frozen=True)
class Opened:
    """A conversation as loaded; `version` 0 is one that is not stored yet."""

    id: str
    owner: Owner
    region: str
    channel: str
    state: State
    version: int


@dataclass(frozen=True)
class Written:
    """What a turn adds. `ticket` is a row for a person, without its transcript; `topic` what was answered, `lack` why not."""

    text: str
    replies: tuple[Reply, ...]
    state: State
    key: str
    ticket: Mapping[str, Any] | None = None
    topic: str = ""
    lack: str = ""


@dataclass(frozen=True)
class Message:
    """One stored message; `seq` orders a conversation's messages, with gaps."""

    seq: int
    role: str
    text: str
    replies: tuple[Reply, ...]
    at: datetime

    @property
    def shown(self) -> str:
        """All that was seen of it, with what its cards say."""
        return render_replies(self.replies) or self.text


def _message(row: Any) -> Message:
    return Message(row.seq, row.role, row.text, from_json(row.body or []), row.at)


def missing() -> NotFoundError:
    """There is no such conversation, as far as the asker may know."""
    return NotFoundError("没有找到这段对话", fields={"conversation": "没有找到"})


class MovedError(Exception):
    """Another turn of the same conversation was written meanwhile: take this turn anew."""


def digest(text: str, conversation_id: str | None) -> str:
    """What a key is bound to."""
    return hashlib.sha256(f"{conversation_id or ''}\0{text}".encode()).hexdigest()


class Store(Sql):
    """Conversations, and the tickets that come out of them."""

    def open(self, conversation_id: str | None, owner: Owner, key: str, wanted: str) -> Turn | Opened | None:
        """The turn this key brought before, else the stored conversation, None where there is none.

        InvalidError where the key was used for something else, NotFoundError for a conversation of someone else.
        """
        if not 0 < len(key) <= KEY_LIMIT:
            raise InvalidError(
                f"消息编号要在 1 到 {KEY_LIMIT} 个字符之间", code="bad_key", fields={"key": "长度不对"}
            )
        with self._reading() as connection:
            row = _KEY.first(connection, {"owner": owner.name, "key": key})
            if row is None:
                return _load(connection, conversation_id, owner) if conversation_id is not None else None
        if row.digest != wanted:
            raise InvalidError(
                "这个消息编号已经用过了，请换一个", code="key_reused", fields={"key": "重复使用"}
            )
        return Turn(row.conversation_id, from_json(row.replies))

    def load(self, conversation_id: str, owner: Owner) -> Opened | None:
        """A stored conversation; NotFoundError where it belongs to someone else, None where there is none."""
        with self._reading() as connection:
            return _load(connection, conversation_id, owner)

    def own(self, conversation_id: str, owner: Owner) -> Opened:
        """A stored conversation of the owner; NotFoundError where there is none."""
        if (found := self.load(conversation_id, owner)) is None:
            raise missing()
        return found

    def latest(self, owner: Owner, channel: str) -> str | None:
        """Id of the owner's conversation that was last spoken in."""
        mine = (
            conversation.c.account_id == owner.account_id
            if owner.account_id is not None
            else conversation.c.peer == owner.peer
        )
        query = select(conversation.c.id).where(mine, conversation.c.channel == channel)
        with self._reading() as connection:
            return connection.scalar(query.order_by(conversation.c.updated_at.desc()).limit(1))

    def messages(self, conversation_id: str, limit: int = 200, *, after: int = -1) -> list[Message]:
        """The last messages, oldest first; `after`: only those with a greater number."""
        query = select(message).where(message.c.conversation_id == conversation_id, message.c.seq > after)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(message.c.seq.desc()).limit(limit)).all()
        return [_message(row) for row in reversed(rows)]

    def write(self, opened: Opened, written: Written, wanted: str, at: datetime) -> None:
        """Keep one turn, all of it or nothing.

        MovedError where the conversation moved or the key was used at this moment.
        """
        # Whoever holds the write lock keeps others waiting: nothing is worked out inside.
        body, state = to_json(written.replies), talk.to_json(written.state)
        try:
            with self._writing() as connection:
                self._advance(connection, opened, state, at)
                self._say(connection, opened, written, body, at)
                if written.ticket:
                    self._ticket(connection, opened, written.ticket, at)
                row = {
                    "owner": opened.owner.name,
                    "key": written.key,
                    "digest": wanted,
                    "replies": body,
                    "at": at,
                }
                _KEEP_KEY.change(connection, {**row, "conversation_id": opened.id})
        except IntegrityError as error:
            raise MovedError from error

    def _advance(self, connection: Connection, opened: Opened, state: dict[str, Any], at: datetime) -> None:
        if opened.version == 0:
            row = {
                "id": opened.id,
                "account_id": opened.owner.account_id,
                "peer": opened.owner.peer,
                "state": state,
            }
            place = {"region": opened.region, "channel": opened.channel}
            connection.execute(_BEGIN, {**row, **place, "version": 1, "created_at": at, "updated_at": at})
            return
        values = {"state": state, "next": opened.version + 1, "updated_at": at}
        if _ADVANCE.change(connection, {**values, "known": opened.id, "seen": opened.version}) != 1:
            raise MovedError

    def _say(
        self,
        connection: Connection,
        opened: Opened,
        written: Written,
        body: list[dict[str, Any]],
        at: datetime,
    ) -> None:
        said = "\n".join(reply.text for reply in written.replies)
        first = opened.version * _EACH
        asked = _row(first, "user", written.text[:TEXT_LIMIT], None)
        answered = _row(first + 1, "assistant", said, body, written.topic, written.lack)
        for row in (asked, answered):
            _SAY.change(connection, {**row, "conversation_id": opened.id, "at": at})

    def _ticket(self, connection: Connection, opened: Opened, row: Mapping[str, Any], at: datetime) -> None:
        said = connection.execute(
            select(message)
            .where(message.c.conversation_id == opened.id)
            .order_by(message.c.seq.desc())
            .limit(TRANSCRIPT)
        ).all()
        connection.execute(
            insert(ticket).values(
                **row,
                conversation_id=opened.id,
                account_id=opened.owner.account_id,
                region=opened.region,
                transcript=[[one.role, one.shown] for one in map(_message, reversed(said))],
                created_at=at,
                updated_at=at,
            )
        )

    def channel(self, conversation_id: str) -> str:
        """Where a conversation is held; empty where it was forgotten."""
        query = select(conversation.c.channel).where(conversation.c.id == conversation_id)
        with self._reading() as connection:
            return connection.scalar(query) or ""

    def begin(self, owner: Owner, region: str, channel: str, at: datetime) -> str:
        """An empty conversation, for somebody who has to be told something first; its id."""
        name = uuid4().hex
        row = {"id": name, "account_id": owner.account_id, "peer": owner.peer, "region": region}
        times = {"created_at": at, "updated_at": at}
        with self._writing() as connection:
            state = talk.to_json(State())
            connection.execute(_BEGIN, {**row, **times, "channel": channel, "state": state, "version": 1})
        return name

    def tell(
        self,
        conversation_id: str,
        text: str,
        at: datetime,
        *,
        role: str = "staff",
        replies: tuple[Reply, ...] = (),
    ) -> None:
        """A person of the staff writes into the conversation, or the assistant unasked."""
        with self._writing() as connection:
            # The row of the conversation is touched first, so that turns of it queue up behind this.
            touched = (
                update(conversation)
                .where(conversation.c.id == conversation_id)
                .values(version=conversation.c.version + 1, updated_at=at)
                .returning(conversation.c.version)
            )
            version = connection.scalar(touched)
            if version is None:
                return  # the conversation was forgotten
            row = _row((version - 1) * _EACH, role, text, to_json(replies or (Reply(text),)))
            _SAY.change(connection, {**row, "conversation_id": conversation_id, "at": at})

    def ticket(self, number: str) -> Row[Any] | None:
        """One ticket."""
        with self._reading() as connection:
            return connection.execute(select(ticket).where(ticket.c.number == number)).first()

    def forget(self, owner: Owner) -> None:
        """Delete what a peer wrote and was told; its tickets keep no words."""
        ids = select(conversation.c.id).where(conversation.c.peer == owner.peer)
        with self._writing() as connection:
            gone = list(connection.scalars(ids))
            for table, column in (
                (feedback, feedback.c.conversation_id),
                (turn_key, turn_key.c.conversation_id),
                (message, message.c.conversation_id),
            ):
                connection.execute(table.delete().where(column.in_(gone)))
            closed = update(ticket).where(ticket.c.conversation_id.in_(gone))
            connection.execute(closed.values(transcript=[], question="", note="", state="closed"))
            connection.execute(conversation.delete().where(conversation.c.id.in_(gone)))


def _row(
    seq: int, role: str, text: str, body: list[dict[str, Any]] | None, topic: str = "", lack: str = ""
) -> dict[str, Any]:
    """What a message holds, all but where and when it was said."""
    return {"seq": seq, "role": role, "text": text, "body": body, "topic": topic, "lack": lack}


def _load(connection: Connection, conversation_id: str, owner: Owner) -> Opened | None:
    row = _CONVERSATION.first(connection, {"id": conversation_id})
    if row is None:
        return None
    if (row.account_id, row.peer) != (owner.account_id, owner.peer):
        raise missing()
    return Opened(row.id, owner, row.region, row.channel, talk.from_json(row.state), row.version)


def of(system: System) -> Store:
    """The store beside the core's own tables."""
    return Store(system)
