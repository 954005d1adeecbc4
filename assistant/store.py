"""Conversations in SQL: loaded before a turn, written after it in one transaction, compare-and-set on the version."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, case, func, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from assistant import conversation as talk
from assistant.cards import Reply, Turn, from_json, to_json
from assistant.conversation import State
from assistant.tables import conversation, message, ticket, turn_key
from core.domain.errors import InvalidError, NotFoundError, UnavailableError
from core.service.system import System

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
    """What a turn adds. `ticket` is a row for a person, without its transcript."""

    text: str
    replies: tuple[Reply, ...]
    state: State
    key: str
    ticket: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Message:
    """One stored message."""

    role: str
    text: str
    replies: tuple[Reply, ...]
    at: datetime


class MovedError(Exception):
    """Another turn of the same conversation was written meanwhile: take this turn anew."""


def digest(text: str, conversation_id: str | None) -> str:
    """What a key is bound to."""
    return hashlib.sha256(f"{conversation_id or ''}\0{text}".encode()).hexdigest()


class Store:
    """The assistant's tables on one engine."""

    def __init__(self, engine: Engine) -> None:
        """Keep the engine; nothing is opened yet."""
        self._engine = engine
        self._reader = engine.execution_options(read_only=True)

    def repeated(self, owner: Owner, key: str, wanted: str) -> Turn | None:
        """The turn this key brought before; InvalidError where it was used for something else."""
        if not 0 < len(key) <= KEY_LIMIT:
            raise InvalidError(
                f"消息编号要在 1 到 {KEY_LIMIT} 个字符之间", code="bad_key", fields={"key": "长度不对"}
            )
        with self._reading() as connection:
            row = connection.execute(
                select(turn_key).where(turn_key.c.owner == owner.name, turn_key.c.key == key)
            ).first()
        if row is None:
            return None
        if row.digest != wanted:
            raise InvalidError(
                "这个消息编号已经用过了，请换一个", code="key_reused", fields={"key": "重复使用"}
            )
        return Turn(row.conversation_id, from_json(row.replies))

    def load(self, conversation_id: str, owner: Owner) -> Opened | None:
        """A stored conversation; NotFoundError where it belongs to someone else, None where there is none."""
        with self._reading() as connection:
            row = connection.execute(select(conversation).where(conversation.c.id == conversation_id)).first()
        if row is None:
            return None
        if (row.account_id, row.peer) != (owner.account_id, owner.peer):
            raise NotFoundError("没有找到这段对话", fields={"conversation": "没有找到"})
        return Opened(row.id, owner, row.region, row.channel, talk.from_json(row.state), row.version)

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

    def messages(self, conversation_id: str, limit: int = 200) -> list[Message]:
        """The last messages, oldest first."""
        query = select(message).where(message.c.conversation_id == conversation_id)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(message.c.seq.desc()).limit(limit)).all()
        return [Message(r.role, r.text, from_json(r.body or []), r.at) for r in reversed(rows)]

    def write(self, opened: Opened, written: Written, wanted: str, at: datetime) -> str:
        """Keep one turn, all of it or nothing; number of the ticket, "" without one.

        MovedError where the conversation moved or the key was used at this moment.
        """
        try:
            with self._writing() as connection:
                seq = self._advance(connection, opened, written, at)
                self._say(connection, opened.id, seq, written, at)
                number = self._ticket(connection, opened, written.ticket, at) if written.ticket else ""
                connection.execute(
                    insert(turn_key).values(
                        owner=opened.owner.name,
                        key=written.key,
                        digest=wanted,
                        conversation_id=opened.id,
                        replies=to_json(written.replies),
                        at=at,
                    )
                )
                return number
        except IntegrityError as error:
            raise MovedError from error

    def _advance(self, connection: Connection, opened: Opened, written: Written, at: datetime) -> int:
        """Move the conversation on; the next free sequence number. Two messages a turn, so it is known."""
        state = talk.to_json(written.state)
        if opened.version == 0:
            connection.execute(
                insert(conversation).values(
                    id=opened.id,
                    account_id=opened.owner.account_id,
                    peer=opened.owner.peer,
                    region=opened.region,
                    channel=opened.channel,
                    state=state,
                    version=1,
                    created_at=at,
                    updated_at=at,
                )
            )
            return 1
        changed = connection.execute(
            update(conversation)
            .where(conversation.c.id == opened.id, conversation.c.version == opened.version)
            .values(state=state, version=opened.version + 1, updated_at=at)
        )
        if changed.rowcount != 1:
            raise MovedError
        last = select(func.max(message.c.seq)).where(message.c.conversation_id == opened.id)
        return (connection.scalar(last) or 0) + 1

    def _say(
        self, connection: Connection, conversation_id: str, seq: int, written: Written, at: datetime
    ) -> None:
        said = "\n".join(reply.text for reply in written.replies)
        rows: list[dict[str, Any]] = [
            {"seq": seq, "role": "user", "text": written.text[:TEXT_LIMIT], "body": None},
            {"seq": seq + 1, "role": "assistant", "text": said, "body": to_json(written.replies)},
        ]
        connection.execute(
            insert(message), [{**row, "conversation_id": conversation_id, "at": at} for row in rows]
        )

    def _ticket(self, connection: Connection, opened: Opened, row: Mapping[str, Any], at: datetime) -> str:
        said = connection.execute(
            select(message.c.role, message.c.text)
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
                transcript=[[r.role, r.text] for r in reversed(said)],
                created_at=at,
                updated_at=at,
            )
        )
        return str(row["number"])

    def tell(self, conversation_id: str, text: str, at: datetime) -> None:
        """A person of the staff writes into the conversation."""
        last = select(func.max(message.c.seq)).where(message.c.conversation_id == conversation_id)
        with self._writing() as connection:
            # The row of the conversation is touched first, so that turns of it queue up behind this.
            connection.execute(
                update(conversation)
                .where(conversation.c.id == conversation_id)
                .values(version=conversation.c.version + 1, updated_at=at)
            )
            seq = (connection.scalar(last) or 0) + 1
            row = {"conversation_id": conversation_id, "seq": seq, "role": "staff", "text": text, "at": at}
            connection.execute(insert(message).values(**row, body=to_json((Reply(text),))))

    def tickets(self, region: str, limit: int = 200) -> Sequence[Row[Any]]:
        """Tickets of a region: those not closed first, newest first."""
        closed = case((ticket.c.state == "closed", 1), else_=0)
        query = select(ticket).where(ticket.c.region == region)
        with self._reading() as connection:
            return connection.execute(query.order_by(closed, ticket.c.id.desc()).limit(limit)).all()

    def ticket(self, number: str) -> Row[Any] | None:
        """One ticket."""
        with self._reading() as connection:
            return connection.execute(select(ticket).where(ticket.c.number == number)).first()

    def set_ticket(self, number: str, *, state: str, note: str, at: datetime) -> bool:
        """Take or close a ticket; False where it is closed already."""
        found = (ticket.c.number == number) & (ticket.c.state != "closed")
        with self._writing() as connection:
            done = connection.execute(
                update(ticket).where(found).values(state=state, note=note, updated_at=at)
            )
        return done.rowcount == 1

    def forget(self, owner: Owner) -> None:
        """Delete what a peer wrote and was told; its tickets keep no words."""
        ids = select(conversation.c.id).where(conversation.c.peer == owner.peer)
        with self._writing() as connection:
            gone = list(connection.scalars(ids))
            for table, column in (
                (turn_key, turn_key.c.conversation_id),
                (message, message.c.conversation_id),
            ):
                connection.execute(table.delete().where(column.in_(gone)))
            closed = update(ticket).where(ticket.c.conversation_id.in_(gone))
            connection.execute(closed.values(transcript=[], question="", note="", state="closed"))
            connection.execute(conversation.delete().where(conversation.c.id.in_(gone)))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _translated(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _translated(), self._engine.begin() as connection:
            yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise UnavailableError("数据库暂时忙，请稍后再试", code="database_busy") from error


def of(system: System) -> Store:
    """The store beside the core's own tables."""
    return Store(system.database.engine)  # type: ignore[attr-defined]  # the port hides it; only SQL has one
