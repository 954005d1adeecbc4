"""/api/v1: certificates, sessions, password, second factor, rights."""

from flask import Response

from core.domain.accounts import Session
from core.service import accounts, certificates, challenges, second_factor
from core.service.identity_ports import Binding
from web.api import account_out, body, route
from web.api_account_schemas import (
    BindIn,
    CertificateOut,
    Certificates,
    CertificateSignIn,
    ChallengeIn,
    ChallengeOut,
    CodeIn,
    EnrolmentOut,
    FactorBeginIn,
    FactorEndIn,
    FactorOut,
    FirstCodeIn,
    Holders,
    OpenSessionOut,
    OpenSessions,
    PasswordIn,
    RecoveryCodes,
    ReleaseIn,
    RightsOut,
    UnbindIn,
)
from web.parts import system
from web.schemas import SessionOut
from web.security import account_or_address, actor, device, limiter, opened, signed_in

_NOTHING = 204


def session_out(session: Session) -> SessionOut:
    """A session as the API shows it, with its token."""
    return SessionOut(
        token=session.token, expires_at=session.expires_at, account=account_out(session.account)
    )


def certificate_out(bound: Binding) -> CertificateOut:
    """A bound certificate as the API shows it."""
    held = bound.certificate
    return CertificateOut(
        serial=held.serial,
        owner=held.owner,
        issuer=held.issuer,
        not_after=held.not_after,
        bound_at=bound.bound_at,
    )


@route("POST", "/challenges", takes=ChallengeIn, gives=ChallengeOut, status=201, public=True)
@limiter.limit("30 per minute")
def new_challenge() -> tuple[ChallengeOut, int]:
    """A text to sign with the key of a certificate, good for two minutes and one use."""
    return ChallengeOut.model_validate(challenges.issue(system(), body().purpose)), 201


@route("POST", "/sessions/certificate", takes=CertificateSignIn, gives=SessionOut, status=201, public=True)
@limiter.limit("20 per minute")
def sign_in_by_certificate() -> tuple[SessionOut, int]:
    """Open a session by certificate. 401 `certificate_unbound` has in `fields` the ticket for binding."""
    given = body()
    session = certificates.sign_in(system(), given.challenge, given.proof, login=given.login, device=device())
    return session_out(session), 201


@route("POST", "/sessions/code", takes=CodeIn, gives=SessionOut, status=201, public=True)
@limiter.limit("20 per minute")
def sign_in_with_code() -> tuple[SessionOut, int]:
    """The second step after 401 `code_needed`, with the ticket from its `fields`."""
    return session_out(second_factor.confirm(system(), body().ticket, body().code)), 201


@route("GET", "/sessions", gives=OpenSessions)
def list_sessions() -> OpenSessions:
    """Sessions of the account."""
    found = accounts.sessions(system(), opened())
    return OpenSessions(items=[OpenSessionOut.model_validate(one) for one in found])


@route("DELETE", "/sessions/<session>", gives=None, status=_NOTHING)
def end_one_session(session: str) -> tuple[Response, int]:
    """End one of them."""
    accounts.end_session(system(), actor(), session)
    return Response(status=_NOTHING), _NOTHING


@route("GET", "/certificates", gives=Certificates)
def list_certificates() -> Certificates:
    """Certificates bound to the account."""
    return Certificates(items=[certificate_out(one) for one in certificates.mine(system(), actor())])


@route("POST", "/certificates", takes=BindIn, gives=CertificateOut, status=201, public=True)
@limiter.limit("20 per minute")
def bind_certificate() -> tuple[CertificateOut, int]:
    """Bind a certificate to an account; who is signed in, to the own one only."""
    session = signed_in()
    bound = certificates.bind(
        system(), **body().model_dump(), actor=session.account if session is not None else None
    )
    return certificate_out(bound), 201


@route("GET", "/certificates/<serial>", gives=Holders)
@limiter.limit("30 per minute", key_func=account_or_address)
def certificate_holders(serial: str) -> Holders:
    """To whom a serial (hexadecimal or decimal) is bound in the region."""
    return Holders(logins=certificates.holders(system(), actor(), serial))


@route("POST", "/certificates/<serial>/unbind", takes=UnbindIn, gives=CertificateOut)
@limiter.limit("20 per minute")
def unbind_certificate(serial: str) -> CertificateOut:
    """Undo the binding of one of the account's certificates."""
    return certificate_out(certificates.unbind(system(), opened(), serial, password=body().password))


@route("POST", "/certificates/<serial>/release", takes=ReleaseIn, gives=None, status=_NOTHING)
def release_certificate(serial: str) -> tuple[Response, int]:
    """An administrator undoes it for somebody who cannot get in."""
    certificates.release(system(), actor(), body().login, serial, body().reason)
    return Response(status=_NOTHING), _NOTHING


@route("POST", "/me/password", takes=PasswordIn, gives=None, status=_NOTHING)
@limiter.limit("10 per minute")
def change_password() -> tuple[Response, int]:
    """A new password; all sessions end, this one too."""
    accounts.change_password(system(), actor(), body().password, body().new_password)
    return Response(status=_NOTHING), _NOTHING


@route("GET", "/me/rights", gives=RightsOut)
def my_rights() -> RightsOut:
    """What the account may beside the processes."""
    return RightsOut(capabilities=[name.value for name in system().rights.of(actor().role)])


@route("GET", "/me/second-factor", gives=FactorOut)
def factor_status() -> FactorOut:
    """How it stands with the second factor."""
    return FactorOut.model_validate(second_factor.status(system(), actor()))


@route("POST", "/me/second-factor", takes=FactorBeginIn, gives=EnrolmentOut, status=201)
@limiter.limit("10 per minute")
def begin_factor() -> tuple[EnrolmentOut, int]:
    """A fresh secret for an authenticator app."""
    return EnrolmentOut.model_validate(second_factor.begin(system(), actor(), body().password)), 201


@route("POST", "/me/second-factor/enrolment", takes=FirstCodeIn, gives=RecoveryCodes, status=201)
@limiter.limit("10 per minute")
def enrol_factor() -> tuple[RecoveryCodes, int]:
    """Switch it on with a first code."""
    return RecoveryCodes(codes=second_factor.enrol(system(), actor(), body().code)), 201


@route("POST", "/me/second-factor/end", takes=FactorEndIn, gives=None, status=_NOTHING)
@limiter.limit("10 per minute")
def end_factor() -> tuple[Response, int]:
    """Switch it off with password and code."""
    second_factor.switch_off(system(), actor(), body().password, body().code)
    return Response(status=_NOTHING), _NOTHING
