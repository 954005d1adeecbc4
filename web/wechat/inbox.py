"""The inbox in SQL. Every step is one compare-and-set, so that any number of processes may try it."""

from collections.abc import Callable
from typing import cast

from sqlalchemy import Engine, case, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.adapters.database import reader_of
from web.wechat.ports import Clock, Collected, Job, Kind, Outgoing
from web.wechat.tables import inbox

_LEFT_BEHIND_SECONDS = 60  # a turn takes a few seconds; who holds one for a minute is gone
_KEEP_SECONDS = 184 * 24 * 3600  # security logs are kept for six months
_MAX_ATTEMPTS = 5
_NO_CONTENT = {"openid": None, "text": None, "reply": None}


class SqlInbox:
    """`Inbox` over the table `wechat_inbox`."""

    def __init__(self, engine: Engine, now: Clock) -> None:
        self._engine = engine
        self._reader = reader_of(engine)  # no write lock for a look
        self._now = now

    def first_time(self, job: Job) -> bool:
        row = {
            "key": job.key, "channel": job.channel, "openid": job.openid, "kind": job.kind, "text": job.text,
            "state": "working", "attempts": 0, "received_at": self._seconds(), "touched_at": self._seconds(),
        }  # fmt: skip
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(inbox).values(row))
        except IntegrityError:
            return False
        return True

    def load(self, key: str) -> Job | None:
        query = select(inbox).where(inbox.c.key == key, inbox.c.state.in_(["working", "late"]))
        with self._reader.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return Job(row.key, row.channel, row.openid, cast("Kind", row.kind), row.text)

    def finish(self, key: str, reply: str) -> bool:
        if not reply:
            self._move(key, ["working", "late"], state="done", **_NO_CONTENT)
            return False
        following = case((inbox.c.state == "late", "due"), else_="ready")
        self._move(key, ["working", "late"], state=following, reply=reply, text=None)
        with self._reader.connect() as connection:
            return connection.scalar(select(inbox.c.state).where(inbox.c.key == key)) == "due"

    def collect(self, key: str, *, split: Callable[[str], tuple[str, str]]) -> Collected | None:
        with self._reader.connect() as connection:
            row = connection.execute(
                select(inbox.c.state, inbox.c.reply).where(inbox.c.key == key)
            ).one_or_none()
        if row is None or row.state == "done":
            return Collected("")
        if row.state != "ready":
            return None
        now_text, rest = split(row.reply)
        if rest:
            moved = self._move(key, ["ready"], state="due", reply=rest)
        else:
            moved = self._move(key, ["ready"], state="done", **_NO_CONTENT)
        return Collected(now_text, more=bool(rest)) if moved else None

    def give_up(self, key: str) -> bool:
        return self._move(key, ["working"], state="late")

    def take_due(self, key: str) -> Outgoing | None:
        if not self._move(key, ["due"], state="sending"):
            return None
        query = select(inbox.c.channel, inbox.c.openid, inbox.c.reply).where(inbox.c.key == key)
        with self._reader.connect() as connection:
            row = connection.execute(query).one()
        # None where the user left in between: nothing may be kept or sent
        return None if row.openid is None else Outgoing(row.channel, row.openid, row.reply)

    def sent(self, key: str, *, again: str = "") -> None:
        if again:
            self._move(key, ["sending"], state="due", reply=again)
        else:
            self._move(key, ["sending"], state="done", **_NO_CONTENT)

    def forget(self, channel: str, openid: str) -> None:
        mine = (inbox.c.channel == channel) & (inbox.c.openid == openid)
        with self._engine.begin() as connection:
            connection.execute(update(inbox).where(mine).values(state="done", **_NO_CONTENT))

    def stale(self) -> list[str]:
        """Jobs untouched for a minute become the caller's; what was tried too often is dropped.

        A job that was being sent may have arrived: it is closed, since twice is worse than once too few.
        """
        self._tidy()
        before = inbox.c.touched_at < self._seconds() - _LEFT_BEHIND_SECONDS
        query = select(inbox.c.key, inbox.c.state, inbox.c.touched_at).where(inbox.c.state != "done", before)
        with self._reader.connect() as connection:
            rows = connection.execute(query).all()
        # Nobody waits for these any more: an answer has to be sent
        following = {"working": "late", "late": "late", "ready": "due", "due": "due"}
        mine = (inbox.c.touched_at, inbox.c.attempts + 1)
        return [
            row.key
            for row in rows
            if self._move(
                row.key, [row.state], mine[0] == row.touched_at, state=following[row.state], attempts=mine[1]
            )
        ]

    def _tidy(self) -> None:
        now = self._seconds()
        lost = (inbox.c.state == "sending") & (inbox.c.touched_at < now - _LEFT_BEHIND_SECONDS)
        spent = (inbox.c.attempts >= _MAX_ATTEMPTS) & (inbox.c.state != "done")
        with self._engine.begin() as connection:
            connection.execute(update(inbox).where(lost | spent).values(state="done", **_NO_CONTENT))
            connection.execute(delete(inbox).where(inbox.c.received_at < now - _KEEP_SECONDS))

    def _move(self, key: str, states: list[str], *conditions: object, **values: object) -> bool:
        """Compare-and-set: change the row only while it is in one of `states`; True if this call did it."""
        statement = update(inbox).where(inbox.c.key == key, inbox.c.state.in_(states), *conditions)  # type: ignore[arg-type]
        with self._engine.begin() as connection:
            return connection.execute(statement.values(touched_at=self._seconds(), **values)).rowcount == 1

    def _seconds(self) -> int:
        return int(self._now().timestamp())
