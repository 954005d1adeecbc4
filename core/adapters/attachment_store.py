"""Uploaded files and the documents that name them, in SQL."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, false, insert, or_, select

from core.adapters.page_tables import attachment
from core.domain.accounts import Account
from core.domain.documents import Document
from core.service.page_ports import Attachment


def _attachment(row: Any) -> Attachment:
    return Attachment(row.sha256, row.name, row.type, row.size, row.at)


class AttachmentStore:
    """Implements `core.service.page_ports.Attachments`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection

    def add(self, file: Attachment, uploader: Account) -> None:
        """Remember an upload; no document names it yet."""
        values = {
            **vars(file), "unit_id": uploader.unit.id, "account_id": uploader.id, "document_id": None,
        }  # fmt: skip
        self._connection.execute(insert(attachment).values(values))

    def uploaded(self, sha256: str, unit_ids: Collection[int]) -> bool:
        """Whether one of these units uploaded it."""
        statement = select(attachment.c.id).where(
            attachment.c.sha256 == sha256,
            attachment.c.document_id.is_(None),
            attachment.c.unit_id.in_(list(unit_ids)),
        )
        return self._connection.execute(statement.limit(1)).first() is not None

    def of(self, document_ids: Collection[int]) -> list[Attachment]:
        """Files that these documents have named, oldest first."""
        statement = select(attachment).where(attachment.c.document_id.in_(list(document_ids)))
        return [_attachment(row) for row in self._connection.execute(statement.order_by(attachment.c.id))]

    def bind(self, document: Document, sha256s: Collection[str], actor: Account) -> None:
        """Let the document name these files: those of the actor's unit, and those of the document above."""
        known = {file.sha256 for file in self.of([document.id])}
        wanted = set(sha256s) - known
        if not wanted:
            return
        own = attachment.c.document_id.is_(None) & (attachment.c.unit_id == actor.unit.id)
        above = attachment.c.document_id == document.parent_id if document.parent_id else false()
        statement = (
            select(attachment)
            .where(attachment.c.sha256.in_(wanted), or_(own, above))
            .order_by(attachment.c.id)
        )
        found = {row.sha256: row for row in self._connection.execute(statement)}
        for row in found.values():
            values = {
                column.name: getattr(row, column.name) for column in attachment.c if column.name != "id"
            }
            self._connection.execute(insert(attachment).values({**values, "document_id": document.id}))
