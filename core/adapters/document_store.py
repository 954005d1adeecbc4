"""Documents in SQL: the row, its history, who may see it and whose turn it is."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, delete, exists, insert, or_, select, text, update

from core.adapters.document_sight import (
    MOST_COUNTED,
    copied_to,
    newest_of,
    turn_of,
    visible_to,
    visible_to_unit,
)
from core.adapters.prepared import Prepared
from core.adapters.tables import document, form_version, history, inserted_id, party, task
from core.domain.accounts import Account, Role
from core.domain.approval import Seat
from core.domain.documents import Document, Entry, FormVersion


def document_of(row: Any) -> Document:
    """A row as a document."""
    return Document(
        id=row.id, number=row.number, region=row.region, kind=row.kind, variant=row.variant,
        process_version=row.process_version, title=row.title, unit_id=row.unit_id, author_id=row.author_id,
        trail=tuple(row.trail), version=row.version, form=row.form, amount_fen=row.amount_fen,
        created_at=row.created_at, updated_at=row.updated_at, flags=frozenset(row.flags),
        cut=tuple(row.cut), parent_id=row.parent_id, agency_id=row.agency_id, supplier_id=row.supplier_id,
    )  # fmt: skip


def _values(item: Document) -> dict[str, Any]:
    return {
        "number": item.number, "region": item.region, "kind": item.kind, "variant": item.variant,
        "process_version": item.process_version, "title": item.title, "unit_id": item.unit_id,
        "author_id": item.author_id, "node": item.node, "trail": list(item.trail), "cut": list(item.cut),
        "flags": sorted(item.flags),
        "version": item.version, "form": dict(item.form), "amount_fen": item.amount_fen,
        "parent_id": item.parent_id, "agency_id": item.agency_id, "supplier_id": item.supplier_id,
        "created_at": item.created_at, "updated_at": item.updated_at,
    }  # fmt: skip


# Statements of every act are built once: building one costs more than running it.
_NUMBERED = select(document).where(document.c.number == bindparam("sought"))
_SEEN = {
    "platform": _NUMBERED,
    "region": _NUMBERED.where(document.c.region == bindparam("viewer_region")),
    "unit": _NUMBERED.where(visible_to_unit(bindparam("viewer_unit"))),
}
# Whoever locks a document is going to change it; a copy is for reading only.
_READ = or_(visible_to_unit(bindparam("viewer_unit")), copied_to(bindparam("viewer_desk")))
_BY_NUMBER = {
    **{(who, True): Prepared(statement.with_for_update()) for who, statement in _SEEN.items()},
    **{(who, False): Prepared(statement) for who, statement in _SEEN.items()},
    ("unit", False): Prepared(_NUMBERED.where(_READ)),
}
_BELOW = select(document.c.id).where(document.c.parent_id == bindparam("sought")).cte("below", recursive=True)
_BELOW = _BELOW.union_all(select(document.c.id).join(_BELOW, document.c.parent_id == _BELOW.c.id))
_DESCENDANTS = Prepared(
    select(document).where(document.c.id.in_(select(_BELOW.c.id))).order_by(document.c.id)
)
_BY_ID = Prepared(select(document).where(document.c.id == bindparam("sought")))
_FIXED = {"number", "region", "kind", "variant", "unit_id", "author_id", "created_at", "parent_id"}
_REPLACE = Prepared(
    update(document)
    .where(
        document.c.id == bindparam("known_id"),
        document.c.version == bindparam("known_version"),
        document.c.node == bindparam("known_node"),
    )
    .values(
        {column.name: bindparam(column.name) for column in document.c if column.name not in {"id", *_FIXED}}
    )
)
_APPEND = Prepared(insert(history))
_HISTORY = Prepared(
    select(history).where(history.c.document_id == bindparam("sought")).order_by(history.c.seq)
)
_OTHER_HATS = Prepared(
    select(history.c.seq)
    .where(
        history.c.document_id == bindparam("document"),
        history.c.account_id == bindparam("account"),
        history.c.who != bindparam("who"),
    )
    .limit(1)
)
_NO_TASKS = Prepared(delete(task).where(task.c.document_id == bindparam("sought")))
_ADD_TASK = Prepared(insert(task))
_TASKS = select(task).where(task.c.document_id.in_(bindparam("sought", expanding=True)))
_TASKS_OF_ONE = Prepared(select(task).where(task.c.document_id == bindparam("sought")))


_WAITING = (
    select(task.c.document_id)
    .where(turn_of(bindparam("of_unit"), bindparam("of_role"), bindparam("of_account")))
    .limit(MOST_COUNTED)
)
_PARTIES = Prepared(select(party.c.unit_id).where(party.c.document_id == bindparam("sought")))

_NEXT_VALUE = text(
    "INSERT INTO counter (name, value) VALUES (:name, 1) "
    "ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value"
)


@cache
def _listed(platform: bool, kind: bool, todo: bool) -> Prepared:  # noqa: FBT001 - a shape
    """The plain lists that a conversation asks for at every turn, each shape built once."""
    statement = select(document)
    if kind:
        statement = statement.where(document.c.kind == bindparam("of_kind"))
    if todo:
        mine = turn_of(bindparam("of_unit"), bindparam("of_role"), bindparam("of_account"))
        statement = statement.where(exists().where(task.c.document_id == document.c.id, mine))
    most: Any = bindparam("most", type_=Integer)
    if platform:
        return Prepared(newest_of(statement, most, region=bindparam("of_region")))
    return Prepared(newest_of(statement, most, unit=bindparam("of_unit"), desk=bindparam("of_account")))


class DocumentStore:
    """Implements `core.service.ports.Documents`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection

    def next_number(self, prefix: str) -> int:
        """Next value of a counter; starts at 1. Rolled back with the transaction, so numbers have no gaps."""
        return int(self._connection.execute(_NEXT_VALUE, {"name": prefix}).scalar_one())

    def add(self, item: Document) -> Document:
        """Insert; the document with its id."""
        return self.by_id(inserted_id(self._connection.execute(insert(document).values(_values(item)))))

    def by_number(self, number: str, viewer: Account | None, *, lock: bool = False) -> Document | None:
        """Document by number; None also when `viewer` may not see it (viewer None: the platform itself).

        A copy to read is enough to see it, but not to `lock` it.
        `lock` lets writers of one document queue up where the database would let them run side by side.
        """
        sought: dict[str, Any] = {"sought": number}
        who = "platform"
        if viewer is not None:
            who = "region" if viewer.role is Role.INTEGRATION else "unit"
            sought |= {"viewer_region": viewer.region} if who == "region" else {"viewer_unit": viewer.unit.id}
        if who == "unit" and viewer is not None and not lock:
            sought["viewer_desk"] = viewer.desk_id
        row = _BY_NUMBER[who, lock].first(self._connection, sought)
        return document_of(row) if row else None

    def by_id(self, document_id: int) -> Document:
        """Document known to exist."""
        return document_of(_BY_ID.one(self._connection, {"sought": document_id}))

    def seen(self, viewer: Account, document_ids: Collection[int]) -> set[int]:
        """Which of these `viewer` may see, a copy to read included."""
        if not document_ids:
            return set()
        statement = select(document.c.id).where(document.c.id.in_(document_ids), visible_to(viewer))
        return set(self._connection.execute(statement).scalars())

    def versions(self) -> list[str]:
        """Versions of processes that documents run on."""
        return list(self._connection.execute(select(document.c.process_version).distinct()).scalars())

    def on_version(self, version: str, nodes: Sequence[str], *, after: int, limit: int) -> list[Document]:
        """Documents of a version that stand at one of these nodes, oldest first; `after` is the id to go on from."""
        there = (document.c.process_version == version) & document.c.node.in_(nodes) & (document.c.id > after)
        statement = select(document).where(there).order_by(document.c.id).limit(limit)
        return [document_of(row) for row in self._connection.execute(statement)]

    def descendants(self, document_id: int) -> list[Document]:
        """Documents that hang on this one, at any depth, oldest first (so each after the one it hangs on)."""
        return [document_of(row) for row in _DESCENDANTS.rows(self._connection, {"sought": document_id})]

    def keep_form(self, before: Document, at: datetime, label: str) -> None:
        """Keep the form as it is, before it is changed."""
        values = {
            "document_id": before.id, "seq": before.version, "form": dict(before.form),
            "amount_fen": before.amount_fen, "at": at, "label": label,
        }  # fmt: skip
        self._connection.execute(insert(form_version).values(values))

    def forms(self, document_id: int) -> list[FormVersion]:
        """Kept forms, latest first."""
        rows = self._connection.execute(
            select(form_version)
            .where(form_version.c.document_id == document_id)
            .order_by(form_version.c.seq.desc())
        )
        return [FormVersion(row.seq, row.form, row.amount_fen, row.at, row.label) for row in rows]

    def replace(self, before: Document, after: Document) -> bool:
        """Compare-and-set on node and version; False when the document moved meanwhile."""
        values = {name: value for name, value in _values(after).items() if name not in _FIXED}
        known = {"known_id": before.id, "known_version": before.version, "known_node": before.node}
        return _REPLACE.change(self._connection, {**values, **known}) == 1

    def append(self, document_id: int, entry: Entry) -> None:
        """Add one line of history."""
        _APPEND.change(
            self._connection,
            {
                "document_id": document_id, "seq": entry.seq, "at": entry.at, "account_id": entry.account_id,
                "who": entry.who, "action": entry.action, "label": entry.label, "source": entry.source,
                "target": entry.target, "opinion": entry.opinion,
            },
        )  # fmt: skip

    def history(self, document_id: int) -> list[Entry]:
        """All lines, oldest first."""
        return [
            Entry(
                row.seq,
                row.at,
                row.account_id,
                row.who,
                row.action,
                row.label,
                row.source,
                row.target,
                row.opinion,
            )
            for row in _HISTORY.rows(self._connection, {"sought": document_id})
        ]

    def other_hats(self, document_id: int, account_id: int, who: str) -> bool:
        """Whether the account acted on the document under another name than `who`: for somebody else, or as itself."""
        sought = {"document": document_id, "account": account_id, "who": who}
        return _OTHER_HATS.first(self._connection, sought) is not None

    def set_tasks(self, document_id: int, tasks: Iterable[Seat]) -> None:
        """Whose turn it is now, instead of the ones before."""
        _NO_TASKS.change(self._connection, {"sought": document_id})
        rows = [
            {
                "document_id": document_id,
                "unit_id": seat.unit_id,
                "role": seat.role.value,
                "account_id": seat.account_id,
            }
            for seat in tasks
        ]
        for row in rows:
            _ADD_TASK.change(self._connection, row)

    def tasks(self, document_ids: Sequence[int]) -> list[tuple[int, Seat]]:
        """(document id, whose turn) of the open tasks of these documents."""
        if len(document_ids) == 1:
            rows = _TASKS_OF_ONE.rows(self._connection, {"sought": document_ids[0]})
        else:
            rows = list(self._connection.execute(_TASKS, {"sought": list(document_ids)}))
        return [(row.document_id, Seat(row.unit_id, Role(row.role), row.account_id)) for row in rows]

    def waiting(self, viewer: Account) -> set[int]:
        """Ids of the documents whose turn is `viewer`'s; of very many only some, more than anybody counts."""
        sought = {"of_unit": viewer.unit.id, "of_role": viewer.role.value, "of_account": viewer.desk_id}
        return set(self._connection.execute(_WAITING, sought).scalars())

    def ids(self, numbers: Collection[str]) -> set[int]:
        """Ids of the documents with these numbers."""
        if not numbers:
            return set()
        return set(
            self._connection.execute(select(document.c.id).where(document.c.number.in_(numbers))).scalars()
        )

    def waiting_for(self, account_id: int) -> list[int]:
        """Ids of the documents whose turn is this account's alone."""
        mine = select(task.c.document_id).where(task.c.account_id == account_id, task.c.account_id != 0)
        return sorted(set(self._connection.execute(mine).scalars()))

    def add_parties(self, document_id: int, units: Iterable[int]) -> None:
        """Let these units see the document from now on."""
        known = {row.unit_id for row in _PARTIES.rows(self._connection, {"sought": document_id})}
        rows = [{"document_id": document_id, "unit_id": unit_id} for unit_id in sorted(set(units) - known)]
        if rows:
            self._connection.execute(insert(party), rows)

    def newest(
        self, viewer: Account, *, kind: str | None = None, todo: bool = False, limit: int
    ) -> list[Document]:
        """What `viewer` may see, newest first; `todo`: only where it is its turn. Other lists: `ListStore`."""
        sought: dict[str, Any] = {"most": limit}
        platform = viewer.role is Role.INTEGRATION
        if platform:
            sought["of_region"] = viewer.region
        if todo or not platform:
            sought |= {"of_unit": viewer.unit.id, "of_account": viewer.desk_id}
        given = {"of_kind": kind, "of_role": viewer.role.value if todo else None}
        sought |= {name: value for name, value in given.items() if value}
        listed = _listed(platform, bool(kind), todo)
        return [document_of(row) for row in listed.rows(self._connection, sought)]
