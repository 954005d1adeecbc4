"""What sign-in, certificates, second factors and staff need of the outside, as Protocols. Times are aware UTC."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from core.domain.accounts import Account, Role, Unit
from core.domain.certificates import KeyCertificate


@dataclass(frozen=True)
class OpenSession:
    """A session as stored. `id` names it to its owner and opens nothing."""

    id: str
    account: Account
    created_at: datetime
    expires_at: datetime
    method: str
    certificate: str
    device: str
    deputy_id: int | None


@dataclass(frozen=True)
class OneTime:
    """Something that may be used once: a challenge, or a ticket between two steps."""

    account_id: int | None
    body: Mapping[str, Any]
    expires_at: datetime


@dataclass(frozen=True)
class Binding:
    """A certificate bound to an account."""

    id: int
    account_id: int
    login: str
    region: str
    certificate: KeyCertificate
    bound_at: datetime


@dataclass(frozen=True)
class Factor:
    """A second factor; `secret` is encrypted, not `enrolled` until a first code was right."""

    secret: str
    enrolled: bool
    last_step: int


@dataclass(frozen=True)
class Invitation:
    """Somebody asked to join a unit."""

    id: int
    unit: Unit
    role: Role
    name: str
    phone: str
    invited_by: int
    created_at: datetime
    expires_at: datetime
    state: str


@dataclass(frozen=True)
class Appointment:
    """`deputy` acts for `principal` from `since` to `until`, both days included, unless ended before."""

    id: int
    principal: Account
    deputy: Account
    since: date
    until: date
    ended_at: datetime | None

    def holds_on(self, day: date) -> bool:
        """Whether the deputy may act on this day."""
        return self.ended_at is None and self.since <= day <= self.until


@dataclass(frozen=True)
class Member:
    """An account as its administrator sees it."""

    account: Account
    phone: str
    active: bool
    locked_until: datetime | None


class Identities(Protocol):
    """One-time things, bound certificates, second factors. All guarded in the database."""

    def issue(
        self, digest: str, purpose: str, account_id: int | None, body: Mapping[str, Any], expires: datetime
    ) -> None: ...
    def one_time(self, digest: str, purpose: str) -> OneTime | None: ...
    def take(self, digest: str, purpose: str) -> OneTime | None: ...
    def forget_one_time(self, *, before: datetime | None = None, account_id: int | None = None) -> None: ...
    def binding(self, sha256: str) -> Binding | None: ...
    def bindings(self, account_id: int) -> list[Binding]: ...
    def bindings_by_serial(self, region: str, serials: Collection[str]) -> list[Binding]: ...
    def bind(self, account_id: int, certificate: KeyCertificate, at: datetime) -> bool: ...
    def unbind(self, binding_id: int) -> bool: ...
    def factor(self, account_id: int) -> Factor | None: ...
    def set_factor(self, account_id: int, secret: str) -> None: ...
    def enrol(self, account_id: int, step: int, codes: Collection[str], at: datetime) -> bool: ...
    def use_step(self, account_id: int, step: int) -> bool: ...
    def use_recovery_code(self, account_id: int, digest: str) -> bool: ...
    def recovery_codes_left(self, account_id: int) -> int: ...
    def drop_factor(self, account_id: int) -> None: ...


class Staff(Protocol):
    """Who works in a unit, who was invited, who stands in for whom, and how units hang together."""

    def members(self, unit_id: int) -> list[Member]: ...
    def member(self, account_id: int) -> Member: ...
    def set_active(self, account_id: int, *, active: bool) -> bool: ...
    def set_phone(self, account_id: int, phone: str) -> None: ...
    def register_phone(self, phone: str, account_id: int, at: datetime) -> bool: ...
    def phone_known(self, phone: str) -> bool: ...
    def lock_unit(self, unit_id: int) -> None: ...
    def logins_like(self, beginning: str) -> set[str]: ...
    def invite(self, values: Mapping[str, Any]) -> int: ...
    def invitations(self, unit_id: int) -> list[Invitation]: ...
    def invitation(self, digest: str) -> Invitation | None: ...
    def invitation_by_id(self, invitation_id: int) -> Invitation | None: ...
    def close_invitation(self, invitation_id: int, state: str, account_id: int | None = None) -> bool: ...
    def appoint(self, values: Mapping[str, Any]) -> int: ...
    def appointment(self, appointment_id: int) -> Appointment | None: ...
    def appointments(self, account_id: int) -> list[Appointment]: ...
    def end_appointment(self, appointment_id: int, at: datetime) -> bool: ...
    def standing_in(self, principal_ids: Collection[int], day: date) -> list[Appointment]: ...
    def standing_in_for(self, deputy_id: int, day: date) -> list[Appointment]: ...
    def tree(self, unit_id: int) -> list[tuple[int, Unit]]: ...


class CertificateJudge(Protocol):
    """Reads certificates and checks signatures of challenges."""

    def read(self, der: bytes) -> KeyCertificate:
        """What is kept of it; InvalidError `bad_proof` for bytes that are none."""
        ...

    def why_not(self, der: bytes, now: datetime) -> str | None:
        """Why it cannot identify anybody now (dates, use, algorithm, chain), in Chinese; None if it can."""
        ...

    def signed(self, der: bytes, message: bytes, signature: bytes) -> bool:
        """Whether the certificate's key made `signature` over `message`."""
        ...


class OneTimeCodes(Protocol):
    """Codes that change every 30 seconds (RFC 6238)."""

    def new_secret(self) -> str:
        """A fresh secret, encrypted."""
        ...

    def address(self, secret: str, login: str) -> str:
        """`otpauth://…` for an app to scan."""
        ...

    def plain(self, secret: str) -> str:
        """The secret for typing in."""
        ...

    def step(self, secret: str, code: str, now: datetime) -> int | None:
        """Time step that `code` belongs to, one to either side of now; None for a wrong one."""
        ...
