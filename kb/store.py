"""Revisions of entries: draft → reviewed → published, who and when, and what is published under which number.

A publication is never changed: publishing, taking back and rolling back each make the next number. Other processes
compare numbers (`number`, one indexed read) and build anew where theirs is old; see `kb.live`.
How the YAML content comes in: docs/decisions/0008-knowledge-store.md.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from core.adapters.database import reader_of
from core.domain.calendar import day_of
from core.domain.errors import BlockedError, ConflictError, DataError, InvalidError, NotFoundError
from kb.entries import Entry, Library
from kb.revisions import (
    Revision,
    add,
    advance,
    annotate,
    content_hashes,
    get,
    hash_of,
    in_force,
    items_of,
    mistakes,
    newest_number,
    revision_of,
    with_revision,
)
from kb.tables import entry_revision, publication, publication_entry

__all__ = ["Publication", "Revision", "Store"]

_T = TypeVar("_T")
SYSTEM = "system"
_MOVED = "知识库刚被别人改过，请刷新后再试"
_CLASH = "内容文件改了这个主题，而它有人工修改：请核对后再发布"
_ATTEMPTS = 3
_SERIALIZATION = "40001"  # PostgreSQL: what was read has been changed since


@dataclass(frozen=True)
class Publication:
    """A published state of the whole knowledge."""

    number: int
    at: datetime
    by: str
    note: str


class Store:
    """The knowledge in the database. Every method is one transaction; safe to share between threads."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        """`clock` gives aware UTC times; effective dates are those of Asia/Shanghai."""
        self._reader = reader_of(engine)
        # SQLite has one writer at a time; elsewhere all that is compared is read from one snapshot.
        sqlite = engine.dialect.name == "sqlite"
        self._writer = engine if sqlite else engine.execution_options(isolation_level="REPEATABLE READ")
        self._clock = clock

    def today(self) -> date:
        """The date by which entries are in force."""
        return day_of(self._clock())

    def number(self) -> int:
        """The number now published, 0 before the first; cheap enough to ask before every answer."""
        with self._reader.connect() as connection:
            return newest_number(connection)

    def publications(self) -> list[Publication]:
        """All numbers, the newest first."""
        with self._reader.connect() as connection:
            rows = connection.execute(select(publication).order_by(publication.c.number.desc()))
            return [Publication(row.number, row.at, row.by, row.note) for row in rows]

    def revisions(self, region: str, topic: str) -> list[Revision]:
        """All revisions of a topic, the newest first; empty for an unknown one."""
        found = select(entry_revision).where(
            entry_revision.c.region == region, entry_revision.c.topic == topic
        )
        with self._reader.connect() as connection:
            return [
                revision_of(row) for row in connection.execute(found.order_by(entry_revision.c.seq.desc()))
            ]

    def revision(self, revision_id: int) -> Revision:
        """One revision; NotFoundError where there is none."""
        with self._reader.connect() as connection:
            return get(connection, revision_id)

    def waiting(self) -> list[Revision]:
        """Drafts and reviewed revisions, the oldest first: what still has to be decided."""
        found = select(entry_revision).where(entry_revision.c.state != "published")
        with self._reader.connect() as connection:
            return [revision_of(row) for row in connection.execute(found.order_by(entry_revision.c.id))]

    def library(self, base: Library, number: int | None = None) -> tuple[int, Library]:
        """What is in force today of a publication (the newest by default), with its number.

        The shared files (negatives, synonyms, lexicon, thresholds) are those of `base`, and before the first
        publication the entries are, too.
        """
        with self._reader.connect() as connection:
            number = newest_number(connection) if number is None else number
            if number == 0:
                return 0, base
            found = in_force(items_of(connection, number), self.today())
            return number, base.with_entries(one.entry for one in found)

    def items(self, number: int) -> list[Revision]:
        """The revisions that a publication consists of, those that are not in force yet too."""
        with self._reader.connect() as connection:
            return items_of(connection, number)

    def published(self) -> tuple[int, list[Revision]]:
        """The number now published, and the revisions in force today."""
        with self._reader.connect() as connection:
            number = newest_number(connection)
            return number, in_force(items_of(connection, number), self.today())

    def problems(self, revision_ids: Collection[int], base: Library) -> list[str]:
        """What would keep these from being published together; see `publish`."""
        with self._reader.connect() as connection:
            items = {one.id: one for one in items_of(connection, newest_number(connection))}
            for one in [get(connection, revision_id) for revision_id in revision_ids]:
                items = with_revision(items, one, self.today())
            return mistakes(items.values(), base, revision_ids)

    def draft(
        self,
        entry: Entry,
        by: str,
        *,
        note: str = "",
        effective_from: date | None = None,
        effective_until: date | None = None,
    ) -> Revision:
        """Keep an edit; nobody sees it in an answer yet. InvalidError where the dates are the wrong way round."""
        if effective_from and effective_until and effective_from > effective_until:
            raise InvalidError(
                "生效日期不能晚于失效日期",
                fields={"effective_from": "晚于失效日期", "effective_until": "早于生效日期"},
            )
        dates = {"effective_from": effective_from, "effective_until": effective_until}
        return self._write(
            lambda connection: add(connection, entry, "human", by, self._clock(), note=note, **dates)
        )

    def discard(self, revision_id: int) -> None:
        """Throw an unpublished revision away; BlockedError once it is published."""

        def act(connection: Connection) -> None:
            known = get(connection, revision_id)
            if known.state == "published":
                raise BlockedError(
                    "已经发布的版本不能删除，可以回到以前的版本", fields={"reasons": ["已经发布"]}
                )
            connection.execute(delete(entry_revision).where(entry_revision.c.id == revision_id))

        self._write(act)

    def review(self, revision_id: int, by: str) -> Revision:
        """A second pair of eyes: who wrote a revision cannot review it (BlockedError)."""

        def act(connection: Connection) -> Revision:
            known = get(connection, revision_id)
            if known.author == by:
                raise BlockedError("自己写的条目要请别人审核", fields={"reasons": ["作者不能审核自己写的"]})
            advance(connection, known, "draft", "reviewed", reviewer=by, reviewed_at=self._clock())
            return get(connection, revision_id)

        return self._write(act)

    def publish(
        self,
        revision_ids: Collection[int],
        by: str,
        base: Library,
        *,
        seen: int | None = None,
        note: str = "",
    ) -> int:
        """Publish reviewed revisions together; the new number.

        `seen` is the number the publisher looked at: ConflictError where it is no longer the newest. DataError with
        every mistake that the whole knowledge would have (dead links, a phrasing of two topics …).
        """

        def act(connection: Connection) -> int:
            current = newest_number(connection)
            if seen is not None and seen != current:
                raise ConflictError(_MOVED)
            items = {one.id: one for one in items_of(connection, current)}
            for one in [get(connection, revision_id) for revision_id in revision_ids]:
                advance(connection, one, "reviewed", "published", publisher=by, published_at=self._clock())
                items = with_revision(items, one, self.today())
            _refuse_mistakes(items.values(), revision_ids, base)
            return self._next(connection, items, by, note)

        return self._write(act)

    def withdraw(self, region: str, topic: str, by: str, base: Library, *, note: str = "") -> int:
        """Take a topic out of the answers; the new number. Its revisions stay."""

        def act(connection: Connection) -> int:
            before = {one.id: one for one in items_of(connection, newest_number(connection))}
            after = {
                at: one for at, one in before.items() if (one.entry.region, one.entry.id) != (region, topic)
            }
            if len(before) == len(after):
                raise NotFoundError(f"“{region}”里没有已发布的主题“{topic}”")
            _refuse_mistakes(after.values(), (), base)
            return self._next(connection, after, by, note or f"撤下 {topic}")

        return self._write(act)

    def roll_back(self, number: int, by: str, *, region: str | None = None) -> int:
        """Publish what `number` held once more, under a new number: all of it, or one `region` of it.

        NotFoundError for an unknown number.
        """

        def act(connection: Connection) -> int:
            items = {one.id: one for one in items_of(connection, number)}
            if not items:
                raise NotFoundError(f"没有第 {number} 版")
            if region is not None:
                now = items_of(connection, newest_number(connection))
                items = {at: one for at, one in items.items() if one.entry.region == region}
                items |= {one.id: one for one in now if one.entry.region != region}
            return self._next(connection, items, by, f"回到第 {number} 版")

        return self._write(act)

    def sync(self, base: Library) -> int:
        """Bring changed YAML entries in, see the decision; the number published afterwards."""
        return self._write(lambda connection: self._sync(connection, base))

    def _sync(self, connection: Connection, base: Library) -> int:
        current, now = newest_number(connection), self._clock()
        items = {one.id: one for one in items_of(connection, current)}
        known = content_hashes(connection)
        edited = {(one.entry.region, one.entry.id) for one in items.values() if one.origin == "human"}
        changed = [entry for place, entry in base.entries.items() if known.get(place) != hash_of(entry)]
        gone = [
            at
            for at, one in items.items()
            if one.origin == "content" and (one.entry.region, one.entry.id) not in base.entries
        ]
        if not changed and not gone:
            return current
        after = {at: one for at, one in items.items() if at not in gone}
        fresh = []
        for entry in changed:
            clash = (entry.region, entry.id) in edited
            one = add(connection, entry, "content", SYSTEM, now, note=_CLASH if clash else "")
            if not clash:
                fresh.append(one)
                after = with_revision(after, one, self.today())
        if problems := mistakes(after.values(), base):
            # Never refuse to start over this: people look at the drafts.
            for one in fresh:
                annotate(connection, one.id, "与人工修改合不上：" + "；".join(problems[:3]))
            return current
        for one in fresh:
            by_system = {"reviewer": SYSTEM, "reviewed_at": now, "publisher": SYSTEM, "published_at": now}
            advance(connection, one, "draft", "published", **by_system)
        return self._next(connection, after, SYSTEM, "内容文件") if fresh or gone else current

    def _next(self, connection: Connection, items: Iterable[int], by: str, note: str) -> int:
        number = newest_number(connection) + 1
        connection.execute(insert(publication).values(number=number, at=self._clock(), by=by, note=note))
        connection.execute(
            insert(publication_entry), [{"number": number, "revision_id": item} for item in items]
        )
        return number

    def _write(self, act: Callable[[Connection], _T]) -> _T:
        """Two that publish at once want the same number: the second does its work again on what the first left."""
        for attempt in range(_ATTEMPTS):
            try:
                with self._writer.begin() as connection:
                    return act(connection)
            except (IntegrityError, OperationalError) as error:
                if (
                    isinstance(error, OperationalError)
                    and getattr(error.orig, "sqlstate", "") != _SERIALIZATION
                ):
                    raise
                if attempt == _ATTEMPTS - 1:
                    raise ConflictError(_MOVED) from error
        raise AssertionError


def _refuse_mistakes(items: Iterable[Revision], chosen: Collection[int], base: Library) -> None:
    if problems := mistakes(items, base, chosen):
        raise DataError(problems)
