"""Published notices in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Row,
    Select,
    String,
    Table,
    insert,
    select,
    text,
    update,
)

from core.adapters.table_types import Utc, inserted_id, key, metadata
from core.domain import publishing
from core.domain.publishing import Content
from core.service.publication_ports import Publication

publication = Table(
    "publication", metadata, key(),
    Column("document_id", ForeignKey("document.id"), nullable=False),
    Column("address", String(60), nullable=False, unique=True),
    Column("region", String(20), nullable=False),
    Column("number", String(40), nullable=False),
    Column("kind_label", String(60), nullable=False),
    Column("title", String(200), nullable=False),
    Column("unit_name", String(100), nullable=False),
    Column("content", JSON, nullable=False),
    Column("at", Utc, nullable=False),
    Column("seq", BigInteger, unique=True),  # its place in the feed; NULL only inside the transaction that adds it
    Index(None, "document_id"),
    Index(None, "region", "id"),
)  # fmt: skip


_PLACES = text(
    "INSERT INTO counter (name, value) VALUES ('feed', :places) "
    "ON CONFLICT (name) DO UPDATE SET value = counter.value + excluded.value RETURNING value"
)


class PublicationStore:
    """Implements `core.service.publication_ports.Publications`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection
        self._added: list[int] = []

    def add(self, document_id: int, publication_: Publication) -> None:
        """Keep one."""
        made = publication_.content
        tables = [{"label": t.label, "header": t.header, "rows": t.rows} for t in made.tables]
        values = {
            **vars(publication_), "document_id": document_id, "content": {"lines": made.lines, "tables": tables}, "seq": None,
        }  # fmt: skip
        self._added.append(inserted_id(self._connection.execute(insert(publication).values(values))))

    def number(self) -> None:
        """Give what was added its places in the feed: the very last thing of a transaction.

        The counter's row stays locked until the commit, so places are given in the order in which they become
        visible, and a reader that has seen place n has seen all before it. Being the last lock that a transaction
        takes, it cannot be part of a deadlock.
        """
        if not self._added:
            return
        last = int(self._connection.execute(_PLACES, {"places": len(self._added)}).scalar_one())
        for place, number in enumerate(self._added, last - len(self._added) + 1):
            self._connection.execute(update(publication).where(publication.c.id == number).values(seq=place))
        self._added.clear()

    def since(self, after: int, *, region: str, limit: int) -> list[Publication]:
        """What stands behind place `after` in the feed, in its order; `region` empty: of all regions."""
        statement = select(publication).where(publication.c.seq > after)
        if region:
            statement = statement.where(publication.c.region == region)
        return self._found(statement.order_by(publication.c.seq).limit(limit))

    def by_address(self, address: str) -> Publication | None:
        """One notice."""
        found = self._found(select(publication).where(publication.c.address == address))
        return found[0] if found else None

    def of(self, document_id: int) -> list[Publication]:
        """What was published of a document, oldest first."""
        mine = publication.c.document_id == document_id
        return self._found(select(publication).where(mine).order_by(publication.c.id))

    def latest(self, region: str, *, words: str, limit: int, before: str | None) -> Sequence[Publication]:
        """Newest first."""
        statement = select(publication).where(publication.c.region == region)
        if words:
            statement = statement.where(publication.c.title.contains(words, autoescape=True))
        if before:
            known = select(publication.c.id).where(publication.c.address == before).scalar_subquery()
            statement = statement.where(publication.c.id < known)
        return self._found(statement.order_by(publication.c.id.desc()).limit(limit))

    def _found(self, statement: Select[Any]) -> list[Publication]:
        return [_publication(row) for row in self._connection.execute(statement)]


def _publication(row: Row[Any]) -> Publication:
    lines = tuple((label, text) for label, text in row.content["lines"])
    tables = tuple(
        publishing.Table(item["label"], tuple(item["header"]), tuple(tuple(line) for line in item["rows"]))
        for item in row.content["tables"]
    )
    return Publication(
        row.address,
        row.region,
        row.number,
        row.kind_label,
        row.title,
        row.unit_name,
        Content(lines, tables),
        row.at,
        row.seq or 0,
    )
