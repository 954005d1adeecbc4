"""What use cases need of the outside, as Protocols; `core.adapters` implements them.

A `Transaction` is one unit of work: leaving it cleanly commits, an exception rolls all of it back.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from core.domain.accounts import Account, Role, Unit
from core.domain.certificates import Vendor
from core.domain.documents import Document, Entry
from core.domain.ledger import Hold, Movement
from core.domain.process import Process
from core.service.identity_ports import Identities, OpenSession, Staff


@dataclass(frozen=True)
class Credentials:
    """What sign-in needs to know of an account."""

    account: Account
    password_hash: str
    failures: int
    locked_until: datetime | None
    active: bool = True


@dataclass(frozen=True)
class Indicator:
    """A budget indicator with its balances in fen."""

    id: int
    unit_id: int
    code: str
    name: str
    year: int
    total_fen: int
    frozen_fen: int
    used_fen: int

    @property
    def available_fen(self) -> int:
        """What can still be frozen."""
        return self.total_fen - self.frozen_fen - self.used_fen


@dataclass(frozen=True)
class MovementRow:
    """A recorded movement and the document it came from."""

    at: datetime
    movement: Movement
    number: str


@dataclass(frozen=True)
class Notice:
    """Something an account has to hear about a document."""

    id: int
    at: datetime
    text: str
    number: str


@dataclass(frozen=True)
class OutboxMessage:
    """What has to reach another system; `key` makes its receipt idempotent there."""

    id: int
    document_id: int
    topic: str
    body: Mapping[str, Any]
    key: str
    attempts: int


@dataclass(frozen=True)
class ParkedMessage:
    """A message that could not be delivered and waits for staff; `problem` says why, `at` is when it was written."""

    id: int
    number: str
    title: str
    topic: str
    attempts: int
    problem: str
    at: datetime


@dataclass(frozen=True)
class Certificate:
    """A signed filing certificate; the bytes lie in the blob store under `sha256`."""

    sha256: str
    seal: str
    seal_serial: str
    signed_at: datetime


@dataclass(frozen=True)
class RepairRow:
    """A running repair as stored; `steps` are plain JSON objects."""

    id: int
    document_id: int
    number: str
    goal: str
    asked_by: int
    state: str
    steps: Sequence[Mapping[str, Any]]
    position: int
    fingerprint: str
    why_stopped: str


class Accounts(Protocol):
    """Units, accounts and sessions."""

    def credentials(self, login: str, *, lock: bool = False) -> Credentials | None: ...
    def account(self, account_id: int) -> Account: ...
    def unit(self, unit_id: int) -> Unit: ...
    def unit_by_code(self, division: str, code: str) -> Unit | None: ...
    def units_by_code(self, region: str, code: str) -> list[Unit]: ...
    def units_with(self, region: str, role: Role) -> list[Unit]: ...
    def of(self, unit_id: int, role: Role | None = None) -> list[Account]: ...
    def system(self, region: str) -> Account: ...
    def record_failure(self, account_id: int, failures: int, locked_until: datetime | None) -> None: ...
    def set_password(self, account_id: int, password_hash: str) -> None: ...
    def add_session(
        self, token_hash: str, account_id: int, now: datetime, expires: datetime, *, method: str = ...,
        certificate: str = ..., device: str = ...,
    ) -> None: ...  # fmt: skip
    def session(self, token_hash: str) -> OpenSession | None: ...
    def sessions(self, account_id: int, now: datetime) -> list[OpenSession]: ...
    def set_deputy(self, token_hash: str, appointment_id: int | None) -> None: ...
    def end_session(self, token_hash: str) -> None: ...
    def end_sessions(
        self, account_id: int, *, session_id: str = ..., certificate: str = ..., but: str = ...
    ) -> int: ...
    def add_unit(self, values: Mapping[str, Any]) -> int: ...
    def add_account(self, values: Mapping[str, Any]) -> int: ...


class Documents(Protocol):
    """Documents, their history, who sees them and whose turn it is."""

    def next_number(self, prefix: str) -> int: ...
    def add(self, document: Document) -> Document: ...
    def by_number(self, number: str, viewer: Account | None, *, lock: bool = False) -> Document | None: ...
    def by_id(self, document_id: int) -> Document: ...
    def children(self, document_id: int) -> list[Document]: ...
    def replace(self, before: Document, after: Document) -> bool: ...
    def append(self, document_id: int, entry: Entry) -> None: ...
    def history(self, document_id: int) -> list[Entry]: ...
    def set_tasks(self, document_id: int, tasks: Iterable[tuple[int, Role]]) -> None: ...
    def tasks(self, document_ids: Sequence[int]) -> list[tuple[int, int, Role]]: ...
    def waiting(self, viewer: Account) -> set[str]: ...
    def add_parties(self, document_id: int, units: Iterable[int]) -> None: ...
    def find(
        self,
        viewer: Account,
        *,
        kind: str | None,
        words: str,
        node: str | None,
        todo: bool,
        limit: int,
        before: int | None,
    ) -> list[Document]: ...


class Ledger(Protocol):
    """Indicators, holds and movements. `apply` is guarded in the database."""

    def indicators(self, unit_id: int) -> list[Indicator]: ...
    def indicator(self, indicator_id: int) -> Indicator | None: ...
    def add_indicator(self, values: Mapping[str, Any]) -> int: ...
    def top_up(self, unit_id: int, year: int, code: str, name: str, add_fen: int) -> Indicator: ...
    def holds(self, document_id: int) -> list[Hold]: ...
    def apply(self, document_id: int, seq: int, movement: Movement, at: datetime) -> bool: ...
    def statement(self, indicator_id: int) -> list[MovementRow]: ...
    def imbalances(self) -> list[str]: ...


class Records(Protocol):
    """Audit, idempotency, notices, certificates, repairs and process versions."""

    def audit(
        self, region: str, at: datetime, account: str, act: str, subject: str, body: Mapping[str, Any]
    ) -> None: ...
    def broken_audit(self) -> list[str]: ...
    def remembered(self, account_id: int, key: str) -> tuple[str, Any] | None: ...
    def remember(self, account_id: int, key: str, digest: str, result: Any, at: datetime) -> None: ...
    def notify(self, account_ids: Iterable[int], number: str, words: str, at: datetime) -> None: ...
    def notices(self, account_id: int) -> list[Notice]: ...
    def mark_seen(self, account_id: int, ids: Sequence[int]) -> None: ...
    def add_certificate(self, document_id: int, certificate: Certificate, account_id: int) -> None: ...
    def certificate(self, document_id: int) -> Certificate | None: ...
    def add_repair(self, row: RepairRow, at: datetime) -> int: ...
    def repair(self, repair_id: int) -> RepairRow | None: ...
    def running_repairs(self, document_ids: Sequence[int]) -> list[RepairRow]: ...
    def waiting_repairs(self, unit_id: int, role: Role) -> list[RepairRow]: ...
    def set_repair(
        self, repair_id: int, *, state: str, position: int, why: str, waiting: Iterable[tuple[int, Role]]
    ) -> None: ...
    def keep_process(self, process: Process) -> None: ...
    def process_body(self, version: str) -> str | None: ...


class Outbox(Protocol):
    """Messages to other systems. A claim is lost when its lease ran out and another sender took over."""

    def send(self, document_id: int, topic: str, body: Mapping[str, Any], key: str, at: datetime) -> None: ...
    def due(self, now: datetime, limit: int) -> list[OutboxMessage]: ...
    def claim(self, message: OutboxMessage, now: datetime, until: datetime) -> OutboxMessage | None: ...
    def delivered(self, message: OutboxMessage) -> bool: ...
    def postponed(self, message: OutboxMessage, due: datetime, problem: str, *, parked: bool) -> bool: ...
    def parked(self, region: str) -> list[ParkedMessage]: ...
    def resume(self, message_id: int, now: datetime) -> bool: ...
    def set_aside(self, message_id: int, problem: str) -> bool: ...


class Transaction(Protocol):
    """One unit of work."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def documents(self) -> Documents: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def records(self) -> Records: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def identities(self) -> Identities: ...
    @property
    def staff(self) -> Staff: ...


class Database(Protocol):
    """Opens units of work. `write` takes the write lock at its start where the database has only one."""

    def read(self) -> AbstractContextManager[Transaction]: ...
    def write(self) -> AbstractContextManager[Transaction]: ...


class Processes(Protocol):
    """Current processes, and those of earlier versions that documents still run on."""

    def current(self, region: str, kind: str, variant: str) -> Process: ...
    def variants(self, region: str, kind: str) -> list[Process]: ...
    def version(self, version: str, tx: Transaction) -> Process: ...
    def region_label(self, region: str) -> str: ...
    def vendors(self, region: str) -> tuple[Vendor, ...]: ...
    def all(self) -> list[Process]: ...


class Blobs(Protocol):
    """Bytes by content hash."""

    def put(self, content: bytes) -> str: ...
    def get(self, sha256: str) -> bytes: ...


class Hasher(Protocol):
    """Password hashing; verifying against None (no such account) takes as long and is False."""

    def hash(self, password: str) -> str: ...
    def verify(self, password_hash: str | None, password: str) -> bool: ...
