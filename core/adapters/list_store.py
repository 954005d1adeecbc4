"""Lists of documents in SQL: what an account may see, filtered, newest first."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
)

from core.adapters.document_store import document_of, visible_to
from core.adapters.page_tables import saved_view
from core.adapters.tables import document, history, task
from core.domain.accounts import Account
from core.domain.documents import Document
from core.service.page_ports import Query, SavedView

_ARRIVED = (
    select(func.max(history.c.at))
    .where(
        history.c.document_id == document.c.id,
        or_(history.c.source != history.c.target, history.c.action == "create"),
    )
    .correlate(document)
    .scalar_subquery()
)


class ListStore:
    """Implements `core.service.page_ports.Lists`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection

    def find(self, viewer: Account, query: Query, *, limit: int, before: int | None) -> list[Document]:
        """What `viewer` may see of what `query` asks for; `before` is the id to page on from."""
        statement = select(document).where(visible_to(viewer), *_filters(query)).limit(limit)
        folder = _folder(viewer, query)
        if folder is not None:
            statement = statement.where(folder)
        if before:
            statement = statement.where(document.c.id < before)
        rows = self._connection.execute(statement.order_by(document.c.id.desc()))
        return [document_of(row) for row in rows]

    def views(self, account_id: int) -> list[SavedView]:
        """Lists that the account keeps, in the order it made them."""
        statement = select(saved_view).where(saved_view.c.account_id == account_id).order_by(saved_view.c.id)
        return [SavedView(row.id, row.name, row.query) for row in self._connection.execute(statement)]

    def keep_view(self, account_id: int, name: str, query: Mapping[str, Any]) -> None:
        """Keep a list under a name; one of the same name is replaced."""
        same = (saved_view.c.account_id == account_id, saved_view.c.name == name)
        self._connection.execute(delete(saved_view).where(*same))
        values = {"account_id": account_id, "name": name, "query": dict(query)}
        self._connection.execute(insert(saved_view).values(values))

    def drop_view(self, account_id: int, view_id: int) -> None:
        """Forget a list of this account."""
        own = (saved_view.c.account_id == account_id, saved_view.c.id == view_id)
        self._connection.execute(delete(saved_view).where(*own))


def _filters(query: Query) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.kind:
        found.append(document.c.kind == query.kind)
    if query.node:
        found.append(document.c.node == query.node)
    if query.since:
        found.append(document.c.updated_at >= query.since)
    if query.until:
        found.append(document.c.updated_at < query.until)
    if query.least_fen is not None:
        found.append(document.c.amount_fen >= query.least_fen)
    if query.most_fen is not None:
        found.append(document.c.amount_fen <= query.most_fen)
    if query.words:
        columns = (document.c.number, document.c.title)
        found.append(or_(*(column.contains(query.words, autoescape=True) for column in columns)))
    return found


def _folder(viewer: Account, query: Query) -> ColumnElement[bool] | None:
    if query.folder == "todo":
        return exists().where(
            task.c.document_id == document.c.id,
            task.c.unit_id == viewer.unit.id,
            task.c.role == viewer.role.value,
        )
    if query.folder == "done":
        return exists().where(
            history.c.document_id == document.c.id,
            history.c.account_id == viewer.id,
            history.c.action != "create",
        )
    if query.folder == "mine":
        return document.c.author_id == viewer.id
    if query.folder == "late":
        waits = exists().where(task.c.document_id == document.c.id)
        return waits & (query.rested_since > _ARRIVED) if query.rested_since else false()
    return None
