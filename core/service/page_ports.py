"""What attachments and lists need of the outside, as Protocols; `core.adapters` implements them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from core.domain.accounts import Account
from core.domain.documents import Document


@dataclass(frozen=True)
class Attachment:
    """A file that a form names; `size` in bytes, `at` is when it was uploaded (UTC)."""

    sha256: str
    name: str
    type: str
    size: int
    at: datetime


@dataclass(frozen=True)
class Query:
    """Which documents a list shows. `folder`: all, todo, done, mine, copied, late; times are UTC, money is fen.

    `order`: newest (by id), urgent (what is due first; only what waits for somebody), copied (what was copied last; in
    that folder). `after` is where a page of the last two begins: when the last document shown is due, or was copied.
    """

    folder: str = "all"
    kind: str = ""
    node: str = ""
    words: str = ""
    since: datetime | None = None
    until: datetime | None = None
    least_fen: int | None = None
    most_fen: int | None = None
    order: str = "newest"
    after: datetime | None = None
    now: datetime | None = None  # for late and overdue: due before this
    overdue: bool = False
    unread: bool = False  # for copied: only what was not read yet


@dataclass(frozen=True)
class SavedView:
    """A list that an account keeps under a name; `query` is as its page's address has it."""

    id: int
    name: str
    query: Mapping[str, str]


class Attachments(Protocol):
    """Files that were uploaded, and which documents name them."""

    def add(self, file: Attachment, uploader: Account) -> None: ...
    def uploaded(self, sha256: str, unit_ids: Collection[int]) -> bool: ...
    def of(self, document_ids: Collection[int]) -> list[Attachment]: ...
    def bind(self, document: Document, sha256s: Collection[str], actor: Account) -> None: ...


class Lists(Protocol):
    """Searching documents, and views that accounts keep."""

    def find(self, viewer: Account, query: Query, *, limit: int, before: int | None) -> list[Document]: ...
    def count(self, viewer: Account, query: Query) -> int: ...
    def views(self, account_id: int) -> list[SavedView]: ...
    def keep_view(self, account_id: int, name: str, query: Mapping[str, Any]) -> None: ...
    def drop_view(self, account_id: int, view_id: int) -> None: ...
