"""Shapes of certificates, sessions, second factors, staff and deputies in /api/v1."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from core.domain.accounts import Role
from web.schemas import AccountOut, Shown, Taken

_PASSWORD = 200
_PROOF = 32 * 1024


class ChallengeIn(Taken):
    """What the signature is for."""

    purpose: Literal["sign_in", "bind"]


class ChallengeOut(Shown):
    """Sign `text` as UTF-8 with the certificate's key, SHA-256; once, before it expires."""

    text: str
    expires_at: datetime


class CertificateSignIn(Taken):
    """`proof`: base64 of {"certificate": DER, "signature": …}, both base64, as `sign-challenge` prints it."""

    challenge: str = Field(min_length=1, max_length=200)
    proof: str = Field(min_length=1, max_length=_PROOF)
    login: str = Field("", max_length=40, description="要登录的账号；证书绑在别的账号上就拒绝")


class CodeIn(Taken):
    """The second step of a sign-in."""

    ticket: str = Field(min_length=1, max_length=100)
    code: str = Field(min_length=1, max_length=40)


class BindIn(Taken):
    """Either a signed challenge of purpose `bind`, or the ticket of a sign-in with an unbound certificate."""

    login: str = Field(min_length=1, max_length=40)
    password: str = Field(min_length=1, max_length=_PASSWORD)
    challenge: str = Field("", max_length=200)
    proof: str = Field("", max_length=_PROOF)
    ticket: str = Field("", max_length=100)


class UnbindIn(Taken):
    """The password, unless this session was opened by that certificate."""

    password: str = Field("", max_length=_PASSWORD)


class ReleaseIn(Taken):
    """An administrator unbinds for somebody."""

    login: str = Field(min_length=1, max_length=40)
    reason: str = Field(min_length=1, max_length=200)


class CertificateOut(BaseModel):
    """A bound certificate; `serial` in hexadecimal."""

    serial: str
    owner: str
    issuer: str
    not_after: datetime
    bound_at: datetime


class Certificates(BaseModel):
    """Of the account."""

    items: list[CertificateOut]


class Holders(BaseModel):
    """Account numbers that a serial is bound to; others' are masked."""

    logins: list[str]


class OpenSessionOut(Shown):
    """A session of the account; `id` ends it."""

    id: str
    method: str
    device: str
    created_at: datetime
    expires_at: datetime
    current: bool


class OpenSessions(BaseModel):
    """Of the account, the newest first."""

    items: list[OpenSessionOut]


class PasswordIn(Taken):
    """The old one and the new one."""

    password: str = Field(min_length=1, max_length=_PASSWORD)
    new_password: str = Field(min_length=1, max_length=1000)


class FactorBeginIn(Taken):
    """The password once more."""

    password: str = Field(min_length=1, max_length=_PASSWORD)


class EnrolmentOut(Shown):
    """For an authenticator app."""

    address: str
    secret: str


class FirstCodeIn(Taken):
    """A code of the app."""

    code: str = Field(min_length=1, max_length=40)


class FactorEndIn(Taken):
    """Both factors."""

    password: str = Field(min_length=1, max_length=_PASSWORD)
    code: str = Field(min_length=1, max_length=40)


class RecoveryCodes(BaseModel):
    """Each works once; shown this once."""

    codes: list[str]


class FactorOut(Shown):
    """How it stands."""

    available: bool
    enrolled: bool
    recovery_codes: int


class RightsOut(BaseModel):
    """What the account may beside the processes."""

    capabilities: list[str]


class PhoneIn(Taken):
    """A mobile number."""

    phone: str = Field(min_length=1, max_length=30)


class UnitOut(BaseModel):
    """A unit in the tree; `depth` 0 is one's own."""

    id: int
    depth: int
    code: str
    name: str


class Units(BaseModel):
    """Each below its parent."""

    items: list[UnitOut]


class UnitQuery(Taken):
    """Which unit; without it one's own."""

    unit: int | None = Field(None, ge=1, le=2**31)


class MemberOut(BaseModel):
    """An account as its administrator sees it; the phone is masked."""

    account: AccountOut
    phone: str
    active: bool
    locked_until: datetime | None


class Members(BaseModel):
    """Of a unit."""

    items: list[MemberOut]


class InviteIn(Taken):
    """Whom to invite."""

    phone: str = Field(min_length=1, max_length=30)
    name: str = Field(min_length=1, max_length=50)
    role: Role
    unit: int | None = Field(None, ge=1, le=2**31)


class InvitationOut(BaseModel):
    """An invitation; the phone is masked."""

    id: int
    unit_name: str
    role: str
    name: str
    phone: str
    expires_at: datetime
    state: str


class Invitations(BaseModel):
    """Of a unit, the newest first."""

    items: list[InvitationOut]


class InvitedOut(BaseModel):
    """`code` is shown this once; hand it over."""

    invitation: InvitationOut
    code: str


class JoinIn(Taken):
    """What who was invited sends."""

    code: str = Field(min_length=1, max_length=40)
    phone: str = Field(min_length=1, max_length=30)
    password: str = Field(min_length=1, max_length=1000)


class DeputyIn(Taken):
    """Who stands in from `since` to `until`, both included; `principal` for others of the unit one administers."""

    deputy: str = Field(min_length=1, max_length=40)
    since: date
    until: date
    principal: str = Field("", max_length=40)


class DeputyOut(BaseModel):
    """`holds`: today the deputy may act."""

    id: int
    principal: str
    deputy: str
    since: date
    until: date
    holds: bool


class Deputies(BaseModel):
    """In which the account is the one or the other, the newest first."""

    items: list[DeputyOut]


class ActingIn(Taken):
    """Which appointment to work under in this session; null for oneself."""

    deputy: int | None = Field(ge=1, le=2**31)
