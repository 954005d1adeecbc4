"""What the pages stand on: the core system, and the parts that are wired in by whoever starts the process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from flask import current_app

from assistant.cards import Reply, Turn
from assistant.desk import Desk
from core.domain.accounts import Account, Session
from core.service.ports import Notice
from core.service.system import System
from diagnostics.desk_reports import DeskReports
from diagnostics.page import Seen
from diagnostics.result import Report
from diagnostics.watch_store import WatchStore
from kb.editing import Editing


@dataclass(frozen=True)
class Said:
    """One message or turn: what the account said (empty where it was only told something) and the replies.

    `seq` numbers messages in their conversation, `staff`: a person wrote it, `good` is what the account thought of it.
    """

    text: str
    replies: Sequence[Reply]
    seq: int = -1
    staff: bool = False
    good: bool | None = None


class Talk(Protocol):
    """The assistant."""

    def respond(
        self, session: Session, conversation: str | None, text: str, key: str, *, page: str | None = None
    ) -> Turn:
        """Answer `text`; the same `key` again gives the same turn and does nothing twice.

        `page` is the number or address of what the asker is looking at. A conversation of another account is
        NotFoundError.
        """
        ...

    def past(self, account: Account, conversation: str | None) -> tuple[str | None, Sequence[Said]]:
        """The conversation (None: the account's latest still open) and its turns, oldest first."""
        ...

    def last(self, account: Account, conversation: str) -> int:
        """Number of the last message of a conversation."""
        ...

    def news(
        self, account: Account, conversation: str | None, after: int, unseen: Sequence[Notice]
    ) -> tuple[str | None, Sequence[Said]]:
        """What came into the conversation after message `after`; notices are told in it and marked as seen."""
        ...

    def desk_facts(self, session: Session) -> Mapping[str, str]:
        """What the desk's agent has to know of the account and its session."""
        ...

    def examined(
        self, session: Session, conversation: str, report: Report | None, page: Seen
    ) -> Sequence[Reply]:
        """Answer what a desk and its browser reported; NotFoundError for a conversation of another account."""
        ...

    def checked(
        self, account: Account, conversation: str | None, number: str, name: str, content: bytes
    ) -> tuple[str, Said]:
        """Say into the conversation (None: a new one) what a spreadsheet holds; its id, and what was said."""
        ...

    def rate(self, account: Account, conversation: str, seq: int, *, good: bool, reason: str) -> None:
        """Keep what the account thinks of an answer; NotFoundError for one that is not its own."""
        ...

    def title(self, account: Account, topic: str) -> str:
        """What a topic of the account's region is called; the topic itself where it is no more."""
        ...

    def suggest(self, account: Account, text: str) -> Sequence[str]:
        """Up to five questions like the one that is being typed."""
        ...


class BindingCode(Protocol):
    """A one-time code that binds an openid to an account."""

    @property
    def code(self) -> str: ...
    @property
    def expires_at(self) -> datetime: ...


class BindingCodes(Protocol):
    """Codes for WeChat."""

    def issue(self, account_id: int) -> BindingCode:
        """A new code; earlier ones of the account end."""
        ...

    def openids_of(self, account_id: int) -> Sequence[tuple[str, str]]:
        """(channel, openid) of what speaks for the account."""
        ...

    def unbind(self, account_id: int) -> None:
        """Nothing on WeChat speaks for the account any more, and no code of it is good."""
        ...


@dataclass(frozen=True)
class Parts:
    """Parts beside the core; a page whose part is missing is not there at all."""

    talk: Talk | None = None
    desk: Desk | None = None
    binding_codes: BindingCodes | None = None
    watch: WatchStore | None = None
    reports: DeskReports | None = None
    editing: Editing | None = None


@dataclass(frozen=True)
class House:
    """System and parts of one application."""

    system: System
    parts: Parts


def house() -> House:
    """Of the current application."""
    return cast("House", current_app.extensions["caigou"])


def system() -> System:
    """The core system of the current application."""
    return house().system
