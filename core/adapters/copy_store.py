"""Copies of documents to read, in SQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, text, update

from core.adapters.account_store import ACCOUNT_COLUMNS, JOINED, account_of
from core.adapters.identity_tables import account
from core.adapters.tables import document, party
from core.adapters.term_tables import document_copy
from core.service.term_ports import Copy

_GIVE = text(
    "INSERT INTO document_copy (document_id, account_id, sender_id, who, node, note, at) "
    "VALUES (:document_id, :account_id, :sender_id, :who, :node, :note, :at) "
    "ON CONFLICT (document_id, account_id) DO UPDATE SET sender_id = excluded.sender_id, who = excluded.who, "
    "node = excluded.node, note = excluded.note, at = excluded.at, read_at = NULL, reader = ''"
).bindparams(bindparam("at", type_=document_copy.c.at.type))
_COPIES = select(
    *ACCOUNT_COLUMNS, *(column.label(f"c_{column.key}") for column in document_copy.c)
).select_from(JOINED.join(document_copy, document_copy.c.account_id == account.c.id))


class CopyStore:
    """Implements `core.service.term_ports.Copies`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection

    def give(
        self,
        document_id: int,
        account_ids: Collection[int],
        sender: tuple[int | None, str],
        node: str,
        note: str,
        at: datetime,
    ) -> None:
        """Let these accounts read it; who has it already gets it anew. `sender`: account id (None: the platform), words."""
        for account_id in sorted(set(account_ids)):
            self._connection.execute(
                _GIVE,
                {
                    "document_id": document_id, "account_id": account_id, "sender_id": sender[0], "who": sender[1],
                    "node": node, "note": note, "at": at,
                },
            )  # fmt: skip

    def of(self, document_id: int) -> list[Copy]:
        """All copies of a document, oldest first."""
        statement = _COPIES.where(document_copy.c.document_id == document_id).order_by(document_copy.c.id)
        return [_copy(row) for row in self._connection.execute(statement)]

    def only_read(self, document_id: int, unit_id: int) -> bool:
        """Whether the unit has nothing else to do with the document."""
        owns = select(document.c.id).where(document.c.id == document_id, document.c.unit_id == unit_id)
        took_part = select(party.c.unit_id).where(
            party.c.document_id == document_id, party.c.unit_id == unit_id
        )
        return not any(self._connection.execute(one).first() for one in (owns, took_part))

    def mark_read(self, document_id: int, account_id: int, reader: str, at: datetime) -> bool:
        """It was read now; False when there is no unread copy."""
        own = (document_copy.c.document_id == document_id, document_copy.c.account_id == account_id)
        unread = update(document_copy).where(*own, document_copy.c.read_at.is_(None))
        return self._connection.execute(unread.values(read_at=at, reader=reader)).rowcount == 1

    def notes(self, account_id: int, document_ids: Sequence[int]) -> dict[int, Copy]:
        """The account's copies of these documents, by document id."""
        sought = document_copy.c.document_id.in_(list(document_ids))
        rows = self._connection.execute(_COPIES.where(document_copy.c.account_id == account_id, sought))
        return {row.c_document_id: _copy(row) for row in rows}


def _copy(row: Any) -> Copy:
    return Copy(
        row.c_id, row.c_document_id, account_of(row), row.c_who, row.c_node, row.c_note, row.c_at, row.c_read_at,
        row.c_reader,
    )  # fmt: skip
