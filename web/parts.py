"""What the pages stand on: the core system, and the parts that are wired in by whoever starts the process."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from flask import current_app

from assistant.cards import Reply, Turn
from core.domain.accounts import Account, Session
from core.service.system import System


@dataclass(frozen=True)
class Said:
    """One turn of the past: what the account said (empty where it was only told something) and the replies."""

    text: str
    replies: Sequence[Reply]


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


class Ticket(Protocol):
    """What support staff see of a handed-over question."""

    @property
    def id(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def asked_by(self) -> str: ...
    @property
    def unit_name(self) -> str: ...
    @property
    def question(self) -> str: ...
    @property
    def number(self) -> str | None: ...
    @property
    def node_label(self) -> str | None: ...
    @property
    def transcript(self) -> Sequence[tuple[str, str]]: ...
    @property
    def open(self) -> bool: ...


class Tickets(Protocol):
    """Questions handed over to people."""

    def listing(self, actor: Account) -> Sequence[Ticket]:
        """Tickets this support account may see, open ones first; ForbiddenError for others."""
        ...

    def close(self, actor: Account, ticket: str, note: str) -> None:
        """Answer and close; the asker is told."""
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


@dataclass(frozen=True)
class Parts:
    """Parts beside the core; a page whose part is missing is not there at all."""

    talk: Talk | None = None
    tickets: Tickets | None = None
    binding_codes: BindingCodes | None = None


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
