"""/api/v1: staff, invitations, deputies, units, phones."""

from flask import Response

from core.service import deputies, staff
from core.service.identity_ports import Appointment, Invitation
from web.api import account_out, asked, body, route
from web.api_account import session_out
from web.api_account_schemas import (
    ActingIn,
    Deputies,
    DeputyIn,
    DeputyOut,
    InvitationOut,
    Invitations,
    InvitedOut,
    InviteIn,
    JoinIn,
    MemberOut,
    Members,
    PhoneIn,
    UnitOut,
    UnitQuery,
    Units,
)
from web.parts import system
from web.schemas import AccountOut, SessionOut
from web.security import actor, limiter, opened

_NOTHING = 204


def _invitation(found: Invitation) -> InvitationOut:
    return InvitationOut(
        id=found.id, unit_name=found.unit.name, role=found.role.value, name=found.name,
        phone=staff.masked_phone(found.phone), expires_at=found.expires_at, state=found.state,
    )  # fmt: skip


def _deputy(found: Appointment) -> DeputyOut:
    return DeputyOut(
        id=found.id, principal=found.principal.login, deputy=found.deputy.login, since=found.since,
        until=found.until, holds=found.holds_on(system().today),
    )  # fmt: skip


@route("PUT", "/me/phone", takes=PhoneIn, gives=None, status=_NOTHING)
@limiter.limit("10 per minute")
def register_phone() -> tuple[Response, int]:
    """Register a number that nobody has, at the first sign-in."""
    staff.register_phone(system(), actor(), body().phone)
    return Response(status=_NOTHING), _NOTHING


@route("GET", "/units", gives=Units)
def list_units() -> Units:
    """One's own unit and all below it."""
    found = staff.units(system(), actor())
    return Units(
        items=[UnitOut(id=unit.id, depth=depth, code=unit.code, name=unit.name) for depth, unit in found]
    )


@route("GET", "/staff", query=UnitQuery, gives=Members)
def list_staff() -> Members:
    """Accounts of a unit that one administers."""
    found = staff.members(system(), actor(), asked().unit)
    return Members(
        items=[
            MemberOut(
                account=account_out(one.account),
                phone=one.phone,
                active=one.active,
                locked_until=one.locked_until,
            )
            for one in found
        ]
    )


@route("POST", "/staff/<login>/suspend", gives=None, status=_NOTHING)
def suspend_account(login: str) -> tuple[Response, int]:
    """Let nobody in under it."""
    staff.suspend(system(), actor(), login)
    return Response(status=_NOTHING), _NOTHING


@route("POST", "/staff/<login>/resume", gives=None, status=_NOTHING)
def resume_account(login: str) -> tuple[Response, int]:
    """Let it in again."""
    staff.resume(system(), actor(), login)
    return Response(status=_NOTHING), _NOTHING


@route("GET", "/invitations", query=UnitQuery, gives=Invitations)
def list_invitations() -> Invitations:
    """Invitations of a unit that one administers."""
    return Invitations(items=[_invitation(one) for one in staff.invitations(system(), actor(), asked().unit)])


@route("POST", "/invitations", takes=InviteIn, gives=InvitedOut, status=201)
@limiter.limit("30 per minute")
def invite_staff() -> tuple[InvitedOut, int]:
    """Invite by phone."""
    given = body()
    made = staff.invite(
        system(), actor(), phone=given.phone, name=given.name, role=given.role, unit_id=given.unit
    )
    return InvitedOut(invitation=_invitation(made.invitation), code=made.code), 201


@route("DELETE", "/invitations/<int:invitation>", gives=None, status=_NOTHING)
def withdraw_invitation(invitation: int) -> tuple[Response, int]:
    """Take it back."""
    staff.withdraw(system(), actor(), invitation)
    return Response(status=_NOTHING), _NOTHING


@route("POST", "/invitations/accept", takes=JoinIn, gives=AccountOut, status=201, public=True)
@limiter.limit("10 per minute")
def accept_invitation() -> tuple[AccountOut, int]:
    """Join; the answer has the new account number."""
    return account_out(staff.accept(system(), body().code, body().phone, body().password)), 201


@route("GET", "/deputies", gives=Deputies)
def list_deputies() -> Deputies:
    """Who stands in for whom, as far as it concerns the account."""
    return Deputies(items=[_deputy(one) for one in deputies.listing(system(), actor())])


@route("POST", "/deputies", takes=DeputyIn, gives=DeputyOut, status=201)
def appoint_deputy() -> tuple[DeputyOut, int]:
    """Let a colleague stand in."""
    given = body()
    made = deputies.appoint(
        system(), actor(), given.deputy, given.since, given.until, principal_login=given.principal
    )
    return _deputy(made), 201


@route("DELETE", "/deputies/<int:deputy>", gives=None, status=_NOTHING)
def end_deputy(deputy: int) -> tuple[Response, int]:
    """End it now."""
    deputies.end(system(), actor(), deputy)
    return Response(status=_NOTHING), _NOTHING


@route("PUT", "/sessions/acting", takes=ActingIn, gives=SessionOut)
def act_for() -> SessionOut:
    """Work for somebody in this session, or as oneself again."""
    return session_out(deputies.act_for(system(), opened(), body().deputy))
