"""Revisions of entries in SQL: what the store's transactions are made of."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from core.adapters.table_types import inserted_id
from core.adapters.yaml_reader import Located
from core.domain.errors import ConflictError, NotFoundError
from kb.checks import check
from kb.entries import Entry, Library, body
from kb.tables import entry_revision, publication, publication_entry

STATES = {"draft": "草稿", "reviewed": "已审核", "published": "已发布"}


@dataclass(frozen=True)
class Revision:
    """One version of an entry; `seq` counts from 1 within its topic."""

    id: int
    seq: int
    state: str
    origin: str
    entry: Entry
    note: str
    effective_from: date | None
    effective_until: date | None
    author: str
    created_at: datetime
    reviewer: str | None
    reviewed_at: datetime | None
    publisher: str | None
    published_at: datetime | None

    def in_force(self, today: date) -> bool:
        """Whether `today` lies within its dates."""
        return (self.effective_from or today) <= today <= (self.effective_until or today)


def newest_number(connection: Connection) -> int:
    """The number now published, 0 before the first."""
    return int(connection.execute(select(func.coalesce(func.max(publication.c.number), 0))).scalar_one())


def items_of(connection: Connection, number: int) -> list[Revision]:
    """The revisions that a publication consists of."""
    chosen = (
        select(entry_revision)
        .join(publication_entry, publication_entry.c.revision_id == entry_revision.c.id)
        .where(publication_entry.c.number == number)
    )
    return [revision_of(row) for row in connection.execute(chosen)]


def content_hashes(connection: Connection) -> dict[tuple[str, str], str]:
    """Hash of the newest revision that came from a file, by region and topic."""
    columns = entry_revision.c
    rows = connection.execute(
        select(columns.region, columns.topic, columns.hash)
        .where(columns.origin == "content")
        .order_by(columns.seq)
    )
    return {(row.region, row.topic): row.hash for row in rows}


def get(connection: Connection, revision_id: int) -> Revision:
    """One revision; NotFoundError where there is none."""
    row = connection.execute(select(entry_revision).where(entry_revision.c.id == revision_id)).first()
    if row is None:
        raise NotFoundError(f"没有编号为 {revision_id} 的条目版本")
    return revision_of(row)


def add(connection: Connection, entry: Entry, origin: str, by: str, now: datetime, **others: Any) -> Revision:
    """Keep an entry as the next draft of its topic."""
    columns = entry_revision.c
    last = connection.execute(
        select(func.max(columns.seq)).where(columns.region == entry.region, columns.topic == entry.id)
    ).scalar()
    values = {
        "region": entry.region,
        "topic": entry.id,
        "seq": (last or 0) + 1,
        "state": "draft",
        "origin": origin,
        "body": body(entry),
        "hash": hash_of(entry),
        "author": by,
        "created_at": now,
        **others,
    }
    return get(connection, inserted_id(connection.execute(insert(entry_revision).values(values))))


def advance(connection: Connection, one: Revision, before: str, after: str, **who: Any) -> None:
    """Compare and set: two reviewers cannot both have been the one."""
    done = connection.execute(
        update(entry_revision)
        .where(entry_revision.c.id == one.id, entry_revision.c.state == before)
        .values(state=after, **who)
    )
    if done.rowcount != 1:
        raise ConflictError(f"这个版本是“{STATES[one.state]}”，要“{STATES[before]}”才能继续；请刷新后再看")


def annotate(connection: Connection, revision_id: int, note: str) -> None:
    """Tell those who look at a revision something about it."""
    connection.execute(update(entry_revision).where(entry_revision.c.id == revision_id).values(note=note))


def with_revision(items: dict[int, Revision], one: Revision, today: date) -> dict[int, Revision]:
    """`one` instead of its topic's other revisions, or beside them as long as it is not in force."""
    later = one.effective_from is not None and one.effective_from > today
    place = (one.entry.region, one.entry.id)
    kept = {
        at: other for at, other in items.items() if later or (other.entry.region, other.entry.id) != place
    }
    return kept | {one.id: one}


def in_force(items: Iterable[Revision], today: date) -> list[Revision]:
    """The newest revision of each topic whose dates hold today."""
    newest: dict[tuple[str, str], Revision] = {}
    for one in sorted(items, key=lambda item: item.seq):
        if one.in_force(today):
            newest[one.entry.region, one.entry.id] = one
    return list(newest.values())


def as_if_published(library: Library, chosen: Iterable[Revision]) -> Library:
    """`library` with the chosen entries, whatever their dates say."""
    return library.with_entries([*library.entries.values(), *(one.entry for one in chosen)])


def mistakes(items: Iterable[Revision], base: Library, chosen: Collection[int] = ()) -> list[str]:
    """Judged as if every revision were in force, the chosen ones before all others."""
    newest: dict[tuple[str, str], Revision] = {}
    for one in sorted(items, key=lambda item: (item.id in chosen, item.seq)):
        newest[one.entry.region, one.entry.id] = one
    read = [
        (one.entry, Located(Path(one.entry.region) / f"{one.entry.id}.yaml", None, {}))
        for one in newest.values()
    ]
    return check(read, base.negatives, Located(Path("negatives.yaml"), None, {}))


def hash_of(entry: Entry) -> str:
    """The same for the same content."""
    return hashlib.sha256(body(entry).encode()).hexdigest()


def revision_of(row: Row[Any]) -> Revision:
    """A revision from its row."""
    names = [field.name for field in fields(Revision) if field.name != "entry"]
    return Revision(entry=Entry.model_validate_json(row.body), **{name: getattr(row, name) for name in names})
