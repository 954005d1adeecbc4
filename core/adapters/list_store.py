"""Lists of documents in SQL: what an account may see, filtered, newest or most urgent first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    true,
)

from core.adapters.document_sight import (
    MOST_COUNTED,
    called,
    newest,
    spelled,
    turn_of,
    visible_to,
    whole_number,
)
from core.adapters.document_store import document_of
from core.adapters.page_tables import saved_view
from core.adapters.tables import document, history, task
from core.adapters.term_tables import deadline, document_copy
from core.domain.accounts import Account
from core.domain.documents import Document
from core.service.page_ports import Query, SavedView

_NEAR = 2000  # documents of a viewer that are read through for words before the index of words is asked


class ListStore:
    """Implements `core.service.page_ports.Lists`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection

    def find(self, viewer: Account, query: Query, *, limit: int, before: int | None) -> list[Document]:
        """What `viewer` may see of what `query` asks for, in its order.

        `before` is the id to page on from, together with the query's `after` where the order is not that of the ids.
        """
        rank = _RANKS.get(query.order)
        if rank is not None:
            return self._documents(self._ranked(viewer, query, rank, limit, before))
        if query.words and not whole_number(query.words):
            found = self._among_newest(viewer, query, limit, before)
            if found is not None:
                return found
        statement = self._wanted(viewer, query)
        if before:
            statement = statement.where(document.c.id < before)
        return self._documents(newest(viewer, statement, limit))

    def _documents(self, statement: Select[Any]) -> list[Document]:
        return [document_of(row) for row in self._connection.execute(statement)]

    def _ranked(
        self, viewer: Account, query: Query, rank: "_Rank", limit: int, before: int | None
    ) -> Select[Any]:
        statement = self._wanted(viewer, query).limit(limit)
        if query.folder != "todo":  # whose turn it is sees the document
            statement = statement.where(visible_to(viewer))
        if before and query.after:
            same = (rank.column == query.after) & (document.c.id < before)
            statement = statement.where(or_(rank.further(query.after), same))
        return statement.order_by(rank.order, document.c.id.desc())

    def _among_newest(
        self, viewer: Account, query: Query, limit: int, before: int | None
    ) -> list[Document] | None:
        """What has the words among the newest that the viewer may see; None if there may be more further back.

        The index of words gives all documents that have them, of common ones very many; and of those only few may be seen.
        """
        past = document.c.id < before if before else true()
        near = newest(viewer, select(document).where(past), _NEAR).with_only_columns(document.c.id).subquery()
        extent = select(func.count(), func.min(near.c.id)).select_from(near)
        read, oldest = self._connection.execute(extent).one()
        statement = self._asked(viewer, query).where(
            spelled(query.words), past, document.c.id >= (oldest or 0)
        )
        found = self._documents(newest(viewer, statement, limit))
        return found if len(found) == limit or read < _NEAR else None

    def count(self, viewer: Account, query: Query) -> int:
        """How many documents a list has, up to `MOST_COUNTED`."""
        found = newest(viewer, self._wanted(viewer, query), MOST_COUNTED)
        some = found.with_only_columns(document.c.id).order_by(None).subquery()
        return self._connection.execute(select(func.count()).select_from(some)).scalar_one()

    def _wanted(self, viewer: Account, query: Query) -> Select[Any]:
        statement = self._asked(viewer, query)
        return statement.where(*called(self._connection, query.words)) if query.words else statement

    def _asked(self, viewer: Account, query: Query) -> Select[Any]:
        """All that is asked for but the words."""
        statement = select(document).where(*_filters(query))
        if query.order == "urgent" or query.folder == "late" or query.overdue:
            statement = statement.join(deadline, deadline.c.document_id == document.c.id)
        if query.folder == "copied":
            given = (document_copy.c.document_id == document.c.id) & (
                document_copy.c.account_id == viewer.desk_id
            )
            statement = statement.join(document_copy, given)
        if query.overdue:
            statement = statement.where(deadline.c.due_at <= query.now if query.now else false())
        folder = _folder(viewer, query)
        return statement if folder is None else statement.where(folder)

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


@dataclass(frozen=True)
class _Rank:
    """An order other than that of the ids: by a column, upwards or downwards."""

    column: ColumnElement[Any]
    down: bool

    @property
    def order(self) -> ColumnElement[Any]:
        return self.column.desc() if self.down else self.column.asc()

    def further(self, at: datetime) -> ColumnElement[bool]:
        return self.column < at if self.down else self.column > at


_RANKS = {
    "urgent": _Rank(deadline.c.due_at, down=False),
    "copied": _Rank(document_copy.c.at, down=True),
}


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
    return found


def _folder(viewer: Account, query: Query) -> ColumnElement[bool] | None:
    if query.folder == "todo":
        mine = turn_of(viewer.unit.id, viewer.role.value, viewer.desk_id)
        return exists().where(task.c.document_id == document.c.id, mine)
    if query.folder == "done":
        return exists().where(
            history.c.document_id == document.c.id,
            history.c.account_id == viewer.id,
            history.c.action != "create",
        )
    if query.folder == "mine":
        return document.c.author_id.in_({viewer.desk_id, viewer.id})
    if query.folder == "late":
        return deadline.c.due_at <= query.now if query.now else false()
    if query.folder == "copied" and query.unread:
        return document_copy.c.read_at.is_(None)
    return None
